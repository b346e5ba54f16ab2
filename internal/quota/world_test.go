package quota

import (
	"context"
	"path/filepath"
	"testing"
	"time"

	"github.com/virga-cloud/virga/internal/account"
	"github.com/virga-cloud/virga/internal/auth"
	"github.com/virga-cloud/virga/internal/db"
	"github.com/virga-cloud/virga/internal/db/dbtest"
	"github.com/virga-cloud/virga/internal/fault"
	"github.com/virga-cloud/virga/internal/limit"
	"github.com/virga-cloud/virga/internal/secret"
	"github.com/virga-cloud/virga/internal/setting"
	"github.com/virga-cloud/virga/uid"
)

// world is a cloud with these accounts, each with a user of the same name:
//
//	ROOT      admin, rootuser
//	ROOT/a    aadmin (domain admin), ares (resource admin), auser, auser2
//	ROOT/a/x  xadmin (domain admin), xuser
//	ROOT/ab   abuser
//	ROOT/b    buser
type world struct {
	t        *testing.T
	db       *db.DB
	accounts *account.Service
	settings *setting.Settings
	domains  map[string]account.Domain // by path
	of       map[string]uid.Account
	users    map[string]uid.User
}

func each(t *testing.T, test func(t *testing.T, w *world)) {
	t.Helper()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := &world{t: t, db: d, domains: map[string]account.Domain{}, of: map[string]uid.Account{}, users: map[string]uid.User{}}
		box, err := secret.OpenBox(filepath.Join(t.TempDir(), "keys"))
		w.must(err)
		w.settings = setting.New(d, nil)
		w.accounts = account.New(account.Parts{
			DB: d, Box: box, Hasher: auth.NewHasher(auth.TestCost()), Sessions: auth.NewSessions(d, func() time.Duration { return time.Hour }),
			Settings: w.settings,
		})
		w.populate()
		test(t, w)
	})
}

func (w *world) must(err error) {
	w.t.Helper()
	if err != nil {
		w.t.Fatal(err)
	}
}

func (w *world) system() context.Context { return auth.With(context.Background(), auth.System()) }

func (w *world) populate() {
	w.t.Helper()
	made, err := w.accounts.Bootstrap(context.Background(), account.BootstrapIn{Password: secret.New("pw-admin")})
	w.must(err)
	w.users["admin"] = made.User
	w.domains["ROOT"] = account.Domain{ID: auth.System().Domain, Path: "ROOT"}
	for _, d := range []struct{ parent, name string }{{"ROOT", "a"}, {"ROOT/a", "x"}, {"ROOT", "ab"}, {"ROOT", "b"}} {
		made, err := w.accounts.CreateDomain(w.system(), account.CreateDomainIn{Name: d.name, Parent: w.domains[d.parent].ID})
		w.must(err)
		w.domains[made.Path] = made
	}
	for _, a := range []struct {
		domain, name string
		kind         auth.AccountType
	}{
		{"ROOT", "rootuser", auth.User}, {"ROOT/a", "aadmin", auth.DomainAdmin}, {"ROOT/a", "ares", auth.ResourceAdmin},
		{"ROOT/a", "auser", auth.User}, {"ROOT/a", "auser2", auth.User}, {"ROOT/a/x", "xadmin", auth.DomainAdmin},
		{"ROOT/a/x", "xuser", auth.User}, {"ROOT/ab", "abuser", auth.User}, {"ROOT/b", "buser", auth.User},
	} {
		made, user, err := w.accounts.CreateAccount(w.system(), account.CreateAccountIn{
			Domain: w.domains[a.domain].ID, Username: a.name, Type: a.kind, Password: secret.New("pw-" + a.name),
		})
		w.must(err)
		w.of[a.name], w.users[a.name] = made.ID, user.ID
	}
}

// as is a context in which that user calls; nobody for "".
func (w *world) as(name string) context.Context {
	w.t.Helper()
	if name == "" {
		return context.Background()
	}
	c, _, err := w.accounts.ByUser(context.Background(), w.users[name])
	w.must(err)
	return auth.With(context.Background(), c)
}

func (w *world) take(name string, use limit.Use) error {
	return w.db.Write(context.Background(), func(ctx context.Context, tx db.Tx) error { return account.Take(ctx, tx, w.of[name], use) })
}

// want checks an error's kind; "" is no error.
func want(t *testing.T, what string, err error, kind fault.Kind) {
	t.Helper()
	if kind == "" && err != nil || kind != "" && !fault.Is(err, kind) {
		t.Errorf("%s: got error %v (%s), want %q", what, err, fault.KindOf(err), kind)
	}
}
