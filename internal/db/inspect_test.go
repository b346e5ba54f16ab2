package db_test

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/virga-cloud/virga/internal/db"
	"github.com/virga-cloud/virga/internal/db/dbtest"
)

// A database can be looked at beside the process that has it; what is none is said to be none, and left as it is.
func TestInspect(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "virga 1.db")
	if _, err := db.Inspect(t.Context(), path); err == nil {
		t.Error("a file that is not there can be looked at")
	}
	if _, err := os.Stat(path); err == nil {
		t.Error("looking at a file has made it")
	}
	d, err := db.Open(t.Context(), path, db.Options{Clock: time.Now, NoSync: true})
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	s, err := db.Inspect(t.Context(), path)
	if err != nil || s.Schema == 0 || s.Schema != s.Newest || s.Size == 0 || s.Damage != "" {
		t.Errorf("%+v, %v", s, err)
	}
	dbtest.EachURL(t, func(t *testing.T, url string) {
		t.Helper()
		s, err := db.Inspect(t.Context(), url)
		if err != nil || s.Schema == 0 || s.Schema != s.Newest || s.Size == 0 || db.IsPostgres(url) && (s.Connections < 1 || s.MaxConnections < 1) {
			t.Errorf("%+v, %v", s, err)
		}
	})
	text := filepath.Join(t.TempDir(), "text")
	if err := os.WriteFile(text, []byte("this has never been a database, whatever it is called, nor will it be"), 0o600); err != nil {
		t.Fatal(err)
	}
	if s, err := db.Inspect(t.Context(), text); err == nil {
		t.Errorf("a text: %+v", s)
	}
}
