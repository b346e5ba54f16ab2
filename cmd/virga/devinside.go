package main

import (
	"bufio"
	"context"
	"errors"
	"io"
	"net/http"
	"net/netip"
	"os"
	"strings"

	"github.com/virga-cloud/virga/internal/hypervisor/kvm"
	"github.com/virga-cloud/virga/internal/outside/download"
)

// resolver is whom this machine asks for names, as far as guests can ask it, too.
func resolver() string {
	for _, file := range []string{"/etc/resolv.conf", "/run/systemd/resolve/resolv.conf"} {
		f, err := os.Open(file)
		if err != nil {
			continue
		}
		defer func() { _ = f.Close() }()
		for lines := bufio.NewScanner(f); lines.Scan(); {
			words := strings.Fields(lines.Text())
			if len(words) < 2 || words[0] != "nameserver" {
				continue
			}
			if ip, err := netip.ParseAddr(words[1]); err == nil && ip.Is4() && !ip.IsLoopback() {
				return ip.String()
			}
		}
	}
	return "9.9.9.9"
}

// shelf has files that are on this machine under URLs; all else comes from the Internet.
type shelf map[string]string

var _ kvm.Fetcher = shelf{}

// Fetch brings a file.
func (s shelf) Fetch(ctx context.Context, url, path string, most int64, progress func(done, total int64)) error {
	if file := s[url]; file != "" {
		return copyTo(path, file)
	}
	return download.New().Fetch(ctx, url, path, most, progress)
}

// copyTo writes a copy of a file.
func copyTo(path, of string) error {
	from, err := os.Open(of)
	if err != nil {
		return err
	}
	defer func() { _ = from.Close() }()
	to, err := os.Create(path)
	if err != nil {
		return err
	}
	_, err = io.Copy(to, from)
	return errors.Join(err, to.Close())
}

// inside carries requests to a handler of this process.
type inside struct{ handler http.Handler }

// RoundTrip has the handler answer.
func (i inside) RoundTrip(r *http.Request) (*http.Response, error) {
	r = r.Clone(r.Context())
	r.RemoteAddr, r.RequestURI = "127.0.0.1:0", r.URL.RequestURI()
	a := &answer{header: http.Header{}, status: http.StatusOK}
	i.handler.ServeHTTP(a, r)
	return &http.Response{
		Status: http.StatusText(a.status), StatusCode: a.status, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1, Header: a.header, Request: r,
		Body: io.NopCloser(strings.NewReader(a.body.String())), ContentLength: int64(a.body.Len()),
	}, nil
}

// answer is one that is kept.
type answer struct {
	header http.Header
	status int
	body   strings.Builder
}

// Header is [http.ResponseWriter]'s, as what follows.
func (a *answer) Header() http.Header { return a.header }

// WriteHeader keeps the status.
func (a *answer) WriteHeader(status int) { a.status = status }

// Write keeps a part of the body.
func (a *answer) Write(p []byte) (int, error) { return a.body.Write(p) }
