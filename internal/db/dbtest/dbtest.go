// Package dbtest gives tests a database of their own, on both engines. SQLite is always there; PostgreSQL is there when
// VIRGA_TEST_POSTGRES holds the url of a server that lets its user create databases (scripts/with-postgres starts one).
// With VIRGA_REQUIRE=postgres (as make test sets it) a missing server is a failure and not a skip.
package dbtest

import (
	"context"
	"database/sql"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/stdlib"

	"github.com/virga-cloud/virga/internal/db"
	"github.com/virga-cloud/virga/uid"
)

// Each runs a test once on each engine, each time with an empty database at the newest schema.
func Each(t *testing.T, test func(t *testing.T, d *db.DB)) {
	t.Helper()
	EachURL(t, func(t *testing.T, url string) { test(t, Open(t, url)) })
}

// EachURL is Each for tests that open the database themselves, several times perhaps.
func EachURL(t *testing.T, test func(t *testing.T, url string)) {
	t.Helper()
	EachUnmade(t, func(t *testing.T, url string) {
		Make(t, url)
		test(t, url)
	})
}

// EachUnmade is EachURL for tests that restore what was saved: on PostgreSQL there is no database yet.
func EachUnmade(t *testing.T, test func(t *testing.T, url string)) {
	t.Helper()
	t.Run("sqlite", func(t *testing.T) {
		t.Parallel()
		test(t, SQLite(t))
	})
	t.Run("postgres", func(t *testing.T) {
		t.Parallel()
		test(t, Unmade(t))
	})
}

// Open opens a database that this package made; it is closed at the test's end.
func Open(t testing.TB, url string) *db.DB {
	t.Helper()
	return OpenAt(t, url, time.Now)
}

// OpenAt is Open with another clock. On PostgreSQL the database may be another test's afterwards, with all its rows as they were; one
// whose tables a test has changed is made anew.
func OpenAt(t testing.TB, url string, clock db.Clock) *db.DB {
	t.Helper()
	o := db.Options{Clock: clock, NoSync: true, SkipMigrations: true}
	if p, ok := places.Load(databaseOf(url)); ok {
		o.Connector = p.(*place).connector
	}
	d, err := db.Open(context.Background(), url, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(d.Close)
	return d
}

// SQLite makes an empty database at the newest schema and gives its path.
func SQLite(t testing.TB) string {
	t.Helper()
	content, err := sqliteTemplate()
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "virga.db")
	if err := os.WriteFile(path, content, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

var sqliteTemplate = sync.OnceValues(func() ([]byte, error) {
	dir, err := os.MkdirTemp("", "virga-dbtest-")
	if err != nil {
		return nil, err
	}
	defer func() { _ = os.RemoveAll(dir) }()
	path := filepath.Join(dir, "template.db")
	d, err := db.Open(context.Background(), path, db.Options{Clock: time.Now, NoSync: true})
	if err != nil {
		return nil, err
	}
	d.Close()
	return os.ReadFile(path)
})

// Postgres makes an empty database at the newest schema and gives its url. It is the test's until its end.
func Postgres(t testing.TB) string {
	t.Helper()
	url := Unmade(t)
	Make(t, url)
	return url
}

// Unmade gives the url of a PostgreSQL database that isn't there yet: [Saved.Restore] or [Make] make it. It is
// the test's until its end.
func Unmade(t testing.TB) string {
	t.Helper()
	if server() == "" {
		if strings.Contains(os.Getenv("VIRGA_REQUIRE"), "postgres") {
			t.Fatal("VIRGA_REQUIRE asks for PostgreSQL, but VIRGA_TEST_POSTGRES names no server")
		}
		t.Skip("needs PostgreSQL: VIRGA_TEST_POSTGRES names no server (run: scripts/with-postgres go test ./...)")
	}
	p := takePlace()
	t.Cleanup(func() {
		if err := p.leave(); err != nil {
			t.Error(err)
		}
	})
	return withDatabase(server(), p.name)
}

// Make makes a database of [Unmade] at the newest schema, unless it is there.
func Make(t testing.TB, url string) {
	t.Helper()
	p, is := places.Load(databaseOf(url))
	if !is || p.(*place).filled {
		return
	}
	template, err := postgresTemplate()
	if err == nil {
		err = p.(*place).fill(template)
	}
	if err != nil {
		t.Fatal(err)
	}
}

func server() string { return os.Getenv("VIRGA_TEST_POSTGRES") }

// A copy of the files is quicker than writing everything to the log, and than emptying a database of an earlier test.
func copying(name, template string) string {
	return fmt.Sprintf("create database %s template %s strategy file_copy", name, template)
}

// drop removes a database, beside whatever is being copied.
func drop(name string) error {
	dropper, err := dropping()
	if err == nil {
		_, err = dropper.Exec(fmt.Sprintf("drop database if exists %s with (force)", name))
	}
	return err
}

var dropping = sync.OnceValues(func() (*sql.DB, error) {
	return sql.Open("pgx", server())
})

func newName(kind string) string {
	return kind + "_" + strings.ReplaceAll(string(uid.New[uid.Op]()), "-", "")
}

// postgresTemplate is made once per test process, from which each test's database is a copy.
var postgresTemplate = sync.OnceValues(func() (string, error) {
	name := newName("template")
	if err := onServer(server(), "create database "+name); err != nil {
		return "", err
	}
	url := withDatabase(server(), name)
	d, err := db.Open(context.Background(), url, db.Options{Clock: time.Now, NoSync: true})
	if err != nil {
		return "", err
	}
	d.Close()
	return name, keepable(context.Background(), url)
})

// onServer runs statements on the server, one at a time per process: PostgreSQL refuses to copy a database to which
// somebody is connected, even to make another copy.
func onServer(server string, statements ...string) error {
	serverLock.Lock()
	defer serverLock.Unlock()
	pool, err := serverPool(server)
	if err != nil {
		return err
	}
	for _, statement := range statements {
		if _, err := pool.Exec(statement); err != nil {
			return fmt.Errorf("%s: %w", statement, err)
		}
	}
	return nil
}

// serverPool is the one connection that this process makes databases with.
func serverPool(server string) (*sql.DB, error) {
	if pool != nil {
		return pool, nil
	}
	opened, err := sql.Open("pgx", server)
	if err == nil {
		opened.SetMaxOpenConns(1)
		pool = opened
	}
	return pool, err
}

var (
	serverLock sync.Mutex
	pool       *sql.DB
	_          = stdlib.GetDefaultDriver // registers "pgx"
)

func withDatabase(server, name string) string {
	u, err := url.Parse(server)
	if err != nil {
		return server
	}
	u.Path = "/" + name
	return u.String()
}
