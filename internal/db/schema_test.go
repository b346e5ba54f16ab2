package db_test

import (
	"context"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/virga-cloud/virga/internal/db/dbtest"
)

// schema.sql is for readers: the sum of all migrations. It says what SQLite has; PostgreSQL gets the same statements.
func TestSchemaIsTheSumOfTheMigrations(t *testing.T) {
	t.Parallel()
	d := dbtest.Open(t, dbtest.SQLite(t))
	var statements []string
	err := d.Read().NewRaw(`select sql || ';' from sqlite_master where sql is not null and name not like 'goose%' and name not like 'sqlite%'
		order by case type when 'table' then tbl_name || ' 0' else tbl_name || ' 1' || name end`).Scan(context.Background(), &statements)
	if err != nil {
		t.Fatal(err)
	}
	got := "-- The whole schema, written by a test from the migrations (VIRGA_UPDATE=1 go test ./internal/db).\n\n" +
		strings.Join(statements, "\n\n") + "\n"
	if os.Getenv("VIRGA_UPDATE") != "" {
		if err := os.WriteFile("schema.sql", []byte(got), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile("schema.sql")
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("schema.sql is not what the migrations make (VIRGA_UPDATE=1 writes it anew):\n%s", diff)
	}
}
