package ldap

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/virga-cloud/virga/internal/account"
	"github.com/virga-cloud/virga/internal/auth"
	"github.com/virga-cloud/virga/internal/directory/directorytest"
	"github.com/virga-cloud/virga/internal/fault"
	"github.com/virga-cloud/virga/internal/secret"
)

const no = fault.Unauthenticated

// Who is in what is linked to a domain comes in and is a user from then on; whoever else gives a right password does not.
func TestLinkedDomain(t *testing.T) {
	t.Parallel()
	each(t, "", func(t *testing.T, w *world) {
		staff := LinkIn{Domain: w.domains["red"], Kind: Group, Name: directorytest.GroupDN("staff"), Type: auth.User, Admin: "alice"}
		_, _, err := w.Link(root(), staff)
		w.check("link without a directory", err, fault.Unavailable)
		w.global()
		w.check("not linked yet", w.login("bob", "pw-bob", "red"), no)
		l, admin, err := w.Link(root(), staff)
		w.must(err)
		if l.Name != staff.Name || admin == "" {
			t.Errorf("linked %+v, admin %q", l, admin)
		}
		w.shows("red", "alice", "alice 2 ldap enabled First alice alice@example.org")
		w.shows("red", "bob", "-")
		for _, c := range []struct {
			user, password, domain string
			want                   fault.Kind
		}{
			{"bob", "wrong", "red", no},
			{"bob", "", "red", no},
			{"bob", "pw-bob", "blue", no},
			{"bob", "pw-bob", "", no},
			{"bob*", "pw-bob", "red", no},
			{"bob)(uid=*", "pw-bob", "red", no},
			{"*", "pw-bob", "red", no},
			{"carol", "pw-carol", "red", no}, // of another group
			{"nobody", "pw", "red", no},
			{"bob", "pw-bob", "red", ""},
			{"BOB", "pw-bob", "red", ""}, // the directory spells it
			{"dora", "pw-dora", "red", ""},
			{"alice", "pw-alice", "red", ""},
			{"red-admin", "pw", "red", ""}, // whose password is here
			{"admin", "pw-admin", "", ""},
		} {
			w.check(c.user+" with "+c.password+" in "+c.domain, w.login(c.user, c.password, c.domain), c.want)
		}
		w.shows("red", "bob", "bob 0 ldap enabled First bob bob@example.org")
		w.shows("red", "BOB", "-")
		w.shows("red", "carol", "-")

		w.dir.Change(directorytest.DN("bob"), "mail", "robert@example.org")
		before := w.events()
		w.check("again", w.login("bob", "pw-bob", "red"), "")
		w.shows("red", "bob", "bob 0 ldap enabled First bob robert@example.org")
		if got := w.events() - before; got != 2 { // changed, logged in
			t.Errorf("%d events for a change", got)
		}
		before = w.events()
		w.check("again", w.login("bob", "pw-bob", "red"), "")
		if got := w.events() - before; got != 1 {
			t.Errorf("%d events for no change", got)
		}
	})
}

// Who has left the group, or the directory, comes in no more and is disabled, and enabled again when back; but whom an administrator
// has disabled stays so.
func TestLeaving(t *testing.T) {
	t.Parallel()
	each(t, "", func(t *testing.T, w *world) {
		w.global()
		_, _, err := w.Link(root(), LinkIn{Domain: w.domains["red"], Kind: Group, Name: directorytest.GroupDN("engineers"), Type: auth.User})
		w.must(err)
		w.check("bob", w.login("bob", "pw-bob", "red"), "")
		w.dir.Change(directorytest.GroupDN("engineers"), "uniquemember", directorytest.DN("carol"))
		w.check("bob has left", w.login("bob", "pw-bob", "red"), no)
		w.shows("red", "bob", "bob 0 ldap disabled First bob bob@example.org")
		w.dir.Change(directorytest.GroupDN("engineers"), "uniquemember", directorytest.DN("carol"), directorytest.DN("bob"))
		w.check("bob is back, with a wrong password", w.login("bob", "pw", "red"), no)
		w.shows("red", "bob", "bob 0 ldap disabled First bob bob@example.org")
		w.check("bob is back", w.login("bob", "pw-bob", "red"), "")
		w.shows("red", "bob", "bob 0 ldap enabled First bob bob@example.org")

		w.check("carol", w.login("carol", "pw-carol", "red"), "")
		w.check("lock carol", w.accounts.LockUser(root(), w.id("red", "carol")), "")
		w.check("carol is locked", w.login("carol", "pw-carol", "red"), no)
		w.must(w.accounts.EnableUser(root(), w.id("red", "carol")))
		w.check("carol may again", w.login("carol", "pw-carol", "red"), "")

		w.dir.Delete(directorytest.DN("carol"))
		w.check("carol is gone", w.login("carol", "pw-carol", "red"), no)
		w.shows("red", "carol", "carol 0 ldap disabled First carol carol@example.org")

		w.dir.Stop()
		w.check("the directory is away", w.login("bob", "pw-bob", "red"), no)
		w.shows("red", "bob", "bob 0 ldap enabled First bob bob@example.org")
	})
}

// Who has left is found without trying to sign in, and has no use of keys any more. What can't be true is not believed.
func TestCheckUsers(t *testing.T) {
	t.Parallel()
	crowd := ""
	for i := range 12 {
		crowd += directorytest.Person(fmt.Sprintf("p%02d", i), "ou=people,"+directorytest.Base) + "\n"
	}
	each(t, crowd, func(t *testing.T, w *world) {
		w.global()
		link := func(domain, group string) {
			t.Helper()
			l := LinkIn{Domain: w.domains[domain], Kind: Group, Name: directorytest.GroupDN(group), Type: auth.User}
			if group == "" {
				l.Kind, l.Name = Unit, "ou=people,"+directorytest.Base
			}
			_, _, err := w.Link(root(), l)
			w.must(err)
		}
		check := func(says string) {
			t.Helper()
			if err := w.CheckUsers(t.Context()); says == "" && err != nil || says != "" && (err == nil || !strings.Contains(err.Error(), says)) {
				t.Errorf("check: %v; want %q", err, says)
			}
		}
		check("")
		link("red", "engineers")
		w.dir.Change(directorytest.GroupDN("engineers"), "uniquemember", directorytest.DN("carol"), directorytest.DN("bob"))
		w.check("bob", w.login("bob", "pw-bob", "red"), "")
		w.check("carol", w.login("carol", "pw-carol", "red"), "")
		keys, err := w.accounts.RegisterKeys(root(), w.id("red", "bob"))
		w.must(err)
		signs := func(want fault.Kind) {
			t.Helper()
			_, _, err := w.accounts.ByKey(context.Background(), keys.APIKey)
			w.check("bob's keys", err, want)
		}
		w.must(w.accounts.LockUser(root(), w.id("red", "carol")))
		before := w.events()
		check("")
		if n := w.events() - before; n != 0 {
			t.Errorf("%d events for no change", n)
		}
		w.dir.Change(directorytest.GroupDN("engineers"), "uniquemember", directorytest.DN("alice"))
		signs("")
		check("")
		signs(no)
		w.shows("red", "bob", "bob 0 ldap disabled First bob bob@example.org")
		check("")
		w.dir.Change(directorytest.GroupDN("engineers"), "uniquemember", directorytest.DN("carol"), directorytest.DN("bob"))
		check("")
		signs("")
		w.shows("red", "carol", "carol 0 ldap locked First carol carol@example.org") // as an administrator wants it

		w.set("ldap.basedn", "ou=nowhere,"+directorytest.Base)
		check("shows nobody")
		w.set("ldap.basedn", directorytest.Base)
		signs("")
		link("blue", "")
		_, err = w.Import(root(), Import{Enrolment: Enrolment{Domain: w.domains["blue"], Typed: true}, Word: "p"})
		w.must(err)
		w.set("ldap.queryfilter", "(|(uid=p00)(uid=bob))")
		check("11 of its 12 users seem to have left")
		w.shows("blue", "p11", "p11 0 ldap enabled First p11 p11@example.org")
		w.set("ldap.queryfilter", "(|(uid=p0*)(uid=bob))")
		check("")
		w.shows("blue", "p11", "p11 0 ldap disabled First p11 p11@example.org")
		w.shows("blue", "p09", "p09 0 ldap enabled First p09 p09@example.org")
		w.dir.Stop()
		check("can't be asked")
		signs("")
	})
}

// Guesses are counted as those of other passwords are, and who is locked out is not asked about.
func TestGuesses(t *testing.T) {
	t.Parallel()
	each(t, "", func(t *testing.T, w *world) {
		w.global()
		_, _, err := w.Link(root(), LinkIn{Domain: w.domains["red"], Kind: Unit, Name: "ou=people," + directorytest.Base, Type: auth.User})
		w.must(err)
		w.check("bob", w.login("bob", "pw-bob", "red"), "")
		for range 5 {
			w.check("a guess", w.login("bob", "guess", "red"), no)
		}
		w.check("bob is locked out", w.login("bob", "pw-bob", "red"), no)
		w.now.Add(time.Hour.Microseconds())
		w.check("an hour later", w.login("bob", "pw-bob", "red"), "")
	})
}

// A name in other letters, which the directory finds, too, gives no more guesses, nor do people who are no users yet.
func TestGuessesInOtherLetters(t *testing.T) {
	t.Parallel()
	each(t, "", func(t *testing.T, w *world) {
		w.global()
		_, _, err := w.Link(root(), LinkIn{Domain: w.domains["red"], Kind: Unit, Name: "ou=people," + directorytest.Base, Type: auth.User})
		w.must(err)
		w.check("bob", w.login("bob", "pw-bob", "red"), "")
		for _, guess := range []string{"BOB", "Bob", "bOb", "boB", "BOb"} {
			w.check("a guess for "+guess, w.login(guess, "guess", "red"), no)
		}
		w.check("the right password after that", w.login("bOB", "pw-bob", "red"), no)
		w.check("bob by the own name", w.login("bob", "pw-bob", "red"), "")
		for range 5 {
			w.check("a guess for carol, who never came", w.login("carol", "guess", "red"), no)
		}
		w.check("the right password after that", w.login("carol", "pw-carol", "red"), no)
		w.check("alice", w.login("alice", "pw-alice", "red"), "")
		w.now.Add(time.Hour.Microseconds())
		w.check("an hour later", w.login("carol", "pw-carol", "red"), "")
		w.check("an hour later", w.login("Bob", "pw-bob", "red"), "")
	})
}

// A directory that is away is no reason to lock its users out; and it is asked about strangers where none come in, too.
func TestDirectoryAway(t *testing.T) {
	t.Parallel()
	each(t, "", func(t *testing.T, w *world) {
		stranger := account.Attempt{Domain: account.Domain{ID: w.domains["blue"]}, Username: "nobody", Password: secret.New("pw")}
		if word, err := w.Ask(root(), stranger); err != nil || word.Silent {
			t.Errorf("without a directory: %+v, %v", word, err)
		}
		w.global()
		_, _, err := w.Link(root(), LinkIn{Domain: w.domains["red"], Kind: Unit, Name: "ou=people," + directorytest.Base, Type: auth.User})
		w.must(err)
		w.check("bob", w.login("bob", "pw-bob", "red"), "")
		w.check("bob, where nobody is linked", w.login("bob", "pw-bob", "blue"), no)
		w.shows("blue", "bob", "-")
		w.dir.Stop()
		for range 10 {
			w.check("bob", w.login("bob", "pw-bob", "red"), no)
		}
		var failures int
		w.must(w.db.Read().NewRaw("select failures from users where id = ?", w.id("red", "bob")).Scan(t.Context(), &failures))
		if failures != 0 {
			t.Errorf("bob has %d failures since the directory is away", failures)
		}
		if word, err := w.Ask(root(), stranger); err != nil || !word.Silent {
			t.Errorf("about a stranger in a domain without links: %+v, %v; want that the directory was asked", word, err)
		}
	})
}

// The groups of accounts say whose user somebody is, and who changes the group changes the account.
func TestLinkedAccounts(t *testing.T) {
	t.Parallel()
	each(t, "", func(t *testing.T, w *world) {
		w.global()
		link := func(account, group string) {
			t.Helper()
			l, _, err := w.Link(root(), LinkIn{Domain: w.domains["red"], Account: account, Kind: Group, Name: directorytest.GroupDN(group), Typed: true})
			w.must(err)
			if l.Account == "" || l.AccountName != account {
				t.Errorf("linked %+v", l)
			}
		}
		link("sellers", "sales")
		link("builders", "engineers")
		w.check("carol", w.login("carol", "pw-carol", "red"), "")
		w.shows("red", "carol", "sellers 0 ldap enabled First carol carol@example.org")
		w.check("alice, who is in the ring", w.login("alice", "pw-alice", "red"), "")
		w.set("ldap.nested.groups.enable", "false")
		w.check("alice, without nesting", w.login("alice", "pw-alice", "red"), no)
		w.shows("red", "alice", "builders 0 ldap disabled First alice alice@example.org")
		w.dir.Change(directorytest.GroupDN("sales"), "uniquemember", directorytest.DN("alice"))
		w.check("alice, of the other group", w.login("alice", "pw-alice", "red"), "")
		w.shows("red", "alice", "sellers 0 ldap enabled First alice alice@example.org")
		w.dir.Change(directorytest.GroupDN("engineers"), "uniquemember", directorytest.DN("alice"))
		w.check("alice, of both", w.login("alice", "pw-alice", "red"), no)

		_, _, err := w.Link(root(), LinkIn{Domain: w.domains["red"], Account: "others", Kind: Group, Name: directorytest.GroupDN("sales"), Typed: true})
		w.check("a group that another account has", err, fault.Conflict)
		link("sellers", "staff")
		w.check("carol, whose group is nobody's now", w.login("carol", "pw-carol", "red"), no)
		_, _, err = w.Link(root(), LinkIn{Domain: w.domains["red"], Kind: Group, Name: directorytest.GroupDN("ring"), Type: auth.User})
		w.must(err)
		w.check("dora, who only is in the domain's", w.login("dora", "pw-dora", "red"), "")
		w.shows("red", "dora", "dora 0 ldap enabled First dora dora@example.org")
		w.must(w.Unlink(root(), w.domains["red"], ""))
		w.check("dora, after its link", w.login("dora", "pw-dora", "red"), no)
		w.check("unlink what is not linked", w.Unlink(root(), w.domains["red"], ""), fault.Conflict)
	})
}

// A name that is somebody's here already is not for who comes from a directory, and who comes from one has no password here.
func TestNamesake(t *testing.T) {
	t.Parallel()
	each(t, "", func(t *testing.T, w *world) {
		w.global()
		_, _, err := w.accounts.CreateAccount(root(), account.CreateAccountIn{
			Domain: w.domains["red"], Username: "bob", Password: secret.New("own"), Type: auth.DomainAdmin,
		})
		w.must(err)
		_, _, err = w.Link(root(), LinkIn{Domain: w.domains["red"], Kind: Group, Name: directorytest.GroupDN("staff"), Type: auth.User})
		w.must(err)
		w.check("bob of the directory", w.login("bob", "pw-bob", "red"), no)
		w.check("bob of the directory, as Bob", w.login("Bob", "pw-bob", "red"), no)
		w.check("bob from here", w.login("bob", "own", "red"), "")
		w.shows("red", "bob", "bob 2 native enabled")

		w.check("alice", w.login("alice", "pw-alice", "red"), "")
		alice := w.id("red", "alice")
		w.check("a password for alice", w.accounts.UpdateUser(root(), alice, account.UserChange{Password: secret.New("own")}), fault.Conflict)
		w.check("another name for alice", w.accounts.UpdateUser(root(), alice, account.UserChange{Username: "al"}), fault.Conflict)
		w.check("no password for alice", w.login("alice", "", "red"), no)
	})
}

// Active Directory disables users by a bit.
func TestActiveDirectory(t *testing.T) {
	t.Parallel()
	each(t, directorytest.ADUser("ada", 512, "staff")+"\n"+directorytest.ADUser("eve", 514, "staff"), func(t *testing.T, w *world) {
		w.global()
		for name, value := range map[string]string{
			"ldap.provider": "microsoftad", "ldap.user.object": "user", "ldap.username.attribute": "sAMAccountName", "ldap.nested.groups.enable": "false",
			"ldap.group.object": "groupOfUniqueNames",
		} {
			w.set(name, value)
		}
		_, _, err := w.Link(root(), LinkIn{Domain: w.domains["red"], Kind: Group, Name: directorytest.GroupDN("staff"), Type: auth.DomainAdmin})
		w.must(err)
		w.check("ada", w.login("ada", "pw-ada", "red"), "")
		w.check("eve", w.login("eve", "pw-eve", "red"), no)
		w.shows("red", "eve", "-")
		w.shows("red", "ada", "ada 2 ldap enabled First ada ada@example.org")
		w.dir.Change("cn=ada,ou=people,"+directorytest.Base, "userAccountControl", "514")
		w.check("ada is disabled", w.login("ada", "pw-ada", "red"), no)
		w.shows("red", "ada", "ada 2 ldap disabled First ada ada@example.org")
		w.dir.Change("cn=ada,ou=people,"+directorytest.Base, "userAccountControl", "512")
		w.check("ada is back", w.login("ada", "pw-ada", "red"), "")
	})
}
