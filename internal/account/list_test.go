package account

import (
	"context"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/virga-cloud/virga/internal/auth"
	"github.com/virga-cloud/virga/internal/limit"
	"github.com/virga-cloud/virga/uid"
)

var everything = auth.Scope{All: true}

func TestUsers(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		w.secondUser("auser", "colleague")
		w.write("update users set email = 'Some_One@example.org', state = 'disabled' where username = 'buser'")
		w.write("update users set removed = created where username = 'abuser'")
		admins := auth.DomainAdmin
		for what, c := range map[string]struct {
			f     UserFilter
			names string
			total int
		}{
			"nothing":       {UserFilter{}, "", 0},
			"a page":        {UserFilter{Scope: everything, Offset: 3, Limit: 2}, "ares auser", 12},
			"beyond":        {UserFilter{Scope: everything, Offset: 30, Limit: 2}, "", 12},
			"an account's":  {UserFilter{Scope: auth.Scope{Account: w.accounts["auser"].ID}}, "auser colleague", 2},
			"below":         {UserFilter{Scope: auth.Scope{Under: "ROOT/a/x"}}, "xadmin xuser", 2},
			"by id":         {UserFilter{Scope: everything, ID: w.users["buser"].ID}, "buser", 1},
			"out of reach":  {UserFilter{Scope: auth.Scope{Under: "ROOT/a"}, ID: w.users["buser"].ID}, "", 0},
			"by name":       {UserFilter{Scope: everything, Username: "auser"}, "auser", 1},
			"disabled":      {UserFilter{Scope: everything, State: Disabled}, "buser", 1},
			"by type":       {UserFilter{Scope: everything, Type: &admins}, "aadmin xadmin badmin", 3},
			"keyword":       {UserFilter{Scope: everything, Keyword: "E_ONE@"}, "buser", 1},
			"keyword in it": {UserFilter{Scope: everything, Keyword: "ROOT/A/"}, "xadmin xuser", 2},
			"no pattern":    {UserFilter{Scope: everything, Keyword: "a%r"}, "", 0},
			"the system's":  {UserFilter{Scope: everything, ID: auth.System().User}, "", 0},
		} {
			users, total, err := w.Users(context.Background(), c.f)
			var names []string
			for _, u := range users {
				names = append(names, u.Username)
			}
			if got := strings.Join(names, " "); got != c.names || total != c.total || err != nil {
				t.Errorf("%s: got %q of %d, %v; want %q of %d", what, got, total, err, c.names, c.total)
			}
		}
		keys, err := w.RegisterKeys(w.as("xuser"), w.users["xuser"].ID)
		if err != nil {
			t.Fatal(err)
		}
		users, _, err := w.Users(context.Background(), UserFilter{Scope: everything, ID: w.users["xuser"].ID})
		if err != nil {
			t.Fatal(err)
		}
		expect := w.users["xuser"]
		expect.APIKey, expect.Created = keys.APIKey, users[0].Created
		if diff := cmp.Diff(expect, users[0]); diff != "" {
			t.Errorf("a listed user (-want +got):\n%s", diff)
		}
	})
}

func TestAccounts(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		w.secondUser("auser", "colleague")
		want(t, "take", w.take("auser", limit.Use{limit.VMs: 3}), "")
		all, total, err := w.Accounts(context.Background(), AccountFilter{Scope: everything, Keyword: "AUSER", Limit: 2})
		if err != nil || len(all) != 2 || total != 3 { // auser, auser2, Auser
			t.Fatalf("%d of %d accounts, %v", len(all), total, err)
		}
		want(t, "dress", Dress(context.Background(), w.db.Read(), all), "")
		a := all[0]
		if a.Name != "auser" || a.DomainPath != "ROOT/a" || a.Counts[limit.VMs] != (limit.Count{Used: 3, Maximum: 20}) || len(a.Users) != 2 || a.Users[1].Username != "colleague" {
			t.Errorf("got %+v", a)
		}
		if b := all[1]; b.Name != "auser2" || b.Counts[limit.VMs].Used != 0 || len(b.Users) != 1 || b.Users[0].Username != "auser2" {
			t.Errorf("got %+v", b)
		}
		rootAdmin := auth.RootAdmin
		for what, c := range map[string]struct {
			f     AccountFilter
			total int
		}{
			"all but the system's": {AccountFilter{Scope: everything}, 12},
			"the system's":         {AccountFilter{Scope: everything, ID: auth.System().Account}, 0},
			"by type":              {AccountFilter{Scope: everything, Type: &rootAdmin}, 1},
			"by name":              {AccountFilter{Scope: everything, Name: "auser"}, 1},
			"out of reach":         {AccountFilter{Scope: auth.Scope{Under: "ROOT/b"}, ID: a.ID}, 0},
			"by state":             {AccountFilter{Scope: everything, State: Locked}, 0},
		} {
			if _, n, err := w.Accounts(context.Background(), c.f); n != c.total || err != nil {
				t.Errorf("%s: %d, %v; want %d", what, n, err, c.total)
			}
		}
	})
}

func TestDomains(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		one := 1
		for what, c := range map[string]struct {
			f     DomainFilter
			paths string
			total int
		}{
			"all":          {DomainFilter{Scope: everything}, "ROOT ROOT/a ROOT/a/x ROOT/A ROOT/ab ROOT/b", 6},
			"nothing":      {DomainFilter{}, "", 0},
			"a page":       {DomainFilter{Scope: everything, Offset: 1, Limit: 2}, "ROOT/a ROOT/a/x", 6},
			"in reach":     {DomainFilter{Scope: auth.Scope{Under: "ROOT/a"}}, "ROOT/a ROOT/a/x", 2},
			"a user's":     {DomainFilter{Scope: auth.Scope{Account: w.accounts["auser"].ID}}, "ROOT/a", 1},
			"one":          {DomainFilter{Scope: auth.Scope{Domain: w.domains["ROOT/b"].ID}}, "ROOT/b", 1},
			"children":     {DomainFilter{Scope: everything, Parent: w.domains["ROOT/a"].ID}, "ROOT/a/x", 1},
			"all below":    {DomainFilter{Scope: everything, Parent: w.domains["ROOT"].ID, Below: true}, "ROOT/a ROOT/a/x ROOT/A ROOT/ab ROOT/b", 5},
			"below a":      {DomainFilter{Scope: everything, Parent: w.domains["ROOT/a"].ID, Below: true}, "ROOT/a/x", 1},
			"by level":     {DomainFilter{Scope: everything, Level: &one, Keyword: "B"}, "ROOT/ab ROOT/b", 2},
			"by name":      {DomainFilter{Scope: everything, Name: "A"}, "ROOT/A", 1},
			"by id":        {DomainFilter{Scope: everything, ID: w.domains["ROOT/b"].ID}, "ROOT/b", 1},
			"out of reach": {DomainFilter{Scope: auth.Scope{Under: "ROOT/a"}, ID: w.domains["ROOT/b"].ID}, "", 0},
			"of nobody":    {DomainFilter{Scope: auth.Caller{}.Reach()}, "", 0},
		} {
			domains, total, err := w.Domains(context.Background(), c.f)
			var paths []string
			for _, d := range domains {
				paths = append(paths, d.Path)
				parent, _, _ := strings.Cut(strings.TrimPrefix(d.Path, "ROOT/"), "/")
				if d.HasChildren != (d.Path == "ROOT" || d.Path == "ROOT/a") || d.Path == "ROOT/a/x" && d.ParentName != parent {
					t.Errorf("%s: got %+v", what, d)
				}
			}
			if got := strings.Join(paths, " "); got != c.paths || total != c.total || err != nil {
				t.Errorf("%s: got %q of %d, %v; want %q of %d", what, got, total, err, c.paths, c.total)
			}
		}
	})
}

func TestNames(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		ctx, q := context.Background(), w.db.Read()
		w.write("update accounts set removed = created where name = 'buser'")
		got, err := Names(ctx, q, []uid.Account{w.accounts["buser"].ID, w.accounts["xuser"].ID, "nobody"})
		if err != nil {
			t.Fatal(err)
		}
		diff := cmp.Diff(map[uid.Account]Name{
			w.accounts["buser"].ID: {Account: "buser", Domain: w.domains["ROOT/b"].ID, DomainName: "b", DomainPath: "ROOT/b"},
			w.accounts["xuser"].ID: {Account: "xuser", Domain: w.domains["ROOT/a/x"].ID, DomainName: "x", DomainPath: "ROOT/a/x"},
		}, got)
		if diff != "" {
			t.Errorf("names (-want +got):\n%s", diff)
		}
		users, err := Usernames(ctx, q, []uid.User{w.users["buser"].ID, auth.System().User})
		if err != nil || len(users) != 2 || users[w.users["buser"].ID] != "buser" || users[auth.System().User] != "system" {
			t.Errorf("usernames: %v, %v", users, err)
		}
		if none, err := Names(ctx, q, nil); err != nil || len(none) != 0 {
			t.Errorf("names of nobody: %v, %v", none, err)
		}
	})
}
