package account

import (
	"context"
	"testing"

	"github.com/virga-cloud/virga/internal/auth"
	"github.com/virga-cloud/virga/internal/db"
	"github.com/virga-cloud/virga/internal/fault"
	"github.com/virga-cloud/virga/internal/secret"
	"github.com/virga-cloud/virga/uid"
)

func TestUpdateDomain(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		root, a := w.as("admin"), w.domains["ROOT/a"].ID
		dns := "a.example.org"
		want(t, "both", w.UpdateDomain(root, a, DomainChange{Name: "Österreich", NetworkDomain: &dns}), "")
		for what, c := range map[string]struct {
			by   context.Context
			id   uid.Domain
			c    DomainChange
			want fault.Kind
		}{
			"a name that is taken":       {root, a, DomainChange{Name: "b"}, fault.Conflict},
			"a name with a slash":        {root, a, DomainChange{Name: "b/c"}, fault.Invalid},
			"ROOT":                       {root, w.domains["ROOT"].ID, DomainChange{Name: "b2"}, fault.Invalid},
			"a DNS domain that is none":  {root, a, DomainChange{NetworkDomain: new("-")}, fault.Invalid},
			"one that is not there":      {root, uid.New[uid.Domain](), DomainChange{Name: "b2"}, fault.NotFound},
			"the own one":                {w.as("badmin"), w.domains["ROOT/b"].ID, DomainChange{Name: "b2"}, fault.Denied},
			"a sibling":                  {w.as("badmin"), a, DomainChange{Name: "b2"}, fault.Denied},
			"by a user":                  {w.as("buser"), w.domains["ROOT/b"].ID, DomainChange{Name: "b2"}, fault.Denied},
			"nothing, which is possible": {root, a, DomainChange{}, ""},
		} {
			want(t, what, w.UpdateDomain(c.by, c.id, c.c), c.want)
		}
		found, err := DomainsWithFamily(root, w.db.Read(), []uid.Domain{a, w.domains["ROOT/a/x"].ID, w.domains["ROOT/ab"].ID, w.domains["ROOT/A"].ID})
		if err != nil || found[a].Path != "ROOT/Österreich" || found[a].NetworkDomain != dns || found[w.domains["ROOT/a/x"].ID].Path != "ROOT/Österreich/x" ||
			found[w.domains["ROOT/ab"].ID].Path != "ROOT/ab" || found[w.domains["ROOT/A"].ID].Path != "ROOT/A" {
			t.Errorf("the domains are %+v, %v", found, err)
		}
		want(t, "login by the new path", w.login("xuser", "pw-xuser", "Österreich/x"), "")
		if u, err := userInScope(root, w.db.Read(), auth.From(w.as("aadmin")).Reach(), w.users["xuser"].ID); err != nil || u.Username != "xuser" {
			t.Errorf("its admin reaches %+v, %v", u, err)
		}
	})
}

// Who may act in a new domain does not see what is left of an old one of the same name.
func TestNewDomainHasNoPartInTheOldOne(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		old, root := w.domains["ROOT/b"], w.as("admin")
		want(t, "remove", w.db.Write(root, func(ctx context.Context, tx db.Tx) error {
			l, err := Retire(ctx, tx, old.ID)
			if err != nil || l.Accounts != 2 || l.Domains != 0 {
				t.Errorf("in it are %+v, %v", l, err)
			}
			if err := Deactivate(ctx, tx, l.Domain); err != nil {
				return err
			}
			for _, name := range []string{"badmin", "buser"} {
				if _, _, err := w.Close(ctx, tx, w.accounts[name].ID); err != nil {
					return err
				}
				if err := Remove(ctx, tx, w.accounts[name].ID); err != nil {
					return err
				}
			}
			return RemoveDomains(ctx, tx, l.Domain)
		}), "")
		again, err := w.CreateDomain(root, CreateDomainIn{Name: "b"})
		want(t, "again", err, "")
		_, u, err := w.CreateAccount(root, CreateAccountIn{Domain: again.ID, Username: "badmin", Type: auth.DomainAdmin, Password: secret.New("pw")})
		want(t, "its admin", err, "")
		c, _, err := w.ByUser(root, u.ID)
		want(t, "its admin acts", err, "")
		var seen int
		q := c.Reach().Where(w.db.Read().NewSelect().TableExpr("events as e").ColumnExpr("count(*)"), "e").Where("e.domain_id = ?", old.ID)
		if err := q.Scan(root, &seen); err != nil || seen != 0 {
			t.Errorf("it sees %d events of the old domain, %v", seen, err)
		}
	})
}
