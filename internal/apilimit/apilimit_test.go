package apilimit

import (
	"context"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/virga-cloud/virga/internal/auth"
	"github.com/virga-cloud/virga/internal/db"
	"github.com/virga-cloud/virga/internal/db/dbtest"
	"github.com/virga-cloud/virga/internal/event"
	"github.com/virga-cloud/virga/internal/fault"
	"github.com/virga-cloud/virga/internal/setting"
	"github.com/virga-cloud/virga/uid"
)

// world is some servers that share a database, and a clock. An account may have 100 requests in ten seconds.
type world struct {
	t       *testing.T
	now     atomic.Int64 // milliseconds
	db      *db.DB
	servers []*Service
}

func each(t *testing.T, n int, test func(w *world), initially ...setting.Initial) {
	t.Helper()
	dbtest.EachURL(t, func(t *testing.T, url string) {
		w := &world{t: t}
		w.now.Store(1_800_000_000_000)
		d := dbtest.OpenAt(t, url, func() time.Time { return time.UnixMilli(w.now.Load()) })
		w.db = d
		initially = append([]setting.Initial{
			setting.ThrottlingEnabled.Initially(true), setting.ThrottlingInterval.Initially(10 * time.Second), setting.ThrottlingMax.Initially(100),
		}, initially...)
		for range n {
			w.servers = append(w.servers, New(d, setting.New(d, nil, initially...), func(context.Context, db.Tx) (int, error) { return n, nil }))
		}
		test(w)
	})
}

func caller(name string) auth.Caller {
	return auth.Caller{User: uid.User(name), Account: uid.Account(name), Domain: auth.System().Domain, DomainPath: "ROOT"}
}

// let sends n requests to a server and gives how many are let through.
func (w *world) let(server int, account string, n int) (passed int) {
	w.t.Helper()
	for range n {
		wait, err := w.servers[server].Admit(w.t.Context(), caller(account))
		if err != nil || wait < 0 || wait > 10*time.Second {
			w.t.Fatalf("wait %v, %v", wait, err)
		}
		if wait == 0 {
			passed++
		}
	}
	return passed
}

func (w *world) status(server int, account string) Status {
	w.t.Helper()
	s, err := w.servers[server].Of(w.t.Context(), caller(account))
	if err != nil {
		w.t.Fatal(err)
	}
	return s
}

func TestOneServerIsExact(t *testing.T) {
	t.Parallel()
	each(t, 1, func(w *world) {
		w.now.Add(4000)
		if got := w.let(0, "a", 130); got != 100 {
			w.t.Errorf("%d of 130 were let through", got)
		}
		if got := w.status(0, "a"); got != (Status{Issued: 130, Allowed: 0, Left: 6 * time.Second}) {
			w.t.Errorf("%+v", got)
		}
		if wait, _ := w.servers[0].Admit(w.t.Context(), caller("a")); wait != 6*time.Second {
			w.t.Errorf("told to wait %v", wait)
		}
		if got := w.let(0, "b", 1); got != 1 {
			w.t.Error("another account suffers")
		}
		root := auth.System()
		for range 200 {
			if wait, err := w.servers[0].Admit(w.t.Context(), root); wait != 0 || err != nil {
				w.t.Fatal("the root admin is counted")
			}
		}
		w.now.Add(6000)
		if got := w.let(0, "a", 130); got != 100 {
			w.t.Errorf("in the next window %d", got)
		}
		var rows int
		if err := w.db.Read().NewRaw("select count(*) from api_windows").Scan(w.t.Context(), &rows); err != nil || rows != 0 {
			w.t.Errorf("one server alone asked the database: %d rows, %v", rows, err)
		}
	})
}

// Whatever the order, servers together let through no more than an account may have; and one alone three quarters at least.
func TestManyServersTogether(t *testing.T) {
	t.Parallel()
	each(t, 3, func(w *world) {
		for window := range 2 {
			var passed atomic.Int64
			var all sync.WaitGroup
			for n := range 12 {
				all.Go(func() { passed.Add(int64(w.let(n%3, "a", 40))) })
			}
			all.Wait()
			if got := passed.Load(); got != 100 {
				w.t.Errorf("window %d: %d of 480 were let through", window, got)
			}
			for n := range 3 {
				if got := w.status(n, "a"); got.Allowed != 0 || got.Issued < 160 {
					w.t.Errorf("server %d: %+v", n, got)
				}
			}
			if got := w.let(1, "alone", 200); got < 75 || got > 100 {
				w.t.Errorf("one server alone let through %d", got)
			}
			if got := w.status(0, "alone"); got.Allowed != 8 {
				w.t.Errorf("another server: %+v", got)
			}
			w.now.Add(10_000)
		}
		// A server whose clock is behind gets nothing of a window that is over.
		w.let(0, "late", 20)
		w.now.Add(-10_000)
		if got := w.let(2, "late", 50); got != 8 {
			w.t.Errorf("a server that is late let through %d", got)
		}
	})
}

func TestReset(t *testing.T) {
	t.Parallel()
	each(t, 2, func(w *world) {
		ctx := auth.With(w.t.Context(), auth.System())
		account := string(auth.System().Account)
		insert := `insert into domains (id, name, path, level, state, created) values (?, 'ROOT', 'ROOT', 0, 'Active', '2026-01-01')`
		exec(w, insert, auth.System().Domain)
		exec(w, `insert into accounts (id, domain_id, name, type, role_id, state, created) values (?, ?, 'a', 0, '', 'enabled', '2026-01-01')`,
			account, auth.System().Domain)
		exhaust := func() {
			w.t.Helper()
			for _, name := range []string{account, "b"} {
				if got := w.let(0, name, 200) + w.let(1, name, 200); got != 100 {
					w.t.Errorf("%d were let through", got)
				}
			}
		}
		exhaust()
		if err := w.servers[0].Reset(ctx, uid.Account(account)); err != nil {
			w.t.Fatal(err)
		}
		if err := w.servers[1].Load(ctx); err != nil {
			w.t.Fatal(err)
		}
		if a, b := w.let(0, account, 200)+w.let(1, account, 200), w.let(0, "b", 200); a != 100 || b != 0 {
			w.t.Errorf("after a reset %d, of another account %d", a, b)
		}
		for range 2 {
			if err := w.servers[1].Reset(ctx, ""); err != nil {
				w.t.Fatal(err)
			}
			if err := w.servers[0].Load(ctx); err != nil {
				w.t.Fatal(err)
			}
			exhaust()
		}
		if err := w.servers[0].Reset(ctx, "0190a0a0-0000-7000-8000-000000000000"); !fault.Is(err, fault.NotFound) && !fault.Is(err, fault.Invalid) {
			w.t.Errorf("no such account: %v", err)
		}
		if err := w.servers[0].Reset(auth.With(w.t.Context(), caller("a")), ""); !fault.Is(err, fault.Denied) {
			w.t.Errorf("by a user: %v", err)
		}
		if _, n, err := event.List(ctx, w.db.Read(), event.Filter{Scope: auth.Scope{All: true}, Type: event.APILimitReset}); n != 3 || err != nil {
			w.t.Errorf("%d events, %v", n, err)
		}
	})
}

func exec(w *world, query string, args ...any) {
	w.t.Helper()
	err := w.db.Write(w.t.Context(), func(ctx context.Context, tx db.Tx) error {
		_, err := tx.NewRaw(query, args...).Exec(ctx)
		return err
	})
	if err != nil {
		w.t.Fatal(err)
	}
}

func TestMemoryIsBounded(t *testing.T) {
	t.Parallel()
	each(t, 1, func(w *world) {
		for n := range 1000 {
			w.let(0, string(rune('a'+n)), 1)
			if n%100 == 99 {
				w.now.Add(10_000)
			}
		}
		if n := len(w.servers[0].counts); n > 10 {
			w.t.Errorf("%d accounts in memory", n)
		}
	}, setting.ThrottlingCache.Initially(10))
	var none *Service
	if wait, err := none.Admit(t.Context(), caller("a")); wait != 0 || err != nil || none.On() {
		t.Error("no service at all limits")
	}
}

func BenchmarkAdmit(b *testing.B) {
	d := dbtest.Open(b, dbtest.SQLite(b))
	s := New(d, setting.New(d, nil, setting.ThrottlingEnabled.Initially(true)), func(context.Context, db.Tx) (int, error) { return 1, nil })
	b.RunParallel(func(p *testing.PB) {
		for p.Next() {
			if _, err := s.Admit(b.Context(), caller("a")); err != nil {
				b.Fatal(err)
			}
		}
	})
}
