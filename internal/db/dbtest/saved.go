package dbtest

import (
	"context"
	"net/url"
	"os"
	"path"
	"testing"

	"github.com/virga-cloud/virga/internal/db"
)

// Saved is what was in a database that this package made, to be put into others: a test that needs much in its database gets it
// many times faster so than by making it again.
type Saved struct {
	file     []byte // SQLite: the whole file
	template string // PostgreSQL: a database that has it
}

// Save keeps the content of a database that nobody has open. On PostgreSQL it goes with the server.
func Save(of string) (s Saved, err error) {
	if !db.IsPostgres(of) {
		s.file, err = os.ReadFile(of)
		return s, err
	}
	if p, is := places.Load(databaseOf(of)); is {
		p.(*place).hangUp() // nothing is copied to which somebody is connected
	}
	s.template = newName("saved")
	if err := onServer(server(), copying(s.template, databaseOf(of))); err != nil {
		return s, err
	}
	return s, keepable(context.Background(), withDatabase(server(), s.template))
}

// Restore puts what was saved into a database of the same engine that this package made and nobody has open.
func (s Saved) Restore(t testing.TB, into string) {
	t.Helper()
	if s.file != nil {
		if err := os.WriteFile(into, s.file, 0o600); err != nil {
			t.Fatal(err)
		}
		return
	}
	p, is := places.Load(databaseOf(into))
	if !is {
		t.Fatalf("%s is no database of dbtest's", db.Redact(into))
	}
	if err := p.(*place).fill(s.template); err != nil {
		t.Fatal(err)
	}
}

func databaseOf(server string) string {
	u, err := url.Parse(server)
	if err != nil {
		return ""
	}
	return path.Base(u.Path)
}
