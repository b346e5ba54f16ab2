package cloudstack

import (
	"context"

	"github.com/virga-cloud/virga/api"
	cs "github.com/virga-cloud/virga/api/cloudstack"
	"github.com/virga-cloud/virga/internal/account"
	"github.com/virga-cloud/virga/internal/address"
	"github.com/virga-cloud/virga/internal/agent"
	"github.com/virga-cloud/virga/internal/annotation"
	"github.com/virga-cloud/virga/internal/apilimit"
	"github.com/virga-cloud/virga/internal/auth"
	"github.com/virga-cloud/virga/internal/certificate"
	"github.com/virga-cloud/virga/internal/closing"
	"github.com/virga-cloud/virga/internal/compute"
	consoles "github.com/virga-cloud/virga/internal/console"
	"github.com/virga-cloud/virga/internal/credential"
	"github.com/virga-cloud/virga/internal/db"
	"github.com/virga-cloud/virga/internal/detail"
	"github.com/virga-cloud/virga/internal/extraction"
	"github.com/virga-cloud/virga/internal/facade/cloudstack/console"
	"github.com/virga-cloud/virga/internal/facade/cloudstack/extract"
	"github.com/virga-cloud/virga/internal/facade/cloudstack/front"
	"github.com/virga-cloud/virga/internal/facade/cloudstack/owned"
	"github.com/virga-cloud/virga/internal/facade/cloudstack/signon"
	"github.com/virga-cloud/virga/internal/facade/cloudstack/upload"
	"github.com/virga-cloud/virga/internal/host"
	"github.com/virga-cloud/virga/internal/image"
	"github.com/virga-cloud/virga/internal/keypair"
	"github.com/virga-cloud/virga/internal/ldap"
	"github.com/virga-cloud/virga/internal/meter"
	"github.com/virga-cloud/virga/internal/network"
	"github.com/virga-cloud/virga/internal/offering"
	"github.com/virga-cloud/virga/internal/oidc"
	"github.com/virga-cloud/virga/internal/op"
	"github.com/virga-cloud/virga/internal/physnet"
	"github.com/virga-cloud/virga/internal/pool"
	"github.com/virga-cloud/virga/internal/project"
	"github.com/virga-cloud/virga/internal/relocation"
	"github.com/virga-cloud/virga/internal/role"
	"github.com/virga-cloud/virga/internal/router"
	"github.com/virga-cloud/virga/internal/rule"
	"github.com/virga-cloud/virga/internal/saml"
	"github.com/virga-cloud/virga/internal/secgroup"
	"github.com/virga-cloud/virga/internal/setting"
	"github.com/virga-cloud/virga/internal/snapshot"
	"github.com/virga-cloud/virga/internal/tag"
	uploads "github.com/virga-cloud/virga/internal/upload"
	"github.com/virga-cloud/virga/internal/vmsnapshot"
	"github.com/virga-cloud/virga/internal/volume"
	"github.com/virga-cloud/virga/internal/vpc"
	"github.com/virga-cloud/virga/internal/zone"
)

// Services are what the facade translates for. All but Reset are required.
type Services struct {
	DB       *db.DB // its clock is the facade's clock, too
	Engine   *op.Engine
	Settings *setting.Settings
	Accounts *account.Service
	Projects *project.Service
	Sessions *auth.Sessions
	Roles    *role.Service
	Limits   *apilimit.Service
	LDAP     *ldap.Service
	OIDC     *oidc.Service
	SAML     *saml.Service

	Agents *agent.Service
	Dial   string // where agents are told to dial in; "" for nowhere

	Zones     *zone.Service
	Offerings *offering.Service
	KeyPairs  *keypair.Service
	Tags      *tag.Service

	Details      *detail.Service
	Annotations  *annotation.Service
	Certificates *certificate.Service

	PhysNets  *physnet.Service
	Networks  *network.Service
	Addresses *address.Service
	Routers   *router.Service
	Rules     *rule.Service
	VPCs      *vpc.Service
	Groups    *secgroup.Service
	Hosts     *host.Service
	Pools     *pool.Service
	Images    *image.Service
	Volumes   *volume.Service
	Snapshots *snapshot.Service
	Kept      *vmsnapshot.Service
	Machines  *compute.Service
	Access    *credential.Service
	Console   *consoles.Service

	Relocation  *relocation.Service
	Extractions *extraction.Service
	Uploads     *uploads.Service
	Meter       *meter.Service
	Closing     *closing.Service

	Reset func(ctx context.Context) error // puts a sandbox back to its beginning; nil for any other cloud
}

// Facade serves the API.
type Facade struct {
	Services
	*front.Front
	Owned owned.Lists

	mux *api.Mux
}

// New makes a facade. It panics when a translator and the contract don't fit together.
func New(s Services, o front.Options) *Facade { return newFacade(s, o, cs.All...) }

// newFacade makes a facade for some commands; tests have more than there are.
func newFacade(s Services, o front.Options, commands ...api.Command) *Facade {
	f := &Facade{Services: s, Owned: owned.New(s.DB, s.Accounts), mux: api.NewMux(commands...)}
	f.mux.PageSize = func() int { return int(setting.DefaultPageSize.Of(s.Settings)) }
	for _, register := range f.translators() {
		register(f.mux)
	}
	f.Front = front.New(front.Parts{
		Mux: f.mux, DB: s.DB, Accounts: s.Accounts, Projects: s.Projects, Sessions: s.Sessions, Roles: s.Roles, Limits: s.Limits,
		Settings: s.Settings, Doors: f.signOn().Doors(), Console: f.consoles().Handler(), Extract: f.extracts().Handler(),
		Upload: f.uploads().Handler(),
	}, o)
	return f
}

// signOn translates the commands by which somebody comes in for whom somebody else vouches.
func (f *Facade) signOn() signon.Translator { return signon.Translator{OIDC: f.OIDC, SAML: f.SAML} }

// consoles shows screens.
func (f *Facade) consoles() console.Translator { return console.Translator{Console: f.Console} }

// extracts gives out templates, ISOs and volumes.
func (f *Facade) extracts() extract.Translator {
	return extract.Translator{DB: f.DB, Extractions: f.Extractions}
}

// uploads takes in templates, ISOs and volumes.
func (f *Facade) uploads() upload.Translator {
	return upload.Translator{DB: f.DB, Uploads: f.Uploads}
}

// Commands are what roles allow or deny: each command with the types of accounts that it is open to.
func Commands() []role.Command { return commandsOf(cs.All...) }

func commandsOf(commands ...api.Command) (out []role.Command) {
	for _, one := range commands {
		d := one.Describe()
		if d.Session {
			continue // there is nobody yet to ask about
		}
		c := role.Command{Name: d.Name}
		for _, t := range []auth.AccountType{auth.User, auth.RootAdmin, auth.DomainAdmin, auth.ResourceAdmin} {
			if d.Role.Allows(front.RoleOf(auth.Caller{User: "anybody", Type: t})) {
				c.Open = append(c.Open, t)
			}
		}
		out = append(out, c)
	}
	return out
}

// Missing names the commands that are declared and have no handler yet.
func (f *Facade) Missing() []string { return f.mux.Missing() }
