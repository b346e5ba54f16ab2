package auth_test

import (
	"context"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/virga-cloud/virga/internal/auth"
	"github.com/virga-cloud/virga/internal/db"
	"github.com/virga-cloud/virga/internal/db/dbtest"
	"github.com/virga-cloud/virga/internal/fault"
	"github.com/virga-cloud/virga/internal/secret"
	"github.com/virga-cloud/virga/uid"
)

type clock struct{ now atomic.Int64 }

func (c *clock) Now() time.Time       { return time.UnixMicro(c.now.Load()) }
func (c *clock) pass(d time.Duration) { c.now.Add(d.Microseconds()) }

type world struct {
	*auth.Sessions
	t     *testing.T
	db    *db.DB
	clock *clock
	ctx   context.Context
}

const user uid.User = "00000000-0000-7000-8000-0000000000aa"

// eachSessions runs a test on both engines, with a user and sessions that live for half an hour without use.
func eachSessions(t *testing.T, test func(w world)) {
	dbtest.EachURL(t, func(t *testing.T, url string) {
		c := &clock{}
		c.pass(1_700_000_000 * time.Second)
		d := dbtest.OpenAt(t, url, c.Now)
		w := world{auth.NewSessions(d, func() time.Duration { return 30 * time.Minute }), t, d, c, context.Background()}
		w.write("insert into domains (id, name, path, level, state, created) values ('d', 'ROOT', 'ROOT', 0, 'Active', ?)", d.Now())
		w.write("insert into accounts (id, domain_id, name, type, role_id, state, created) values ('a', 'd', 'a', 0, '', 'enabled', ?)", d.Now())
		w.write(`insert into users (id, account_id, domain_id, username, password, state, created)
			values (?, 'a', 'd', 'u', '', 'enabled', ?)`, user, d.Now())
		test(w)
	})
}

func (w world) write(query string, args ...any) {
	w.t.Helper()
	err := w.db.Write(w.ctx, func(ctx context.Context, tx db.Tx) error {
		_, err := tx.NewRaw(query, args...).Exec(ctx)
		return err
	})
	if err != nil {
		w.t.Fatal(err)
	}
}

func (w world) open() (cookie, sessionKey secret.String) {
	w.t.Helper()
	cookie, sessionKey, err := w.Open(w.ctx, user)
	if err != nil {
		w.t.Fatal(err)
	}
	return cookie, sessionKey
}

func (w world) find(what string, cookie, sessionKey secret.String, want bool) {
	w.t.Helper()
	got, err := w.Find(w.ctx, cookie, sessionKey)
	if want && (err != nil || got != user) || !want && !fault.Is(err, fault.Unauthenticated) {
		w.t.Errorf("%s: found %q, %v; want found: %v", what, got, err, want)
	}
}

func (w world) rows() (n int) {
	w.t.Helper()
	if err := w.db.Read().NewRaw("select count(*) from sessions").Scan(w.ctx, &n); err != nil {
		w.t.Fatal(err)
	}
	return n
}

func TestSession(t *testing.T) {
	t.Parallel()
	eachSessions(t, func(w world) {
		cookie, key := w.open()
		w.find("with its key", cookie, key, true)
		w.find("without a key", cookie, secret.String{}, true)
		w.find("another cookie", key, key, false)
		w.find("no cookie", secret.String{}, secret.String{}, false)
		var stored string
		if err := w.db.Read().NewRaw("select id || session_key from sessions").Scan(w.ctx, &stored); err != nil {
			t.Fatal(err)
		}
		if strings.Contains(stored, cookie.Reveal()) || strings.Contains(stored, key.Reveal()) {
			t.Error("the database holds what opens a session")
		}
		w.find("with a guessed key", cookie, secret.New("guess"), false)
		w.find("after a guess", cookie, key, false)
		if n := w.rows(); n != 0 {
			t.Errorf("%d sessions are left after a guess, want 0", n)
		}
	})
}

func TestSessionEnds(t *testing.T) {
	t.Parallel()
	eachSessions(t, func(w world) {
		used, key := w.open()
		idle, idleKey := w.open()
		for range 4 {
			w.clock.pass(29 * time.Minute)
			w.find("in use", used, key, true)
		}
		w.find("idle", idle, idleKey, false)
		w.clock.pass(30 * time.Minute)
		w.find("not used any more", used, key, false)

		a, aKey := w.open()
		b, bKey := w.open()
		if err := w.Close(w.ctx, a); err != nil {
			t.Fatal(err)
		}
		w.find("closed", a, aKey, false)
		w.find("another", b, bKey, true)
		err := w.db.Write(w.ctx, func(ctx context.Context, tx db.Tx) error { return w.CloseAllOf(ctx, tx, user) })
		if err != nil {
			t.Fatal(err)
		}
		w.find("closed with all of its user's", b, bKey, false)
	})
}

func TestSweep(t *testing.T) {
	t.Parallel()
	eachSessions(t, func(w world) {
		w.open()
		w.open()
		w.clock.pass(29 * time.Minute)
		kept, key := w.open()
		w.clock.pass(time.Minute)
		if n, err := w.Sweep(w.ctx); n != 2 || err != nil {
			t.Errorf("swept %d, %v; want 2", n, err)
		}
		w.find("young", kept, key, true)
	})
}

// Using a session writes at most once a minute: reading lists must not cost a commit each.
func TestSessionUseIsWrittenSeldom(t *testing.T) {
	t.Parallel()
	eachSessions(t, func(w world) {
		cookie, key := w.open()
		lastUsed := func() (at time.Time) {
			if err := w.db.Read().NewRaw("select last_used from sessions").Scan(w.ctx, &at); err != nil {
				t.Fatal(err)
			}
			return at.UTC()
		}
		opened := lastUsed()
		w.clock.pass(59 * time.Second)
		w.find("in use", cookie, key, true)
		if got := lastUsed(); !got.Equal(opened) {
			t.Errorf("use after 59 s was written: %v", got)
		}
		w.clock.pass(time.Second)
		w.find("in use", cookie, key, true)
		if got := lastUsed(); !got.Equal(opened.Add(time.Minute)) {
			t.Errorf("use after 60 s was not written: %v", got)
		}
	})
}
