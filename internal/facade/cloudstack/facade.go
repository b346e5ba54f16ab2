package cloudstack

import (
	"context"
	"log/slog"
	"net/http"

	"github.com/virga-cloud/virga/api"
	cs "github.com/virga-cloud/virga/api/cloudstack"
	"github.com/virga-cloud/virga/internal/account"
	"github.com/virga-cloud/virga/internal/auth"
	"github.com/virga-cloud/virga/internal/compute"
	"github.com/virga-cloud/virga/internal/db"
	"github.com/virga-cloud/virga/internal/host"
	"github.com/virga-cloud/virga/internal/image"
	"github.com/virga-cloud/virga/internal/keypair"
	"github.com/virga-cloud/virga/internal/network"
	"github.com/virga-cloud/virga/internal/offering"
	"github.com/virga-cloud/virga/internal/op"
	"github.com/virga-cloud/virga/internal/pool"
	"github.com/virga-cloud/virga/internal/setting"
	"github.com/virga-cloud/virga/internal/volume"
	"github.com/virga-cloud/virga/internal/vpc"
	"github.com/virga-cloud/virga/internal/zone"
)

// Services are what the facade translates for. All of them are required.
type Services struct {
	DB       *db.DB // its clock is the facade's clock, too
	Engine   *op.Engine
	Settings *setting.Settings
	Accounts *account.Service
	Sessions *auth.Sessions

	Zones     *zone.Service
	Offerings *offering.Service
	KeyPairs  *keypair.Service
	Networks  *network.Service
	VPCs      *vpc.Service
	Hosts     *host.Service
	Pools     *pool.Service
	Images    *image.Service
	Volumes   *volume.Service
	Machines  *compute.Service
}

// Options say how a facade works. The zero value is right for a server.
type Options struct {
	Log *slog.Logger // nil: nothing is logged
	// SecureCookies marks cookies for HTTPS only on plain connections, too: for servers behind a proxy that ends TLS.
	SecureCookies bool
	// LoginFailures is how many failed logins one address may have in a minute; 0 is 20, and less is no limit. Behind a proxy
	// all callers have one address: limit them there.
	LoginFailures int
	// Ready is asked by /readyz besides the database; whatever else must work (the engine) is known to who starts it.
	Ready func(context.Context) error
}

// Facade serves the API.
type Facade struct {
	Services
	options Options
	log     *slog.Logger
	mux     *api.Mux
	metrics *metrics
	logins  *throttle
}

// New makes a facade. It panics when a translator and the contract don't fit together.
func New(s Services, o Options) *Facade {
	f := &Facade{Services: s, options: o, log: o.Log, mux: api.NewMux(cs.All...)}
	if f.log == nil {
		f.log = slog.New(slog.DiscardHandler)
	}
	f.mux.PageSize = func() int { return int(setting.DefaultPageSize.Of(s.Settings)) }
	f.metrics = newMetrics()
	f.logins = newThrottle(o.LoginFailures)
	for _, register := range f.translators() {
		register(f.mux)
	}
	return f
}

// Missing names the commands that are declared and have no handler yet.
func (f *Facade) Missing() []string { return f.mux.Missing() }

// Handler serves everything that is open to the network: the API at /client/api, its reference, health and metrics.
func (f *Facade) Handler() http.Handler {
	return f.routes()
}

// Integration serves the API to whoever asks, at any path, as the house itself. It is for tools on the same machine: it
// answers on loopback addresses only, and not to web pages.
func (f *Facade) Integration() http.Handler {
	return f.integration()
}
