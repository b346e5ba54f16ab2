package cloud

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"path/filepath"
	"slices"
	"time"

	"github.com/virga-cloud/virga/internal/account"
	"github.com/virga-cloud/virga/internal/address"
	"github.com/virga-cloud/virga/internal/agent"
	"github.com/virga-cloud/virga/internal/alert"
	"github.com/virga-cloud/virga/internal/annotation"
	"github.com/virga-cloud/virga/internal/apilimit"
	"github.com/virga-cloud/virga/internal/audit"
	"github.com/virga-cloud/virga/internal/auth"
	"github.com/virga-cloud/virga/internal/certificate"
	"github.com/virga-cloud/virga/internal/closing"
	"github.com/virga-cloud/virga/internal/compute"
	"github.com/virga-cloud/virga/internal/console"
	"github.com/virga-cloud/virga/internal/credential"
	"github.com/virga-cloud/virga/internal/db"
	"github.com/virga-cloud/virga/internal/detail"
	"github.com/virga-cloud/virga/internal/document"
	"github.com/virga-cloud/virga/internal/event"
	"github.com/virga-cloud/virga/internal/extraction"
	"github.com/virga-cloud/virga/internal/facade/cloudstack"
	"github.com/virga-cloud/virga/internal/facade/cloudstack/front"
	"github.com/virga-cloud/virga/internal/failover"
	"github.com/virga-cloud/virga/internal/grant"
	"github.com/virga-cloud/virga/internal/guarded"
	"github.com/virga-cloud/virga/internal/guest"
	"github.com/virga-cloud/virga/internal/host"
	"github.com/virga-cloud/virga/internal/hypervisor"
	"github.com/virga-cloud/virga/internal/hypervisor/buckets"
	"github.com/virga-cloud/virga/internal/hypervisor/sim"
	"github.com/virga-cloud/virga/internal/image"
	"github.com/virga-cloud/virga/internal/keep"
	"github.com/virga-cloud/virga/internal/keypair"
	"github.com/virga-cloud/virga/internal/ldap"
	"github.com/virga-cloud/virga/internal/meter"
	"github.com/virga-cloud/virga/internal/network"
	"github.com/virga-cloud/virga/internal/offering"
	"github.com/virga-cloud/virga/internal/oidc"
	"github.com/virga-cloud/virga/internal/once"
	"github.com/virga-cloud/virga/internal/op"
	"github.com/virga-cloud/virga/internal/peer"
	"github.com/virga-cloud/virga/internal/physnet"
	"github.com/virga-cloud/virga/internal/pool"
	"github.com/virga-cloud/virga/internal/project"
	"github.com/virga-cloud/virga/internal/relocation"
	"github.com/virga-cloud/virga/internal/role"
	"github.com/virga-cloud/virga/internal/router"
	"github.com/virga-cloud/virga/internal/rule"
	"github.com/virga-cloud/virga/internal/saml"
	"github.com/virga-cloud/virga/internal/secgroup"
	"github.com/virga-cloud/virga/internal/secret"
	"github.com/virga-cloud/virga/internal/setting"
	"github.com/virga-cloud/virga/internal/snapshot"
	"github.com/virga-cloud/virga/internal/tag"
	"github.com/virga-cloud/virga/internal/upkeep"
	"github.com/virga-cloud/virga/internal/upload"
	"github.com/virga-cloud/virga/internal/vmsnapshot"
	"github.com/virga-cloud/virga/internal/volume"
	"github.com/virga-cloud/virga/internal/vpc"
	"github.com/virga-cloud/virga/internal/zone"
)

// Config says what cloud to open.
type Config struct {
	// Dir holds what is not in the database. It must exist.
	Dir string
	// KeyFile has the keys of encrypted columns; "" for one in Dir. Servers that share a database share it.
	KeyFile string
	// Database is a PostgreSQL url, or "" for a SQLite file in Dir.
	Database string
	// World is the file of the simulated hosts' world, or "" for a cloud without simulated hosts. Servers that share a
	// database share it.
	World string
	// Name is this server's, unique among those that share the database, and the same after a restart.
	Name string
	// Agents say whether and how agents of real hosts reach this server.
	Agents Agents
	// Pace is how long simulated hosts take.
	Pace sim.Options

	// Initially are the values of settings that nobody changed, in the place of their defaults.
	Initially []setting.Initial
	// SettingPoll is how soon settings and roles that other servers changed are known here; 0 for [setting.Poll].
	SettingPoll  time.Duration
	PasswordCost auth.Cost
	DBOptions    db.Options // Clock is required
	Engine       op.Options
	Facade       front.Options
	Reset        func(ctx context.Context) error // puts a sandbox back to its beginning; nil for any other cloud
	Log          *slog.Logger
}

// DatabaseFile is SQLite's file in a cloud's folder.
const DatabaseFile = "virga.db"

// Cloud is an open cloud.
type Cloud struct {
	DB        *db.DB
	World     *sim.World // nil without simulated hosts
	Engine    *op.Engine
	Keepers   *keep.Keepers
	Settings  *setting.Settings
	Roles     *role.Service
	Sessions  *auth.Sessions
	Accounts  *account.Service
	Limits    *apilimit.Service
	LDAP      *ldap.Service
	OIDC      *oidc.Service
	SAML      *saml.Service
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
	Documents *document.Service
	Peers     *peer.Service
	Groups    *secgroup.Service
	Hosts     *host.Service
	Agents    *agent.Service
	Pools     *pool.Service
	Images    *image.Service
	Volumes   *volume.Service
	Snapshots *snapshot.Service
	Kept      *vmsnapshot.Service // snapshots of machines
	Machines  *compute.Service
	Access    *credential.Service
	Upkeep    *upkeep.Service
	Failover  *failover.Service
	Meter     *meter.Service
	Console   *console.Service

	Extractions *extraction.Service
	Relocation  *relocation.Service
	Uploads     *upload.Service

	Closing  *closing.Service
	Projects *project.Service
	Facade   *cloudstack.Facade

	agents *agents // nil where none dial in

	log  *slog.Logger
	box  *secret.Box
	poll time.Duration // of the settings and roles
	owns bool          // the database and the world, and closes them
	stop []func()
}

// Open opens a cloud, which does no work yet: see [Cloud.Start].
func Open(ctx context.Context, c Config) (_ *Cloud, err error) {
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	cl := &Cloud{log: c.Log, owns: true}
	defer func() {
		if err != nil {
			cl.Close()
		}
	}()
	if c.KeyFile == "" {
		c.KeyFile = filepath.Join(c.Dir, "virga.key")
	}
	box, err := secret.OpenBox(c.KeyFile)
	if err != nil {
		return nil, err
	}
	url := c.Database
	if url == "" {
		url = filepath.Join(c.Dir, DatabaseFile)
	}
	c.DBOptions.Log = c.Log
	if cl.DB, err = db.Open(ctx, url, c.DBOptions); err != nil {
		return nil, err
	}
	if c.World != "" {
		if c.Pace.Now == nil {
			c.Pace.Now = c.DBOptions.Clock
		}
		if cl.World, err = sim.Open(c.World, c.Pace); err != nil {
			return nil, fmt.Errorf("open the simulated hosts' world: %w", err)
		}
	}
	cl.Agents = agent.New(cl.DB, box)
	if c.Agents.Listen != "" {
		if err := cl.listen(ctx, c); err != nil {
			return nil, err
		}
	}
	cl.wire(c, box)
	if err := cl.Settings.Load(ctx); err != nil {
		return nil, err
	}
	if err := cl.Roles.Load(ctx); err != nil {
		return nil, err
	}
	return cl, nil
}

// Over makes a cloud over a database and a world that are open already, and stay so when it is closed.
func Over(d *db.DB, world *sim.World, box *secret.Box, c Config) *Cloud {
	cl := &Cloud{DB: d, World: world, log: c.Log, Agents: agent.New(d, box)}
	cl.wire(c, box)
	return cl
}

func (cl *Cloud) wire(c Config, box *secret.Box) {
	cl.box = box
	drivers := cl.drivers()
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	cl.log = c.Log
	c.Engine.Name, c.Engine.Log, c.Engine.Finished = c.Name, c.Log, finished
	cl.Engine = op.NewEngine(cl.DB, c.Engine)
	cl.people(c, box)
	cl.Zones = zone.New(cl.DB, cl.Settings)
	cl.Offerings = offering.New(cl.DB, cl.Settings)
	cl.KeyPairs = keypair.New(cl.DB, cl.Accounts)
	cl.Tags = tag.New(cl.DB, cl.Engine, compute.Taggable, volume.Taggable, snapshot.Taggable, vmsnapshot.Taggable,
		image.Taggable, image.TaggableISO, network.Taggable, network.TaggableAddress, secgroup.Taggable, secgroup.TaggableRules,
		rule.TaggableForwarding, rule.TaggableBalancing, rule.TaggableWall, zone.Taggable,
		project.Taggable)
	cl.note(c, box)
	cl.PhysNets = physnet.New(cl.DB, cl.Engine, network.On)
	cl.Networks = network.New(cl.DB, cl.Engine, cl.Accounts, cl.Settings)
	cl.Offerings.CountNetworks(network.CountOf)
	cl.VPCs = vpc.New(cl.DB)
	cl.Pools = pool.New(pool.Parts{DB: cl.DB, Drivers: drivers, Settings: cl.Settings, Volumes: volume.InPool})
	cl.Hosts = host.New(host.Parts{
		DB: cl.DB, Engine: cl.Engine, Drivers: drivers, Clusters: cl.Zones, Local: cl.Pools, Machines: compute.HeldOn, Settings: cl.Settings,
	})
	cl.Agents.Over(cl.Hosts)
	cl.Documents = document.New(cl.DB, c.Log)
	cl.Peers = peer.New(cl.DB, cl.Hosts, cl.Documents)
	cl.Groups = secgroup.New(secgroup.Parts{DB: cl.DB, Accounts: cl.Accounts, Engine: cl.Engine, Documents: cl.Documents, Drivers: cl.Hosts,
		Machines: guarded.Machines{}})
	cl.Zones.UsedBy(network.CountIn, physnet.CountIn, host.CountIn, pool.CountIn, image.CountIn, volume.CountIn, snapshot.CountIn,
		extraction.CountIn, router.CountIn, compute.CountIn)
	cl.Images = image.New(image.Parts{
		DB: cl.DB, Engine: cl.Engine, Accounts: cl.Accounts, Hosts: cl.Hosts, Settings: cl.Settings, Box: box, Probe: probe,
	})
	cl.Volumes = volume.New(volume.Parts{
		DB: cl.DB, Engine: cl.Engine, Accounts: cl.Accounts, Hosts: cl.Hosts, Settings: cl.Settings,
	})
	cl.Snapshots = snapshot.New(snapshot.Parts{
		DB: cl.DB, Engine: cl.Engine, Accounts: cl.Accounts, Hosts: cl.Hosts, Images: cl.Images, Volumes: cl.Volumes,
	})
	cl.Kept = vmsnapshot.New(vmsnapshot.Parts{
		DB: cl.DB, Engine: cl.Engine, Hosts: cl.Hosts, Settings: cl.Settings, Machines: compute.Kept{},
	})
	cl.Volumes.HeldBy(compute.Holder)
	cl.Volumes.MadeFrom(cl.Snapshots.Source)
	cl.Images.AlsoIn(snapshot.Bytes, upload.Bytes)
	cl.Routers = router.New(router.Parts{
		DB: cl.DB, Engine: cl.Engine, Hosts: cl.Hosts, InUse: guest.NetworksInUse, Log: c.Log,
		Passwords: router.Passwords{Waiting: guest.WaitingOn, Forget: compute.ForgetPassword},
	})
	grants := grant.Grants{Accounts: cl.Accounts, Projects: cl.Projects, Roles: cl.Roles}
	cl.carry(box, grants)
	cl.Rules = rule.New(rule.Parts{DB: cl.DB, Engine: cl.Engine, Networks: cl.Networks, Routers: cl.Routers, Machines: guest.Reachable})
	cl.Addresses = address.New(cl.DB, cl.Engine, cl.Networks, cl.Routers)
	cl.Networks.RoutedBy(router.NameOf)
	cl.Networks.EndsWith(cl.Routers.End, router.Forget, rule.LeaveNetwork)
	cl.Machines = compute.New(compute.Parts{
		DB: cl.DB, Engine: cl.Engine, Accounts: cl.Accounts, Networks: cl.Networks, Hosts: cl.Hosts, Volumes: cl.Volumes, Routers: cl.Routers,
		Groups:   cl.Groups,
		Settings: cl.Settings, Box: box,
	})
	cl.Access = credential.New(credential.Parts{
		DB: cl.DB, Engine: cl.Engine, Accounts: cl.Accounts, Routers: cl.Routers, Machines: cl.Machines,
	})
	guests := guest.Source{Machines: cl.Machines}
	cl.Routers.FilledBy(cl.Rules.Fill, guests.Fill)
	cl.Machines.ToldBy(guests.Drive)
	cl.Console = console.New(console.Parts{
		DB: cl.DB, Grants: grants, Hosts: cl.Hosts, Machines: cl.Machines,
	})
	cl.Upkeep = upkeep.New(cl.DB, cl.Engine, cl.Hosts, cl.Machines)
	cl.Failover = failover.New(cl.DB, cl.Engine, cl.Hosts, cl.Machines)
	cl.Machines.EndedTo(failover.Note)
	cl.Meter = meter.New(cl.DB, cl.Hosts, cl.Settings)
	cl.Closing = closing.New(closing.Parts{
		DB: cl.DB, Engine: cl.Engine, Accounts: cl.Accounts, Projects: cl.Projects, Machines: cl.Machines, Volumes: cl.Volumes,
		Snapshots: cl.Snapshots, Extractions: cl.Extractions, Uploads: cl.Uploads, Networks: cl.Networks, Images: cl.Images,
	})
	cl.Images.UsedBy(compute.OfTemplate)
	cl.Zones.GoesWith(cl.Images.LeaveZone)
	cl.Hosts.ClearedBy(upkeep.Clearing{Engine: cl.Engine, Machines: cl.Machines, Volumes: cl.Volumes}.Clear)
	cl.Hosts.LeftBy(cl.Routers.Leave)
	cl.Keepers = keep.New(cl.DB, c.Name, c.Log, cl.keepers()...)
	cl.face(c)
}

// drivers are those that this server's hosts have: hypervisor type → driver.
func (cl *Cloud) drivers() hypervisor.Drivers {
	all := hypervisor.Drivers{}
	if cl.World != nil {
		all["Simulator"] = cl.World
	}
	if cl.agents != nil {
		all[agent.Hypervisor] = buckets.New(cl.agents.driver(), cl.openBucket())
	}
	return all
}

// carry makes the services by which what is in storage comes, goes and moves.
func (cl *Cloud) carry(box *secret.Box, grants grant.Grants) {
	cl.Extractions = extraction.New(extraction.Parts{
		DB: cl.DB, Engine: cl.Engine, Box: box, Settings: cl.Settings, Grants: grants,
		Images: cl.Images, Volumes: cl.Volumes, Snapshots: cl.Snapshots,
	})
	cl.Relocation = relocation.New(relocation.Parts{
		DB: cl.DB, Engine: cl.Engine, Settings: cl.Settings, Volumes: cl.Volumes, Snapshots: cl.Snapshots,
	})
	cl.Uploads = upload.New(upload.Parts{
		DB: cl.DB, Engine: cl.Engine, Box: box, Settings: cl.Settings, Grants: grants,
		Images: cl.Images, Volumes: cl.Volumes, Snapshots: cl.Snapshots,
	})
}

// people makes the services that know who may do what.
func (cl *Cloud) people(c Config, box *secret.Box) {
	cl.Settings = cl.settings(c, box)
	cl.Sessions = auth.NewSessions(cl.DB, func() time.Duration { return setting.SessionTimeout.Of(cl.Settings) })
	cl.Roles = role.New(cl.DB, cloudstack.Commands())
	cl.Roles.UsedBy(account.CountOfRole)
	cl.Accounts = account.New(account.Parts{
		DB: cl.DB, Box: box, Hasher: auth.NewHasher(c.PasswordCost), Sessions: cl.Sessions, Settings: cl.Settings, Roles: cl.Roles,
	})
	cl.LDAP = ldap.New(cl.DB, cl.Accounts, cl.Settings, c.Log)
	cl.Accounts.AskOutside(auth.LDAP, cl.LDAP)
	cl.OIDC = oidc.New(cl.DB, box, cl.Settings, cl.Accounts)
	cl.SAML = saml.New(saml.Parts{DB: cl.DB, Box: box, Settings: cl.Settings, Accounts: cl.Accounts, Sessions: cl.Sessions})
	cl.Projects = project.New(cl.DB, cl.Engine, cl.Accounts, cl.Settings)
	cl.Accounts.LeavesWith(project.Leave)
	cl.Limits = apilimit.New(cl.DB, cl.Settings, op.Servers)
}

// face makes the API over the services.
func (cl *Cloud) face(c Config) {
	c.Facade.Log = c.Log
	c.Facade.Ready = func(context.Context) error { return cl.Engine.Ready() }
	cl.Facade = cloudstack.New(cloudstack.Services{
		DB: cl.DB, Engine: cl.Engine, Settings: cl.Settings, Accounts: cl.Accounts, Projects: cl.Projects, Sessions: cl.Sessions, Roles: cl.Roles,
		Limits: cl.Limits, OIDC: cl.OIDC, SAML: cl.SAML, LDAP: cl.LDAP,
		Zones: cl.Zones, Offerings: cl.Offerings, KeyPairs: cl.KeyPairs, Tags: cl.Tags, Details: cl.Details,
		Annotations: cl.Annotations, Certificates: cl.Certificates, PhysNets: cl.PhysNets, Networks: cl.Networks,
		Addresses: cl.Addresses, Routers: cl.Routers, Rules: cl.Rules, VPCs: cl.VPCs, Groups: cl.Groups, Agents: cl.Agents, Dial: cl.dial(c.Agents),
		Hosts: cl.Hosts, Pools: cl.Pools, Images: cl.Images, Volumes: cl.Volumes, Snapshots: cl.Snapshots, Machines: cl.Machines,
		Access: cl.Access, Kept: cl.Kept, Console: cl.Console, Extractions: cl.Extractions, Relocation: cl.Relocation,
		Uploads: cl.Uploads, Meter: cl.Meter, Closing: cl.Closing, Reset: c.Reset,
	}, c.Facade)
}

// finished writes the event that a job has ended, in the transaction in which it does.
func finished(ctx context.Context, tx db.Tx, r op.Record) error {
	failure := ""
	if r.State == op.Failed {
		failure = r.FaultText
	}
	if err := event.Complete(ctx, tx, r.EventID, failure); err != nil {
		return err
	}
	e := audit.Ended{Job: r.ID, Command: r.Command, User: r.UserID, Subject: r.SubjectID, Event: r.EventID}
	if r.State == op.Failed {
		e.Failure = r.FaultKind
	}
	return audit.End(ctx, tx, e)
}

// expiring is how many old rows one transaction removes: few enough that no one waits long for the writer.
const expiring = 1000

// keysKept is how long a request that creates can be repeated under its idempotency key.
const keysKept = 24 * time.Hour

// expireJobs removes all jobs that ended longer ago than they are kept.
func (cl *Cloud) expireJobs(ctx context.Context) error {
	return cl.expire(ctx, func(ctx context.Context, tx db.Tx) (int64, error) {
		return op.Expire(ctx, tx, tx.Now.Add(-setting.JobExpire.Of(cl.Settings)), expiring)
	})
}

// expireEvents removes all events that are older than they are kept, which may be forever.
func (cl *Cloud) expireEvents(ctx context.Context) error {
	kept := setting.EventPurgeDelay.Of(cl.Settings)
	if kept == 0 {
		return nil
	}
	return cl.expire(ctx, func(ctx context.Context, tx db.Tx) (int64, error) {
		return event.Expire(ctx, tx, tx.Now.Add(-kept), expiring)
	})
}

// expire removes what is old, however much grew old since the last round, a batch per transaction.
func (cl *Cloud) expire(ctx context.Context, batch func(ctx context.Context, tx db.Tx) (int64, error)) error {
	for removed := int64(expiring); removed == expiring; {
		err := cl.DB.Write(ctx, func(ctx context.Context, tx db.Tx) (err error) {
			removed, err = batch(ctx, tx)
			return err
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// expireAlerts removes all alerts whose cause went longer ago than they are kept, which may be forever.
func (cl *Cloud) expireAlerts(ctx context.Context) error {
	kept := setting.AlertPurgeDelay.Of(cl.Settings)
	if kept == 0 {
		return nil
	}
	return cl.expire(ctx, func(ctx context.Context, tx db.Tx) (int64, error) {
		return alert.Expire(ctx, tx, tx.Now.Add(-kept), expiring)
	})
}

// expireAudit removes the records of the audit log that are older than they are kept, which may be forever.
func (cl *Cloud) expireAudit(ctx context.Context) error {
	kept := setting.AuditRetention.Of(cl.Settings)
	if kept == 0 {
		return nil
	}
	for more := true; more; {
		err := cl.DB.Write(ctx, func(ctx context.Context, tx db.Tx) error {
			n, err := audit.Expire(ctx, tx, cl.box, tx.Now.Add(-kept))
			more = n > 0
			return err
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// glance is how soon keepers notice that their period was changed.
const glance = 5 * time.Second

// maintenancePeriod is how soon machines begin to leave a host that is to go out of service.
const maintenancePeriod = 2 * time.Second

// failoverPeriod is how often it is looked whether silent hosts are gone for good, and what runs on those that are back.
const failoverPeriod = 2 * time.Second

// routerPeriod is how soon a router converges that nobody waits for, at the latest.
const routerPeriod = 3 * time.Second

func (cl *Cloud) keepers() []keep.Keeper {
	every := func(period setting.Key[time.Duration]) func() time.Duration {
		return func() time.Duration { return period.Of(cl.Settings) }
	}
	return []keep.Keeper{
		{Name: "host-health", Period: glance, Every: every(setting.PingInterval), Round: cl.Hosts.CheckHealth},
		{Name: "agent-tokens", Period: time.Minute, Round: cl.Agents.Sweep},
		{Name: "peers", Period: routerPeriod, Round: cl.Peers.Round},
		{Name: "security-groups", Period: routerPeriod, Round: cl.Groups.Round},
		{Name: "host-documents", Period: routerPeriod, Round: cl.Documents.Round},
		{Name: "routers", Period: routerPeriod, Round: cl.Routers.Round},
		{Name: "maintenance", Period: maintenancePeriod, Round: cl.Upkeep.Round},
		{Name: "failover", Period: failoverPeriod, Round: cl.Failover.Round},
		{Name: "network-gc", Period: glance, Every: every(setting.NetworkGCInterval), Round: func(ctx context.Context) error {
			return cl.Routers.Retire(ctx, setting.NetworkGCWait.Of(cl.Settings))
		}},
		{Name: "router-reports", Period: glance, Every: every(setting.RouterStatsInterval), Round: cl.Routers.Listen},
		{Name: "vm-stats", Period: glance, Every: cl.ifAny(setting.VMStatsInterval), Round: cl.Meter.Machines},
		{Name: "host-stats", Period: glance, Every: cl.ifAny(setting.HostStatsInterval), Round: cl.Meter.Hosts},
		{Name: "details", Period: time.Minute, Round: cl.Details.Sweep},
		{Name: "annotations", Period: time.Minute, Round: cl.Annotations.Sweep},
		{Name: "image-stores", Period: glance, Every: every(setting.StorageStatsInterval), Round: cl.Images.MeasureStores},
		{Name: "extractions", Period: glance, Every: every(setting.ExtractURLCleanup), Round: cl.Extractions.Sweep},
		{Name: "uploads", Period: glance, Every: every(setting.UploadInterval), Round: cl.Uploads.Sweep},
		{Name: "storage-overprovisioning", Period: 10 * time.Second, Round: cl.Pools.Reckon},
		{Name: "expunge", Period: glance, Every: every(setting.ExpungeInterval), Round: func(ctx context.Context) error {
			return cl.Machines.ExpungeOld(ctx, setting.ExpungeDelay.Of(cl.Settings))
		}},
		{Name: "account-cleanup", Period: glance, Every: every(setting.AccountCleanupInterval), Round: cl.Closing.GoOn},
		{Name: "resource-counts", Period: glance, Every: cl.ifAny(setting.RecountInterval), Round: cl.recount},
		{Name: "directories", Period: glance, Every: cl.ifAny(setting.LDAPCheckInterval), Round: cl.checkDirectories},
		{Name: "sessions", Period: time.Minute, Round: func(ctx context.Context) error {
			_, err := cl.Sessions.Sweep(ctx)
			return err
		}},
		{Name: "sign-on", Period: time.Minute, Round: func(ctx context.Context) error {
			return errors.Join(cl.OIDC.Sweep(ctx), cl.SAML.Sweep(ctx))
		}},
		{Name: "jobs", Period: time.Minute, Round: cl.expireJobs},
		{Name: "watch", Period: glance, Every: every(setting.CapacityCheckPeriod), Round: cl.watch},
		{Name: "alert-purge", Period: glance, Every: every(setting.AlertPurgeInterval), Round: cl.expireAlerts},
		{Name: "event-purge", Period: glance, Every: every(setting.EventPurgeInterval), Round: cl.expireEvents},
		{Name: "audit", Period: time.Second, Round: func(ctx context.Context) error { return audit.Link(ctx, cl.DB, cl.box) }},
		{Name: "audit-purge", Period: time.Minute, Round: cl.expireAudit},
		{Name: "idempotency-keys", Period: time.Minute, Round: func(ctx context.Context) error {
			return cl.expire(ctx, func(ctx context.Context, tx db.Tx) (int64, error) {
				return once.Forget(ctx, tx, tx.Now.Add(-keysKept), expiring)
			})
		}},
	}
}

// Start begins the work: settings are looked at, drivers find their guests again, the engine takes up what was left, keepers begin their rounds.
func (cl *Cloud) Start(ctx context.Context) error {
	if cl.World != nil {
		if err := cl.World.Recover(ctx); err != nil {
			return fmt.Errorf("recover the simulated hosts: %w", err)
		}
	}
	stop, err := cl.Settings.Start(ctx, cl.poll)
	if err != nil {
		return err
	}
	cl.stop = append(cl.stop, stop)
	stop, err = cl.Roles.Start(ctx, cl.poll, func(err error) { cl.log.Error("can't load the roles", "error", err) })
	if err != nil {
		return err
	}
	cl.stop = append(cl.stop, stop)
	if stop, err = cl.Certificates.Start(ctx, cl.poll); err != nil {
		return err
	}
	cl.stop = append(cl.stop, stop)
	cl.stop = append(cl.stop, cl.Routers.Start(ctx), cl.Documents.Start(ctx), cl.Groups.Start(ctx))
	if stop, err = cl.Engine.Start(ctx); err != nil {
		return err
	}
	cl.stop = append(cl.stop, stop)
	// After the engine, which makes the server known that is counted here.
	stop, err = cl.Limits.Start(ctx, cl.poll, func(err error) { cl.log.Error("can't load what is counted of requests", "error", err) })
	if err != nil {
		return err
	}
	cl.stop = append(cl.stop, stop)
	if cl.agents != nil {
		if stop, err = cl.agents.start(); err != nil {
			return err
		}
		cl.stop = append(cl.stop, stop)
	}
	cl.stop = append(cl.stop, cl.Keepers.Start())
	return nil
}

// Handler serves the cloud's APIs.
func (cl *Cloud) Handler() http.Handler { return cl.Facade.Handler() }

// Integration serves them to whoever reaches the integration port, with root's rights.
func (cl *Cloud) Integration() http.Handler { return cl.Facade.Integration() }

// Present gives the certificate that was uploaded for a name, nil where none was.
func (cl *Cloud) Present(name string) *tls.Certificate { return cl.Certificates.Present(name) }

// Close stops the work, the last begun first, and lets go of everything. It may be called again.
func (cl *Cloud) Close() {
	for _, stop := range slices.Backward(cl.stop) {
		stop()
	}
	cl.stop = nil
	if cl.agents != nil && cl.agents.bus != nil { // after the engine, whose work goes through it
		cl.agents.bus.Close()
		cl.agents = nil
	}
	if !cl.owns {
		return
	}
	if cl.World != nil {
		if err := cl.World.Close(); err != nil {
			cl.log.Error("can't close the simulated hosts' world", "error", err)
		}
	}
	if cl.DB != nil {
		cl.DB.Close()
	}
}
