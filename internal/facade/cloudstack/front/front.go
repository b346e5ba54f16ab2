package front

import (
	"cmp"
	"context"
	"log/slog"
	"net/http"
	"strings"

	"github.com/virga-cloud/virga/api"
	"github.com/virga-cloud/virga/internal/account"
	"github.com/virga-cloud/virga/internal/apilimit"
	"github.com/virga-cloud/virga/internal/auth"
	"github.com/virga-cloud/virga/internal/db"
	"github.com/virga-cloud/virga/internal/project"
	"github.com/virga-cloud/virga/internal/role"
	"github.com/virga-cloud/virga/internal/setting"
)

// Parts are what a front works with. All of them are required.
type Parts struct {
	Mux      *api.Mux // the commands with their handlers
	DB       *db.DB   // its clock is the front's clock, too
	Accounts *account.Service
	Projects *project.Service
	Sessions *auth.Sessions
	Roles    *role.Service
	Settings *setting.Settings
	Limits   *apilimit.Service // nil: no account has too many requests
	Doors    []Door            // the ways in besides login
	Console  http.Handler      // serves /client/console; nil for none
	Extract  http.Handler      // serves /client/extract; nil for none
	Upload   http.Handler      // serves /client/upload; nil for none
}

// Options say how a front works. The zero value is right for a server.
type Options struct {
	Log *slog.Logger // nil: nothing is logged
	// SecureCookies marks cookies for HTTPS only on plain connections, too: for servers behind a proxy that ends TLS.
	SecureCookies bool
	// LoginFailures is how many failed logins one address may have in a minute, and how many wrong signatures; 0 is 20, and less is
	// no limit. Whose address it is behind a proxy say the settings proxy.header.verify and proxy.cidr.
	LoginFailures int
	// Ready is asked by /readyz besides the database; whatever else must work (the engine) is known to who starts it.
	Ready func(context.Context) error
}

// Front answers requests.
type Front struct {
	mux      *api.Mux
	db       *db.DB
	accounts *account.Service
	projects *project.Service
	sessions *auth.Sessions
	roles    *role.Service
	settings *setting.Settings
	limits   *apilimit.Service
	doors    map[string]Door // by the command in small letters
	consoles http.Handler
	extracts http.Handler
	uploads  http.Handler
	options  Options
	log      *slog.Logger
	metrics  *metrics
	logins   *throttle
	signs    *throttle
}

// New makes a front for the commands of a mux.
func New(p Parts, o Options) *Front {
	f := &Front{
		mux: p.Mux, db: p.DB, accounts: p.Accounts, projects: p.Projects, sessions: p.Sessions, roles: p.Roles, settings: p.Settings,
		limits: p.Limits, consoles: p.Console, extracts: p.Extract, uploads: p.Upload, options: o, log: o.Log, doors: map[string]Door{},
	}
	for _, d := range p.Doors {
		f.doors[strings.ToLower(api.NameOf(d.Command))] = d
	}
	if f.log == nil {
		f.log = slog.New(slog.DiscardHandler)
	}
	f.metrics = newMetrics()
	failures := func() int { return cmp.Or(o.LoginFailures, int(setting.AddressFailures.Of(p.Settings))) }
	f.logins, f.signs = newThrottle(failures), newThrottle(failures)
	return f
}

// Handler serves everything that is open to the network: the API at /client/api, its reference, health and metrics.
func (f *Front) Handler() http.Handler {
	return f.routes()
}

// Integration serves the API to whoever asks, at any path, as the house itself. It is for tools on the same machine: it
// answers on loopback addresses only, and not to web pages.
func (f *Front) Integration() http.Handler {
	return f.integration()
}
