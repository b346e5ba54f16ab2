package account

import (
	"context"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/virga-cloud/virga/internal/auth"
	"github.com/virga-cloud/virga/internal/fault"
	"github.com/virga-cloud/virga/internal/secret"
)

func TestBootstrapAgain(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		ctx := context.Background()
		in := BootstrapIn{Username: "admin", Password: secret.New("another"), Keys: true}
		first, err := w.Bootstrap(ctx, in)
		if err != nil || first.Created || first.User != w.users["admin"].ID || first.Keys.APIKey == "" {
			t.Fatalf("again: %+v, %v", first, err)
		}
		second, err := w.Bootstrap(ctx, in)
		if err != nil || second.Keys.APIKey != first.Keys.APIKey || !second.Keys.Secret.Equal(first.Keys.Secret) {
			t.Errorf("a third time: %+v, %v", second, err)
		}
		want(t, "the first password", w.login("admin", "pw-admin", ""), "")
		want(t, "the second one", w.login("admin", "another", ""), fault.Unauthenticated)
		gone, err := w.Bootstrap(ctx, BootstrapIn{Username: "gone", Keys: true})
		if err != nil || gone != (Admin{}) {
			t.Errorf("a user that is not there: %+v, %v", gone, err)
		}
	})
}

// Servers that start at once on one new database make one cloud.
func TestBootstrapAtOnce(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		for _, table := range []string{"events", "resource_counts", "domain_counts", "users", "accounts"} {
			w.write("delete from " + table)
		}
		for range 3 { // children first
			w.write("delete from domains where id not in (select parent_id from domains where parent_id is not null)")
		}
		var all sync.WaitGroup
		var created atomic.Int64
		for range 8 {
			all.Go(func() {
				got, err := w.Bootstrap(context.Background(), BootstrapIn{Password: secret.New("pw"), Keys: true})
				if err != nil || got.User == "" {
					t.Errorf("%+v, %v", got, err)
				}
				if got.Created {
					created.Add(1)
				}
			})
		}
		all.Wait()
		if created.Load() != 1 {
			t.Errorf("made %d times", created.Load())
		}
	})
}

func TestCreateDomain(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		for _, c := range []struct {
			caller, parent, name string
			path                 string
			kind                 fault.Kind
		}{
			{"admin", "", "n", "ROOT/n", ""},
			{"admin", "ROOT/a/x", "n", "ROOT/a/x/n", ""},
			{"aadmin", "", "n", "ROOT/a/n", ""},
			{"aadmin", "ROOT/a/x", "m", "ROOT/a/x/m", ""},
			{"aadmin", "ROOT/b", "n", "", fault.Denied},
			{"aadmin", "ROOT", "n", "", fault.Denied},
			{"auser", "", "n2", "", fault.Denied},
			{"", "", "n2", "", fault.Unauthenticated},
			{"admin", "", "a", "", fault.Conflict},
			{"admin", "", "", "", fault.Invalid},
			{"admin", "", "a/b", "", fault.Invalid},
			{"admin", "ROOT/a", "root", "", fault.Invalid},
			{"admin", "", " n", "", fault.Invalid},
			{"admin", "", "n\x00", "", fault.Invalid},
			{"admin", "", "n\u202e", "", fault.Invalid},
			{"admin", "", "n\xff", "", fault.Invalid},
			{"admin", "", strings.Repeat("ü", 256), "", fault.Invalid},
			{"admin", "", "Zürich Süd", "ROOT/Zürich Süd", ""},
		} {
			d, err := w.CreateDomain(w.as(c.caller), CreateDomainIn{Name: c.name, Parent: w.domains[c.parent].ID})
			want(t, c.caller+" makes "+c.name+" in "+c.parent, err, c.kind)
			if err == nil && (d.Path != c.path || d.Level != strings.Count(c.path, "/")) {
				t.Errorf("made %+v, want the path %s", d, c.path)
			}
		}
	})
}

func TestCreateAccount(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		for _, c := range []struct {
			caller, domain, name, user string
			kind                       auth.AccountType
			want                       fault.Kind
		}{
			{"admin", "ROOT/b", "", "n1", auth.User, ""},
			{"admin", "ROOT", "", "n2", auth.RootAdmin, ""},
			{"admin", "ROOT/b", "", "n3", auth.RootAdmin, fault.Invalid},
			{"admin", "ROOT/b", "", "n3", 9, fault.Invalid},
			{"admin", "ROOT/b", "", "buser", auth.User, fault.Conflict},
			{"admin", "ROOT/b", "other", "buser", auth.User, fault.Conflict},
			{"admin", "ROOT/a", "", "buser", auth.User, ""},
			{"admin", "ROOT/b", "", "", auth.User, fault.Invalid},
			{"admin", "ROOT/b", "x\n", "n4", auth.User, fault.Invalid},
			{"aadmin", "", "", "n5", auth.DomainAdmin, ""},
			{"aadmin", "ROOT/a/x", "team", "n6", auth.User, ""},
			{"aadmin", "ROOT/b", "", "n7", auth.User, fault.Denied},
			{"aadmin", "ROOT/a", "", "n7", auth.RootAdmin, fault.Denied},
			{"ares", "ROOT/a", "", "n7", auth.DomainAdmin, fault.Denied},
			{"auser", "ROOT/a", "", "n7", auth.User, fault.Denied},
			{"", "ROOT/a", "", "n7", auth.User, fault.Unauthenticated},
		} {
			a, u, err := w.CreateAccount(w.as(c.caller), CreateAccountIn{
				Name: c.name, Domain: w.domains[c.domain].ID, Type: c.kind, Username: c.user, Password: secret.New("pw"),
			})
			want(t, c.caller+" makes "+c.user+" in "+c.domain, err, c.want)
			if err != nil {
				continue
			}
			want(t, "login of "+c.user, w.login(c.user, "pw", u.DomainPath), "")
			if name := c.name; name != "" && a.Name != name || name == "" && a.Name != c.user {
				t.Errorf("made account %q", a.Name)
			}
		}
		_, _, err := w.CreateAccount(w.as("admin"), CreateAccountIn{Username: "n8"})
		want(t, "no password", err, fault.Invalid)
	})
}
