package alert_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/virga-cloud/virga/internal/alert"
	"github.com/virga-cloud/virga/internal/db"
	"github.com/virga-cloud/virga/internal/db/dbtest"
)

func TestAlerts(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		ctx := t.Context()
		write := func(fn func(ctx context.Context, tx db.Tx) error) error { return d.Write(ctx, fn) }
		raise := func(kind alert.Type, subject string) {
			t.Helper()
			err := write(func(ctx context.Context, tx db.Tx) error {
				return alert.Raise(ctx, tx, kind, subject, "%s is 100%% down", subject)
			})
			if err != nil {
				t.Fatal(err)
			}
		}
		list := func(f alert.Filter) (shown []string, total int) {
			t.Helper()
			found, total, err := alert.List(ctx, d.Read(), f)
			if err != nil {
				t.Fatal(err)
			}
			for _, a := range found {
				state := " lasts"
				if !a.Resolved.IsZero() {
					state = " is over"
				}
				if a.Raised.IsZero() || a.Description != a.Subject+" is 100% down" {
					t.Errorf("raised %+v", a)
				}
				shown = append(shown, a.Type.Name()+" "+a.Subject+state)
			}
			return shown, total
		}
		same := func(what string, f alert.Filter, want ...string) {
			t.Helper()
			if got, _ := list(f); !cmp.Equal(got, want) {
				t.Errorf("%s: %v, want %v", what, got, want)
			}
		}
		raise(alert.Host, "h1")
		raise(alert.Host, "h1")
		raise(alert.Host, "h2")
		raise(alert.CPU, "h1")
		same("raised twice", alert.Filter{}, "ALERT.CPU h1 lasts", "ALERT.COMPUTE.HOST h2 lasts", "ALERT.COMPUTE.HOST h1 lasts")
		if err := write(func(ctx context.Context, tx db.Tx) error { return alert.Resolve(ctx, tx, alert.Host, "h1") }); err != nil {
			t.Fatal(err)
		}
		raise(alert.Host, "h1")
		same("of a type", alert.Filter{Types: []alert.Type{alert.Host}},
			"ALERT.COMPUTE.HOST h1 lasts", "ALERT.COMPUTE.HOST h2 lasts", "ALERT.COMPUTE.HOST h1 is over")
		same("with a word", alert.Filter{Keyword: "H2 IS"}, "ALERT.COMPUTE.HOST h2 lasts")
		if shown, total := list(alert.Filter{Offset: 1, Limit: 1}); total != 4 || len(shown) != 1 {
			t.Errorf("a page: %v of %d", shown, total)
		}

		err := alert.Keep(ctx, d, alert.Host, []alert.Cause{{"h2", "not written"}, {"h3", "h3 is 100% down"}})
		if err != nil {
			t.Fatal(err)
		}
		same("kept", alert.Filter{Types: []alert.Type{alert.Host}}, "ALERT.COMPUTE.HOST h3 lasts", "ALERT.COMPUTE.HOST h1 is over",
			"ALERT.COMPUTE.HOST h2 lasts", "ALERT.COMPUTE.HOST h1 is over")

		var n int64
		err = write(func(ctx context.Context, tx db.Tx) (err error) {
			n, err = alert.Expire(ctx, tx, tx.Now.Add(time.Hour), 10)
			return err
		})
		if err != nil || n != 2 {
			t.Errorf("expired %d, %v; want the two that are over", n, err)
		}
		same("expired", alert.Filter{Types: []alert.Type{alert.Host}}, "ALERT.COMPUTE.HOST h3 lasts", "ALERT.COMPUTE.HOST h2 lasts")

		boom := errors.New("boom")
		_ = write(func(ctx context.Context, tx db.Tx) error {
			_ = alert.Raise(ctx, tx, alert.Memory, "m", "never")
			return boom
		})
		same("of what did not happen", alert.Filter{Types: []alert.Type{alert.Memory}})
		if err := write(func(ctx context.Context, tx db.Tx) error { return alert.Raise(ctx, tx, 99, "x", "x") }); err == nil {
			t.Error("an alert of no type was raised")
		}
	})
}
