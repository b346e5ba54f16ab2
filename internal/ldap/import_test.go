package ldap

import (
	"strings"
	"testing"

	"github.com/virga-cloud/virga/internal/account"
	"github.com/virga-cloud/virga/internal/auth"
	"github.com/virga-cloud/virga/internal/directory/directorytest"
	"github.com/virga-cloud/virga/internal/fault"
	"github.com/virga-cloud/virga/internal/secret"
	"github.com/virga-cloud/virga/internal/setting"
	"github.com/virga-cloud/virga/uid"
)

func names(people []Person) string {
	var out []string
	for _, p := range people {
		name := p.Username
		if p.Source != "" {
			name += "(" + string(p.Source) + ")"
		}
		out = append(out, name)
	}
	return strings.Join(out, " ")
}

// An import can be repeated: what is so already is left alone, what has changed is changed, and who is gone is disabled where that is
// asked for.
func TestImport(t *testing.T) {
	t.Parallel()
	each(t, "", func(t *testing.T, w *world) {
		w.global()
		in := Import{Enrolment: Enrolment{Domain: w.domains["red"], Typed: true, Timezone: "Europe/Vienna"}}
		_, err := w.accounts.CreateUser(root(), account.CreateUserIn{
			Account: "red-admin", Domain: w.domains["red"], Username: "carol", Password: secret.New("own"),
		})
		w.must(err)
		run := func(in Import, want string, events int) {
			t.Helper()
			before := w.events()
			people, err := w.Import(root(), in)
			if err != nil || names(people) != want {
				t.Errorf("imported %q, %v; want %q", names(people), err, want)
			}
			if got := w.events() - before; got != events {
				t.Errorf("%d events, want %d", got, events)
			}
		}
		run(in, "alice(ldap) bob(ldap) dora(ldap)", 6) // an account and a user each; carol is somebody else
		run(in, "alice(ldap) bob(ldap) dora(ldap)", 0)
		w.shows("red", "carol", "red-admin 2 native enabled")
		w.check("alice, in a domain without links", w.login("alice", "pw-alice", "red"), "")
		w.check("who is not imported", w.login("alice", "pw-alice", "blue"), no)

		w.dir.Change(directorytest.DN("alice"), "givenname", "Alicia")
		run(in, "alice(ldap) bob(ldap) dora(ldap)", 1)
		w.shows("red", "alice", "alice 0 ldap enabled Alicia alice@example.org")

		w.dir.Delete(directorytest.DN("bob"))
		run(in, "alice(ldap) dora(ldap)", 0)
		w.shows("red", "bob", "bob 0 ldap enabled First bob bob@example.org")
		in.Disable = true
		run(in, "alice(ldap) dora(ldap)", 1)
		w.shows("red", "bob", "bob 0 ldap disabled First bob bob@example.org")
		w.shows("red", "carol", "red-admin 2 native enabled")
		run(in, "alice(ldap) dora(ldap)", 0)
		w.set("ldap.queryfilter", "(uid=nobody)")
		_, err = w.Import(root(), in)
		w.check("a directory that shows nobody", err, fault.Conflict)
		w.shows("red", "alice", "alice 0 ldap enabled Alicia alice@example.org")
		w.set("ldap.queryfilter", "")
		in.Group = "staff"
		_, err = w.Import(root(), in)
		w.check("who is gone from a group", err, fault.Invalid)

		one := Import{Enrolment: Enrolment{Domain: w.domains["blue"], Account: "team", Typed: true, Type: auth.DomainAdmin}, Group: "staff"}
		run(one, "alice(ldap) dora(ldap)", 3)
		w.shows("blue", "dora", "team 2 ldap enabled First dora dora@example.org")
		one.Group = "none"
		_, err = w.Import(root(), one)
		w.check("no such group", err, fault.NotFound)
		_, err = w.Import(root(), Import{Enrolment: Enrolment{Domain: w.domains["blue"]}})
		w.check("accounts of no type", err, fault.Invalid)

		run(Import{Enrolment: Enrolment{Typed: true}, Group: directorytest.GroupDN("sales")}, "carol(ldap)", 3) // and a domain
		run(Import{Enrolment: Enrolment{Typed: true}, Group: directorytest.GroupDN("sales")}, "carol(ldap)", 0)
		found, _, err := w.accounts.Domains(root(), account.DomainFilter{Scope: auth.Scope{All: true}, Name: "salesougroupsdcexampledcorg"})
		if err != nil || len(found) > 1 {
			t.Errorf("domains %+v, %v", found, err)
		}
	})
}

// Who is no root admin sees, imports and links only what is the own domain's.
func TestReach(t *testing.T) {
	t.Parallel()
	each(t, "", func(t *testing.T, w *world) {
		w.global()
		red, blue := w.as("red-admin"), w.as("blue-admin")
		engineers := LinkIn{Domain: w.domains["red"], Account: "team", Kind: Group, Name: directorytest.GroupDN("engineers"), Typed: true}
		list := func(who string, ctxDomain uid.Domain, which Which, want string, kind fault.Kind) {
			t.Helper()
			ctx := root()
			if who != "" {
				ctx = w.as(who)
			}
			people, total, err := w.People(ctx, PeopleFilter{Domain: ctxDomain, Which: which})
			w.check(who+" lists "+string(which), err, kind)
			if err == nil && (names(people) != want || total != len(people)) {
				t.Errorf("%s lists %s: %q (%d), want %q", who, which, names(people), total, want)
			}
		}
		list("", "", "", "alice bob carol dora", "")
		list("red-admin", "", "", "", fault.Denied)
		list("red-admin", w.domains["blue"], "", "", fault.Denied)
		_, _, err := w.Link(red, engineers)
		w.check("an admin links into the directory of all", err, fault.Denied)
		_, err = w.Import(red, Import{Enrolment: Enrolment{Typed: true}})
		w.check("an admin imports from the directory of all", err, fault.Denied)
		_, _, err = w.Servers(red, Filter{})
		w.check("an admin looks at the directories", err, fault.Denied)
		_, err = w.Add(red, "127.0.0.1", w.dir.Port, w.domains["red"])
		w.check("an admin adds a directory", err, fault.Denied)
		_, err = w.Delete(red, Filter{Hostname: "127.0.0.1"})
		w.check("an admin deletes one", err, fault.Denied)
		w.check("an admin clears them", w.Clear(red), fault.Denied)
		w.check("an admin unlinks", w.Unlink(red, w.domains["red"], ""), fault.Denied)

		_, _, err = w.Link(root(), engineers)
		w.must(err)
		list("red-admin", "", "", "alice bob dora", "")
		list("blue-admin", "", "", "", fault.Denied)
		people, err := w.Import(red, Import{Enrolment: Enrolment{Typed: true, Account: "team"}, Group: "staff"})
		if err != nil || names(people) != "alice(ldap) bob(ldap) dora(ldap)" {
			t.Errorf("imported %q, %v", names(people), err)
		}
		people, err = w.Import(red, Import{Enrolment: Enrolment{Typed: true, Account: "team"}, Group: "sales"})
		if err != nil || len(people) != 0 {
			t.Errorf("imported %q from a group that is not the domain's, %v", names(people), err)
		}
		list("red-admin", "", "", "alice(ldap) bob(ldap) dora(ldap)", "")
		list("red-admin", "", NotInDomain, "", "")
		list("", w.domains["red"], LetIn, "alice(ldap) bob(ldap) dora(ldap)", "")
		list("", w.domains["blue"], LetIn, "", "")
		list("", w.domains["blue"], NotInDomain, "alice bob carol dora", "")
		list("", w.domains["blue"], Nowhere, "carol", "")

		_, err = w.Add(root(), "127.0.0.1", w.dir.Port, w.domains["blue"])
		w.must(err)
		list("blue-admin", "", "", "alice bob carol dora", "")
		_, _, err = w.Link(blue, LinkIn{Domain: w.domains["blue"], Account: "team", Kind: Group, Name: directorytest.GroupDN("sales"), Typed: true})
		w.must(err)
		w.check("carol", w.login("carol", "pw-carol", "blue"), "")
		for what, in := range map[string]LinkIn{
			"a root admin's account": {Domain: w.domains["blue"], Account: "r", Kind: Group, Name: directorytest.GroupDN("staff"), Type: auth.RootAdmin, Typed: true},
			"no DN":                  {Domain: w.domains["blue"], Account: "t", Kind: Group, Name: "staff", Typed: true},
			"no kind":                {Domain: w.domains["blue"], Account: "t", Kind: "X", Name: directorytest.GroupDN("staff"), Typed: true},
		} {
			_, _, err := w.Link(root(), in)
			w.check(what, err, fault.Invalid)
		}
		for what, in := range map[string]LinkIn{
			"no such group":  {Domain: w.domains["blue"], Account: "t", Kind: Group, Name: directorytest.GroupDN("none"), Typed: true},
			"no such unit":   {Domain: w.domains["blue"], Account: "t", Kind: Unit, Name: "ou=none," + directorytest.Base, Typed: true},
			"no such admin":  {Domain: w.domains["blue"], Account: "t", Kind: Group, Name: directorytest.GroupDN("staff"), Typed: true, Admin: "carol"},
			"above the base": {Domain: w.domains["blue"], Account: "t", Kind: Unit, Name: "dc=org", Typed: true},
		} {
			_, _, err := w.Link(root(), in)
			w.check(what, err, fault.NotFound)
		}
		if l, err := linksOf(t.Context(), w.db.Read(), w.domains["blue"]); err != nil || len(l) != 1 {
			t.Errorf("what was refused has left %+v, %v", l, err)
		}
	})
}

// What ldapConfig sets is one directory, and bad input changes nothing.
func TestConfigure(t *testing.T) {
	t.Parallel()
	each(t, "", func(t *testing.T, w *world) {
		w.global()
		w.global() // again, without harm
		good, err := w.Context(root())
		w.must(err)
		for what, c := range map[string]Context{
			"no server":        {Hostname: "127.0.0.1", Port: 1, SearchBase: "dc=other"},
			"a wrong password": {Hostname: "127.0.0.1", Port: w.dir.Port, BindDN: directorytest.Admin, BindPassword: secret.New("c4n4ry")},
		} {
			err := w.Configure(root(), c)
			w.check(what, err, fault.Unavailable)
			if err != nil && strings.Contains(err.Error(), "c4n4ry") {
				t.Errorf("a password is in %v", err)
			}
		}
		w.check("no name", w.Configure(root(), Context{Hostname: "a b"}), fault.Invalid)
		w.check("no base", w.Configure(root(), Context{Hostname: "127.0.0.1", Port: w.dir.Port, SearchBase: "here"}), fault.Invalid)
		if now, err := w.Context(root()); err != nil || now.Hostname != good.Hostname || now.SearchBase != good.SearchBase || now.BindDN != good.BindDN {
			t.Errorf("it is %+v, %v, and was %+v", now, err, good)
		}
		_, err = w.Add(root(), "127.0.0.1", w.dir.Port, "")
		w.check("twice", err, fault.Conflict)
		_, err = w.Delete(root(), Filter{Hostname: "nowhere", Domain: new(uid.Domain)})
		w.check("delete what is not there", err, fault.NotFound)
		w.must(w.Clear(root()))
		if now, err := w.Context(root()); err != nil || now.Hostname != "" || !setting.LDAPBindPassword.Of(w.settings).IsEmpty() || setting.LDAPBaseDN.Of(w.settings) != "" {
			t.Errorf("it is %+v, %v", now, err)
		}
	})
}
