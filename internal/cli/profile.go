package cli

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"net"
	"net/url"
	"path/filepath"
	"slices"
	"strings"
)

// profile is a cloud and how to sign in to it: with keys, or with a name and a password where the cloud hands out no keys.
type profile struct {
	Name      string `json:"-"`
	Endpoint  string `json:"url"`
	APIKey    string `json:"apikey,omitempty"`
	SecretKey string `json:"secretkey,omitempty"`
	Username  string `json:"username,omitempty"`
	Password  string `json:"password,omitempty"`
	Domain    string `json:"domain,omitempty"`
	// Insecure takes any certificate: for clouds with one that nobody has signed.
	Insecure bool `json:"insecure,omitempty"`
}

// signsIn tells whether it has a name and a password in the place of keys.
func (p *profile) signsIn() bool { return p.APIKey == "" && p.Username != "" }

// settings is the configuration file.
type settings struct {
	Profile  string              `json:"profile,omitempty"` // the one in use
	Output   string              `json:"output,omitempty"`  // how answers are shown
	Profiles map[string]*profile `json:"profiles,omitempty"`

	path string
}

// settings reads the configuration. A file that others can read is refused: it holds keys.
func (e *Env) settings() (*settings, error) {
	s := &settings{path: e.config("config.json"), Profiles: map[string]*profile{}}
	text, wrong, err := e.readPrivate(s.path, 0o077)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return s, nil
	case err != nil:
		return nil, err
	case wrong != "":
		return nil, usagef("%s holds keys, and %s: make it yours alone, with mode 600", s.path, wrong)
	}
	if err := json.Unmarshal(text, s); err != nil {
		return nil, usagef("%s: %v", s.path, err)
	}
	for name, p := range s.Profiles {
		if p == nil {
			return nil, usagef("%s: profile %q is empty", s.path, name)
		}
		p.Name = name
	}
	return s, nil
}

// save writes the configuration in one step, for its owner only.
func (s *settings) save() error {
	text, err := json.MarshalIndent(s, "", "  ")
	if err != nil {
		return err
	}
	return WriteFile(s.path, append(text, '\n'))
}

// named gives a profile by its name.
func (s *settings) named(name string) (*profile, error) {
	if p := s.Profiles[name]; p != nil {
		return p, nil
	}
	names := slices.Sorted(maps.Keys(s.Profiles))
	if len(names) == 0 {
		return nil, usagef("there is no profile %q, nor any other: 'virga login' makes one", name)
	}
	return nil, usagef("there is no profile %q%s", name, oneOf(name, names))
}

// oneOf asks for one of few choices, or guesses which was meant among many.
func oneOf(word string, choices []string) string {
	if guess := meant(word, choices); guess != "" {
		return guess
	}
	return "; there are " + strings.Join(choices, ", ")
}

// sandbox is where "make run" leaves the keys of the cloud it starts.
const sandbox = "virga-data/credentials.json"

// profile is the cloud to speak to: the environment counts most, then the profile asked for or in use, and where neither
// says anything, the sandbox of this folder.
func (e *Env) profile(s *settings, name string) (*profile, error) {
	p := &profile{}
	if name == "" {
		name = e.Getenv("VIRGA_PROFILE")
	}
	endpoint := e.Getenv("VIRGA_ENDPOINT")
	if name == "" && endpoint == "" {
		name = s.Profile
	}
	if name != "" {
		named, err := s.named(name)
		if err != nil {
			return nil, err
		}
		*p = *named
	} else if endpoint == "" {
		if err := e.sandbox(p); err != nil {
			return nil, err
		}
	}
	if endpoint != "" {
		var err error
		if p.Endpoint, err = endpointOf(endpoint); err != nil {
			return nil, err
		}
	}
	if key := e.Getenv("VIRGA_APIKEY"); key != "" {
		p.APIKey, p.Username, p.Password = key, "", ""
	}
	if key := e.Getenv("VIRGA_SECRETKEY"); key != "" {
		p.SecretKey = key
	}
	switch {
	case p.Endpoint == "":
		return nil, unreachablef("no cloud is configured: 'virga login' signs in to one, 'virga dev' starts one here, " +
			"VIRGA_ENDPOINT, VIRGA_APIKEY and VIRGA_SECRETKEY name one")
	case (p.APIKey == "") != (p.SecretKey == ""):
		return nil, unreachablef("an API key and a secret key go together: one of VIRGA_APIKEY and VIRGA_SECRETKEY is missing")
	}
	return p, nil
}

// sandbox reads the keys of the sandbox of this folder, if there is one. The folder may be anybody's, and whose file it is decides where
// commands go: a file that the user has not made, or that leads to another machine, is not obeyed.
func (e *Env) sandbox(p *profile) error {
	text, wrong, err := e.readPrivate(filepath.Join(e.Dir, sandbox), 0o022)
	if errors.Is(err, fs.ErrNotExist) || errors.Is(err, fs.ErrPermission) {
		return nil
	}
	if err != nil {
		return err
	}
	var keys struct{ Endpoint, APIKey, SecretKey string }
	if wrong == "" {
		if err := json.Unmarshal(text, &keys); err != nil {
			return fmt.Errorf("%s: %w", sandbox, err)
		}
		if !loopback(keys.Endpoint) {
			wrong = "it leads to another machine, " + keys.Endpoint
		}
	}
	if wrong != "" {
		return unreachablef("no cloud is configured, and %s in this folder is not used: %s. 'virga login' signs in to a cloud", sandbox, wrong)
	}
	p.Endpoint, p.APIKey, p.SecretKey = keys.Endpoint, keys.APIKey, keys.SecretKey
	p.Insecure = strings.HasPrefix(keys.Endpoint, "https:") // it signs its certificate itself
	return nil
}

// loopback tells whether an address is this machine's.
func loopback(endpoint string) bool {
	u, err := url.Parse(endpoint)
	if err != nil {
		return false
	}
	ip := net.ParseIP(u.Hostname())
	return strings.EqualFold(u.Hostname(), "localhost") || ip != nil && (ip.IsLoopback() || ip.IsUnspecified())
}
