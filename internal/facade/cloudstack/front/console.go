package front

import (
	"context"
	"encoding/json"
	"net/http"
	"net/url"

	cs "github.com/virga-cloud/virga/api/cloudstack"
)

type baseKey struct{}

// Base is where this server was reached by the request that ctx is of, without a path; empty for who does not come by HTTP.
func Base(ctx context.Context) url.URL {
	base, _ := ctx.Value(baseKey{}).(url.URL)
	return base
}

func (c *call) withBase(ctx context.Context) context.Context {
	base := url.URL{Scheme: "http", Host: c.r.Host}
	if c.r.TLS != nil || c.front.options.SecureCookies {
		base.Scheme = "https"
	}
	return context.WithValue(ctx, baseKey{}, base)
}

// console serves what shows machines' screens. The older way to a console is a page that a signed-in browser opens; it is led to an
// address that it is given as the command gives it.
func (f *Front) console(consoles http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		q := r.URL.Query()
		if q.Get("cmd") != "access" {
			consoles.ServeHTTP(w, r)
			return
		}
		as := r.Clone(r.Context())
		as.Method = http.MethodPost // so that no page of another site has a browser do it
		as.URL.RawQuery = url.Values{
			"command": {cs.CreateConsoleEndpoint.Name}, "virtualmachineid": {q.Get("vm")}, "response": {"json"}, "sessionkey": q["sessionkey"],
		}.Encode()
		said := &heard{header: w.Header().Clone()}
		f.api(said, as, false)
		var answer struct {
			Envelope struct {
				Endpoint cs.ConsoleEndpoint `json:"consoleendpoint"`
				Text     string             `json:"errortext"`
			} `json:"createconsoleendpointresponse"`
		}
		_ = json.Unmarshal(said.body, &answer) // it is this server's own
		if said.status == http.StatusOK && answer.Envelope.Endpoint.URL != "" {
			http.Redirect(w, r, answer.Envelope.Endpoint.URL, http.StatusSeeOther)
			return
		}
		plain(w, http.StatusForbidden, answer.Envelope.Text+"\n")
	})
}

// heard keeps an answer.
type heard struct {
	header http.Header
	status int
	body   []byte
}

func (h *heard) Header() http.Header { return h.header }

func (h *heard) WriteHeader(status int) {
	if h.status == 0 {
		h.status = status
	}
}

func (h *heard) Write(p []byte) (int, error) {
	h.WriteHeader(http.StatusOK)
	h.body = append(h.body, p...)
	return len(p), nil
}
