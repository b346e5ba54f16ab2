package account

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/virga-cloud/virga/internal/auth"
	"github.com/virga-cloud/virga/internal/db"
	"github.com/virga-cloud/virga/internal/fault"
	"github.com/virga-cloud/virga/internal/secret"
	"github.com/virga-cloud/virga/uid"
)

// deeds are what one may want to do to another user or its account.
var deeds = map[string]func(ctx context.Context, w *world, u User) error{
	"give a password": func(ctx context.Context, w *world, u User) error {
		return w.UpdateUser(ctx, u.ID, UserChange{Password: secret.New("stolen")})
	},
	"give a name": func(ctx context.Context, w *world, u User) error {
		return w.UpdateUser(ctx, u.ID, UserChange{Username: u.Username + "2"})
	},
	"register keys": func(ctx context.Context, w *world, u User) error { _, err := w.RegisterKeys(ctx, u.ID); return err },
	"read keys":     func(ctx context.Context, w *world, u User) error { _, err := w.Keys(ctx, u.ID); return err },
	"lock":          func(ctx context.Context, w *world, u User) error { return w.LockUser(ctx, u.ID) },
	"enable":        func(ctx context.Context, w *world, u User) error { return w.EnableUser(ctx, u.ID) },
	"delete":        func(ctx context.Context, w *world, u User) error { return w.DeleteUser(ctx, u.ID) },
	"disable": func(ctx context.Context, w *world, u User) error {
		return w.db.Write(ctx, func(ctx context.Context, tx db.Tx) error { _, err := w.ShutUser(ctx, tx, u.ID); return err })
	},
	"move": func(ctx context.Context, w *world, u User) error {
		return w.MoveUser(ctx, u.ID, Named{Name: "haven-" + strings.ReplaceAll(u.DomainPath, "/", "-")})
	},
	"make a colleague": func(ctx context.Context, w *world, u User) error {
		_, err := w.CreateUser(ctx, CreateUserIn{Account: u.AccountName, Domain: u.Domain, Username: "mole", Password: secret.New("mole")})
		return err
	},
	"rename the account": func(ctx context.Context, w *world, u User) error {
		_, err := w.Update(ctx, Named{ID: u.Account}, Change{Name: u.AccountName + "2"})
		return err
	},
	"lock the account": func(ctx context.Context, w *world, u User) error {
		_, err := w.Lock(ctx, Named{ID: u.Account})
		return err
	},
	"enable the account": func(ctx context.Context, w *world, u User) error {
		_, err := w.Enable(ctx, Named{ID: u.Account})
		return err
	},
	"disable the account": func(ctx context.Context, w *world, u User) error {
		return w.db.Write(ctx, func(ctx context.Context, tx db.Tx) error {
			a, err := w.Changeable(ctx, tx, Named{Name: u.AccountName, Domain: u.Domain})
			if err == nil {
				_, err = w.Shut(ctx, tx, a, Disabled)
			}
			return err
		})
	},
	"delete the account": func(ctx context.Context, w *world, u User) error {
		return w.db.Write(ctx, func(ctx context.Context, tx db.Tx) error { _, _, err := w.Close(ctx, tx, u.Account); return err })
	},
}

// Every kind of caller tries every deed on every kind of user in the own domain, below it, beside it and above it: it is done exactly
// where the other is in reach and may not do more, and where it is refused nothing has changed.
func TestNobodyChangesWhoMayDoMore(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		kinds := []auth.AccountType{auth.User, auth.ResourceAdmin, auth.DomainAdmin, auth.RootAdmin}
		paths := []string{"ROOT", "ROOT/a", "ROOT/a/x", "ROOT/b"}
		for _, path := range paths {
			w.account(path, "haven-"+strings.ReplaceAll(path, "/", "-"), auth.User)
		}
		n := 0
		for _, caller := range []struct{ path, name string }{
			{"ROOT/a", "auser"}, {"ROOT/a", "ares"}, {"ROOT/a", "aadmin"}, {"ROOT", "admin"},
		} {
			by := w.as(caller.name)
			c := auth.From(by)
			for deed, do := range deeds {
				for _, path := range paths {
					for _, kind := range kinds {
						if kind == auth.RootAdmin && path != "ROOT" {
							continue
						}
						n++
						name := fmt.Sprintf("target%d", n)
						w.account(path, name, kind)
						u := w.users[name]
						_, err := w.RegisterKeys(w.system(), u.ID)
						want(t, "keys to begin with", err, "")
						before := w.shot(u.ID)
						may := c.IsRoot() || c.Type != auth.User && strings.HasPrefix(path+"/", c.DomainPath+"/") && w.below(by, c.Type, kind)
						err = do(by, w, u)
						what := fmt.Sprintf("%s: %s to a %d in %s", caller.name, deed, kind, path)
						switch {
						case may:
							want(t, what, err, "")
						case !fault.Is(err, fault.Denied) && !fault.Is(err, fault.NotFound):
							t.Errorf("%s: %v", what, err)
						case w.shot(u.ID) != before:
							t.Errorf("%s was refused, and changed something", what)
						}
						w.removeQuietly("mole")
					}
				}
			}
		}
		if n < 700 {
			t.Errorf("%d cases", n)
		}
	})
}

// shot is all that is kept of a user and its account, as one text, and how many users the account has.
func (w *world) shot(id uid.User) (text string) {
	w.t.Helper()
	err := w.db.Read().NewRaw(`select u.username || u.password || u.state || u.account_id || coalesce(k.api_key, '-') || a.name || a.state || a.closing
		|| (select count(*) from users o where o.account_id = a.id and o.removed is null)
		from users u join accounts a on a.id = u.account_id left join api_keys k on k.user_id = u.id and k.name = '' where u.id = ? and u.removed is null`, id).
		Scan(context.Background(), &text)
	if err != nil {
		w.t.Fatal(err)
	}
	return text
}

// below tells whether an account of one type may change one of another: never one that reaches farther, nor one whose role allows what
// its own does not, as a resource admin's does with what a domain admin may not.
func (w *world) below(by context.Context, mine, other auth.AccountType) bool {
	w.t.Helper()
	covered, err := w.covers(by, w.db.Read(), other, auth.DefaultRole(other))
	if err != nil || covered && other.Rank() > mine.Rank() || !covered && other == mine {
		w.t.Fatalf("type %d covers type %d: %v, %v", mine, other, covered, err)
	}
	return covered
}

func (w *world) removeQuietly(username string) {
	w.write("delete from users where username = ?", username)
}

// What would lock the caller out, and what would take the cloud's own account away, is refused whoever asks.
func TestNobodyShutsThemselvesOut(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		for _, who := range []string{"admin", "aadmin"} {
			ctx := w.as(who)
			u, a := w.users[who], w.accounts[who]
			for deed, do := range deeds {
				switch deed {
				case "give a name", "register keys", "read keys", "make a colleague", "rename the account", "enable the account":
					continue
				case "give a password":
					want(t, who+": "+deed+" without the present one", do(ctx, w, u), fault.Invalid)
				default:
					want(t, who+": "+deed, do(ctx, w, User{ID: u.ID, Account: a.ID, Domain: a.Domain, AccountName: a.Name, DomainPath: "ROOT"}), fault.Denied)
				}
			}
		}
		system := auth.System()
		for deed, do := range deeds {
			err := do(w.as("admin"), w, User{ID: system.User, Account: system.Account, Domain: system.Domain, AccountName: "system", DomainPath: "ROOT"})
			if !fault.Is(err, fault.NotFound) && !fault.Is(err, fault.Denied) {
				t.Errorf("%s to the system: %v", deed, err)
			}
		}
	})
}
