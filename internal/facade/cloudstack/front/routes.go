package front

import (
	"context"
	"net"
	"net/http"
	"net/netip"
	"sync"
	"time"

	cs "github.com/virga-cloud/virga/api/cloudstack"
	"github.com/virga-cloud/virga/internal/account"
	"github.com/virga-cloud/virga/internal/auth"
)

// readyWithin is how long /readyz waits for an answer before it says no.
const readyWithin = 2 * time.Second

func (f *Front) routes() http.Handler {
	reference := f.mux.Reference(cs.Version)
	openAPI := sync.OnceValue(reference.OpenAPI) // most servers are never asked for it
	call := func(w http.ResponseWriter, r *http.Request) { f.api(w, r, false) }
	m := http.NewServeMux()
	m.HandleFunc("/client/api", call)
	m.HandleFunc("/client/api/{$}", call)
	m.HandleFunc("/client/api/{command}", call)
	if f.consoles != nil {
		m.Handle("GET /client/console", f.console(f.consoles))
		m.Handle("GET /client/console/", f.consoles)
	}
	if f.extracts != nil {
		m.Handle("GET /client/extract/", f.extracts)
	}
	if f.uploads != nil {
		m.Handle("POST /client/upload/", f.uploads)
	}
	m.Handle("/docs/", http.StripPrefix("/docs", reference.Handler()))
	m.HandleFunc("GET /openapi.json", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json; charset=UTF-8")
		_, _ = w.Write(openAPI())
	})
	m.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) { plain(w, http.StatusOK, "ok\n") })
	m.HandleFunc("GET /readyz", f.ready)
	m.Handle("GET /metrics", f.metrics.handler())
	m.HandleFunc("GET /{$}", func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, "/docs/", http.StatusFound) })
	return dressed(m)
}

func plain(w http.ResponseWriter, status int, text string) {
	w.Header().Set("Content-Type", "text/plain; charset=UTF-8")
	w.WriteHeader(status)
	_, _ = w.Write([]byte(text))
}

// ready says whether requests would be served: the database answers, and so does what the starter of this server cares for.
// Why not is for the log: anybody may ask.
func (f *Front) ready(w http.ResponseWriter, r *http.Request) {
	ctx, cancel := context.WithTimeout(r.Context(), readyWithin)
	defer cancel()
	_, _, err := f.accounts.Domains(ctx, account.DomainFilter{Scope: auth.Scope{All: true}, ID: auth.System().Domain, Limit: 1})
	if err == nil && f.options.Ready != nil {
		err = f.options.Ready(ctx)
	}
	if err != nil {
		f.log.Warn("not ready", "error", err)
		plain(w, http.StatusServiceUnavailable, "not ready\n")
		return
	}
	plain(w, http.StatusOK, "ok\n")
}

// integration has root's rights for whoever gets through, so three more locks: it is no use on an address that others reach;
// the Host must be a local name, so that no name on the internet can be made to point here; and browsers may not carry
// requests of web pages here.
func (f *Front) integration() http.Handler {
	return dressed(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		local, _ := r.Context().Value(http.LocalAddrContextKey).(net.Addr)
		site := r.Header.Get("Sec-Fetch-Site")
		switch {
		case local != nil && !isLoopback(local.String()), !isLoopback(r.Host),
			r.Header.Get("Origin") != "", site != "" && site != "none" && site != "same-origin":
			plain(w, http.StatusForbidden, "this port is for programs on this machine\n")
		default:
			f.api(w, r, true)
		}
	}))
}

// isLoopback tells whether an address, with or without a port, can be reached from this machine only.
func isLoopback(address string) bool {
	host, _, err := net.SplitHostPort(address)
	if err != nil {
		host = address
	}
	if host == "localhost" {
		return true
	}
	ip, err := netip.ParseAddr(host)
	return err == nil && ip.Unmap().IsLoopback()
}
