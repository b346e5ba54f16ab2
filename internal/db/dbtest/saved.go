package dbtest

import (
	"database/sql"
	"errors"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/virga-cloud/virga/internal/db"
)

// Saved is what was in a database that this package made, to be put into others: a test that needs much in its database gets it
// many times faster so than by making it again.
type Saved struct {
	file []byte // SQLite: the whole file
	rows string // PostgreSQL: statements that insert them
}

// Save keeps the content of a database that nobody has open.
func Save(url string) (s Saved, err error) {
	if !db.IsPostgres(url) {
		s.file, err = os.ReadFile(url)
		return s, err
	}
	pool, err := sql.Open("pgx", url)
	if err != nil {
		return s, err
	}
	defer func() { _ = pool.Close() }()
	// In the order in which the tables were made, none refers to a later one.
	tables, err := pool.Query(`select relname from pg_class where relkind = 'r' and relnamespace = 'public'::regnamespace
		and relname not like 'goose%' order by oid`)
	if err != nil {
		return s, err
	}
	defer func() { _ = tables.Close() }()
	var names []string
	for tables.Next() {
		var name string
		if err := tables.Scan(&name); err != nil {
			return s, err
		}
		names = append(names, name)
	}
	if err := tables.Err(); err != nil {
		return s, err
	}
	var out strings.Builder
	for _, name := range names {
		var insert sql.NullString
		err := pool.QueryRow(fmt.Sprintf(`select format('insert into %[1]s select * from json_populate_recordset(null::%[1]s, %%L);', json_agg(t))
			from %[1]s t having count(*) > 0`, name)).Scan(&insert)
		if err != nil && !errors.Is(err, sql.ErrNoRows) {
			return s, fmt.Errorf("save table %s: %w", name, err)
		}
		out.WriteString(insert.String)
	}
	s.rows = out.String()
	return s, nil
}

// Restore puts what was saved into an empty database of the same engine that nobody has open.
func (s Saved) Restore(t testing.TB, url string) {
	t.Helper()
	if s.file != nil {
		if err := os.WriteFile(url, s.file, 0o600); err != nil {
			t.Fatal(err)
		}
		return
	}
	pool, err := sql.Open("pgx", url)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = pool.Close() }()
	if _, err := pool.Exec(s.rows); err != nil {
		t.Fatal(err)
	}
}
