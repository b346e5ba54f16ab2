package db_test

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/virga-cloud/virga/internal/db"
	"github.com/virga-cloud/virga/internal/db/dbtest"
)

// Concurrent closures share commits on SQLite: those that fail must leave nothing, those that succeed everything.
func TestWriteKeepsClosuresApart(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		ctx := context.Background()
		boom := errors.New("boom")
		var all sync.WaitGroup
		var mu sync.Mutex
		commits := 0
		for i := range 200 {
			all.Go(func() {
				err := d.Write(ctx, func(ctx context.Context, tx db.Tx) error {
					if _, err := tx.NewRaw("insert into counters (name, next) values (?, 1)", fmt.Sprint("n", i)).Exec(ctx); err != nil {
						return err
					}
					tx.OnCommit(func() { mu.Lock(); commits++; mu.Unlock() })
					if i%3 == 0 {
						return boom
					}
					return nil
				})
				if want := i%3 == 0; errors.Is(err, boom) != want || (!want && err != nil) {
					t.Errorf("write %d: got %v", i, err)
				}
			})
		}
		all.Wait()
		var n int
		if err := d.Read().NewRaw("select count(*) from counters").Scan(ctx, &n); err != nil {
			t.Fatal(err)
		}
		if want := 133; n != want || commits != want {
			t.Errorf("rows %d, commit hooks %d, want %d of each", n, commits, want)
		}
	})
}

func TestWritePassesPanicsOn(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		ctx := context.Background()
		func() {
			defer func() {
				if p := recover(); !strings.Contains(fmt.Sprint(p), "ouch") {
					t.Errorf("recovered %v, want the closure's panic", p)
				}
			}()
			_ = d.Write(ctx, func(context.Context, db.Tx) error { panic("ouch") })
		}()
		if err := d.Write(ctx, func(context.Context, db.Tx) error { return nil }); err != nil {
			t.Errorf("the writer does not survive a panic: %v", err)
		}
	})
}

func TestCounterNeverRepeats(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		var mu sync.Mutex
		seen := map[int64]bool{}
		var all sync.WaitGroup
		for range 8 {
			all.Go(func() {
				for range 300 {
					n, err := d.Counter("test").Take(context.Background(), 1)
					mu.Lock()
					if err != nil || n < 1 || seen[n] {
						t.Errorf("took %d again, or %v", n, err)
					}
					seen[n] = true
					mu.Unlock()
				}
			})
		}
		all.Wait()
	})
}

func TestConstraintErrors(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		insert := func(used int) error {
			return d.Write(context.Background(), func(ctx context.Context, tx db.Tx) error {
				_, err := tx.NewRaw(`insert into storage_pools (id, zone_id, pod_id, cluster_id, name, url, type, scope, state, bytes_total,
					bytes_used, created) values ('p', 'z', 'o', 'c', 'n', 'u', 't', 's', 'Up', 1, ?, ?)`, used, tx.Now).Exec(ctx)
				return err
			})
		}
		if err := insert(2); !db.IsCheck(err) || db.IsUnique(err) {
			t.Errorf("more used than there is: %v, want a check violation", err)
		}
	})
}

func TestSecondProcessIsRefused(t *testing.T) {
	t.Parallel()
	path := dbtest.SQLite(t)
	dbtest.Open(t, path)
	_, err := db.Open(context.Background(), path, db.Options{Clock: time.Now})
	if err == nil || !strings.Contains(err.Error(), "another process uses this data") {
		t.Errorf("second open: %v", err)
	}
}

// What migrate keeps before it goes to work must be the whole data.
func TestKeptCopyIsWhole(t *testing.T) {
	t.Parallel()
	dbtest.EachURL(t, func(t *testing.T, url string) {
		ctx := context.Background()
		d := dbtest.Open(t, url)
		err := d.Write(ctx, func(ctx context.Context, tx db.Tx) error {
			_, err := tx.NewRaw("insert into counters (name, next) values ('kept', 7)").Exec(ctx)
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := d.KeepCopy(ctx, url); err != nil {
			t.Fatal(err)
		}
		var kept int
		if db.IsPostgres(url) {
			var schema string
			must(t, d.Read().NewRaw("select schema_name from information_schema.schemata where schema_name like 'before%'").Scan(ctx, &schema))
			must(t, d.Read().NewRaw("select next from "+schema+".counters").Scan(ctx, &kept))
		} else {
			files, err := filepath.Glob(url + ".before*")
			if err != nil || len(files) != 1 {
				t.Fatal(files, err)
			}
			must(t, dbtest.Open(t, files[0]).Read().NewRaw("select next from counters").Scan(ctx, &kept))
		}
		if kept != 7 {
			t.Errorf("the copy holds %d, want 7", kept)
		}
	})
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
