package db_test

import (
	"database/sql"
	"io/fs"
	"sync"
	"testing"
	"testing/fstest"
	"time"

	"github.com/virga-cloud/virga/internal/db"
	"github.com/virga-cloud/virga/internal/db/dbtest"
)

// Servers that start at the same moment on an empty database make one schema, and keep no copy of nothing.
func TestServersMakeTheSchemaTogether(t *testing.T) {
	t.Parallel()
	url := dbtest.Postgres(t)
	execute(t, url, "drop schema public cascade; create schema public")
	openTogether(t, url, db.Options{Clock: time.Now, NoSync: true})
	if n := copies(t, url); n != 0 {
		t.Errorf("%d copies of an empty database", n)
	}
}

// Servers that start at the same moment on an older schema migrate it once, and keep one copy of what was before.
func TestServersMigrateTogether(t *testing.T) {
	t.Parallel()
	url := dbtest.Postgres(t)
	t.Cleanup(func() { // the database is used again
		execute(t, url, "drop table newer; delete from goose_db_version where version_id = 99999")
	})
	first, err := fs.ReadFile(db.Migrations(), "00002_first.sql")
	must(t, err)
	files := fstest.MapFS{
		"00002_first.sql": {Data: first},
		// It takes a while, and can't be done twice.
		"99999_newer.sql": {Data: []byte("-- +goose Up\nselect pg_sleep(0.2);\ncreate table newer (n int);\n")},
	}
	openTogether(t, url, db.Options{Clock: time.Now, NoSync: true}.WithMigrations(files))
	if n := copies(t, url); n != 1 {
		t.Errorf("%d copies were kept, want 1", n)
	}
}

func openTogether(t *testing.T, url string, o db.Options) {
	t.Helper()
	var all sync.WaitGroup
	for range 4 {
		all.Go(func() {
			d, err := db.Open(t.Context(), url, o)
			if err != nil {
				t.Error(err)
				return
			}
			d.Close()
		})
	}
	all.Wait()
}

func copies(t *testing.T, url string) (n int) {
	t.Helper()
	d, err := db.Open(t.Context(), url, db.Options{Clock: time.Now, SkipMigrations: true})
	must(t, err)
	defer d.Close()
	err = d.Read().NewRaw("select count(*) from information_schema.schemata where schema_name like 'before%'").Scan(t.Context(), &n)
	must(t, err)
	return n
}

func execute(t *testing.T, url, statements string) {
	t.Helper()
	pool, err := sql.Open("pgx", url)
	must(t, err)
	defer func() { _ = pool.Close() }()
	_, err = pool.Exec(statements)
	must(t, err)
}
