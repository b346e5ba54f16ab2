package account

import (
	"context"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/pquerna/otp/totp"

	"github.com/virga-cloud/virga/internal/auth"
	"github.com/virga-cloud/virga/internal/fault"
	"github.com/virga-cloud/virga/internal/secret"
	"github.com/virga-cloud/virga/internal/setting"
)

func (w *world) code(key secret.String, later time.Duration) secret.String {
	w.t.Helper()
	text, err := totp.GenerateCode(key.Reveal(), w.clock().Add(later))
	if err != nil {
		w.t.Fatal(err)
	}
	return secret.New(text)
}

func (w *world) withFactors() {
	w.settings = setting.New(w.db, nil, setting.TwoFactorEnabled.Initially(true), setting.LoginAttempts.Initially(5))
}

func TestSecondFactor(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		as := func(name string) context.Context { return auth.With(t.Context(), w.users[name].caller()) }
		me, id := as("auser"), w.users["auser"].ID
		_, _, err := w.SetUpFactor(me, "", "")
		want(t, "while there are none", err, fault.Conflict)
		w.withFactors()
		want(t, "a code without a factor", w.GiveFactor(me, secret.New("123456")), fault.Conflict)
		_, _, err = w.SetUpFactor(me, "", "staticpin")
		want(t, "another provider", err, fault.Invalid)
		for _, other := range []string{"admin", "aadmin", "auser2"} {
			_, _, err = w.SetUpFactor(as(other), id, "")
			want(t, "set up by "+other, err, fault.Denied)
		}
		_, first, err := w.SetUpFactor(me, "", "")
		want(t, "set up", err, "")
		u, key, err := w.SetUpFactor(me, id, "totp")
		want(t, "set up once more", err, "")
		if w.AsksFactor(u) {
			t.Error("a factor that was only begun is asked for")
		}
		want(t, "the code of a secret that was replaced", w.GiveFactor(me, w.code(first, 0)), fault.Denied)

		// Of two sessions the one that gives the code goes on.
		mine, _, _ := w.sessions.Open(t.Context(), id)
		theirs, _, _ := w.sessions.Open(t.Context(), id)
		want(t, "the first code", w.GiveFactor(auth.WithSession(me, auth.SignedIn{Cookie: mine}), w.code(key, 0)), "")
		_, err = w.sessions.Find(t.Context(), mine, secret.String{})
		want(t, "the session that gave it", err, "")
		_, err = w.sessions.Find(t.Context(), theirs, secret.String{})
		want(t, "another session", err, fault.Unauthenticated)
		if _, u, err = w.ByUser(t.Context(), id); err != nil || !w.AsksFactor(u) {
			t.Error("it is not asked for", err)
		}
		_, _, err = w.SetUpFactor(me, "", "")
		want(t, "a second one", err, fault.Conflict)

		// A code is good for once, however many try at the same moment.
		want(t, "used already", w.GiveFactor(me, w.code(key, 0)), fault.Denied)
		want(t, "an older one", w.GiveFactor(me, w.code(key, -30*time.Second)), fault.Denied)
		w.pass(time.Hour)
		var admitted atomic.Int32
		var all sync.WaitGroup
		code := w.code(key, 0)
		waiting, _, _ := w.sessions.OpenWaiting(t.Context(), id)
		for range 4 {
			all.Go(func() {
				if w.GiveFactor(auth.WithSession(me, auth.SignedIn{Cookie: waiting, Waiting: true}), code) == nil {
					admitted.Add(1)
				}
			})
		}
		all.Wait()
		if _, still, err := w.sessions.Look(t.Context(), waiting, secret.String{}); admitted.Load() != 1 || still || err != nil {
			t.Errorf("one code was taken %d times; the session waits: %v, %v", admitted.Load(), still, err)
		}

		// A right password gives no new guesses, and too many wrong codes lock the user.
		w.pass(time.Hour)
		want(t, "a right code, which forgets the wrong ones", w.GiveFactor(me, w.code(key, 0)), "")
		w.pass(time.Minute)
		for range 3 {
			want(t, "a wrong code", w.GiveFactor(me, secret.New("12345")), fault.Denied)
			want(t, "the password", w.login("auser", "pw-auser", "a"), "")
		}
		for range 2 {
			_ = w.GiveFactor(me, secret.New("12345"))
		}
		want(t, "the right code after too many", w.GiveFactor(me, w.code(key, 0)), fault.Denied)
		want(t, "the password after too many", w.login("auser", "pw-auser", "a"), fault.Unauthenticated)

		// Off with a code, or by who is above.
		w.pass(2 * time.Hour)
		for _, other := range []string{"auser2", "buser", "badmin", "abuser"} {
			if _, err := w.DropFactor(as(other), id, secret.String{}); err == nil {
				t.Errorf("%s takes the factor of another", other)
			}
		}
		_, err = w.DropFactor(auth.WithSession(as("admin"), auth.SignedIn{Waiting: true}), id, secret.String{})
		want(t, "by an admin that has not given the own", err, fault.Denied)
		_, err = w.DropFactor(me, "", secret.String{})
		want(t, "without a code", err, fault.Denied)
		_, err = w.DropFactor(me, "", secret.New("000000x"))
		want(t, "with a wrong one", err, fault.Denied)
		_, err = w.DropFactor(me, "", w.code(key, 0))
		want(t, "with a code", err, "")
		_, err = w.DropFactor(me, "", w.code(key, 30*time.Second))
		want(t, "once more", err, fault.Conflict)
		_, key, err = w.SetUpFactor(me, "", "")
		want(t, "set up anew", err, "")
		want(t, "its code", w.GiveFactor(me, w.code(key, 0)), "")
		_, err = w.DropFactor(as("aadmin"), id, secret.String{})
		want(t, "by the domain's admin", err, "")

		// Who must have one is asked to set it up.
		want(t, "of the own", w.UpdateUser(me, id, UserChange{Factor: new(true)}), fault.Denied)
		open, _, _ := w.sessions.Open(t.Context(), id)
		want(t, "mandate", w.UpdateUser(as("aadmin"), id, UserChange{Factor: new(true)}), "")
		if _, u, err = w.ByUser(t.Context(), id); err != nil || !w.AsksFactor(u) {
			t.Error("who must have a factor is not asked for one", err)
		}
		_, err = w.sessions.Find(t.Context(), open, secret.String{})
		want(t, "a session without", err, fault.Unauthenticated)
		var text string
		err = w.db.Read().NewRaw("select factor_secret from users where id = ?", w.users["admin"].ID).Scan(t.Context(), &text)
		if err != nil || text != "" || strings.Contains(text, key.Reveal()) {
			t.Errorf("%q, %v", text, err)
		}
	})
}
