package main

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"time"

	"github.com/virga-cloud/virga/internal/auth"
	"github.com/virga-cloud/virga/internal/cloud"
	"github.com/virga-cloud/virga/internal/db"
	"github.com/virga-cloud/virga/internal/facade/cloudstack/front"
	"github.com/virga-cloud/virga/internal/hypervisor/sim"
	"github.com/virga-cloud/virga/internal/setting"
)

// common are the flags of everything that serves.
type common struct {
	Listen          string        `help:"Address and port of the API." default:"127.0.0.1:8080" placeholder:"HOST:PORT"`
	Database        string        `help:"PostgreSQL, as postgres://user:password@host/name. Default: SQLite in the data folder." placeholder:"URL"`
	Agents          string        `help:"Address and port at which agents of hosts dial in. Default: none do, and the cloud has simulated hosts only." placeholder:"HOST:PORT"`
	AgentsAt        string        `help:"Where agents are told to dial in, all servers with commas between. Default: --agents, with this machine's name where that means all of its addresses." placeholder:"HOST:PORT"`
	KeyFile         string        `help:"Keys of the encrypted columns; shared by servers that share a database." type:"path" placeholder:"FILE"`
	TLS             string        `help:"'auto' serves HTTPS with a certificate that is made at the first start." enum:",auto" default:"" name:"tls"`
	TLSCert         string        `help:"Certificate (PEM) to serve HTTPS with." type:"existingfile" placeholder:"FILE"`
	TLSKey          string        `help:"The certificate's key (PEM)." type:"existingfile" placeholder:"FILE"`
	IntegrationPort int           `help:"Port on loopback that takes calls without any authentication, with root rights. 0: none." default:"0"`
	SecureCookies   bool          `help:"Mark cookies for HTTPS only: for servers behind a proxy that ends TLS."`
	ExpungeDelay    time.Duration `help:"How long a destroyed machine can be recovered, until the setting expunge.delay is changed." default:"24h"`
	SessionTimeout  time.Duration `help:"How long a session lives without being used, until the setting session.timeout is changed." default:"30m"`
	JobsKept        time.Duration `help:"How long the results of ended jobs are kept, until the setting job.expire.minutes is changed." default:"24h"`
	LogLevel        slog.Level    `help:"Least level that is logged: debug, info, warn, error." default:"warn"`
}

// check refuses what no server can be run with, before anything is opened.
func (c common) check() error {
	switch {
	case !isAddress(c.Listen):
		return fmt.Errorf("--listen %q: want an address and a port, 127.0.0.1:8080 for instance, or :8080 for all addresses", c.Listen)
	case c.Agents != "" && !isAddress(c.Agents):
		return fmt.Errorf("--agents %q: want an address and a port, :8443 for instance", c.Agents)
	case c.Database != "" && !db.IsPostgres(c.Database):
		return fmt.Errorf("--database %s: want postgres://user:password@host/name, or nothing for SQLite in the data folder",
			db.Redact(c.Database))
	case c.IntegrationPort < 0 || c.IntegrationPort > 65535:
		return fmt.Errorf("--integration-port %d: want a port from 1 to 65535, or 0 for none", c.IntegrationPort)
	case c.ExpungeDelay < 0:
		return fmt.Errorf("--expunge-delay %v: want 0s (destroyed machines go at once) or longer, 24h for instance", c.ExpungeDelay)
	case c.SessionTimeout < time.Minute:
		return fmt.Errorf("--session-timeout %v: want 1m or longer, 30m for instance", c.SessionTimeout)
	case c.JobsKept < time.Minute:
		return fmt.Errorf("--jobs-kept %v: want 1m or longer, or clients can't learn how their jobs ended", c.JobsKept)
	}
	return nil
}

// agentsAt is where agents are told to dial in.
func (c common) agentsAt() string {
	host, port, err := net.SplitHostPort(c.Agents)
	if err != nil || c.AgentsAt != "" {
		return c.AgentsAt
	}
	if ip := net.ParseIP(host); host == "" || ip != nil && ip.IsUnspecified() {
		if name, err := os.Hostname(); err == nil {
			return net.JoinHostPort(name, port)
		}
	}
	return "" // the address itself, whose port may be one that is found at the start
}

func checkData(folder string) error {
	if folder == "" {
		return errors.New("--data: want the name of a folder, virga-data for instance")
	}
	return nil
}

func isAddress(text string) bool {
	_, port, err := net.SplitHostPort(text)
	if err == nil {
		_, err = strconv.ParseUint(port, 10, 16)
	}
	return err == nil
}

func (c common) logger() *slog.Logger {
	return slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: c.LogLevel}))
}

func (c common) config(dir, name, world string, pace sim.Options) cloud.Config {
	return cloud.Config{
		Agents: cloud.Agents{Listen: c.Agents, Dial: c.agentsAt()},
		Dir:    dir, KeyFile: c.KeyFile, Database: c.Database, World: world, Name: name, Pace: pace,
		Initially: []setting.Initial{
			setting.ExpungeDelay.Initially(c.ExpungeDelay), setting.SessionTimeout.Initially(c.SessionTimeout),
			setting.JobExpire.Initially(c.JobsKept),
		},
		PasswordCost: auth.StrongCost(), DBOptions: db.Options{Clock: time.Now},
		Facade: front.Options{SecureCookies: c.SecureCookies}, Log: c.logger(),
	}
}

// doors are the ports of a server. They are opened before the first administrator is made: a start that fails for a port that
// is taken must not be the one that says the password.
type doors struct {
	api, integration net.Listener // integration is nil where it was not asked for
}

func (c common) open(ctx context.Context) (d doors, err error) {
	if d.api, err = new(net.ListenConfig).Listen(ctx, "tcp", c.Listen); err != nil {
		return doors{}, err
	}
	if c.IntegrationPort == 0 {
		return d, nil
	}
	d.integration, err = new(net.ListenConfig).Listen(ctx, "tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(c.IntegrationPort)))
	if err != nil {
		d.close()
		return doors{}, fmt.Errorf("integration port: %w", err)
	}
	return d, nil
}

// close closes what nobody serves; of what was served it is closed already.
func (d doors) close() {
	if d.api != nil {
		_ = d.api.Close()
	}
	if d.integration != nil {
		_ = d.integration.Close()
	}
}

// served is what answers at the doors.
type served interface {
	Handler() http.Handler
	Integration() http.Handler
	Present(name string) *tls.Certificate
}

// serve answers requests until ctx ends. ready is called with the API's url once it answers.
func (c common) serve(ctx context.Context, cl served, d doors, dir string, ready func(url string) error) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	o := front.ServeOptions{
		Listener: d.api, TLSCert: c.TLSCert, TLSKey: c.TLSKey, Present: cl.Present, Clock: time.Now, Log: c.logger(),
		Listening: func(a net.Addr) {
			if err := ready(c.url(a)); err != nil {
				cancel(err)
			}
		},
	}
	if c.TLS == "auto" {
		o.AutoTLSDir = filepath.Join(dir, "tls")
	}
	done := make(chan struct{})
	if d.integration != nil {
		go func() {
			err := front.Serve(ctx, cl.Integration(), front.ServeOptions{
				Listener: d.integration, Loopback: true, Clock: time.Now, Log: c.logger(),
			})
			if err != nil {
				cancel(fmt.Errorf("integration port: %w", err))
			}
			close(done)
		}()
	} else {
		close(done)
	}
	err := front.Serve(ctx, cl.Handler(), o)
	cause := context.Cause(ctx)
	cancel(nil)
	<-done
	if err == nil && cause != nil && !errors.Is(cause, context.Canceled) {
		err = cause
	}
	return err
}

func (c common) url(a net.Addr) string {
	scheme := "http"
	if c.TLS != "" || c.TLSCert != "" {
		scheme = "https"
	}
	host, port, err := net.SplitHostPort(a.String())
	if err != nil {
		return scheme + "://" + a.String()
	}
	if ip := net.ParseIP(host); ip != nil && ip.IsUnspecified() {
		host = "127.0.0.1"
	}
	return scheme + "://" + net.JoinHostPort(host, port)
}

// loopback tells whether only this machine can reach the address.
func loopback(listen string) bool {
	host, _, err := net.SplitHostPort(listen)
	if err != nil {
		return false
	}
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}
