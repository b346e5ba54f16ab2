package db_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/uptrace/bun"

	"github.com/virga-cloud/virga/internal/db"
	"github.com/virga-cloud/virga/internal/db/dbtest"
)

// Rows that are read directly, or from the wire, are what they are one value at a time: nulls, empty texts, times with and without fractions, what
// looks like a separator, and bytes that are no UTF-8.
func TestRowsAreTheRows(t *testing.T) {
	t.Parallel()
	type thing struct {
		bun.BaseModel `bun:"table:things,alias:t"`
		ID            string `bun:",pk"`
		Name          string
		Count         int64
		Device        *int
		Open          bool
		Details       map[string]string
		Parts         []string
		Created       time.Time
		Removed       time.Time `bun:",nullzero"`
		Host          string    `bun:",nullzero"`
	}
	seven, noon := 7, time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)
	all := []thing{
		{ID: "1", Name: "plain", Count: -3, Open: true, Created: noon, Details: map[string]string{}, Parts: []string{}},
		{ID: "2", Device: &seven, Created: noon.Add(123456 * time.Microsecond), Removed: noon, Details: map[string]string{"a": "\"b\""}, Host: "h"},
		{ID: "3", Name: "ÿþ 'quoted' \"twice\" ☃\n", Count: 1 << 62, Created: noon, Parts: []string{"x", "ÿ"}},
	}
	for _, broken := range []string{"", "\xff", "\xfe"} {
		dbtest.EachURL(t, func(t *testing.T, url string) {
			d, err := db.Open(t.Context(), url, db.Options{Clock: time.Now, NoSync: true, SkipMigrations: true}) // by itself, since it makes a table
			must(t, err)
			defer d.Close()
			if broken != "" && d.Postgres {
				return // which takes no such bytes
			}
			want := append([]thing{}, all...)
			if broken != "" {
				want = append(want, thing{ID: "4", Name: "a" + broken + "b", Created: noon})
			}
			write := func(query string, rows *[]thing) {
				err := d.Write(context.Background(), func(ctx context.Context, tx db.Tx) error {
					if rows != nil {
						_, err := tx.NewInsert().Model(rows).Exec(ctx)
						return err
					}
					_, err := tx.NewRaw(query).Exec(ctx)
					return err
				})
				if err != nil {
					t.Fatal(err)
				}
			}
			write(`create table things (id text primary key, name text, count bigint, device bigint, open boolean, details text, parts text,
			created timestamptz, removed timestamptz, host text)`, nil)
			write("", &want)
			if broken != "" { // bun would mend it
				write(fmt.Sprintf("update things set name = cast(x'%x' as text) where id = '4'", "a"+broken+"b"), nil)
			}
			named := db.PrepareMany("select * from things where id in (?) order by id")
			for round := range 3 { // the first one is read value by value, and learnt from
				var got []thing
				_, err := db.Page(t.Context(), d.Read().NewSelect().Model(&got).Order("id"), 0, 0)
				if diff := cmp.Diff(want, got, cmpopts.EquateEmpty()); err != nil || diff != "" {
					t.Errorf("round %d of a list with %q: %v\n%s", round, broken, err, diff)
				}
				asked, err := db.Rows[thing](t.Context(), d.Read(), named, []string{"1", "2", "3", "4"})
				if diff := cmp.Diff(want, asked, cmpopts.EquateEmpty()); err != nil || diff != "" {
					t.Errorf("round %d of a statement with %q: %v\n%s", round, broken, err, diff)
				}
			}
		})
	}
}

// A list in a transaction is read in it: it sees what the transaction wrote, and waits for nothing.
func TestListInTransaction(t *testing.T) {
	t.Parallel()
	type thing struct {
		bun.BaseModel `bun:"table:things,alias:t"`
		ID            string `bun:",pk"`
	}
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		err := d.Write(context.Background(), func(ctx context.Context, tx db.Tx) error {
			if _, err := tx.NewRaw("create table things (id text primary key)").Exec(ctx); err != nil {
				return err
			}
			if _, err := tx.NewRaw("insert into things values ('a'), ('b'), ('c')").Exec(ctx); err != nil {
				return err
			}
			for range 3 {
				var got []thing
				n, err := db.Page(ctx, tx.NewSelect().Model(&got).Order("id"), 0, 0)
				if err != nil || n != 3 || len(got) != 3 || got[2].ID != "c" {
					t.Errorf("%d rows, %v, %v", n, got, err)
				}
			}
			return nil
		})
		if err != nil {
			t.Error(err)
		}
	})
}

// Keywords are found in any case and taken as they are: what stands for other letters elsewhere stands for itself.
func TestKeywords(t *testing.T) {
	t.Parallel()
	type word struct {
		bun.BaseModel `bun:"table:words,alias:w"`
		ID, Name      string
	}
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		_, err := d.Read().NewRaw("create table words (id text primary key, name text)").Exec(t.Context())
		if err == nil {
			_, err = d.Read().NewRaw("insert into words values ('a', 'Web-1'), ('b', 'web_2 100%'), ('c', 'a!b'), ('D', null)").Exec(t.Context())
		}
		if err != nil {
			t.Fatal(err)
		}
		for keyword, want := range map[string]string{
			"WEB": "a b", "web": "a b", "eb-": "a", "b_": "b", "%": "b", "!": "c", "d": "D", "x": "", "": "D a b c", "' or 1=1": "",
		} {
			var rows []word
			q := d.Read().NewSelect().Model(&rows).Order("w.id")
			db.Like(q, keyword, "w.id", "w.name")
			var got []string
			err := q.Scan(t.Context())
			for _, r := range rows {
				got = append(got, r.ID)
			}
			if err != nil || strings.Join(got, " ") != want {
				t.Errorf("%q: %q, want %q, %v", keyword, got, want, err)
			}
		}
	})
}
