package fetch

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/netip"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/virga-cloud/virga/internal/fault"
)

const (
	patience = 10 * time.Second
	maxBody  = 4 << 20
)

// Check tells whether a URL may be asked: by HTTPS, or, on this machine, by HTTP.
func Check(text string) error {
	u, err := url.Parse(text)
	switch {
	case err != nil || u.Hostname() == "" || u.Opaque != "" || u.Scheme != "https" && u.Scheme != "http":
		return fault.Invalidf("%q is no URL like https://login.example.org/", text)
	case u.User != nil:
		return fault.Invalidf("the URL has a user or a password in it: leave it out")
	case u.Scheme == "http" && !isLocal(u):
		return fault.Invalidf("%q is not encrypted: want https, but for addresses of this machine", text)
	}
	return nil
}

func isLocal(u *url.URL) bool {
	if u.Hostname() == "localhost" {
		return true
	}
	ip, err := netip.ParseAddr(u.Hostname())
	return err == nil && ip.Unmap().IsLoopback()
}

// Client asks what a URL names, and what the answers name further: addresses of this machine only where the URL itself is one. It
// follows no redirects, and its answers end with an error where they are too large.
func Client(of string) *http.Client {
	home := false
	if u, err := url.Parse(of); err == nil {
		home = isLocal(u)
	}
	return &http.Client{
		Timeout:       patience,
		Transport:     bounded{home},
		CheckRedirect: func(*http.Request, []*http.Request) error { return errors.New("redirects are not followed") },
	}
}

// shared keeps connections to whoever is asked often, for a while.
var shared = &http.Transport{
	TLSClientConfig: &tls.Config{MinVersion: tls.VersionTLS12}, ForceAttemptHTTP2: true, TLSHandshakeTimeout: patience,
	ResponseHeaderTimeout: patience, IdleConnTimeout: 5 * time.Second, MaxIdleConnsPerHost: 2, MaxResponseHeaderBytes: 64 << 10,
}

type bounded struct{ home bool }

func (b bounded) RoundTrip(r *http.Request) (*http.Response, error) {
	if err := Check(r.URL.String()); err != nil {
		return nil, err
	}
	if isLocal(r.URL) && !b.home {
		return nil, fault.Invalidf("an address of this machine, %s, was named by another one", r.URL.Host)
	}
	answer, err := shared.RoundTrip(r)
	if err == nil {
		answer.Body = http.MaxBytesReader(nil, answer.Body, maxBody)
	}
	return answer, err
}

// Document gives what is at a URL, or in a file of this machine that is named by its whole path.
func Document(ctx context.Context, from string) ([]byte, error) {
	if filepath.IsAbs(from) {
		f, err := os.Open(from)
		if err != nil {
			return nil, err
		}
		defer func() { _ = f.Close() }()
		return io.ReadAll(io.LimitReader(f, maxBody))
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, strings.TrimSpace(from), nil)
	if err != nil {
		return nil, err
	}
	answer, err := Client(from).Do(r)
	if err != nil {
		return nil, err
	}
	defer func() { _ = answer.Body.Close() }()
	if answer.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("the answer is %s", answer.Status)
	}
	return io.ReadAll(answer.Body)
}
