package cloudstack

import (
	"bytes"
	"context"
	"errors"
	"io"
	"log/slog"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/virga-cloud/virga/api"
	cs "github.com/virga-cloud/virga/api/cloudstack"
	"github.com/virga-cloud/virga/internal/account"
	"github.com/virga-cloud/virga/internal/apilimit"
	"github.com/virga-cloud/virga/internal/auth"
	"github.com/virga-cloud/virga/internal/closing"
	"github.com/virga-cloud/virga/internal/console"
	"github.com/virga-cloud/virga/internal/db"
	"github.com/virga-cloud/virga/internal/db/dbtest"
	"github.com/virga-cloud/virga/internal/document"
	"github.com/virga-cloud/virga/internal/facade/cloudstack/front"
	"github.com/virga-cloud/virga/internal/fault"
	"github.com/virga-cloud/virga/internal/oidc"
	"github.com/virga-cloud/virga/internal/op"
	"github.com/virga-cloud/virga/internal/project"
	"github.com/virga-cloud/virga/internal/role"
	"github.com/virga-cloud/virga/internal/saml"
	"github.com/virga-cloud/virga/internal/secgroup"
	"github.com/virga-cloud/virga/internal/secret"
	"github.com/virga-cloud/virga/internal/setting"
	"github.com/virga-cloud/virga/internal/zone"
	"github.com/virga-cloud/virga/uid"
)

// cloud is a facade over real services, with some tenants, behind a real HTTP server.
type cloud struct {
	t        *testing.T
	db       *db.DB
	clock    *clock
	accounts *account.Service
	facade   *Facade
	server   *httptest.Server
	log      *buffer
	runner   *op.Runner[toil]
	work     work

	tenants map[string]tenant
}

// tenant is a user with keys.
type tenant struct {
	auth.Caller
	keys account.Keys
}

const password = "canary-Pa55word"

// clock tells the true time, moved.
type clock struct {
	mu     sync.Mutex
	moved  time.Duration
	stands time.Time // zero: it goes
}

func (c *clock) now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.stands.IsZero() {
		return c.stands.Add(c.moved)
	}
	return time.Now().Add(c.moved)
}

// stand stops the clock: time passes by forward alone, however slow the machine is.
func (c *clock) stand() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.stands = time.Now()
}

func (c *clock) forward(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.moved += d
}

type buffer struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (b *buffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.Write(p)
}

func (b *buffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.String()
}

func newCloud(t *testing.T) *cloud { return newCloudAt(t, dbtest.SQLite(t), front.Options{}) }

// eachCloud runs a test on both databases.
func eachCloud(t *testing.T, test func(t *testing.T, c *cloud)) {
	dbtest.EachURL(t, func(t *testing.T, url string) { test(t, newCloudAt(t, url, front.Options{})) })
}

func newCloudAt(t *testing.T, url string, o front.Options) *cloud {
	t.Helper()
	c := &cloud{t: t, clock: &clock{}, log: &buffer{}, tenants: map[string]tenant{}, work: work{open: make(chan struct{})}}
	d := dbtest.OpenAt(t, url, c.clock.now)
	c.db = d
	box, err := secret.OpenBox(filepath.Join(t.TempDir(), "keys"))
	c.must(err)
	settings := setting.New(d, nil)
	settings.Know(setting.OfDomain, func(ctx context.Context, q db.Tx, id string) (bool, error) { return db.Exists(ctx, q, "domains", id) })
	sessions := auth.NewSessions(d, func() time.Duration { return setting.SessionTimeout.Of(settings) })
	all := append([]api.Command{testFail, testList, testJob}, cs.All...)
	roles := role.New(d, commandsOf(all...))
	roles.UsedBy(account.CountOfRole)
	c.accounts = account.New(account.Parts{
		DB: d, Box: box, Hasher: auth.NewHasher(auth.TestCost()), Sessions: sessions, Settings: settings, Roles: roles,
	})
	engine := op.NewEngine(d, op.Options{Poll: 5 * time.Millisecond, Pause: time.Millisecond})
	c.runner = op.Register(engine, c.work.plan())
	projects := project.New(d, engine, c.accounts, settings)
	groups := secgroup.New(secgroup.Parts{DB: d, Accounts: c.accounts, Engine: engine, Documents: document.New(d, nil)})
	closed := closing.New(closing.Parts{DB: d, Engine: engine, Accounts: c.accounts, Projects: projects})
	stop, err := engine.Start(t.Context())
	c.must(err)
	t.Cleanup(stop)

	o.Log = slog.New(slog.NewTextHandler(c.log, &slog.HandlerOptions{Level: slog.LevelDebug}))
	c.facade = newFacade(Services{DB: d, Engine: engine, Settings: settings, Accounts: c.accounts, Closing: closed, Projects: projects, Groups: groups, Sessions: sessions, Roles: roles, Zones: zone.New(d, settings), Console: console.New(console.Parts{DB: d}),
		Limits: apilimit.New(d, settings, op.Servers), OIDC: oidc.New(d, box, settings, c.accounts),
		SAML: saml.New(saml.Parts{DB: d, Box: box, Settings: settings, Accounts: c.accounts, Sessions: sessions})}, o, all...)
	c.addTestCommands()
	c.people()
	c.server = httptest.NewServer(c.facade.Handler())
	t.Cleanup(c.server.Close)
	return c
}

func (c *cloud) must(err error) {
	c.t.Helper()
	if err != nil {
		c.t.Fatal(err)
	}
}

// people makes a root admin, two domains with an admin and a user each, and a resource admin.
func (c *cloud) people() {
	admin, err := c.accounts.Bootstrap(c.t.Context(), account.BootstrapIn{Password: secret.New(password), Keys: true})
	c.must(err)
	caller, _, err := c.accounts.ByUser(c.t.Context(), admin.User)
	c.must(err)
	c.tenants["root"] = tenant{caller, admin.Keys}
	ctx := auth.With(c.t.Context(), caller)
	for _, name := range []string{"red", "blue"} {
		d, err := c.accounts.CreateDomain(ctx, account.CreateDomainIn{Name: name})
		c.must(err)
		c.addTenant(ctx, name+"-admin", d.ID, auth.DomainAdmin)
		c.addTenant(ctx, name+"-user", d.ID, auth.User)
	}
	c.addTenant(ctx, "resource-admin", "", auth.ResourceAdmin)
}

func (c *cloud) addTenant(ctx context.Context, name string, in uid.Domain, kind auth.AccountType) {
	_, u, err := c.accounts.CreateAccount(ctx, account.CreateAccountIn{
		Name: name, Domain: in, Type: kind, Username: name, Password: secret.New(password), Firstname: "Ada", Lastname: "<&>",
		Timezone: "Asia/Kolkata",
	})
	c.must(err)
	keys, err := c.accounts.RegisterKeys(ctx, u.ID)
	c.must(err)
	caller, _, err := c.accounts.ByUser(ctx, u.ID)
	c.must(err)
	c.tenants[name] = tenant{caller, keys}
}

// reply is what came back.
type reply struct {
	status int
	header http.Header
	body   string
}

func (c *cloud) do(r *http.Request) reply {
	c.t.Helper()
	resp, err := http.DefaultTransport.RoundTrip(r) // no redirects, no cookies of its own
	c.must(err)
	defer func() { _ = resp.Body.Close() }()
	body, err := io.ReadAll(resp.Body)
	c.must(err)
	return reply{resp.StatusCode, resp.Header, string(body)}
}

func (c *cloud) request(method, pathAndQuery, form string) *http.Request {
	c.t.Helper()
	r, err := http.NewRequestWithContext(c.t.Context(), method, c.server.URL+pathAndQuery, strings.NewReader(form))
	c.must(err)
	if form != "" {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	return r
}

// get asks with a query as it stands.
func (c *cloud) get(query string) reply {
	c.t.Helper()
	return c.do(c.request("GET", "/client/api?"+query, ""))
}

// as asks with a tenant's keys, for JSON unless told otherwise.
func (c *cloud) as(who, command string, params ...string) reply {
	c.t.Helper()
	return c.get(c.signed(who, command, params...))
}

func (c *cloud) signed(who, command string, params ...string) string {
	keys := c.tenants[who].keys
	p := api.Params{"command": command, "response": "json", "apiKey": keys.APIKey}
	for _, pair := range params {
		name, value, _ := strings.Cut(pair, "=")
		p[name] = value
	}
	p["signature"] = api.Sign(p, keys.Secret.Reveal())
	return encode(p)
}

func encode(p map[string]string) string {
	q := url.Values{}
	for name := range maps.Keys(p) {
		q.Set(name, p[name])
	}
	return q.Encode()
}

// answer is a reply to a known command that must be a success and of the declared shape.
func (c *cloud) answer(who string, command api.Command, params ...string) reply {
	c.t.Helper()
	r := c.as(who, command.Describe().Name, params...)
	if r.status != 200 {
		c.t.Fatalf("%s by %s: %d %s", command.Describe().Name, who, r.status, r.body)
	}
	if err := api.Validate(command, []byte(r.body)); err != nil {
		c.t.Fatalf("%v: %s", err, r.body)
	}
	return r
}

// The commands that only tests have: what translators to come will do.
var (
	testFail = api.Call[failIn, api.Success]{Name: "failWith", Noun: "Test", Role: api.Everyone, Doc: "Fails."}
	testList = api.List[listIn, thing]{Name: "listThings", Noun: "Test", Role: api.Everyone, Object: "thing", Doc: "Lists things."}
	testJob  = api.Job[toilIn, thing]{Name: "makeThing", Noun: "Test", Role: api.Everyone, Object: "thing", Creates: true, Doc: "Makes a thing."}
)

type failIn struct {
	Kind string `api:"kind" doc:"Of fault."`
	Text string `api:"text,max=4096" doc:"A text to send."`
}

type listIn struct {
	api.Paging
	api.Scope
}

type toilIn struct {
	api.Once
	Mode string `api:"mode" doc:"What becomes of it."`
}

type thing struct {
	ID uid.VM `json:"id" doc:"The ID."`
	cs.Owner
	cs.Pending
}

var errCause = errors.New("the cause, which only admins see")

func (c *cloud) addTestCommands() {
	m := c.facade.mux
	api.HandleCall(m, testFail, func(_ context.Context, in failIn) (api.Success, error) {
		switch in.Kind {
		case "panic":
			panic(in.Text)
		case "unknown":
			return api.Success{}, errCause
		case "":
			return api.Success{Success: true, DisplayText: in.Text}, nil
		}
		return api.Success{}, fault.New(fault.Kind(in.Kind), "a text for the user").WithDetail("host one is full")
	})
	api.HandleList(m, testList, c.listThings)
	api.HandleJob(m, testJob, c.makeThing, func(_ context.Context, subject string) (thing, error) {
		if c.work.gone.Load() {
			return thing{}, fault.NotFoundf("gone")
		}
		return thing{ID: uid.VM(subject)}, nil
	})
}
