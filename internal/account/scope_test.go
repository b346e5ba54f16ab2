package account

import (
	"context"
	"reflect"
	"testing"

	"github.com/virga-cloud/virga/internal/auth"
	"github.com/virga-cloud/virga/internal/fault"
	"github.com/virga-cloud/virga/uid"
)

// The rules of CloudStack 3.0's list commands, sentence by sentence.
func TestScope(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		own := func(name string) auth.Scope { return auth.Scope{Account: w.accounts[name].ID} }
		in := func(path string) auth.Scope { return auth.Scope{Domain: w.domains[path].ID} }
		id := func(path string) uid.Domain { return w.domains[path].ID }
		under := func(path string) auth.Scope { return auth.Scope{Under: path} }
		everything := auth.Scope{All: true}
		nowhere := uid.New[uid.Domain]()
		for _, c := range []struct {
			rule, caller string
			in           ListScope
			scope        auth.Scope
			kind         fault.Kind
		}{
			{"nobody sees anything", "", ListScope{}, auth.Scope{}, fault.Unauthenticated},
			{"nobody sees anything", "", ListScope{All: true}, auth.Scope{}, fault.Unauthenticated},

			{"without parameters the own things", "auser", ListScope{}, own("auser"), ""},
			{"without parameters the own things", "aadmin", ListScope{}, own("aadmin"), ""},
			{"without parameters the own things, even for root", "admin", ListScope{}, own("admin"), ""},
			{"recursive without a domain changes nothing", "admin", ListScope{Recursive: true}, own("admin"), ""},

			{"account and domain: that account's", "admin", ListScope{Account: "xuser", Domain: id("ROOT/a/x")}, own("xuser"), ""},
			{"a user may name the own account", "auser", ListScope{Account: "auser", Domain: id("ROOT/a")}, own("auser"), ""},
			{"a user may name no other", "auser", ListScope{Account: "auser2", Domain: id("ROOT/a")}, auth.Scope{}, fault.Denied},
			{"nor one that is not there", "auser", ListScope{Account: "nobody", Domain: id("ROOT/a")}, auth.Scope{}, fault.Denied},
			{"nor another domain", "auser", ListScope{Account: "auser", Domain: id("ROOT/b")}, auth.Scope{}, fault.Denied},
			{"nor one below", "auser", ListScope{Account: "xuser", Domain: id("ROOT/a/x")}, auth.Scope{}, fault.Denied},
			{"a domain admin may name those in reach", "aadmin", ListScope{Account: "auser", Domain: id("ROOT/a")}, own("auser"), ""},
			{"and below", "aadmin", ListScope{Account: "xuser", Domain: id("ROOT/a/x")}, own("xuser"), ""},
			{"a resource admin too", "ares", ListScope{Account: "xuser", Domain: id("ROOT/a/x")}, own("xuser"), ""},
			{"not above", "xadmin", ListScope{Account: "auser", Domain: id("ROOT/a")}, auth.Scope{}, fault.Denied},
			{"not in ROOT", "aadmin", ListScope{Account: "admin", Domain: id("ROOT")}, auth.Scope{}, fault.Denied},
			{"not beside", "aadmin", ListScope{Account: "buser", Domain: id("ROOT/b")}, auth.Scope{}, fault.Denied},
			{"not where the path only begins alike", "aadmin", ListScope{Account: "abuser", Domain: id("ROOT/ab")}, auth.Scope{}, fault.Denied},
			{"not where only the case differs", "aadmin", ListScope{Account: "Auser", Domain: id("ROOT/A")}, auth.Scope{}, fault.Denied},
			{"an account is in its domain only", "admin", ListScope{Account: "xuser", Domain: id("ROOT/a")}, auth.Scope{}, fault.NotFound},
			{"account alone: in the own domain", "aadmin", ListScope{Account: "auser"}, own("auser"), ""},
			{"account alone: in the own domain", "admin", ListScope{Account: "rootuser"}, own("rootuser"), ""},
			{"account alone: not below", "admin", ListScope{Account: "auser"}, auth.Scope{}, fault.NotFound},
			{"account alone: the own one", "auser", ListScope{Account: "auser"}, own("auser"), ""},
			{"account alone: no other", "auser", ListScope{Account: "aadmin"}, auth.Scope{}, fault.Denied},
			{"account wins over all", "admin", ListScope{Account: "auser", Domain: id("ROOT/a"), All: true, Recursive: true}, own("auser"), ""},

			{"domain: that domain's only", "admin", ListScope{Domain: id("ROOT/a")}, in("ROOT/a"), ""},
			{"domain, recursive: and below", "admin", ListScope{Domain: id("ROOT/a"), Recursive: true}, under("ROOT/a"), ""},
			{"domain, recursive, ROOT: all", "admin", ListScope{Domain: id("ROOT"), Recursive: true}, under("ROOT"), ""},
			{"a domain admin: the own domain", "aadmin", ListScope{Domain: id("ROOT/a")}, in("ROOT/a"), ""},
			{"a domain admin: below", "aadmin", ListScope{Domain: id("ROOT/a/x"), Recursive: true}, under("ROOT/a/x"), ""},
			{"a domain admin: not above", "aadmin", ListScope{Domain: id("ROOT"), Recursive: true}, auth.Scope{}, fault.Denied},
			{"a domain admin: not beside", "aadmin", ListScope{Domain: id("ROOT/b")}, auth.Scope{}, fault.Denied},
			{"a domain that is not there looks like one out of reach", "aadmin", ListScope{Domain: nowhere}, auth.Scope{}, fault.Denied},
			{"root learns that it is not there", "admin", ListScope{Domain: nowhere}, auth.Scope{}, fault.NotFound},
			{"a user sees only own things of the own domain", "auser", ListScope{Domain: id("ROOT/a"), Recursive: true}, own("auser"), ""},
			{"a user: no other domain", "auser", ListScope{Domain: id("ROOT/b")}, auth.Scope{}, fault.Denied},
			{"a user: nor one below", "auser", ListScope{Domain: id("ROOT/a/x")}, auth.Scope{}, fault.Denied},
			{"all does not widen a domain", "admin", ListScope{Domain: id("ROOT/a"), All: true}, in("ROOT/a"), ""},

			{"listAll: everything a user may see is its own", "auser", ListScope{All: true}, own("auser"), ""},
			{"listAll: a domain admin's domain and below", "aadmin", ListScope{All: true}, under("ROOT/a"), ""},
			{"listAll: everything for root", "admin", ListScope{All: true}, everything, ""},

			{"by id: all in reach", "auser", ListScope{ByID: true}, own("auser"), ""},
			{"by id: all in reach", "aadmin", ListScope{ByID: true}, under("ROOT/a"), ""},
			{"by id: all in reach", "admin", ListScope{ByID: true}, everything, ""},
		} {
			got, err := w.Scope(w.as(c.caller), c.in)
			want(t, c.caller+": "+c.rule, err, c.kind)
			if !reflect.DeepEqual(got, c.scope) {
				t.Errorf("%s: %s: got %+v, want %+v", c.caller, c.rule, got, c.scope)
			}
		}
	})
}

func TestOwner(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		w.write("update accounts set state = 'disabled' where id = ?", w.accounts["auser2"].ID)
		w.account("ROOT", "otheradmin", auth.RootAdmin)
		w.account("ROOT", "rootdomainadmin", auth.DomainAdmin)
		for _, c := range []struct {
			caller, account, domain string
			owner                   string
			kind                    fault.Kind
		}{
			{"", "", "", "", fault.Unauthenticated},
			{"auser", "", "", "auser", ""},
			{"admin", "", "", "admin", ""},
			{"auser", "auser", "ROOT/a", "auser", ""},
			{"auser", "auser", "", "auser", ""},
			{"auser", "aadmin", "ROOT/a", "", fault.Denied},
			{"auser", "buser", "ROOT/b", "", fault.Denied},
			{"auser", "", "ROOT/a", "", fault.Invalid},
			{"aadmin", "auser", "ROOT/a", "auser", ""},
			{"aadmin", "auser", "", "auser", ""},
			{"aadmin", "xuser", "ROOT/a/x", "xuser", ""},
			{"aadmin", "xuser", "", "", fault.NotFound},
			{"aadmin", "buser", "ROOT/b", "", fault.Denied},
			{"aadmin", "auser2", "ROOT/a", "", fault.Conflict},
			{"ares", "aadmin", "ROOT/a", "", fault.Denied},
			{"rootdomainadmin", "admin", "ROOT", "", fault.Denied},
			{"admin", "otheradmin", "ROOT", "otheradmin", ""},
			{"admin", "buser", "ROOT/b", "buser", ""},
			{"admin", "nobody", "ROOT/b", "", fault.NotFound},
		} {
			got, err := w.Owner(w.as(c.caller), w.db.Read(), For{Account: c.account, Domain: w.domains[c.domain].ID})
			want(t, c.caller+" for "+c.account+" in "+c.domain, err, c.kind)
			if a := w.accounts[c.owner]; got != (Owner{a.ID, a.Domain}) {
				t.Errorf("%s for %s in %s: got %+v", c.caller, c.account, c.domain, got)
			}
		}
	})
}

// A scope as SQL keeps exactly the accounts that the scope means.
func TestScopeKeepsRows(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		for _, c := range []struct {
			caller string
			in     ListScope
			names  []string
		}{
			{"auser", ListScope{All: true}, []string{"auser"}},
			{"aadmin", ListScope{All: true}, []string{"aadmin", "ares", "auser", "auser2", "xadmin", "xuser"}},
			{"xadmin", ListScope{All: true}, []string{"xadmin", "xuser"}},
			{"admin", ListScope{Domain: w.domains["ROOT/a"].ID}, []string{"aadmin", "ares", "auser", "auser2"}},
			{"admin", ListScope{Domain: w.domains["ROOT/A"].ID, Recursive: true}, []string{"Auser"}},
			{"admin", ListScope{Domain: w.domains["ROOT/b"].ID, Recursive: true}, []string{"badmin", "buser"}},
		} {
			scope, err := w.Scope(w.as(c.caller), c.in)
			if err != nil {
				t.Fatal(err)
			}
			listed, total, err := w.Accounts(context.Background(), AccountFilter{Scope: scope})
			if err != nil || total != len(c.names) {
				t.Errorf("%s %+v: %d accounts, %v; want %d", c.caller, c.in, total, err, len(c.names))
			}
			for i, a := range listed {
				if i < len(c.names) && a.Name != c.names[i] {
					t.Errorf("%s %+v: account %d is %s, want %s", c.caller, c.in, i, a.Name, c.names[i])
				}
			}
		}
		if _, n, err := w.Accounts(context.Background(), AccountFilter{}); n != 0 || err != nil {
			t.Errorf("the empty scope shows %d accounts, %v", n, err)
		}
	})
}
