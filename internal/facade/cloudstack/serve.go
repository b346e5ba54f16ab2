package cloudstack

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"net/http"

	"github.com/virga-cloud/virga/internal/db"
)

// ServeOptions say where and how Serve listens.
type ServeOptions struct {
	Listen   string       // host:port; no host is every address of the machine
	Listener net.Listener // instead of Listen, where somebody has opened one already
	Loopback bool         // refuse any address that others can reach: for the integration port

	TLSCert, TLSKey string // PEM files; both or none
	// AutoTLSDir is where a self-signed certificate is kept, made at the first start, for when there are no TLSCert and TLSKey.
	// Without any of them plain HTTP is served.
	AutoTLSDir string
	Hosts      []string // names and addresses for the self-signed certificate, besides the local ones
	Clock      db.Clock // for the self-signed certificate

	Log       *slog.Logger
	Listening func(net.Addr) // called once, when requests are taken
}

// Serve answers requests until ctx ends, and then gives those under way a second.
func Serve(ctx context.Context, h http.Handler, o ServeOptions) error {
	return errors.ErrUnsupported
}
