package cli

import (
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"maps"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"strings"
	"sync"

	"github.com/virga-cloud/virga/api"
	"github.com/virga-cloud/virga/internal/remote"
)

// cloud is a server that commands are sent to.
type cloud struct {
	env     *Env
	profile *profile
	client  *api.Client

	mu      sync.Mutex
	session string // the session's key, where there are no API keys
}

// cloud prepares to speak to a profile's server, and sends nothing yet.
func (e *Env) cloud(p *profile) *cloud {
	client := e.HTTP
	if client == nil {
		client = &http.Client{}
	}
	if p.Insecure {
		own := *client
		own.Transport = &http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true}} //nolint:gosec // the profile says so
		client = &own
	}
	if p.signsIn() {
		own := *client
		own.Jar, _ = cookiejar.New(nil) // which fails with options only
		client = &own
	}
	return &cloud{env: e, profile: p, client: &api.Client{Endpoint: p.Endpoint, APIKey: p.APIKey, SecretKey: p.SecretKey, HTTP: client}}
}

// Client is a client of the cloud that a command line would speak to. It signs with keys: a profile with a name and a password
// has none to sign with, and is refused.
func Client(e Env) (*api.Client, error) {
	s, err := e.settings()
	if err != nil {
		return nil, err
	}
	p, err := e.profile(s, "")
	if err != nil {
		return nil, err
	}
	if p.APIKey == "" {
		return nil, usagef("the profile %q has no keys to sign with", p.Name)
	}
	return e.cloud(p).client, nil
}

// endpointOf completes what a user gives as a cloud's address.
func endpointOf(text string) (string, error) {
	whole := text
	if !strings.Contains(whole, "://") {
		whole = "http://" + whole
	}
	u, err := url.Parse(whole)
	if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
		return "", usagef("%q is no address of a cloud: want http://host:8080/client/api", text)
	}
	if u.Path == "" || u.Path == "/" {
		u.Path = "/client/api"
	}
	u.RawQuery, u.Fragment = "", ""
	return u.String(), nil
}

// send sends a command and gives what is inside the envelope; it waits for no job.
func (c *cloud) send(ctx context.Context, name string, params api.Params) (json.RawMessage, error) {
	if !c.profile.signsIn() {
		return c.client.Send(ctx, name, params)
	}
	key, err := c.signedIn(ctx, "")
	if err != nil {
		return nil, err
	}
	answer, err := c.client.Send(ctx, name, within(key, params))
	if !noSession(err) {
		return answer, err
	}
	if key, err = c.signedIn(ctx, key); err != nil { // it ended meanwhile: what was refused was not done
		return nil, err
	}
	return c.client.Send(ctx, name, within(key, params))
}

func within(session string, params api.Params) api.Params {
	out := api.Params{"sessionkey": session}
	maps.Copy(out, params)
	return out
}

// login begins a session with the profile's name and password, and gives the user's id.
func (c *cloud) login(ctx context.Context) (user string, err error) {
	params := api.Params{"username": c.profile.Username, "password": c.profile.Password}
	if c.profile.Domain != "" {
		params["domain"] = c.profile.Domain
	}
	answer, err := c.client.Send(ctx, "login", params)
	if refused, ok := errors.AsType[*api.RemoteError](err); ok {
		return "", unreachablef("%s: %s", c.profile.Endpoint, refused.Text)
	}
	if err != nil {
		return "", err
	}
	var out struct{ UserID, SessionKey string }
	if err := json.Unmarshal(answer, &out); err != nil || out.SessionKey == "" {
		return "", unreachablef("%s answers to a login, but not as a CloudStack does", c.profile.Endpoint)
	}
	c.session = out.SessionKey
	return out.UserID, nil
}

// wait waits for a job's end and gives its result. What fails there is a failure of its own kind: the command was accepted.
func (c *cloud) wait(ctx context.Context, job string, look func()) (json.RawMessage, error) {
	result, err := remote.Cloud{Send: c.send, Now: c.env.Now, Look: look}.Wait(ctx, job)
	if failed, ok := errors.AsType[*api.RemoteError](err); ok && failed.HTTPStatus == http.StatusOK {
		return nil, &failure{exitJobFailed, failed.Text}
	}
	return result, err
}

// jobOf is the job that an answer speaks of, "" where it is another kind of answer.
func jobOf(command *command, answer json.RawMessage) string {
	if !command.Async {
		return ""
	}
	var s struct {
		JobID string `json:"jobid"`
	}
	if json.Unmarshal(answer, &s) != nil {
		return ""
	}
	return s.JobID
}
