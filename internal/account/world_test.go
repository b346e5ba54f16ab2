package account

import (
	"context"
	"path/filepath"
	"sync/atomic"
	"testing"
	"time"

	"github.com/virga-cloud/virga/internal/auth"
	"github.com/virga-cloud/virga/internal/db"
	"github.com/virga-cloud/virga/internal/db/dbtest"
	"github.com/virga-cloud/virga/internal/fault"
	"github.com/virga-cloud/virga/internal/secret"
	"github.com/virga-cloud/virga/internal/setting"
	"github.com/virga-cloud/virga/uid"
)

// world is a bootstrapped cloud with these accounts, each with one user of the same name and the password "pw-" + name:
//
//	ROOT      admin, rootuser
//	ROOT/a    aadmin (domain admin), ares (resource admin), auser, auser2
//	ROOT/a/x  xadmin (domain admin), xuser
//	ROOT/A    Auser     a sibling whose path differs in case only
//	ROOT/ab   abuser    a sibling whose path begins like a's
//	ROOT/b    badmin (domain admin), buser
type world struct {
	*Service
	t        *testing.T
	url      string
	now      atomic.Int64
	domains  map[string]Domain // by path
	accounts map[string]Account
	users    map[string]User
}

func each(t *testing.T, test func(t *testing.T, w *world)) {
	t.Helper()
	dbtest.EachURL(t, func(t *testing.T, url string) {
		w := &world{t: t, url: url, domains: map[string]Domain{}, accounts: map[string]Account{}, users: map[string]User{}}
		w.pass(1_700_000_000 * time.Second)
		d := dbtest.OpenAt(t, url, w.clock)
		box, err := secret.OpenBox(filepath.Join(t.TempDir(), "keys"))
		if err != nil {
			t.Fatal(err)
		}
		w.Service = New(Parts{
			DB: d, Box: box, Hasher: auth.NewHasher(auth.TestCost()), Sessions: auth.NewSessions(d, func() time.Duration { return time.Hour }),
			Settings: setting.New(d, nil),
		})
		w.populate()
		test(t, w)
	})
}

func (w *world) clock() time.Time        { return time.UnixMicro(w.now.Load()) }
func (w *world) pass(d time.Duration)    { w.now.Add(d.Microseconds()) }
func (w *world) system() context.Context { return auth.With(context.Background(), auth.System()) }

func (w *world) populate() {
	w.t.Helper()
	made, err := w.Bootstrap(context.Background(), BootstrapIn{Password: secret.New("pw-admin")})
	if err != nil || !made.Created {
		w.t.Fatalf("bootstrap: %+v, %v", made, err)
	}
	root, err := domainByID(w.system(), w.db.Read(), auth.System().Domain)
	if err != nil {
		w.t.Fatal(err)
	}
	w.domains[Root] = root
	_, admin, err := w.ByUser(w.system(), made.User)
	if err != nil {
		w.t.Fatal(err)
	}
	w.users["admin"], w.accounts["admin"] = admin, Account{ID: admin.Account, Domain: root.ID, Name: "admin"}
	for _, d := range []struct{ parent, name string }{
		{"ROOT", "a"}, {"ROOT/a", "x"}, {"ROOT", "A"}, {"ROOT", "ab"}, {"ROOT", "b"},
	} {
		made, err := w.CreateDomain(w.system(), CreateDomainIn{Name: d.name, Parent: w.domains[d.parent].ID})
		if err != nil {
			w.t.Fatal(err)
		}
		w.domains[made.Path] = made
	}
	for _, a := range []struct {
		domain, name string
		kind         auth.AccountType
	}{
		{"ROOT", "rootuser", auth.User},
		{"ROOT/a", "aadmin", auth.DomainAdmin}, {"ROOT/a", "ares", auth.ResourceAdmin},
		{"ROOT/a", "auser", auth.User}, {"ROOT/a", "auser2", auth.User},
		{"ROOT/a/x", "xadmin", auth.DomainAdmin}, {"ROOT/a/x", "xuser", auth.User},
		{"ROOT/A", "Auser", auth.User}, {"ROOT/ab", "abuser", auth.User},
		{"ROOT/b", "badmin", auth.DomainAdmin}, {"ROOT/b", "buser", auth.User},
	} {
		w.account(a.domain, a.name, a.kind)
	}
}

func (w *world) account(domain, name string, kind auth.AccountType) {
	w.t.Helper()
	a, u, err := w.CreateAccount(w.system(), CreateAccountIn{
		Domain: w.domains[domain].ID, Username: name, Type: kind, Password: secret.New("pw-" + name), Lastname: "of " + domain,
	})
	if err != nil {
		w.t.Fatal(err)
	}
	w.accounts[name], w.users[name] = a, u
}

// as is a context in which that user calls; nobody for "".
func (w *world) as(name string) context.Context {
	w.t.Helper()
	if name == "" {
		return context.Background()
	}
	c, _, err := w.ByUser(context.Background(), w.users[name].ID)
	if err != nil {
		w.t.Fatalf("user %s: %v", name, err)
	}
	return auth.With(context.Background(), c)
}

func (w *world) write(query string, args ...any) {
	w.t.Helper()
	err := w.db.Write(context.Background(), func(ctx context.Context, tx db.Tx) error {
		_, err := tx.NewRaw(query, args...).Exec(ctx)
		return err
	})
	if err != nil {
		w.t.Fatal(err)
	}
}

// secondUser puts another user into an account.
func (w *world) secondUser(account, name string) {
	w.t.Helper()
	a := w.accounts[account]
	u := User{ID: uid.New[uid.User](), Account: a.ID, Domain: a.Domain, Username: name, State: Enabled, Created: w.db.Now()}
	err := w.db.Write(context.Background(), func(ctx context.Context, tx db.Tx) error { return insertUser(ctx, tx, u, "") })
	if err != nil {
		w.t.Fatal(err)
	}
	w.users[name] = u
}

// want checks an error's kind; "" is no error.
func want(t *testing.T, what string, err error, kind fault.Kind) {
	t.Helper()
	if kind == "" && err != nil || kind != "" && !fault.Is(err, kind) {
		t.Errorf("%s: got error %v (%s), want %q", what, err, fault.KindOf(err), kind)
	}
}
