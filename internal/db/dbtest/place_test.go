package dbtest_test

import (
	"testing"

	"github.com/virga-cloud/virga/internal/db"
	"github.com/virga-cloud/virga/internal/db/dbtest"
)

// Whatever a test does to its database, the next one finds it as new. PostgreSQL's databases go from test to test, so these run
// one after the other.
func TestNothingIsLeftForTheNextTest(t *testing.T) {
	for _, engine := range []struct {
		name string
		make func(testing.TB) string
	}{{"sqlite", dbtest.SQLite}, {"postgres", dbtest.Postgres}} {
		t.Run(engine.name, func(t *testing.T) {
			var asNew string
			for i, change := range []string{
				"insert into counters (name, next) values ('left behind', 1)",
				"delete from roles",
				"create table left_behind (n int)",
				"alter table counters add column left_behind int",
				"create index left_behind on counters (next)",
				"drop table gone_nics",
				"create view left_behind as select 1 as n",
				"select 1", // who comes after the last change
			} {
				t.Run(change, func(t *testing.T) {
					d := dbtest.Open(t, engine.make(t))
					if found := inventory(t, d); i == 0 {
						asNew = found
					} else if found != asNew {
						t.Errorf("the test before left\n%s\nand it was\n%s", found, asNew)
					}
					if _, err := d.Read().NewRaw(change).Exec(t.Context()); err != nil {
						t.Fatal(err)
					}
				})
			}
		})
	}
}

// inventory names what is in a database: its tables with their columns and indexes, and the rows of two of them.
func inventory(t *testing.T, d *db.DB) (all string) {
	t.Helper()
	names := "select coalesce(group_concat(sql, '; '), '') from (select sql from sqlite_master order by name)"
	if d.Postgres {
		names = `select string_agg(c.relname || '.' || a.attname, '; ' order by c.relname, a.attnum) from pg_class c
			join pg_attribute a on a.attrelid = c.oid and not a.attisdropped where c.relnamespace = 'public'::regnamespace`
	}
	for _, query := range []string{names, "select cast(count(*) as text) from roles", "select cast(count(*) as text) from counters where name = 'left behind'"} {
		var part string
		if err := d.Read().NewRaw(query).Scan(t.Context(), &part); err != nil {
			t.Fatal(err)
		}
		all += part + "\n"
	}
	return all
}

// What is in a database can be saved, whoever had the database before.
func TestSaveInAPlaceOfOthers(t *testing.T) {
	for range 2 { // the second one has the connections of the first
		t.Run("test", func(t *testing.T) {
			url := dbtest.Postgres(t)
			if _, err := dbtest.Save(url); err != nil {
				t.Error(err)
			}
			d := dbtest.Open(t, url)
			if err := d.Read().NewRaw("select 1").Scan(t.Context(), new(int)); err != nil {
				t.Error(err)
			}
		})
	}
}
