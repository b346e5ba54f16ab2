package cloudtest

import (
	"context"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/virga-cloud/virga/internal/account"
	"github.com/virga-cloud/virga/internal/auth"
	"github.com/virga-cloud/virga/internal/cloud"
	"github.com/virga-cloud/virga/internal/db"
	"github.com/virga-cloud/virga/internal/db/dbtest"
	"github.com/virga-cloud/virga/internal/hypervisor/sim"
	"github.com/virga-cloud/virga/internal/secret"
)

// The files of a test's cloud.
const (
	worldFile = "world.db"
	keyFile   = "virga.key"
)

// seeded is a cloud at its very beginning, kept to be copied: seeding takes longer than many a test.
type seeded struct {
	data       dbtest.Saved
	world, key []byte
	admin      account.Keys
}

// seedKey tells the beginnings apart.
type seedKey struct {
	postgres bool
	noSeed   bool
	basic    bool
	hosts    int
}

// seeds are those of this process: seedKey → func() (*seeded, error).
var seeds sync.Map

// maxKeptHosts bounds what is kept; larger sandboxes are for benchmarks, which make theirs once.
const maxKeptHosts = 100

// seedFor puts the beginning of the cloud that a test wants into the database at url and the folder dir, and gives the root admin's
// keys.
func seedFor(t testing.TB, url, dir string, o Options) account.Keys {
	t.Helper()
	key := seedKey{db.IsPostgres(url), o.NoSeed, o.Basic, o.Hosts}
	if o.NoSeed {
		key.hosts = 0
	}
	if key.hosts > maxKeptHosts {
		dbtest.Make(t, url)
		admin, err := seed(t.Context(), url, dir, key)
		must(t, err)
		return admin
	}
	made, _ := seeds.LoadOrStore(key, sync.OnceValues(func() (*seeded, error) { return keepSeed(t, key) }))
	s, err := made.(func() (*seeded, error))()
	must(t, err)
	s.data.Restore(t, url)
	must(t, os.WriteFile(filepath.Join(dir, worldFile), s.world, 0o600))
	must(t, os.WriteFile(filepath.Join(dir, keyFile), s.key, 0o600))
	return s.admin
}

// keepSeed makes a beginning in a database of its own, and keeps it.
func keepSeed(t testing.TB, key seedKey) (s *seeded, err error) {
	fresh := dbtest.SQLite
	if key.postgres {
		fresh = dbtest.Postgres
	}
	url := fresh(t)
	dir := t.TempDir()
	s = &seeded{}
	if s.admin, err = seed(context.WithoutCancel(t.Context()), url, dir, key); err != nil {
		return nil, err
	}
	if s.data, err = dbtest.Save(url); err != nil {
		return nil, err
	}
	if s.world, err = os.ReadFile(filepath.Join(dir, worldFile)); err != nil {
		return nil, err
	}
	s.key, err = os.ReadFile(filepath.Join(dir, keyFile))
	return s, err
}

// seed makes the root admin and, where it is asked for, the sandbox.
func seed(ctx context.Context, url, dir string, key seedKey) (account.Keys, error) {
	d, err := db.Open(ctx, url, db.Options{Clock: time.Now, NoSync: true, SkipMigrations: true})
	if err != nil {
		return account.Keys{}, err
	}
	defer d.Close()
	world, err := sim.Open(filepath.Join(dir, worldFile), sim.Options{})
	if err != nil {
		return account.Keys{}, err
	}
	defer func() { _ = world.Close() }()
	box, err := secret.OpenBox(filepath.Join(dir, keyFile))
	if err != nil {
		return account.Keys{}, err
	}
	c := cloud.Over(d, world, box, cloud.Config{Name: "seed", PasswordCost: auth.TestCost()})
	admin, err := c.Accounts.Bootstrap(ctx, account.BootstrapIn{Password: secret.New(Password), Keys: true})
	if err != nil || key.noSeed {
		return admin.Keys, err
	}
	return admin.Keys, c.Seed(ctx, cloud.SeedIn{Hosts: key.hosts, Basic: key.basic})
}
