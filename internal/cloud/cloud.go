package cloud

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"path/filepath"
	"slices"
	"time"

	"github.com/virga-cloud/virga/internal/account"
	"github.com/virga-cloud/virga/internal/auth"
	"github.com/virga-cloud/virga/internal/compute"
	"github.com/virga-cloud/virga/internal/db"
	"github.com/virga-cloud/virga/internal/event"
	"github.com/virga-cloud/virga/internal/facade/cloudstack"
	"github.com/virga-cloud/virga/internal/host"
	"github.com/virga-cloud/virga/internal/hypervisor"
	"github.com/virga-cloud/virga/internal/hypervisor/sim"
	"github.com/virga-cloud/virga/internal/image"
	"github.com/virga-cloud/virga/internal/keep"
	"github.com/virga-cloud/virga/internal/network"
	"github.com/virga-cloud/virga/internal/offering"
	"github.com/virga-cloud/virga/internal/once"
	"github.com/virga-cloud/virga/internal/op"
	"github.com/virga-cloud/virga/internal/pool"
	"github.com/virga-cloud/virga/internal/secret"
	"github.com/virga-cloud/virga/internal/volume"
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
	// Pace is how long simulated hosts take.
	Pace sim.Options

	ExpungeDelay time.Duration // from a machine's destruction to its expunging
	SessionIdle  time.Duration // from a session's last use to its end
	JobsKept     time.Duration // from a job's end to its removal
	PasswordCost auth.Cost
	DBOptions    db.Options // Clock is required
	Engine       op.Options
	Facade       cloudstack.Options
	Log          *slog.Logger
}

// Cloud is an open cloud.
type Cloud struct {
	DB        *db.DB
	World     *sim.World // nil without simulated hosts
	Engine    *op.Engine
	Keepers   *keep.Keepers
	Sessions  *auth.Sessions
	Accounts  *account.Service
	Zones     *zone.Service
	Offerings *offering.Service
	Networks  *network.Service
	Hosts     *host.Service
	Pools     *pool.Service
	Images    *image.Service
	Volumes   *volume.Service
	Machines  *compute.Service
	Facade    *cloudstack.Facade

	log  *slog.Logger
	owns bool // the database and the world, and closes them
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
		url = filepath.Join(c.Dir, "virga.db")
	}
	c.DBOptions.Log = c.Log
	if cl.DB, err = db.Open(ctx, url, c.DBOptions); err != nil {
		return nil, err
	}
	if c.World != "" {
		if cl.World, err = sim.Open(c.World, c.Pace); err != nil {
			return nil, fmt.Errorf("open the simulated hosts' world: %w", err)
		}
	}
	cl.wire(c, box)
	return cl, nil
}

// Over makes a cloud over a database and a world that are open already, and stay so when it is closed.
func Over(d *db.DB, world *sim.World, box *secret.Box, c Config) *Cloud {
	cl := &Cloud{DB: d, World: world, log: c.Log}
	cl.wire(c, box)
	return cl
}

func (cl *Cloud) wire(c Config, box *secret.Box) {
	drivers := hypervisor.Drivers{}
	if cl.World != nil {
		drivers["Simulator"] = cl.World
	}
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	c.Engine.Name, c.Engine.Log, c.Engine.Finished = c.Name, c.Log, finished
	cl.Engine = op.NewEngine(cl.DB, c.Engine)
	cl.Sessions = auth.NewSessions(cl.DB, c.SessionIdle)
	cl.Accounts = account.New(cl.DB, box, auth.NewHasher(c.PasswordCost), cl.Sessions)
	cl.Zones = zone.New(cl.DB)
	cl.Offerings = offering.New(cl.DB)
	cl.Networks = network.New(cl.DB, cl.Engine, cl.Accounts)
	cl.Hosts = host.New(cl.DB, drivers)
	cl.Pools = pool.New(cl.DB)
	cl.Images = image.New(cl.DB)
	cl.Volumes = volume.New(volume.Parts{DB: cl.DB, Engine: cl.Engine, Accounts: cl.Accounts, Hosts: cl.Hosts})
	cl.Machines = compute.New(compute.Parts{
		DB: cl.DB, Engine: cl.Engine, Accounts: cl.Accounts, Networks: cl.Networks, Hosts: cl.Hosts, Volumes: cl.Volumes,
	})
	cl.Keepers = keep.New(cl.DB, c.Name, c.Log, cl.keepers(c)...)
	c.Facade.Log = c.Log
	c.Facade.Ready = func(context.Context) error { return cl.Engine.Ready() }
	cl.Facade = cloudstack.New(cloudstack.Services{
		DB: cl.DB, Engine: cl.Engine, Accounts: cl.Accounts, Sessions: cl.Sessions, Zones: cl.Zones, Offerings: cl.Offerings,
		Networks: cl.Networks, Hosts: cl.Hosts, Images: cl.Images, Volumes: cl.Volumes, Machines: cl.Machines,
	}, c.Facade)
}

// finished writes the event that a job has ended, in the transaction in which it does.
func finished(ctx context.Context, tx db.Tx, r op.Record) error {
	failure := ""
	if r.State == op.Failed {
		failure = r.FaultText
	}
	return event.Complete(ctx, tx, r.EventID, failure)
}

// expiring is how many old rows one transaction removes: few enough that no one waits long for the writer.
const expiring = 1000

// keysKept is how long a request that creates can be repeated under its idempotency key.
const keysKept = 24 * time.Hour

// expireJobs removes all jobs that ended longer ago than they are kept.
func (cl *Cloud) expireJobs(ctx context.Context, kept time.Duration) error {
	return cl.expire(ctx, func(ctx context.Context, tx db.Tx) (int64, error) {
		return op.Expire(ctx, tx, tx.Now.Add(-kept), expiring)
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

func (cl *Cloud) keepers(c Config) []keep.Keeper {
	return []keep.Keeper{
		{Name: "host-health", Period: 10 * time.Second, Round: cl.Hosts.CheckHealth},
		{Name: "expunge", Period: 5 * time.Second, Round: func(ctx context.Context) error {
			return cl.Machines.ExpungeOld(ctx, c.ExpungeDelay)
		}},
		{Name: "sessions", Period: time.Minute, Round: func(ctx context.Context) error {
			_, err := cl.Sessions.Sweep(ctx)
			return err
		}},
		{Name: "jobs", Period: time.Minute, Round: func(ctx context.Context) error { return cl.expireJobs(ctx, c.JobsKept) }},
		{Name: "idempotency-keys", Period: time.Minute, Round: func(ctx context.Context) error {
			return cl.expire(ctx, func(ctx context.Context, tx db.Tx) (int64, error) {
				return once.Forget(ctx, tx, tx.Now.Add(-keysKept), expiring)
			})
		}},
	}
}

// Start begins the work: drivers find their guests again, the engine takes up what was left, keepers begin their rounds.
func (cl *Cloud) Start(ctx context.Context) error {
	if cl.World != nil {
		if err := cl.World.Recover(ctx); err != nil {
			return fmt.Errorf("recover the simulated hosts: %w", err)
		}
	}
	stop, err := cl.Engine.Start(ctx)
	if err != nil {
		return err
	}
	cl.stop = append(cl.stop, stop, cl.Keepers.Start())
	return nil
}

// Handler serves the cloud's APIs.
func (cl *Cloud) Handler() http.Handler { return cl.Facade.Handler() }

// Close stops the work, the last begun first, and lets go of everything. It may be called again.
func (cl *Cloud) Close() {
	for _, stop := range slices.Backward(cl.stop) {
		stop()
	}
	cl.stop = nil
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
