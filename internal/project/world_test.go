package project

import (
	"context"
	"path/filepath"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"github.com/virga-cloud/virga/internal/account"
	"github.com/virga-cloud/virga/internal/auth"
	"github.com/virga-cloud/virga/internal/db"
	"github.com/virga-cloud/virga/internal/db/dbtest"
	"github.com/virga-cloud/virga/internal/fault"
	"github.com/virga-cloud/virga/internal/limit"
	"github.com/virga-cloud/virga/internal/op"
	"github.com/virga-cloud/virga/internal/secret"
	"github.com/virga-cloud/virga/internal/setting"
	"github.com/virga-cloud/virga/uid"
)

// world is a cloud with these accounts, each with a user of the same name:
//
//	ROOT    admin
//	ROOT/a  aadmin (domain admin), ann (and her user amy), bob, cid
//	ROOT/b  eve
type world struct {
	t        *testing.T
	now      atomic.Int64
	db       *db.DB
	accounts *account.Service
	projects *Service
	settings *setting.Settings
	domains  map[string]uid.Domain
	of       map[string]uid.Account
	users    map[string]uid.User
}

func each(t *testing.T, test func(t *testing.T, w *world)) {
	t.Helper()
	dbtest.EachURL(t, func(t *testing.T, url string) {
		w := &world{t: t, domains: map[string]uid.Domain{}, of: map[string]uid.Account{}, users: map[string]uid.User{}}
		w.pass(1_700_000_000 * time.Second)
		var err error
		w.db = dbtest.OpenAt(t, url, func() time.Time { return time.UnixMicro(w.now.Load()) })
		box, err := secret.OpenBox(filepath.Join(t.TempDir(), "keys"))
		w.must(err)
		w.settings = setting.New(w.db, nil)
		w.accounts = account.New(account.Parts{
			DB: w.db, Box: box, Hasher: auth.NewHasher(auth.TestCost()), Sessions: auth.NewSessions(w.db, func() time.Duration { return time.Hour }),
			Settings: w.settings,
		})
		w.projects = New(w.db, op.NewEngine(w.db, op.Options{}), w.accounts, w.settings)
		w.accounts.LeavesWith(Leave)
		w.populate()
		test(t, w)
	})
}

func (w *world) pass(d time.Duration) { w.now.Add(d.Microseconds()) }

func (w *world) must(err error) {
	w.t.Helper()
	if err != nil {
		w.t.Fatal(err)
	}
}

func (w *world) populate() {
	w.t.Helper()
	system := auth.With(context.Background(), auth.System())
	made, err := w.accounts.Bootstrap(context.Background(), account.BootstrapIn{Password: secret.New("pw")})
	w.must(err)
	w.users["admin"] = made.User
	for _, name := range []string{"a", "b"} {
		d, err := w.accounts.CreateDomain(system, account.CreateDomainIn{Name: name, Parent: auth.System().Domain})
		w.must(err)
		w.domains[name] = d.ID
	}
	for _, a := range []struct {
		domain, name string
		kind         auth.AccountType
	}{
		{"a", "aadmin", auth.DomainAdmin}, {"a", "ann", auth.User}, {"a", "bob", auth.User}, {"a", "cid", auth.User}, {"b", "eve", auth.User},
	} {
		made, user, err := w.accounts.CreateAccount(system, account.CreateAccountIn{
			Domain: w.domains[a.domain], Username: a.name, Type: a.kind, Password: secret.New("pw"),
		})
		w.must(err)
		w.of[a.name], w.users[a.name] = made.ID, user.ID
	}
	w.users["amy"], err = w.accounts.CreateUser(system, account.CreateUserIn{
		Account: "ann", Domain: w.domains["a"], Username: "amy", Password: secret.New("pw"),
	})
	w.must(err)
}

// as is a context in which that user calls some command.
func (w *world) as(name string) context.Context { return w.using(name, "any") }

func (w *world) using(name, command string) context.Context {
	w.t.Helper()
	c, _, err := w.accounts.ByUser(context.Background(), w.users[name])
	w.must(err)
	c, err = w.projects.Reach(context.Background(), c, command)
	w.must(err)
	return auth.With(context.Background(), c)
}

// project makes one that ann's account administers.
func (w *world) project(name string) uid.Project {
	w.t.Helper()
	id, _, err := w.projects.Create(w.as("ann"), CreateIn{Name: name})
	w.must(err)
	return id
}

// in tells which of these users reach a project with a command.
func (w *world) in(id uid.Project, command string, names ...string) (in []string) {
	w.t.Helper()
	for _, name := range names {
		if slices.Contains(auth.From(w.using(name, command)).Projects, account.OfProject(id)) {
			in = append(in, name)
		}
	}
	return in
}

// counted is how many projects an account has counted against its limit.
func (w *world) counted(name string) int64 {
	w.t.Helper()
	counts, err := limit.OfAccounts(context.Background(), w.db.Read(), w.of[name])
	w.must(err)
	return counts[w.of[name]][limit.Projects].Used
}

func (w *world) set(name, value string) {
	w.t.Helper()
	_, err := w.settings.Change(auth.With(context.Background(), auth.System()), name, setting.Place{}, value)
	w.must(err)
}

// want checks an error's kind; "" is no error.
func (w *world) want(what string, err error, kind fault.Kind) {
	w.t.Helper()
	if kind == "" && err != nil || kind != "" && !fault.Is(err, kind) {
		w.t.Errorf("%s: got error %v (%s), want %q", what, err, fault.KindOf(err), kind)
	}
}

// same compares who is meant with who is.
func (w *world) same(what string, got []string, want ...string) {
	w.t.Helper()
	if !slices.Equal(got, want) {
		w.t.Errorf("%s: got %v, want %v", what, got, want)
	}
}
