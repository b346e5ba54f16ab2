package cloudtest_test

import (
	"context"
	"fmt"
	"maps"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/virga-cloud/virga/api"
	"github.com/virga-cloud/virga/internal/account"
	"github.com/virga-cloud/virga/internal/alert"
	"github.com/virga-cloud/virga/internal/auth"
	"github.com/virga-cloud/virga/internal/cloud"
	"github.com/virga-cloud/virga/internal/cloudtest"
	"github.com/virga-cloud/virga/internal/db"
	"github.com/virga-cloud/virga/internal/op"
	"github.com/virga-cloud/virga/internal/secret"
	"github.com/virga-cloud/virga/uid"
)

// The tenants of the matrix. Each has something of every kind, and every name of it begins with the tenant's; crimson is a project.
//
//	ROOT                    ochre (the cloud's own), the root admin
//	ROOT/red-domain         red (two users: red-user, red-mate), mauve (mauve-user, mauve-mate, mauve-former), a domain admin, a resource
//	                        domain admin; crimson, a project of red's, whose member is mauve-mate, and was mauve-former
//	ROOT/red-domain/under-domain  under, a domain admin
//	ROOT/blue-domain        blue, a domain admin
var matrixTenants = []string{"red", "crimson", "mauve", "under", "blue", "ochre"}

// person is somebody who calls.
type person struct {
	what    string // in words
	kind    auth.AccountType
	user    uid.User
	name    string
	account uid.Account
	domain  uid.Domain
	path    string
	home    string // the tenant whose things are its own, for whatever else a command must be told
	keys    account.Keys
	joined  []uid.Project // of others, in which it is a member and no more

}

func (p person) root() bool { return p.kind == auth.RootAdmin }

func (p person) admin() bool { return p.kind != auth.User }

func (p person) role() api.Role {
	return map[auth.AccountType]api.Role{
		auth.User: api.User, auth.RootAdmin: api.RootAdmin, auth.DomainAdmin: api.DomainAdmin, auth.ResourceAdmin: api.ResourceAdmin,
	}[p.kind]
}

// thing is a row that an id names.
type thing struct {
	ID      string
	Kind    string `bun:"-"`
	Account uid.Account
	Domain  uid.Domain
	User    uid.User // of the person that it is, or whose it is
	Public  bool
	Name    string
	project uid.Project // that it belongs to; its account is then that which administers the project
	tenant  string
	path    string
	of      auth.AccountType // its account's
}

// matrixWorld is what all clouds of the matrix begin with.
type matrixWorld struct {
	c          *cloudtest.Cloud
	file       string
	box, basic cloudtest.Sandbox
	people     []person
	things     map[string]thing    // by id
	of         map[string][]string // ids by kind, in the order of their making
	owned      map[string]string   // tables with owners, and their columns
	accounts   map[string]uid.Account
	projects   map[string]uid.Project // by tenant
}

// newMatrixWorld makes the tenants with a cloud that works, and keeps what it has made.
func newMatrixWorld(t *testing.T, c *cloudtest.Cloud) *matrixWorld {
	t.Helper()
	w := &matrixWorld{c: c, box: c.Sandbox(t), basic: c.Basic(t), accounts: map[string]uid.Account{}, projects: map[string]uid.Project{}}
	red := newEstate(t, c, w.box, "red")
	ctx := auth.With(t.Context(), auth.System())
	_, err := c.Accounts.CreateDomain(ctx, account.CreateDomainIn{Name: "under-domain", Parent: red.domain})
	must(t, err)
	under, blue := newEstate(t, c, w.box, "under"), newEstate(t, c, w.box, "blue")
	mauve, _ := c.Tenant(t, "red-domain", "mauve-user", auth.User)
	furnishTenant(t, c, mauve, w.box, "mauve", "mauve-user")
	furnishTenant(t, c, c.Client, w.box, "ochre", "admin")
	c.Tenant(t, "red-domain", "red-resource", auth.ResourceAdmin)
	for _, more := range []struct{ account, name string }{{"red-user", "red-mate"}, {"mauve-user", "mauve-mate"}, {"mauve-user", "mauve-former"}} {
		id, err := c.Accounts.CreateUser(ctx, account.CreateUserIn{
			Account: more.account, Domain: red.domain, Username: more.name, Password: secret.New(cloudtest.Password), Firstname: "f", Lastname: "l",
		})
		must(t, err)
		_, err = c.Accounts.RegisterKeys(ctx, id)
		must(t, err)
	}
	call := caller(t)
	for tenant, by := range map[string]*api.Client{"red": red.user, "mauve": mauve, "under": under.user, "blue": blue.user, "ochre": c.Client} {
		call(by, "deployVirtualMachine", api.Params{"name": tenant + "-grouped", "zoneid": string(w.basic.Zone), "templateid": string(w.basic.Template),
			"serviceofferingid": string(w.basic.Small), "startvm": "false"})
		call(by, "stopVirtualMachine", api.Params{"id": firstID(t, by, "listVirtualMachines"), "forced": "true"})
	}
	for name, value := range map[string]string{"api.throttling.enabled": "true", "api.throttling.max": "1000000000", "allow.user.expunge.recover.vm": "true"} {
		call(c.Client, "updateConfiguration", api.Params{"name": name, "value": value})
	}
	directories(t, c, "")
	call(c.Client, "createAgentToken", api.Params{})
	call(c.Client, "registerOauthProvider", api.Params{"provider": "google", "description": "Google", "clientid": "c", "secretkey": "s",
		"redirecturi": "https://cloud.example.org/"})
	call(c.Client, "importRole", api.Params{"name": "ochre-role", "type": "User", "rules[0].rule": "list*", "rules[0].permission": "allow", "ispublic": "false"})
	call(c.Client, "createVlanIpRange", api.Params{"zoneid": string(w.box.Zone), "forvirtualnetwork": "true", "vlan": "51", "gateway": "198.51.100.1",
		"netmask": "255.255.255.0", "startip": "198.51.100.10", "endip": "198.51.100.12", "account": red.account(), "domainid": string(red.domain)})
	must(t, c.DB.Write(t.Context(), func(ctx context.Context, tx db.Tx) error {
		return alert.Raise(ctx, tx, alert.Host, "ochre-host", "host %s is away", "ochre-host")
	}))
	for tenant, by := range map[string]*api.Client{"red": red.user, "mauve": mauve, "under": under.user, "blue": blue.user, "ochre": c.Client} {
		projectFor(t, c, by, tenant, map[string]string{"mauve": "red-admin", "ochre": "admin"}[tenant]+map[string]string{"red": "red-admin",
			"under": "under-admin", "blue": "blue-admin"}[tenant])
	}
	w.join(t, red)
	waitForJobs(t, c)
	w.survey(t)
	w.gather(t)
	c.Close() // so that nothing is at work any more
	w.file = filepath.Join(t.TempDir(), "matrix.db")
	_, err = c.DB.Read().ExecContext(t.Context(), "vacuum into ?", w.file)
	must(t, err)
	return w
}

// join makes a project of red's with things of its own, which a user of mauve's belongs to; another one did.
func (w *matrixWorld) join(t *testing.T, red *estate) {
	t.Helper()
	call, client := caller(t), w.c.Client
	id := projectFor(t, w.c, red.user, "crimson", "red-admin")
	call(client, "updateConfiguration", api.Params{"name": "project.invite.required", "value": "false"})
	for _, name := range []string{"mauve-mate", "mauve-former"} {
		call(red.user, "addUserToProject", api.Params{"projectid": id, "username": name})
	}
	call(client, "updateConfiguration", api.Params{"name": "project.invite.required", "value": "true"})
	var former string
	must(t, w.c.DB.Read().NewRaw("select id from users where username = 'mauve-former'").Scan(t.Context(), &former))
	call(red.user, "deleteUserFromProject", api.Params{"projectid": id, "userid": former})
	furnishFor(t, w.c, red.user, w.box, "crimson", id, func(item map[string]any) bool { return item["projectid"] == id })
}

// survey reads whose everything is.
func (w *matrixWorld) survey(t *testing.T) {
	t.Helper()
	q := w.c.DB.Read()
	var domains []struct{ ID, Path string }
	must(t, q.NewRaw("select id, path from domains").Scan(t.Context(), &domains))
	paths := map[uid.Domain]string{}
	for _, d := range domains {
		paths[uid.Domain(d.ID)] = d.Path
	}
	var accounts []struct {
		ID, Name string
		Type     auth.AccountType
	}
	must(t, q.NewRaw("select id, name, type from accounts").Scan(t.Context(), &accounts))
	types, tenants := map[uid.Account]auth.AccountType{}, map[uid.Account]string{}
	for _, a := range accounts {
		w.accounts[a.Name] = uid.Account(a.ID)
		types[uid.Account(a.ID)], tenants[uid.Account(a.ID)] = a.Type, strings.TrimSuffix(a.Name, "-user")
	}
	tenants[w.accounts["admin"]] = "ochre"
	w.owned = map[string]string{}
	var owned []struct{ Name, Columns string }
	must(t, q.NewRaw(`select m.name, group_concat(c.name) as columns from sqlite_master m join pragma_table_info(m.name) c
		where m.type = 'table' and c.name in ('account_id', 'domain_id', 'user_id') group by m.name`).Scan(t.Context(), &owned))
	for _, o := range owned {
		w.owned[o.Name] = o.Columns
	}
	// What belongs to a project is, for who administers it, as if it were theirs: each tenant has one, and crimson is one.
	var projects []struct {
		Project uid.Project
		Member  uid.Account
		Name    string
	}
	must(t, q.NewRaw(`select p.id as project, m.account_id as member, a.name from projects p join accounts a on a.id = p.account_id
		join project_members m on m.project_id = p.id and m.admin`).Scan(t.Context(), &projects))
	member := map[uid.Project]uid.Account{}
	for _, p := range projects {
		member[p.Project] = p.Member
		tenants[account.OfProject(p.Project)] = strings.TrimSuffix(p.Name, "-project")
		w.projects[tenants[account.OfProject(p.Project)]] = p.Project
	}
	w.things, w.of = map[string]thing{}, map[string][]string{}
	for kind, query := range kindsOfThings {
		var rows []thing
		if query == "" {
			continue // there is none yet
		}
		must(t, q.NewRaw(query).Scan(t.Context(), &rows))
		for _, r := range rows {
			r.Kind, r.path, r.of, r.tenant = kind, paths[r.Domain], types[r.Account], tenants[r.Account]
			if of, is := member[uid.Project(r.Account)]; is {
				r.project, r.Account, r.of = uid.Project(r.Account), of, types[of]
			}
			if r.tenant == "" && r.path != "" {
				r.tenant = strings.TrimSuffix(r.path[strings.LastIndex(r.path, "/")+1:], "-domain")
			}
			w.things[r.ID] = r
			w.of[kind] = append(w.of[kind], r.ID)
		}
		slices.Sort(w.of[kind])
	}
}

// gather finds the callers.
func (w *matrixWorld) gather(t *testing.T) {
	t.Helper()
	for _, p := range []person{
		{what: "user", name: "red-user", home: "red"}, {what: "other user of the account", name: "red-mate", home: "red"},
		{what: "user of another account", name: "mauve-user", home: "mauve"}, {what: "domain admin", name: "red-admin", home: "red"},
		{what: "member of another's project", name: "mauve-mate", home: "mauve", joined: []uid.Project{w.projects["crimson"]}},
		{what: "ex-member of it", name: "mauve-former", home: "mauve"},
		{what: "admin of a domain below", name: "under-admin", home: "under"}, {what: "resource domain admin", name: "red-resource", home: "red"},
		{what: "admin of another domain", name: "blue-admin", home: "blue"}, {what: "root admin", name: "admin", home: "ochre"},
	} {
		users, _, err := w.c.Accounts.Users(auth.With(t.Context(), auth.System()), account.UserFilter{Scope: auth.Scope{All: true}, Username: p.name})
		must(t, err)
		if len(users) != 1 {
			t.Fatalf("%d users are called %s", len(users), p.name)
		}
		u := users[0]
		p.user, p.account, p.domain, p.path, p.kind = u.ID, u.Account, u.Domain, u.DomainPath, u.AccountType
		p.keys, err = w.c.Accounts.Keys(auth.With(t.Context(), auth.System()), u.ID)
		must(t, err)
		w.people = append(w.people, p)
	}
}

// example is a thing of a kind that belongs to a tenant, "" where there is none.
func (w *matrixWorld) example(kind, tenant string) string {
	for _, id := range w.of[kind] {
		if x := w.things[id]; x.tenant == tenant && !x.Public {
			return id
		}
	}
	return ""
}

// shard is one of the clouds in which the matrix is tried. It does no work: jobs are accepted and go no further, so that nothing changes
// but by calls, and each call's changes are undone.
type shard struct {
	*matrixWorld
	cloud    *cloud.Cloud
	handler  http.Handler
	db       *db.DB
	sessions map[uid.User][2]signedIn // one that is open, and one that has ended

	commands, cases, changes, allowed, sent int
	patient                                 bool // the next request may wait
}

type signedIn struct{ cookie, key secret.String }

func (w *matrixWorld) shard(t *testing.T, name string) *shard {
	t.Helper()
	content, err := os.ReadFile(w.file)
	must(t, err)
	path := filepath.Join(t.TempDir(), "virga.db")
	must(t, os.WriteFile(path, content, 0o600))
	d, err := db.Open(t.Context(), path, db.Options{Clock: time.Now, NoSync: true, SkipMigrations: true})
	must(t, err)
	t.Cleanup(d.Close)
	s := &shard{matrixWorld: w, db: d, cloud: w.c.Another(d, w.c.World, op.Options{Name: name}), sessions: map[uid.User][2]signedIn{}}
	for _, p := range w.people {
		var both [2]signedIn
		for i := range both {
			both[i].cookie, both[i].key, err = s.cloud.Sessions.Open(t.Context(), p.user)
			must(t, err)
		}
		must(t, s.cloud.Sessions.Close(t.Context(), both[1].cookie))
		s.sessions[p.user] = both
	}
	must(t, s.cloud.Settings.Load(t.Context()))
	must(t, s.cloud.Roles.Load(t.Context()))
	s.handler = s.cloud.Handler()
	s.watch(t)
	return s
}

// watch writes down each change of a row, and how to undo it.
func (s *shard) watch(t *testing.T) {
	t.Helper()
	var tables []string
	must(t, s.db.Read().NewRaw("select name from sqlite_master where type = 'table' and name not like 'sqlite%' and name <> 'counters'").
		Scan(t.Context(), &tables))
	statements := []string{"create table matrix_changes (seq integer primary key, what text not null, undo text not null)"}
	for _, table := range tables {
		var columns []string
		must(t, s.db.Read().NewRaw("select name from pragma_table_info(?)", table).Scan(t.Context(), &columns))
		var old, set []string
		for _, c := range columns {
			old = append(old, fmt.Sprintf(`quote(old."%s")`, c))
			set = append(set, fmt.Sprintf(`'"%s" = ' || quote(old."%s")`, c, c))
		}
		names := `"` + strings.Join(columns, `", "`) + `"`
		for deed, undo := range map[string]string{
			"insert": fmt.Sprintf(`'delete from "%s" where rowid = ' || new.rowid`, table),
			"update": fmt.Sprintf(`'update "%s" set ' || %s || ' where rowid = ' || new.rowid`, table, strings.Join(set, ` || ', ' || `)),
			"delete": fmt.Sprintf(`'insert into "%s" (rowid, %s) values (' || old.rowid || ', ' || %s || ')'`, table, names, strings.Join(old, ` || ', ' || `)),
		} {
			statements = append(statements, fmt.Sprintf(`create trigger "matrix_%s_%s" after %s on "%s" begin
				insert into matrix_changes (what, undo) values ('%s %s', %s); end`, deed, table, deed, table, deed, table, undo))
		}
	}
	must(t, s.db.Write(t.Context(), func(ctx context.Context, tx db.Tx) error {
		for _, statement := range statements {
			if _, err := tx.ExecContext(ctx, statement); err != nil {
				return fmt.Errorf("%s: %w", statement, err)
			}
		}
		return nil
	}))
}

// undo takes back what has changed since it was called the last time, and tells what that was.
func (s *shard) undo(t *testing.T) (changed []string) {
	t.Helper()
	var rows []struct{ What, Undo string }
	must(t, s.db.Read().NewRaw("select what, undo from matrix_changes order by seq desc").Scan(t.Context(), &rows))
	if len(rows) == 0 {
		return nil
	}
	must(t, s.db.Write(t.Context(), func(ctx context.Context, tx db.Tx) error {
		for _, r := range rows {
			if _, err := tx.ExecContext(ctx, r.Undo); err != nil {
				return fmt.Errorf("%s: %w", r.Undo, err)
			}
		}
		_, err := tx.ExecContext(ctx, "delete from matrix_changes")
		return err
	}))
	tables := map[string]bool{}
	for _, r := range rows {
		tables[r.What] = true
		switch _, table, _ := strings.Cut(r.What, " "); table {
		case "roles", "role_permissions":
			must(t, s.cloud.Roles.Load(t.Context()))
		case "settings":
			must(t, s.cloud.Settings.Load(t.Context()))
		}
	}
	return slices.Sorted(maps.Keys(tables))
}
