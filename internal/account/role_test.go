package account

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"

	"github.com/virga-cloud/virga/internal/auth"
	"github.com/virga-cloud/virga/internal/db"
	"github.com/virga-cloud/virga/internal/fault"
	"github.com/virga-cloud/virga/internal/role"
	"github.com/virga-cloud/virga/internal/secret"
	"github.com/virga-cloud/virga/uid"
)

// Who may give which role to whom, with a new account and to one that is there.
func TestGivingRoles(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		all := []auth.AccountType{auth.User, auth.DomainAdmin, auth.ResourceAdmin, auth.RootAdmin}
		w.roles = role.New(w.db, []role.Command{
			{Name: "look", Open: all}, {Name: "make", Open: all[1:]}, {Name: "listHosts", Open: all[2:]}, {Name: "build", Open: all[3:]},
		})
		w.roles.UsedBy(CountOfRole)
		roles := map[string]uid.Role{"Root": auth.System().Role, "User": auth.DefaultRole(auth.User), "Domain": auth.DefaultRole(auth.DomainAdmin)}
		for name, rules := range map[string]string{"lookers": "look", "makers": "make", "builders": "build"} {
			id, err := w.roles.Import(w.system(), role.ImportIn{Name: name, Type: auth.User, Rules: []role.Rule{{Pattern: rules, Allow: true}}})
			want(t, "import "+name, err, "")
			roles[name] = id
		}
		off, err := w.roles.Import(w.system(), role.ImportIn{Name: "off", Type: auth.User, Rules: []role.Rule{{Pattern: "look", Allow: true}}})
		want(t, "import", err, "")
		want(t, "disable", w.roles.SetState(w.system(), off, role.Disabled), "")
		roles["off"] = off
		for i, c := range []struct {
			caller, domain, role string
			want                 fault.Kind
		}{
			{"admin", "ROOT", "Root", ""},
			{"admin", "ROOT/a", "Root", fault.Invalid},
			{"admin", "ROOT/a", "builders", ""},
			{"admin", "ROOT/a", "off", fault.Conflict},
			{"admin", "ROOT/a", "none", fault.NotFound},
			{"aadmin", "ROOT/a/x", "Domain", ""},
			{"aadmin", "ROOT/a/x", "makers", ""},
			{"aadmin", "ROOT/a/x", "builders", fault.NotFound},
			{"aadmin", "ROOT/b", "lookers", fault.Denied},
			{"aadmin", "ROOT/a/x", "Root", fault.NotFound},
			{"ares", "ROOT/a", "makers", ""},
			{"ares", "ROOT/a", "Domain", fault.NotFound},
			{"auser", "ROOT/a", "lookers", fault.Denied},
		} {
			if roles[c.role] == "" {
				roles[c.role] = uid.New[uid.Role]()
			}
			name := fmt.Sprint("n", i)
			a, u, err := w.CreateAccount(w.as(c.caller), CreateAccountIn{
				Domain: w.domains[c.domain].ID, Username: name, Role: roles[c.role], Password: secret.New("pw"),
			})
			want(t, c.caller+" makes an account with role "+c.role, err, c.want)
			if err != nil {
				continue
			}
			found, err := role.ByID(w.system(), w.db.Read(), []uid.Role{a.Role})
			if err != nil || a.Role != roles[c.role] || a.Type != found[a.Role].Type || u.AccountRole != a.Role || u.AccountType != a.Type {
				t.Errorf("%+v %+v %v", a, u, err)
			}
		}
		_, _, err = w.CreateAccount(w.system(), CreateAccountIn{Username: "x", Type: auth.User, Typed: true, Role: roles["Domain"], Password: secret.New("pw")})
		want(t, "a role of another type", err, fault.Invalid)

		for _, c := range []struct {
			caller, whose, role string
			want                fault.Kind
		}{
			{"admin", "auser", "builders", ""},
			{"aadmin", "auser", "lookers", fault.Denied}, // it may build, which the admin may not
			{"admin", "auser", "User", ""},
			{"aadmin", "auser", "lookers", ""},
			{"aadmin", "auser", "builders", fault.NotFound},
			{"aadmin", "auser", "Domain", ""},
			{"aadmin", "buser", "lookers", fault.NotFound},
			{"aadmin", "aadmin", "lookers", fault.Denied},
			{"admin", "admin", "User", fault.Denied},
			{"admin", "auser", "Root", fault.Invalid},
			{"admin", "rootuser", "Root", ""},
			{"auser2", "auser", "lookers", fault.Denied},
		} {
			_, err := w.Update(w.as(c.caller), Named{ID: w.accounts[c.whose].ID}, Change{Role: roles[c.role]})
			if c.want == fault.Denied && fault.Is(err, fault.NotFound) {
				err = fault.Deniedf("as good")
			}
			want(t, c.caller+" gives "+c.role+" to "+c.whose, err, c.want)
			if err != nil {
				continue
			}
			now, _, err := w.ByUser(w.system(), w.users[c.whose].ID)
			if err != nil || now.Role != roles[c.role] {
				t.Errorf("%s has role %s: %v", c.whose, now.Role, err)
			}
		}
		want(t, "delete a role in use", w.roles.Delete(w.system(), roles["makers"]), fault.Conflict)
	})
}

// A role that is deleted while it is given is either deleted, and nobody has it, or given.
func TestDeletingARoleThatIsGiven(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		w.roles.UsedBy(CountOfRole)
		for round := range 10 {
			id, err := w.roles.Create(w.system(), role.CreateIn{Name: fmt.Sprint("r", round), Type: new(auth.User)})
			want(t, "create", err, "")
			var all sync.WaitGroup
			begin := make(chan struct{})
			for i := range 3 {
				all.Go(func() {
					<-begin
					err := w.db.Write(w.system(), func(ctx context.Context, tx db.Tx) error {
						_, r, err := w.roleFor(ctx, tx, w.domains[Root], auth.User, id)
						if err != nil {
							return err
						}
						a := Account{
							ID: uid.New[uid.Account](), Domain: w.domains[Root].ID, Name: fmt.Sprintf("r%d-%d", round, i), Role: r, State: Enabled, Created: tx.Now,
						}
						return insertAccount(ctx, tx, a)
					})
					if err != nil && !fault.Is(err, fault.NotFound) {
						t.Error(err)
					}
				})
			}
			all.Go(func() {
				<-begin
				if err := w.roles.Delete(w.system(), id); err != nil && !fault.Is(err, fault.Conflict) {
					t.Error(err)
				}
			})
			close(begin)
			all.Wait()
			found, err := role.ByID(w.system(), w.db.Read(), []uid.Role{id})
			n, counted := CountOfRole(w.system(), w.db.Read(), id)
			if err := errors.Join(err, counted); err != nil || !found[id].Removed.IsZero() && n > 0 {
				t.Errorf("a deleted role has %d accounts; %v", n, err)
			}
		}
	})
}
