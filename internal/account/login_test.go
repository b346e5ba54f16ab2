package account

import (
	"context"
	"reflect"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/virga-cloud/virga/internal/auth"
	"github.com/virga-cloud/virga/internal/event"
	"github.com/virga-cloud/virga/internal/fault"
	"github.com/virga-cloud/virga/internal/secret"
	"github.com/virga-cloud/virga/internal/setting"
)

const refusal = "failed to authenticate user, check if username/password are correct"

// attempts are how many wrong passwords lock a user out, by the setting's default.
const attempts = 5

func (w *world) login(name, password, domain string) error {
	_, _, err := w.Login(context.Background(), name, secret.New(password), domain)
	return err
}

func TestLogin(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		x := w.domains["ROOT/a/x"]
		for _, domain := range []string{"ROOT/a/x", "/a/x", "a/x/", "/ROOT/a/x/", "root/a/x", string(x.ID)} {
			c, u, err := w.Login(context.Background(), "xuser", secret.New("pw-xuser"), domain)
			if err != nil {
				t.Errorf("in %q: %v", domain, err)
			}
			wantCaller := auth.Caller{
				User: w.users["xuser"].ID, Username: "xuser", Account: w.accounts["xuser"].ID, Domain: x.ID, DomainPath: x.Path,
				Role: auth.DefaultRole(auth.User),
			}
			if !reflect.DeepEqual(c, wantCaller) || u.AccountName != "xuser" || u.DomainName != "x" {
				t.Errorf("in %q: %+v, %+v", domain, c, u)
			}
		}
		for _, domain := range []string{"", "/", "ROOT", "/ROOT/"} {
			want(t, "admin in "+domain, w.login("admin", "pw-admin", domain), "")
		}
		events, n, err := event.List(context.Background(), w.db.Read(), event.Filter{
			Scope: auth.Scope{Account: w.accounts["xuser"].ID}, Type: event.UserLogin,
		})
		if err != nil || n != 6 || events[0].User != w.users["xuser"].ID || events[0].ResourceID != string(w.users["xuser"].ID) {
			t.Errorf("%d login events, %v, %+v", n, err, events)
		}
		w.write("update users set state = 'disabled' where id = ?", w.users["auser"].ID)
		w.write("update accounts set state = 'locked' where id = ?", w.accounts["auser2"].ID)
		w.write("update domains set state = 'Inactive' where id = ?", w.domains["ROOT/b"].ID)
		for what, c := range map[string][3]string{
			"wrong password":     {"xuser", "pw-auser", "a/x"},
			"no password":        {"xuser", "", "a/x"},
			"another domain":     {"xuser", "pw-xuser", "a"},
			"no such domain":     {"xuser", "pw-xuser", "a/y"},
			"no such user":       {"nobody", "pw", ""},
			"no name":            {"", "", ""},
			"the system":         {"system", "", ""},
			"a disabled user":    {"auser", "pw-auser", "a"},
			"a locked account":   {"auser2", "pw-auser2", "a"},
			"an inactive domain": {"buser", "pw-buser", "b"},
			"a name with markup": {"' or 1=1 --", "'", "' or 1=1 --"},
		} {
			err := w.login(c[0], c[1], c[2])
			want(t, what, err, fault.Unauthenticated)
			if err == nil || err.Error() != refusal {
				t.Errorf("%s: %v, want the words of every refusal", what, err)
			}
		}
		_, _, err = w.ByUser(context.Background(), w.users["auser"].ID)
		want(t, "a disabled user's session", err, fault.Unauthenticated)
		_, _, err = w.ByUser(context.Background(), w.users["buser"].ID)
		want(t, "a session in an inactive domain", err, fault.Unauthenticated)
	})
}

// Each lock is twice as long as the last, and a right password during it changes nothing.
func TestLoginLocksOutBySettings(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		change := func(name, value string) {
			t.Helper()
			_, err := w.settings.Change(w.system(), name, setting.Place{}, value)
			want(t, name, err, "")
		}
		good := func() error { return w.login("auser", "pw-auser", "a") }
		guess := func(n int) {
			for range n {
				want(t, "a guess", w.login("auser", "guess", "a"), fault.Unauthenticated)
			}
		}
		change("incorrect.login.attempts.allowed", "2")
		change("incorrect.login.lockout.time", "10")
		guess(2)
		want(t, "locked out", good(), fault.Unauthenticated)
		w.pass(10 * time.Second)
		want(t, "after the lock", good(), "")
		change("incorrect.login.attempts.allowed", "0")
		guess(20)
		want(t, "without a limit", good(), "")
	})
}

func TestLoginLocksOut(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		good := func() error { return w.login("auser", "pw-auser", "a") }
		guess := func(n int) {
			for range n {
				want(t, "a guess", w.login("auser", "guess", "a"), fault.Unauthenticated)
			}
		}
		guess(attempts - 1)
		want(t, "after four guesses", good(), "")
		guess(attempts - 1)
		want(t, "after four more: the good one has set it back", good(), "")
		for _, minutes := range []int{1, 2, 4, 8, 16, 32, 60, 60} {
			guess(attempts)
			guess(20) // do not count while locked out
			w.pass(time.Duration(minutes)*time.Minute - time.Second)
			if err := good(); err == nil || err.Error() != refusal {
				t.Fatalf("lock of %d minutes, a second before its end: %v", minutes, err)
			}
			w.pass(time.Second)
		}
		want(t, "after the last lock", good(), "")
		guess(attempts)
		w.pass(time.Minute)
		want(t, "a good login makes the next lock a short one", good(), "")
		want(t, "another user", w.login("auser2", "pw-auser2", "a"), "")
	})
}

// A name that is not there costs the same work as one that is: a hash (TestHasher) and the same writes.
func TestLoginOfUnknownUsersCostsTheSame(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		for range 2 {
			want(t, "a guess", w.login("nobody", "guess", "a"), fault.Unauthenticated)
		}
		failures, _, err := lockFailures(context.Background(), w.db.Read(), auth.System().User)
		if err != nil || failures != 2 {
			t.Errorf("counted %d failures of unknown users, %v; want 2", failures, err)
		}
	})
}

// However many guesses come at the same time, five of them count, and no later one tells anything.
func TestLoginGuessesInParallel(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		u, err := userByName(context.Background(), w.db.Read(), "auser", "a")
		if err != nil {
			t.Fatal(err)
		}
		var all sync.WaitGroup
		for range 40 {
			all.Go(func() { want(t, "a guess", w.login("auser", "guess", "a"), fault.Unauthenticated) })
		}
		all.Wait()
		failures, until, err := lockFailures(context.Background(), w.db.Read(), u.ID)
		if err != nil || failures != attempts || !until.Equal(w.db.Now().Add(time.Minute)) {
			t.Errorf("counted %d failures, locked until %v, %v; want %d and a minute", failures, until, err, attempts)
		}
		// The right password among the guesses, compared before the lock and settled after it.
		admitted, err := w.settle(context.Background(), u, true, u.Password)
		if admitted || err != nil {
			t.Errorf("the sixth try is admitted: %v, %v", admitted, err)
		}
	})
}

func TestLoginsInParallel(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		var all sync.WaitGroup
		var in atomic.Int64
		for range 20 {
			all.Go(func() {
				if w.login("auser", "pw-auser", "a") == nil {
					in.Add(1)
				}
			})
		}
		all.Wait()
		if in.Load() != 20 {
			t.Errorf("%d of 20 good logins came in", in.Load())
		}
	})
}

// A password that changed while it was compared does not let in any more, and old hashes are renewed.
func TestLoginPasswordChanges(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		ctx := context.Background()
		before, err := userByName(ctx, w.db.Read(), "auser", "a")
		if err != nil {
			t.Fatal(err)
		}
		w.hasher = auth.NewHasher(auth.Cost{MemoryKiB: 16, Passes: 1})
		want(t, "an old hash", w.login("auser", "pw-auser", "a"), "")
		after, err := userByName(ctx, w.db.Read(), "auser", "a")
		if err != nil || after.Password == before.Password {
			t.Errorf("the hash was not renewed: %v", err)
		}
		want(t, "a renewed hash", w.login("auser", "pw-auser", "a"), "")
		if admitted, err := w.settle(ctx, before, true, before.Password); admitted || err != nil {
			t.Errorf("the old password is admitted: %v, %v", admitted, err)
		}
	})
}

func TestLogout(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		ctx := context.Background()
		cookie, key, err := w.sessions.Open(ctx, w.users["auser"].ID)
		if err != nil {
			t.Fatal(err)
		}
		for range 2 { // the second time there is no session
			want(t, "logout", w.Logout(ctx, cookie), "")
		}
		_, err = w.sessions.Find(ctx, cookie, key)
		want(t, "the session after logout", err, fault.Unauthenticated)
		_, n, err := event.List(ctx, w.db.Read(), event.Filter{Scope: auth.Scope{All: true}, Type: event.UserLogout})
		if n != 1 || err != nil {
			t.Errorf("%d logout events, %v; want 1", n, err)
		}
	})
}

// A user that came from an older cloud signs in with the hash that it had there, and has one of ours from then on.
func TestLoginRenewsHashesOfOlderClouds(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		for _, old := range []string{
			"5f4dcc3b5aa765d61d8327deb882cf99",
			"AAECAwQFBgcICQoLDA0ODxAREhM=:QWXTRAevv1pyut+D7OnYFC43PbfRSlCJbZX1N+PIDnc=",
			"FMDMdx/2QjrZniqNRAgOAC1ai/CY/C+2kmKhp3vo+98pkqhO+AR6hCyUl0bOXtkq3XWqNiSQTwbi7KTiwuWhyw==:+u8T5LzCtikCPvKnUDn6JDezf1Hg2bood/ke5Oo93pz9s1eD9k/JLsa497Z3h9QWfOQfq0zvCRmkzfXMF913vQ==:4096",
		} {
			w.write("update users set password = ? where id = ?", old, w.users["auser"].ID)
			want(t, "a wrong password", w.login("auser", "passwore", "a"), fault.Unauthenticated)
			want(t, "the hash itself", w.login("auser", old, "a"), fault.Unauthenticated)
			for range 2 {
				want(t, "the right password", w.login("auser", "password", "a"), "")
			}
			hash, err := passwordOf(t.Context(), w.db.Read(), w.users["auser"].ID)
			if err != nil || !strings.HasPrefix(hash, "$argon2id$") {
				t.Errorf("after a login the hash %q is %q, %v", old, hash, err)
			}
		}
	})
}
