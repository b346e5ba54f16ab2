package cloudstack

import (
	"context"
	"net"
	"net/http"
	"strings"
	"testing"

	"github.com/virga-cloud/virga/internal/facade/cloudstack/front"
)

func TestTheIntegrationPortIsForProgramsHere(t *testing.T) {
	t.Parallel()
	c := newCloud(t)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	c.must(err)
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() {
		ended <- front.Serve(ctx, c.facade.Integration(), front.ServeOptions{Listener: l, Loopback: true})
	}()
	ask := func(method, path string, change func(*http.Request)) reply {
		t.Helper()
		r, err := http.NewRequestWithContext(t.Context(), method, "http://"+l.Addr().String()+path, strings.NewReader("command=nothing"))
		c.must(err)
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		if change != nil {
			change(r)
		}
		return c.do(r)
	}
	for _, path := range []string{"/?", "/client/api?", "/any/where?"} {
		r := ask("GET", path+"command=listUsers&response=json&listall=true", nil)
		if r.status != 200 || !strings.Contains(r.body, `"count":6`) {
			t.Errorf("%s: %d %s", path, r.status, r.body)
		}
	}
	if r := ask("POST", "/?command=listUsers&response=json&listall=true", nil); r.status != 200 {
		t.Errorf("POST with a query: %d", r.status)
	}
	failed(t, ask("GET", "/?command=login&response=json", nil), "errorresponse", 432)
	failed(t, ask("GET", "/?response=json", nil), "errorresponse", 400)
	for name, change := range map[string]func(*http.Request){
		"a name of the internet": func(r *http.Request) { r.Host = "evil.example:8096" },
		"a page's request":       func(r *http.Request) { r.Header.Set("Origin", "http://localhost:3000") },
		"a page's picture":       func(r *http.Request) { r.Header.Set("Sec-Fetch-Site", "cross-site") },
	} {
		if r := ask("GET", "/?command=listUsers", change); r.status != 403 {
			t.Errorf("%s: %d %s", name, r.status, r.body)
		}
	}
	cancel()
	c.must(<-ended)
}
