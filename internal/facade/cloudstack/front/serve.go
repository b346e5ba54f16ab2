package front

import (
	"cmp"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"time"

	"github.com/virga-cloud/virga/internal/db"
)

// ServeOptions say where and how Serve listens.
type ServeOptions struct {
	Listen   string       // host:port; no host is every address of the machine
	Listener net.Listener // instead of Listen, where somebody has opened one already; Serve closes it
	Loopback bool         // refuse any address that others can reach: for the integration port

	TLSCert, TLSKey string // PEM files; both or none
	// AutoTLSDir is where a self-signed certificate is kept, made at the first start, for when there are no TLSCert and TLSKey.
	// Without any of them plain HTTP is served.
	AutoTLSDir string
	// Present gives the certificate for a name, instead of the one above, or nil; nil for never. Over plain HTTP nobody asks it.
	Present func(name string) *tls.Certificate
	Hosts   []string // names and addresses for the self-signed certificate, besides the local ones
	Clock   db.Clock // for the self-signed certificate

	Log       *slog.Logger   // nil: nothing is logged
	Listening func(net.Addr) // called once, when requests are taken
}

// What slow and greedy clients are held to. Writing has long because a list may be: somebody may read a hundred thousand
// machines over a telephone line.
const (
	readHeaderTimeout = 10 * time.Second
	readTimeout       = time.Minute
	writeTimeout      = 5 * time.Minute
	idleTimeout       = 2 * time.Minute
	maxHeader         = 128 << 10 // some clients send user data in the query
	// stopWithin is for requests that are nearly done. A program has a second to stop, and its work wants a part of that, too.
	stopWithin = 300 * time.Millisecond
)

// Serve answers requests until ctx ends, and then gives those under way a moment. It returns nil when it was stopped that way.
func Serve(ctx context.Context, h http.Handler, o ServeOptions) error {
	log := cmp.Or(o.Log, slog.New(slog.DiscardHandler))
	cert, key, err := o.certificate()
	if err != nil {
		return err
	}
	l, err := o.listen(ctx)
	if err != nil {
		return err
	}
	config := &tls.Config{MinVersion: tls.VersionTLS12}
	if o.Present != nil {
		// A certificate or nil, with which the one of the files is presented.
		config.GetCertificate = func(hello *tls.ClientHelloInfo) (*tls.Certificate, error) { return o.Present(hello.ServerName), nil }
	}
	server := &http.Server{
		Handler: h, TLSConfig: config,
		ReadHeaderTimeout: readHeaderTimeout, ReadTimeout: readTimeout, WriteTimeout: writeTimeout, IdleTimeout: idleTimeout,
		MaxHeaderBytes: maxHeader,
		// What clients do wrong on their connections is not our trouble.
		ErrorLog: slog.NewLogLogger(log.Handler(), slog.LevelDebug),
	}
	ended := make(chan error, 1)
	go func() {
		if cert != "" {
			ended <- server.ServeTLS(l, cert, key)
		} else {
			ended <- server.Serve(l)
		}
	}()
	if o.Listening != nil {
		o.Listening(l.Addr())
	}
	select {
	case err := <-ended:
		return fmt.Errorf("serve %s: %w", l.Addr(), err)
	case <-ctx.Done():
	}
	grace, cancel := context.WithTimeout(context.WithoutCancel(ctx), stopWithin)
	defer cancel()
	// A connection on which nothing was asked yet is waited for, too: Shutdown can't tell it from one whose request is on its way.
	if err := server.Shutdown(grace); err != nil {
		log.Info("connections were cut off at the stop", "error", err)
		_ = server.Close() // the listener is closed already; whatever a connection says to it changes nothing
	}
	if err := <-ended; !errors.Is(err, http.ErrServerClosed) {
		return fmt.Errorf("serve %s: %w", l.Addr(), err)
	}
	return nil
}

// listen opens the address. For the integration port the address is judged before it is open, and once more by what the
// system has made of it.
func (o ServeOptions) listen(ctx context.Context) (net.Listener, error) {
	if o.Listener == nil && o.Loopback {
		_, port, err := net.SplitHostPort(o.Listen)
		if err != nil || port == "0" || port == "" || !isLoopback(o.Listen) {
			return nil, fmt.Errorf("listen on %q: without authentication only an address of this machine alone will do, and a port "+
				"that was chosen: 127.0.0.1:8096 for instance", o.Listen)
		}
	}
	l := o.Listener
	if l == nil {
		var err error
		if l, err = new(net.ListenConfig).Listen(ctx, "tcp", o.Listen); err != nil {
			return nil, err
		}
	}
	if o.Loopback && !isLoopback(l.Addr().String()) {
		return nil, errors.Join(fmt.Errorf("listen on %s: others can reach it, and nobody is authenticated there", l.Addr()), l.Close())
	}
	return l, nil
}

// certificate gives the files of the certificate and its key, "" for plain HTTP.
func (o ServeOptions) certificate() (cert, key string, err error) {
	switch {
	case (o.TLSCert == "") != (o.TLSKey == ""):
		return "", "", errors.New("a TLS certificate and its key go together: one of the two files is not named")
	case o.TLSCert == "" && o.AutoTLSDir == "":
		return "", "", nil
	case o.TLSCert != "":
		cert, key = o.TLSCert, o.TLSKey
	default:
		if cert, key, err = selfSigned(o.AutoTLSDir, o.Hosts, o.Clock()); err != nil {
			return "", "", fmt.Errorf("make a self-signed certificate: %w", err)
		}
	}
	// Whether it is any good is better known before the port is open.
	if _, err := tls.LoadX509KeyPair(cert, key); err != nil {
		return "", "", fmt.Errorf("load the TLS certificate: %w", err)
	}
	return cert, key, nil
}
