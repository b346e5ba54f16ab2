package router

import (
	"context"
	"log/slog"
	"time"

	"github.com/virga-cloud/virga/internal/crew"
	"github.com/virga-cloud/virga/internal/db"
	"github.com/virga-cloud/virga/internal/hypervisor"
	"github.com/virga-cloud/virga/internal/network"
	"github.com/virga-cloud/virga/internal/op"
	"github.com/virga-cloud/virga/uid"
)

// State is where a router stands; its text is the wire's.
type State string

// The states. A router is Starting until it was given its first document.
const (
	Starting State = "Starting"
	Running  State = "Running"
	Stopping State = "Stopping"
	Stopped  State = "Stopped"
)

// wanted tells whether the router is to do its work.
func (s State) wanted() bool { return s == Starting || s == Running }

// Site is what a router serves: a network, or in a basic zone the machines of one pod in it.
type Site struct {
	Network uid.Network
	Pod     uid.Pod // "" for all of the network
}

// Router is a virtual router.
type Router struct {
	ID         uid.Router `bun:",pk"`
	Serial     int64
	Name       string      // "r-7-VM"
	Network    uid.Network `bun:"network_id"`
	Pod        uid.Pod     `bun:"pod_id"`     // whose machines it serves, in a basic zone; "" for all of the network
	Account    uid.Account `bun:"account_id"` // the network's, or the cloud's own for a shared one; as the next
	Domain     uid.Domain  `bun:"domain_id"`
	Zone       uid.Zone    `bun:"zone_id"`
	Host       uid.Host    `bun:"host_id"`
	Hypervisor string      // of the host
	State      State
	Applied    int64     // the version of the document that it was given last; 0: none since it was started
	Idle       time.Time `bun:",nullzero"` // since when no machine has run in the network, as far as that was looked at
	Problem    string    // why it could not be given the newest; "" where it was
	Parts      []Part    // what its host said last of its services; none before it has been asked
	Ailing     bool      // whether one of them does not run
	Counted    int64     // how often what went by its addresses was counted
	Started    time.Time `bun:",nullzero"` // when it was given its first document
	Created    time.Time
	Removed    time.Time `bun:",nullzero"`
}

// Site is what the router serves.
func (r Router) Site() Site { return Site{r.Network, r.Pod} }

// Part is one of a router's services, as its host has found it.
type Part struct {
	Name    string    `json:"name"` // "firewall", "dhcp", "metadata", "balancer"
	Running bool      `json:"running,omitempty"`
	Detail  string    `json:"detail,omitempty"` // why it does not run; "" where it does
	Since   time.Time `json:"since"`            // when it was first found so
}

// Source adds to a document what a package above knows of the router's network, or of one pod's part of it.
type Source func(ctx context.Context, q db.Tx, n network.Network, pod uid.Pod, r *hypervisor.Router) error

// Hosts are what routers run on.
type Hosts interface {
	Driver(hypervisor string) (hypervisor.Driver, error)
}

// Parts are what a service works with.
type Parts struct {
	DB        *db.DB
	Engine    *op.Engine
	Hosts     Hosts
	InUse     InUse
	Passwords Passwords
	Log       *slog.Logger // nil: nothing is logged
}

// Service keeps virtual routers.
type Service struct {
	db        *db.DB
	hosts     Hosts
	log       *slog.Logger
	sources   []Source
	inUse     InUse
	passwords Passwords

	start   *op.Runner[job]
	stop    *op.Runner[job]
	reboot  *op.Runner[job]
	destroy *op.Runner[job]
	retire  *op.Runner[job]
	restart *op.Runner[restart]

	crew *crew.Crew[Site] // gives their routers documents
}

// atOnce is how many routers a server gives their documents at the same time.
const atOnce = 16

// New makes a service and registers its plans with the engine. What stands in documents is said by Sources, in their order.
func New(p Parts) *Service {
	if p.Log == nil {
		p.Log = slog.New(slog.DiscardHandler)
	}
	s := &Service{db: p.DB, hosts: p.Hosts, log: p.Log, inUse: p.InUse, passwords: p.Passwords}
	s.crew = crew.New(crew.Options[Site]{Now: p.DB.Now, AtOnce: atOnce, Shared: true, Do: s.apply, Failed: s.complain})
	s.start = op.Register(p.Engine, s.startPlan())
	s.stop = op.Register(p.Engine, s.stopPlan())
	s.reboot = op.Register(p.Engine, s.rebootPlan())
	s.destroy = op.Register(p.Engine, s.destroyPlan())
	s.retire = op.Register(p.Engine, s.retirePlan())
	s.restart = op.Register(p.Engine, s.restartPlan())
	return s
}

// FilledBy says who else knows what stands in documents. It is called before anything is started.
func (s *Service) FilledBy(sources ...Source) { s.sources = append(s.sources, sources...) }
