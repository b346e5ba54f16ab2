// Package cloudtest runs a whole cloud in one process for tests: a real database, simulated hosts, the sandbox's seed, a
// client that speaks the API, and a clock. At a test's end it looks whether the cloud is whole: see [Check].
package cloudtest

import (
	"context"
	"io"
	"log/slog"
	"net/http/httptest"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/virga-cloud/virga/api"
	"github.com/virga-cloud/virga/internal/account"
	"github.com/virga-cloud/virga/internal/auth"
	"github.com/virga-cloud/virga/internal/cloud"
	"github.com/virga-cloud/virga/internal/db"
	"github.com/virga-cloud/virga/internal/db/dbtest"
	"github.com/virga-cloud/virga/internal/hypervisor/sim"
	"github.com/virga-cloud/virga/internal/op"
	"github.com/virga-cloud/virga/internal/secret"
)

// Cloud is a cloud under test.
type Cloud struct {
	*cloud.Cloud
	Clock  *Clock
	Client *api.Client // of the root admin
	URL    string      // of the server, without a path
	box    *secret.Box
	log    *slog.Logger
}

// Options say what cloud a test wants. The zero value is a sandbox of four hosts.
type Options struct {
	Hosts  int
	NoSeed bool
	// Basic adds the sandbox's zone of basic networking: see [Cloud.Basic].
	Basic bool
	// NoStart leaves the engine and the API to the test.
	NoStart bool
	// Broken says that the test leaves the cloud in a state that Check would complain of.
	Broken bool
	// Durable commits to disk, for measuring.
	Durable bool
	Engine  op.Options
	// Rest names keepers that begin no rounds by themselves, where the test has them or looks at what was before one: their hour comes
	// while it runs, on a machine that is slow enough.
	Rest []string
	// Log gets all that the cloud logs, at every level. nil: what it warns of stands in the test's output.
	Log io.Writer
	// Quiet leaves warnings out of the test's output, where calls are many and most of them refused: what fails is found in it.
	Quiet bool
}

// Password is the root admin's.
const Password = "password"

// Clock is a clock that a test can put forward.
type Clock struct {
	mu     sync.Mutex
	offset time.Duration
	stands time.Time // zero: it goes
}

// Now is the time of the test's cloud.
func (c *Clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	now := c.stands
	if now.IsZero() {
		now = time.Now()
	}
	return now.Add(c.offset)
}

// Stand stops the clock: time passes by Forward alone, however slow the machine is. What is tried again after a pause is not, meanwhile:
// jobs are begun when the clock goes again.
func (c *Clock) Stand() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.stands = time.Now()
}

// Go lets the clock go on from where it stands.
func (c *Clock) Go() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.offset -= time.Since(c.stands)
	c.stands = time.Time{}
}

// Forward puts the clock forward.
func (c *Clock) Forward(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.offset += d
}

// Each runs a test once on each database engine, each time with a fresh cloud.
func Each(t *testing.T, o Options, test func(t *testing.T, c *Cloud)) {
	t.Helper()
	dbtest.EachUnmade(t, func(t *testing.T, url string) { test(t, New(t, url, o)) })
}

// New makes a cloud on a database that dbtest made; dbtest.SQLite(t) for most tests.
func New(t testing.TB, url string, o Options) *Cloud {
	t.Helper()
	if o.Hosts == 0 {
		o.Hosts = 4
	}
	dir := t.TempDir()
	keys := seedFor(t, url, dir, o)
	clock := &Clock{}
	d := open(t, url, clock.Now, o.Durable)
	world, err := sim.Open(filepath.Join(dir, worldFile), sim.Options{Now: clock.Now})
	must(t, err)
	t.Cleanup(func() { _ = world.Close() })
	box, err := secret.OpenBox(filepath.Join(dir, keyFile))
	must(t, err)
	level := slog.LevelWarn
	if o.Quiet {
		level = slog.LevelError
	}
	c := &Cloud{Clock: clock, box: box, log: slog.New(slog.NewTextHandler(t.Output(), &slog.HandlerOptions{Level: level}))}
	if o.Log != nil {
		c.log = slog.New(slog.NewTextHandler(o.Log, &slog.HandlerOptions{Level: slog.LevelDebug}))
	}
	c.Cloud = c.Another(d, world, o.Engine)
	must(t, c.Keepers.Rest(o.Rest...))
	if !o.NoStart {
		c.serve(t, keys)
	}
	if !o.Broken {
		t.Cleanup(func() {
			for _, err := range Check(context.Background(), d, world) {
				t.Errorf("the cloud is not whole: %v", err)
			}
		})
	}
	if !o.NoStart {
		t.Cleanup(c.Close) // before the check: jobs that still run have ended then, or are given back
	}
	return c
}

func open(t testing.TB, url string, clock db.Clock, durable bool) *db.DB {
	t.Helper()
	if !durable {
		return dbtest.OpenAt(t, url, clock)
	}
	d, err := db.Open(t.Context(), url, db.Options{Clock: clock, SkipMigrations: true})
	must(t, err)
	t.Cleanup(d.Close)
	return d
}

// Another assembles one more server over the same database and world, as after a crash.
func (c *Cloud) Another(d *db.DB, world *sim.World, engine op.Options) *cloud.Cloud {
	if engine.Poll == 0 {
		engine.Poll = 20 * time.Millisecond
	}
	if engine.Pause == 0 {
		engine.Pause = 5 * time.Millisecond
	}
	name := engine.Name
	if name == "" {
		name = "test"
	}
	return cloud.Over(d, world, c.box, cloud.Config{
		Name: name, PasswordCost: auth.TestCost(), Engine: engine, Log: c.log,
	})
}

func (c *Cloud) serve(t testing.TB, keys account.Keys) {
	t.Helper()
	must(t, c.Start(t.Context()))
	server := httptest.NewServer(c.Handler())
	t.Cleanup(server.Close)
	c.URL = server.URL
	c.Client = c.ClientOf(keys)
}

// ClientOf is a client that signs with these keys.
func (c *Cloud) ClientOf(keys account.Keys) *api.Client {
	return &api.Client{
		Endpoint: c.URL + "/client/api", APIKey: keys.APIKey, SecretKey: keys.Secret.Reveal(), PollInterval: 5 * time.Millisecond,
	}
}

// Tenant makes a domain ("" for ROOT), an account and a user of that type and gives its client.
func (c *Cloud) Tenant(t testing.TB, domain, name string, kind auth.AccountType) (*api.Client, account.Account) {
	t.Helper()
	ctx := auth.With(t.Context(), auth.System())
	in := account.CreateAccountIn{Name: name, Username: name, Password: secret.New(Password), Type: kind, Domain: auth.System().Domain}
	if domain != "" {
		found, _, err := c.Accounts.Domains(ctx, account.DomainFilter{Scope: auth.Scope{All: true}, Name: domain})
		must(t, err)
		if len(found) == 0 {
			made, err := c.Accounts.CreateDomain(ctx, account.CreateDomainIn{Name: domain, Parent: auth.System().Domain})
			must(t, err)
			found = append(found, made)
		}
		in.Domain = found[0].ID
	}
	a, u, err := c.Accounts.CreateAccount(ctx, in)
	must(t, err)
	keys, err := c.Accounts.RegisterKeys(ctx, u.ID)
	must(t, err)
	return c.ClientOf(keys), a
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// Reveal opens what the cloud has sealed, to look for it elsewhere.
func (c *Cloud) Reveal(t testing.TB, sealed, place string) string {
	t.Helper()
	plain, err := c.box.Open(sealed, place)
	must(t, err)
	return plain.Reveal()
}
