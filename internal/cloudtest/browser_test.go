package cloudtest_test

import (
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/virga-cloud/virga/api"
	"github.com/virga-cloud/virga/internal/cloudtest"
	"github.com/virga-cloud/virga/internal/op"
)

// browser keeps cookies and goes where it is sent one step at a time.
type browser struct {
	t      *testing.T
	client *http.Client
	cloud  string // the URL of a server
}

func newBrowser(t *testing.T, cloud string) *browser {
	t.Helper()
	jar, err := cookiejar.New(nil)
	must(t, err)
	return &browser{t: t, cloud: cloud, client: &http.Client{
		Jar: jar, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}
}

// page is what a browser got.
type page struct {
	status   int
	location string
	body     string
}

func (b *browser) do(r *http.Request) page {
	b.t.Helper()
	answer, err := b.client.Do(r)
	must(b.t, err)
	body, err := io.ReadAll(answer.Body)
	must(b.t, errors.Join(err, answer.Body.Close()))
	return page{answer.StatusCode, answer.Header.Get("Location"), string(body)}
}

func (b *browser) get(link string) page {
	b.t.Helper()
	r, err := http.NewRequestWithContext(b.t.Context(), http.MethodGet, link, nil)
	must(b.t, err)
	return b.do(r)
}

func (b *browser) post(link string, params api.Params) page {
	b.t.Helper()
	form := url.Values{}
	for name, value := range params {
		form.Set(name, value)
	}
	r, err := http.NewRequestWithContext(b.t.Context(), http.MethodPost, link, strings.NewReader(form.Encode()))
	must(b.t, err)
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	return b.do(r)
}

// call asks as a page of the cloud's own does.
func (b *browser) call(command string, params api.Params) page {
	b.t.Helper()
	return b.post(b.cloud+"/client/api", with(params, "command", command, "response", "json"))
}

// decode reads what is in a page's envelope, and in the object in it if one is named.
func decode[T any](t *testing.T, p page, object string) (out T) {
	t.Helper()
	var envelope map[string]json.RawMessage
	if err := json.Unmarshal([]byte(p.body), &envelope); err != nil || p.status != http.StatusOK {
		t.Fatalf("%d %v: %s", p.status, err, p.body)
	}
	for _, inside := range envelope {
		if object != "" {
			var objects map[string]json.RawMessage
			must(t, json.Unmarshal(inside, &objects))
			inside = objects[object]
		}
		must(t, json.Unmarshal(inside, &out))
	}
	return out
}

// signedInAs is whose session the browser has: "" for none.
func (b *browser) signedInAs() string {
	b.t.Helper()
	p := b.call("listCapabilities", nil)
	if p.status != http.StatusOK {
		return ""
	}
	users := decode[[]struct {
		Username string `json:"username"`
	}](b.t, b.call("listEvents", api.Params{"type": "USER.LOGIN", "listall": "false"}), "event")
	if len(users) == 0 {
		return "?"
	}
	return users[0].Username
}

// second is one more server over the same database.
func second(t *testing.T, c *cloudtest.Cloud) string {
	t.Helper()
	other := c.Another(c.DB, c.World, op.Options{Name: "other"})
	must(t, other.Start(t.Context()))
	t.Cleanup(other.Close)
	server := httptest.NewServer(other.Handler())
	t.Cleanup(server.Close)
	return server.URL
}

// cookies are those of a name that the browser has for the API.
func (b *browser) cookies(name string) (out []*http.Cookie) {
	b.t.Helper()
	for _, c := range b.client.Jar.Cookies(b.api()) {
		if c.Name == name {
			c.Path = "/client"
			out = append(out, c)
		}
	}
	return out
}

// keep gives the browser cookies that it had before.
func (b *browser) keep(cookies []*http.Cookie) { b.client.Jar.SetCookies(b.api(), cookies) }

func (b *browser) api() *url.URL {
	b.t.Helper()
	u, err := url.Parse(b.cloud + "/client/api")
	must(b.t, err)
	return u
}
