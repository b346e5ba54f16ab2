package db_test

import (
	"context"
	"errors"
	"sync"
	"testing"

	"github.com/virga-cloud/virga/internal/db"
	"github.com/virga-cloud/virga/internal/db/dbtest"
)

var (
	addCounter  = db.Prepare("insert into counters (name, next) values (?, ?)")
	moveCounter = db.PrepareMust("update counters set next = next + 1 where name = ?")
	readCounter = db.Prepare("select next from counters where name = ?")
)

func counter(t *testing.T, d *db.DB, name string) (values []int64) {
	t.Helper()
	if err := d.Read().Select(context.Background(), readCounter, &values, name); err != nil {
		t.Fatal(err)
	}
	return values
}

// What is given to Later is there for the next question, and for nobody when the closure fails.
func TestLater(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		boom := errors.New("boom")
		for _, end := range []error{boom, nil} {
			err := d.Write(context.Background(), func(ctx context.Context, tx db.Tx) error {
				if err := tx.Later(ctx, addCounter, "a", int64(7)); err != nil {
					return err
				}
				var first, second []int64
				err := tx.Ask(ctx, db.Asking(readCounter, &first, "a"), db.Asking(readCounter, &second, "none"))
				if err != nil || len(first) != 1 || first[0] != 7 || len(second) != 0 {
					t.Errorf("asked %v and %v, %v", first, second, err)
				}
				return errors.Join(end, tx.Later(ctx, addCounter, "b", int64(8)))
			})
			if !errors.Is(err, end) || end == nil && err != nil {
				t.Fatal(err)
			}
			if got := len(counter(t, d, "a")) + len(counter(t, d, "b")); end == nil && got != 2 || end != nil && got != 0 {
				t.Errorf("%d rows after %v", got, end)
			}
		}
		err := d.Write(context.Background(), func(ctx context.Context, tx db.Tx) error { return tx.Later(ctx, addCounter, "a", int64(1)) })
		if !db.IsUnique(err) {
			t.Errorf("a row twice: %v", err)
		}
	})
}

// Transactions that ask nothing travel together; one that must change something and does not fails alone, with its own error.
func TestMust(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		gone := errors.New("gone")
		err := d.Write(context.Background(), func(ctx context.Context, tx db.Tx) error { return tx.Later(ctx, addCounter, "c", int64(0)) })
		if err != nil {
			t.Fatal(err)
		}
		var all sync.WaitGroup
		for i := range 200 {
			all.Go(func() {
				bad := i%10 == 0
				err := d.Write(context.Background(), func(ctx context.Context, tx db.Tx) error {
					otherwise := func(ctx context.Context, q db.Tx) error {
						var found []int64
						return errors.Join(gone, q.Select(ctx, readCounter, &found, "none"))
					}
					if err := tx.Must(ctx, moveCounter, otherwise, "c"); err != nil || !bad {
						return err
					}
					return tx.Must(ctx, moveCounter, otherwise, "none")
				})
				if errors.Is(err, gone) != bad || !bad && err != nil {
					t.Errorf("%d: %v", i, err)
				}
			})
		}
		all.Wait()
		if got := counter(t, d, "c"); len(got) != 1 || got[0] != 180 {
			t.Errorf("counted %v, want 180", got)
		}
	})
}

// A closure that hoped in vain is run again, and knows it.
func TestAgain(t *testing.T) {
	t.Parallel()
	d := dbtest.Open(t, dbtest.Postgres(t))
	var attempts []int
	err := d.Write(context.Background(), func(ctx context.Context, tx db.Tx) error {
		attempts = append(attempts, tx.Attempt)
		if tx.Attempt == 0 {
			return tx.Must(ctx, moveCounter, func(context.Context, db.Tx) error { return db.ErrAgain }, "d")
		}
		return tx.Later(ctx, addCounter, "d", int64(1))
	})
	if err != nil || len(attempts) != 2 || attempts[1] != 1 || len(counter(t, d, "d")) != 1 {
		t.Errorf("attempts %v, %v", attempts, err)
	}

	// One that hopes in vain again and again goes on for longer than one that loses deadlocks, and not for ever.
	for _, vain := range []int{30, 1000} {
		tries := 0
		err = d.Write(context.Background(), func(context.Context, db.Tx) error {
			if tries++; tries <= vain {
				return db.ErrAgain
			}
			return nil
		})
		if (err == nil) != (vain == 30) || tries > 100 {
			t.Errorf("%d times in vain: %d tries, %v", vain, tries, err)
		}
	}
}
