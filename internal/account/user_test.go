package account

import (
	"context"
	"strings"
	"testing"

	"github.com/virga-cloud/virga/internal/auth"
	"github.com/virga-cloud/virga/internal/db"
	"github.com/virga-cloud/virga/internal/fault"
	"github.com/virga-cloud/virga/internal/limit"
	"github.com/virga-cloud/virga/internal/once"
	"github.com/virga-cloud/virga/internal/secret"
	"github.com/virga-cloud/virga/uid"
)

func TestCreateUser(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		chosen := uid.New[uid.User]()
		in := CreateUserIn{Account: "auser", Domain: w.domains["ROOT/a"].ID, Username: "two", Password: secret.New("pw"), Timezone: "Europe/Vienna"}
		with := func(change func(*CreateUserIn)) CreateUserIn {
			c := in
			change(&c)
			return c
		}
		for _, c := range []struct {
			by   string
			in   CreateUserIn
			want fault.Kind
		}{
			{"admin", in, ""},
			{"admin", in, fault.Conflict}, // the name is taken in the domain
			{"admin", with(func(in *CreateUserIn) { in.Account = "auser2" }), fault.Conflict},
			{"admin", with(func(in *CreateUserIn) { in.Account, in.Domain = "buser", w.domains["ROOT/b"].ID }), ""}, // in another one it is not
			{"aadmin", with(func(in *CreateUserIn) { in.Username, in.Domain = "three", "" }), ""},
			{"aadmin", with(func(in *CreateUserIn) { in.ID, in.Username = chosen, "four" }), fault.Denied},
			{"admin", with(func(in *CreateUserIn) { in.ID, in.Username = chosen, "four" }), ""},
			{"admin", with(func(in *CreateUserIn) { in.ID, in.Username = chosen, "five" }), fault.Conflict},
			{"admin", with(func(in *CreateUserIn) { in.Username, in.Timezone = "five", "Middle/Earth" }), fault.Invalid},
			{"admin", with(func(in *CreateUserIn) { in.Username, in.Timezone = "five", "Local" }), fault.Invalid},
			{"admin", with(func(in *CreateUserIn) { in.Username, in.Email = "five", "a\x00b" }), fault.Invalid},
			{"admin", with(func(in *CreateUserIn) { in.Username, in.Lastname = "five", strings.Repeat("x", 256) }), fault.Invalid},
			{"admin", with(func(in *CreateUserIn) { in.Username, in.Password = "five", secret.String{} }), fault.Invalid},
			{"admin", with(func(in *CreateUserIn) { in.Username = " five" }), fault.Invalid},
			{"admin", with(func(in *CreateUserIn) { in.Username, in.Account = "five", "nobody" }), fault.NotFound},
			{"auser", with(func(in *CreateUserIn) { in.Username = "five" }), fault.Denied},
		} {
			_, err := w.CreateUser(w.as(c.by), c.in)
			want(t, c.by+" makes "+c.in.Username+" in "+c.in.Account, err, c.want)
		}
		want(t, "the new user signs in", w.login("two", "pw", "a"), "")
	})
}

// session opens one for a user and tells whether it is there.
func (w *world) session(id uid.User) func() bool {
	w.t.Helper()
	cookie, _, err := w.sessions.Open(context.Background(), id)
	if err != nil {
		w.t.Fatal(err)
	}
	return func() bool {
		_, err := w.sessions.Find(context.Background(), cookie, secret.String{})
		return err == nil
	}
}

func TestPasswords(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		id := w.users["auser"].ID
		open := w.session(id)
		change := func(by, current, next string) error {
			return w.UpdateUser(w.as(by), id, UserChange{Current: secret.New(current), Password: secret.New(next)})
		}
		want(t, "without the present one", change("auser", "", "new"), fault.Invalid)
		want(t, "with a wrong one", change("auser", "guess", "new"), fault.Denied)
		if !open() {
			t.Error("a guess ended the session")
		}
		want(t, "with the right one", change("auser", "pw-auser", "new"), "")
		if open() {
			t.Error("the session outlives the password")
		}
		want(t, "the old password", w.login("auser", "pw-auser", "a"), fault.Unauthenticated)
		want(t, "the new password", w.login("auser", "new", "a"), "")
		want(t, "an admin needs none", change("aadmin", "", "newer"), "")
		want(t, "an admin is told that it needs none", change("aadmin", "pw-aadmin", "newer"), fault.Invalid)
		want(t, "the present one alone", w.UpdateUser(w.as("auser"), id, UserChange{Current: secret.New("newer")}), fault.Invalid)
		want(t, "too long a one", change("aadmin", "", strings.Repeat("x", 1025)), fault.Invalid)
		// Guesses count, and end.
		for range 5 {
			want(t, "a guess", change("auser", "guess", "new"), fault.Denied)
		}
		want(t, "the right one after too many guesses", change("auser", "newer", "new"), fault.Denied)
		want(t, "an admin ends the lock", w.EnableUser(w.as("aadmin"), id), "")
		want(t, "the right one", change("auser", "newer", "newest"), "")
		var leaks int
		err := w.db.Read().NewRaw("select count(*) from events where description like '%new%word' and description like '%newest%'").Scan(context.Background(), &leaks)
		if err != nil || leaks != 0 {
			t.Errorf("%d events tell a password, %v", leaks, err)
		}
	})
}

func TestUpdateUser(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		id, zone := w.users["auser"].ID, "Asia/Kolkata"
		own := w.as("auser")
		want(t, "everything", w.UpdateUser(own, id, UserChange{
			Username: "renamed", Firstname: "Ada", Lastname: "Lovelace", Email: "ada@example.org", Timezone: &zone,
		}), "")
		found, err := UsersByID(own, w.db.Read(), []uid.User{id})
		if u := found[id]; err != nil || u.Username != "renamed" || u.Firstname != "Ada" || u.Lastname != "Lovelace" || u.Email != "ada@example.org" || u.Timezone != zone {
			t.Errorf("it is %+v, %v", u, err)
		}
		none := ""
		want(t, "no time zone", w.UpdateUser(own, id, UserChange{Timezone: &none}), "")
		want(t, "a name that is taken", w.UpdateUser(own, id, UserChange{Username: "auser2"}), fault.Conflict)
		want(t, "a name that is none", w.UpdateUser(own, id, UserChange{Username: "a\n"}), fault.Invalid)
		long := Keys{APIKey: strings.Repeat("a", 20), Secret: secret.New(strings.Repeat("s", 20))}
		want(t, "own keys", w.UpdateUser(own, id, UserChange{Keys: long}), fault.Denied)
		want(t, "keys by the domain's admin", w.UpdateUser(w.as("aadmin"), id, UserChange{Keys: long}), fault.Denied)
		root := w.as("admin")
		want(t, "one key", w.UpdateUser(root, id, UserChange{Keys: Keys{APIKey: long.APIKey}}), fault.Invalid)
		want(t, "keys that can be guessed", w.UpdateUser(root, id, UserChange{Keys: Keys{APIKey: "a", Secret: secret.New("b")}}), fault.Invalid)
		want(t, "keys by root", w.UpdateUser(root, id, UserChange{Keys: long}), "")
		if c, key, err := w.ByKey(root, long.APIKey); err != nil || c.User != id || !key.Equal(long.Secret) {
			t.Errorf("by key: %+v, %v", c, err)
		}
		want(t, "another's key", w.UpdateUser(root, w.users["auser2"].ID, UserChange{Keys: long}), fault.Conflict)
	})
}

// A user or account that is shut, deleted or moved has no session and no key that works, and is the same as before when it is enabled.
func TestShuttingUsersAndAccounts(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		root, id := w.as("admin"), w.users["auser"].ID
		account := Named{ID: w.accounts["auser"].ID}
		w.secondUser("auser", "colleague")
		keys, err := w.RegisterKeys(root, id)
		want(t, "keys", err, "")
		works := func() fault.Kind {
			_, _, err := w.ByKey(root, keys.APIKey)
			if err == nil {
				return ""
			}
			return fault.KindOf(err)
		}
		open := w.session(id)
		want(t, "lock", w.LockUser(root, id), "")
		want(t, "lock again", w.LockUser(root, id), "")
		if works() != fault.Unauthenticated || open() {
			t.Error("a locked user acts")
		}
		if a := w.state("auser"); a != Enabled {
			t.Errorf("the account is %s while it has another user", a)
		}
		want(t, "lock the other", w.LockUser(root, w.users["colleague"].ID), "")
		if a := w.state("auser"); a != Locked {
			t.Errorf("the account is %s when all its users are locked", a)
		}
		want(t, "enable", w.EnableUser(root, id), "")
		if works() != "" || w.state("auser") != Enabled {
			t.Errorf("it does not act again: %s, %s", works(), w.state("auser"))
		}
		open = w.session(id)
		_, err = w.Lock(root, account)
		want(t, "lock the account", err, "")
		if works() != fault.Unauthenticated || open() {
			t.Error("a user of a locked account acts")
		}
		disable := func() error {
			return w.db.Write(root, func(ctx context.Context, tx db.Tx) error {
				a, err := w.Changeable(ctx, tx, account)
				if err == nil {
					_, err = w.Shut(ctx, tx, a, Disabled)
				}
				return err
			})
		}
		want(t, "disable the account", disable(), "")
		_, err = w.Lock(root, account)
		want(t, "lock a disabled account", err, fault.Conflict)
		_, err = w.Enable(root, account)
		want(t, "enable the account", err, "")
		if works() != "" {
			t.Error("it does not act again")
		}
		open = w.session(id)
		own := auth.With(t.Context(), auth.Caller{User: id})
		want(t, "make something under a key", w.db.Write(own, func(ctx context.Context, tx db.Tx) error {
			return once.Record(once.With(ctx, "key", "createVolume", "digest"), tx, "volume", "")
		}), "")
		want(t, "move", w.MoveUser(root, id, Named{Name: "auser2"}), "")
		_, err = once.Find(own, w.db.Read(), "key", "createVolume", "digest")
		want(t, "see what it made in the other account", err, fault.Conflict)
		if c, _, err := w.ByKey(root, keys.APIKey); err != nil || c.Account != w.accounts["auser2"].ID || open() {
			t.Errorf("it acts as %+v, %v", c, err)
		}
		want(t, "move again", w.MoveUser(root, id, Named{Name: "auser2"}), fault.Invalid)
		want(t, "move into another domain", w.MoveUser(root, id, Named{ID: w.accounts["buser"].ID}), fault.Invalid)
		want(t, "delete", w.DeleteUser(root, id), "")
		want(t, "delete again", w.DeleteUser(root, id), fault.NotFound)
		if works() != fault.Unauthenticated {
			t.Error("a deleted user acts")
		}
		_, err = w.CreateUser(root, CreateUserIn{Account: "auser", Domain: w.domains["ROOT/a"].ID, Username: "auser", Password: secret.New("pw")})
		want(t, "its name is free", err, "")
	})
}

func (w *world) state(account string) State {
	w.t.Helper()
	a, _, err := Of(context.Background(), w.db.Read(), w.accounts[account].ID)
	if err != nil {
		w.t.Fatal(err)
	}
	return a.State
}

func TestUpdateAccount(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		root, dns, none := w.as("admin"), "guests.example.org", ""
		id, err := w.Update(root, Named{Name: "auser", Domain: w.domains["ROOT/a"].ID}, Change{
			Name: "renamed", NetworkDomain: &dns, Details: map[string]string{"cost centre": "7"},
		})
		want(t, "everything", err, "")
		_, err = w.Update(root, Named{ID: id}, Change{Details: map[string]string{"floor": "3"}})
		want(t, "one more detail", err, "")
		a, _, err := Of(root, w.db.Read(), id)
		if err != nil || a.ID != w.accounts["auser"].ID || a.Name != "renamed" || a.NetworkDomain != dns || a.Details["cost centre"] != "7" || a.Details["floor"] != "3" {
			t.Errorf("it is %+v, %v", a, err)
		}
		for what, c := range map[string]struct {
			n    Named
			c    Change
			want fault.Kind
		}{
			"nothing":                      {Named{ID: id}, Change{}, ""},
			"no DNS domain":                {Named{ID: id}, Change{NetworkDomain: &none}, ""},
			"a name that is taken":         {Named{ID: id}, Change{Name: "auser2"}, fault.Conflict},
			"a name that is none":          {Named{ID: id}, Change{Name: "a\tb"}, fault.Invalid},
			"a DNS domain that is none":    {Named{ID: id}, Change{NetworkDomain: new("a..b")}, fault.Invalid},
			"named twice":                  {Named{ID: id, Name: "renamed"}, Change{}, fault.Invalid},
			"named not at all":             {Named{}, Change{}, fault.Invalid},
			"an account that is not there": {Named{Name: "nobody"}, Change{}, fault.NotFound},
		} {
			_, err := w.Update(root, c.n, c.c)
			want(t, what, err, c.want)
		}
	})
}

// An account that is being deleted takes nothing more, changes no more, and cannot be enabled.
func TestClosingAccountTakesNothing(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		root, a := w.as("admin"), w.accounts["auser"]
		closes := func(id uid.Account) error {
			return w.db.Write(root, func(ctx context.Context, tx db.Tx) error { _, _, err := w.Close(ctx, tx, id); return err })
		}
		want(t, "close", closes(a.ID), "")
		want(t, "close again", closes(a.ID), "")
		want(t, "own", closes(auth.From(root).Account), fault.Denied)
		want(t, "take", w.take("auser", limit.Use{limit.VMs: 1}), fault.Conflict)
		want(t, "stay", w.db.Write(root, func(ctx context.Context, tx db.Tx) error { return Stays(ctx, tx, a.ID) }), fault.Conflict)
		want(t, "login", w.login("auser", "pw-auser", "a"), fault.Unauthenticated)
		_, err := w.Enable(root, Named{ID: a.ID})
		want(t, "enable", err, fault.Conflict)
		_, err = w.Update(root, Named{ID: a.ID}, Change{Name: "x"})
		want(t, "rename", err, fault.Conflict)
		_, err = w.CreateUser(root, CreateUserIn{Account: "auser", Domain: a.Domain, Username: "new", Password: secret.New("pw")})
		want(t, "a new user", err, fault.Conflict)
		want(t, "a user moves in", w.MoveUser(root, w.users["auser2"].ID, Named{Name: "auser"}), fault.Conflict)
		yes := true
		if found, n, err := w.Accounts(root, AccountFilter{Scope: everything, Closing: &yes}); err != nil || n != 1 || found[0].ID != a.ID {
			t.Errorf("listed as closing: %v, %v", found, err)
		}
	})
}
