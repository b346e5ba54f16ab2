package cli

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"os"
	"strings"

	"github.com/virga-cloud/virga/api"
)

// session is what a login by name and password has given, to be used until the server ends it. It is kept beside the profiles.
type session struct {
	Endpoint string            `json:"url"`
	Key      string            `json:"sessionkey"`
	Cookies  map[string]string `json:"cookies"`
}

// sessionFile is where the session of a profile is kept: one for each cloud and user.
func (e *Env) sessionFile(p *profile) string {
	sum := sha256.Sum256([]byte(strings.Join([]string{p.Endpoint, p.Username, p.Domain}, "\n")))
	return e.config("sessions/" + hex.EncodeToString(sum[:12]) + ".json")
}

// signedIn gives the key of a session: of the one that there is, or that an earlier command line has left, or else of a new one. One
// that has ended is none.
func (c *cloud) signedIn(ctx context.Context, ended string) (string, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.session == "" && ended == "" {
		c.resume()
	}
	if c.session != "" && c.session != ended {
		return c.session, nil
	}
	if _, err := c.login(ctx); err != nil {
		_ = os.Remove(c.env.sessionFile(c.profile))
		return "", err
	}
	c.keep()
	return c.session, nil
}

// resume takes up the session that an earlier command line began.
func (c *cloud) resume() {
	text, wrong, err := c.env.readPrivate(c.env.sessionFile(c.profile), 0o077)
	var s session
	if err != nil || wrong != "" || json.Unmarshal(text, &s) != nil || s.Endpoint != c.profile.Endpoint {
		return
	}
	at, err := url.Parse(c.profile.Endpoint)
	if err != nil {
		return
	}
	cookies := make([]*http.Cookie, 0, len(s.Cookies))
	for name, value := range s.Cookies {
		cookies = append(cookies, &http.Cookie{Name: name, Value: value, Path: "/"}) //nolint:gosec // it goes from here to the server only
	}
	c.client.HTTP.Jar.SetCookies(at, cookies)
	c.session = s.Key
}

// keep keeps the session for the next command line, which begins one of its own where that fails.
func (c *cloud) keep() {
	at, err := url.Parse(c.profile.Endpoint)
	if err != nil {
		return
	}
	s := session{Endpoint: c.profile.Endpoint, Key: c.session, Cookies: map[string]string{}}
	for _, cookie := range c.client.HTTP.Jar.Cookies(at) {
		s.Cookies[cookie.Name] = cookie.Value
	}
	if text, err := json.Marshal(s); err == nil { //nolint:gosec // it is what the file is for; its mode keeps others out
		_ = WriteFile(c.env.sessionFile(c.profile), append(text, '\n'))
	}
}

// noSession tells whether an answer says that there is no such session (any more).
func noSession(err error) bool {
	remote, ok := errors.AsType[*api.RemoteError](err)
	return ok && remote.HTTPStatus == http.StatusUnauthorized
}
