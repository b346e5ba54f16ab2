package db_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/virga-cloud/virga/internal/db"
	"github.com/virga-cloud/virga/internal/db/dbtest"
)

// asked counts in a context for how many names serials is asked.
type asked struct{}

var (
	serials = db.Remember("test counters", func(ctx context.Context, q db.Tx, names []string) (map[string]string, error) {
		if n, counts := ctx.Value(asked{}).(*int); counts {
			*n += len(names)
		}
		type row struct {
			Name string
			Next int64
		}
		return db.ByID(ctx, q, nextOf, names, func(r row) (string, string) { return r.Name, fmt.Sprint(r.Next) })
	})
	nextOf = db.PrepareMany("select name, next from counters where name in (?)")
)

// TestMemory: what is remembered is not asked for again, what was changed by whichever server is seen by whoever begins to ask afterwards,
// and who changes it without a word is found out.
func TestMemory(t *testing.T) {
	t.Parallel()
	dbtest.EachURL(t, func(t *testing.T, url string) {
		open := func() *db.DB {
			d, err := db.Open(t.Context(), url, db.Options{Clock: time.Now, NoSync: true, SkipMigrations: true})
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(d.Close)
			return d
		}
		one := open()
		other := one // SQLite's file belongs to one server
		if one.Postgres {
			other = open()
		}
		put := func(d *db.DB, name string, next int64, forget bool) {
			err := d.Write(t.Context(), func(ctx context.Context, tx db.Tx) error {
				_, err := tx.NewRaw("insert into counters (name, next) values (?, ?) on conflict (name) do update set next = ?", name, next, next).Exec(ctx)
				if err == nil && forget {
					err = serials.Forget(ctx, tx)
				}
				return err
			})
			if err != nil {
				t.Fatal(err)
			}
		}
		find := func(ctx context.Context, want string, names ...string) (questions int) {
			t.Helper()
			found, err := serials.Find(context.WithValue(ctx, asked{}, &questions), one.Read(), names)
			if err != nil {
				t.Fatal(err)
			}
			var have []string
			for _, n := range names {
				have = append(have, found[n])
			}
			if got := strings.Join(have, " "); got != want {
				t.Errorf("found %q, want %q", got, want)
			}
			return questions
		}
		fresh := func() context.Context { return db.Remembering(t.Context()) }
		asks := func(have, want int) {
			t.Helper()
			if have != want {
				t.Errorf("%d were asked for, want %d", have, want)
			}
		}

		put(other, "a", 1, false)
		put(other, "b", 2, false)
		asks(find(fresh(), "1", "a"), 1)
		asks(find(fresh(), "1 2 ", "a", "b", "none"), 2)
		asks(find(fresh(), "1 2", "a", "b"), 0)
		asks(find(t.Context(), "1 2", "a", "b"), 2) // who is not a list asks

		before := fresh()
		asks(find(before, "1", "a"), 0)
		put(other, "a", 10, true)
		asks(find(before, "1", "a"), 0) // a list is of one moment
		asks(find(fresh(), "10 2", "a", "b"), 2)
		asks(find(fresh(), "10 2", "a", "b"), 0)
		asks(find(before, "10 2", "a", "b"), 2) // and spoils nothing with what it knew
		asks(find(fresh(), "10 2", "a", "b"), 0)
		if err := one.Misremembered(t.Context()); err != nil {
			t.Error(err)
		}

		put(other, "b", 20, false)
		if err := one.Misremembered(t.Context()); err == nil || !strings.Contains(err.Error(), "test counters of b") {
			t.Errorf("a change without a word: %v", err)
		}
		err := one.Write(t.Context(), func(ctx context.Context, tx db.Tx) error {
			found, err := serials.Find(db.Remembering(ctx), tx, []string{"b"})
			if found["b"] != "20" {
				t.Errorf("a transaction was told %q from memory", found["b"])
			}
			return err
		})
		if err != nil {
			t.Error(err)
		}
	})
}
