package ldap

import (
	"context"
	"fmt"
	"log/slog"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/virga-cloud/virga/internal/account"
	"github.com/virga-cloud/virga/internal/auth"
	"github.com/virga-cloud/virga/internal/db"
	"github.com/virga-cloud/virga/internal/db/dbtest"
	"github.com/virga-cloud/virga/internal/directory/directorytest"
	"github.com/virga-cloud/virga/internal/fault"
	"github.com/virga-cloud/virga/internal/secret"
	"github.com/virga-cloud/virga/internal/setting"
	"github.com/virga-cloud/virga/uid"
)

// world is a cloud with the domains red and blue, each with an admin of its name and "-admin", beside a directory.
type world struct {
	*Service
	t        *testing.T
	dir      *directorytest.Server
	accounts *account.Service
	settings *setting.Settings
	domains  map[string]uid.Domain // by name
	users    map[string]uid.User
	now      atomic.Int64
}

func each(t *testing.T, more string, test func(t *testing.T, w *world)) {
	t.Helper()
	dbtest.EachURL(t, func(t *testing.T, url string) {
		w := &world{t: t, dir: directorytest.Start(t, more), domains: map[string]uid.Domain{}, users: map[string]uid.User{}}
		w.now.Store(1_700_000_000_000_000)
		d := dbtest.OpenAt(t, url, func() time.Time { return time.UnixMicro(w.now.Load()) })
		box, err := secret.OpenBox(filepath.Join(t.TempDir(), "keys"))
		w.must(err)
		w.settings = setting.New(d, nil)
		w.settings.SealWith(box)
		w.settings.Know(setting.OfDomain, func(ctx context.Context, q db.Tx, id string) (bool, error) { return db.Exists(ctx, q, "domains", id) })
		w.accounts = account.New(account.Parts{
			DB: d, Box: box, Hasher: auth.NewHasher(auth.TestCost()), Sessions: auth.NewSessions(d, func() time.Duration { return time.Hour }),
			Settings: w.settings,
		})
		w.Service = New(d, w.accounts, w.settings, slog.New(slog.NewTextHandler(t.Output(), nil)))
		w.accounts.AskOutside(auth.LDAP, w.Service)
		w.populate()
		test(t, w)
	})
}

func (w *world) populate() {
	made, err := w.accounts.Bootstrap(context.Background(), account.BootstrapIn{Password: secret.New("pw-admin")})
	w.must(err)
	w.users["admin"], w.domains["ROOT"] = made.User, auth.System().Domain
	for _, name := range []string{"red", "blue"} {
		d, err := w.accounts.CreateDomain(root(), account.CreateDomainIn{Name: name})
		w.must(err)
		w.domains[name] = d.ID
		_, u, err := w.accounts.CreateAccount(root(), account.CreateAccountIn{
			Domain: d.ID, Username: name + "-admin", Type: auth.DomainAdmin, Password: secret.New("pw"),
		})
		w.must(err)
		w.users[name+"-admin"] = u.ID
	}
}

// global makes the directory the whole cloud's.
func (w *world) global() {
	w.t.Helper()
	w.must(w.Configure(root(), Context{
		Hostname: "127.0.0.1", Port: w.dir.Port, SearchBase: directorytest.Base, BindDN: directorytest.Admin,
		BindPassword: secret.New(directorytest.Password),
	}))
	w.set("ldap.request.page.size", "3")
	w.set("ldap.read.timeout", "30000")
}

func (w *world) set(name, value string) {
	w.t.Helper()
	_, err := w.settings.Change(root(), name, setting.Place{}, value)
	w.must(err)
}

func root() context.Context { return auth.With(context.Background(), auth.System()) }

func (w *world) as(name string) context.Context {
	w.t.Helper()
	c, _, err := w.accounts.ByUser(context.Background(), w.users[name])
	w.must(err)
	return auth.With(context.Background(), c)
}

func (w *world) must(err error) {
	w.t.Helper()
	if err != nil {
		w.t.Fatal(err)
	}
}

func (w *world) login(name, password, domain string) error {
	w.t.Helper()
	_, _, err := w.accounts.Login(context.Background(), name, secret.New(password), domain)
	return err
}

// user shows a user as "account type source state first last mail", or "-".
func (w *world) user(domain, name string) string {
	w.t.Helper()
	u, err := account.UserNamed(context.Background(), w.db.Read(), w.domains[domain], name)
	if db.IsNone(err) {
		return "-"
	}
	w.must(err)
	return strings.TrimSpace(fmt.Sprint(u.AccountName, " ", u.AccountType, " ", u.Source, " ", u.State, " ", u.Firstname, " ", u.Email))
}

func (w *world) id(domain, name string) uid.User {
	w.t.Helper()
	u, err := account.UserNamed(context.Background(), w.db.Read(), w.domains[domain], name)
	w.must(err)
	return u.ID
}

// events counts them.
func (w *world) events() int {
	w.t.Helper()
	n, err := w.db.Read().NewSelect().Table("events").Count(context.Background())
	w.must(err)
	return int(n)
}

// check checks an error's kind; "" is no error.
func (w *world) check(what string, err error, kind fault.Kind) {
	w.t.Helper()
	if kind == "" && err != nil || kind != "" && !fault.Is(err, kind) {
		w.t.Errorf("%s: got error %v (%s), want %q", what, err, fault.KindOf(err), kind)
	}
}

func (w *world) shows(domain, name, want string) {
	w.t.Helper()
	if got := w.user(domain, name); got != want {
		w.t.Errorf("user %s of %s is %q, want %q", name, domain, got, want)
	}
}
