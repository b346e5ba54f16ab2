package compute

import (
	"context"
	"fmt"

	"github.com/virga-cloud/virga/internal/account"
	"github.com/virga-cloud/virga/internal/auth"
	"github.com/virga-cloud/virga/internal/db"
	"github.com/virga-cloud/virga/internal/event"
	"github.com/virga-cloud/virga/internal/fault"
	"github.com/virga-cloud/virga/internal/host"
	"github.com/virga-cloud/virga/internal/hypervisor"
	"github.com/virga-cloud/virga/internal/network"
	"github.com/virga-cloud/virga/internal/op"
	"github.com/virga-cloud/virga/internal/placement"
	"github.com/virga-cloud/virga/internal/router"
	"github.com/virga-cloud/virga/internal/secgroup"
	"github.com/virga-cloud/virga/internal/secret"
	"github.com/virga-cloud/virga/internal/setting"
	"github.com/virga-cloud/virga/internal/volume"
	"github.com/virga-cloud/virga/uid"
)

// Service keeps virtual machines.
type Service struct {
	db       *db.DB
	engine   *op.Engine
	accounts *account.Service
	networks *network.Service
	hosts    *host.Service
	volumes  *volume.Service
	routers  *router.Service
	groups   *secgroup.Service
	settings *setting.Settings
	box      *secret.Box

	placement *placement.Service
	ended     Ended
	drive     Drive

	deploy      *op.Runner[job]
	prepare     *op.Runner[job]
	start       *op.Runner[job]
	stop        *op.Runner[job]
	reboot      *op.Runner[job]
	forceReboot *op.Runner[job]
	destroy     *op.Runner[job]
	destroyWith *op.Runner[job]
	wipe        *op.Runner[job]
	expunge     *op.Runner[job]

	migrate *op.Runner[migrating]
	settle  *op.Runner[settling]

	attachVolume *op.Runner[attachment]
	createVolume *op.Runner[attachment]
	detachVolume *op.Runner[attachment]
	changeCD     *op.Runner[disc]
}

// Parts are what a service works with.
type Parts struct {
	DB       *db.DB
	Engine   *op.Engine
	Accounts *account.Service
	Networks *network.Service
	Hosts    *host.Service
	Volumes  *volume.Service
	Routers  *router.Service
	Groups   *secgroup.Service
	Settings *setting.Settings // nil for the defaults
	Box      *secret.Box       // seals the passwords of guests
}

// New makes a service and registers its plans with the engine.
func New(p Parts) *Service {
	s, e := &Service{
		db: p.DB, engine: p.Engine, accounts: p.Accounts, networks: p.Networks, hosts: p.Hosts, volumes: p.Volumes, routers: p.Routers,
		groups: p.Groups, settings: p.Settings, box: p.Box,
	}, p.Engine
	s.placement = placement.New(p.Settings)
	s.deploy = op.Register(e, s.deployPlan())
	s.prepare = op.Register(e, s.preparePlan())
	s.start = op.Register(e, s.startPlan())
	s.stop = op.Register(e, s.stopPlan())
	s.reboot = op.Register(e, s.rebootPlan())
	s.forceReboot = op.Register(e, s.forceRebootPlan())
	s.destroy = op.Register(e, s.destroyPlan())
	s.destroyWith = op.Register(e, s.destroyWithPlan())
	s.wipe = op.Register(e, s.wipePlan())
	s.expunge = op.Register(e, s.expungePlan())
	s.migrate = op.Register(e, s.migratePlan())
	s.settle = op.Register(e, s.settlePlan())
	s.attachVolume = op.Register(e, s.attachPlan())
	s.createVolume = op.Register(e, s.createVolumePlan())
	s.detachVolume = op.Register(e, s.detachPlan())
	s.changeCD = op.Register(e, s.changeCDPlan())
	return s
}

// job is the state of all plans on a machine.
type job struct {
	VM      uid.VM       `json:"vm"`
	Host    uid.Host     `json:"host,omitempty"`    // where it is started, or was when the job began
	New     []uid.Volume `json:"new,omitempty"`     // whose disks the job makes
	Was     State        `json:"was,omitempty"`     // the machine's state before
	Forced  bool         `json:"forced,omitempty"`  // cut the power
	Off     bool         `json:"off,omitempty"`     // a forced reboot has stopped the machine
	Expunge bool         `json:"expunge,omitempty"` // after destroying
	With    []uid.Volume `json:"with,omitempty"`    // data disks that go with the machine
	Wish    wish         `json:"wish,omitzero"`

	// Routed are the revisions of its networks that their routers must have come to before the machine starts.
	Routed map[uid.Network]int64 `json:"routed,omitempty"`
	// Guarded is the version of the rules of cards that its host must have by then; 0 without security groups.
	Guarded int64 `json:"guarded,omitempty"`

	in *DeployIn // for Accept only
}

// wish is where an admin wants a machine.
type wish struct {
	Host    uid.Host    `json:"host,omitempty"`
	Pod     uid.Pod     `json:"pod,omitempty"`
	Cluster uid.Cluster `json:"cluster,omitempty"`
}

// thing is the machine as the key of its operations: one at a time.
func thing(id uid.VM) op.Key { return op.On("vm", id) }

// Request is what all operations on a machine have in common: they take turns.
func Request(ctx context.Context, id uid.VM, command string) op.Request {
	return op.Request{
		Thing: thing(id), Caller: auth.From(ctx), Command: command, SubjectKind: "VirtualMachine", SubjectID: string(id),
	}
}

// accept begins an operation on a machine that there is: it must be in the caller's reach and its state must allow the move.
func (s *Service) accept(ctx context.Context, tx db.Tx, q *op.Request, j *job, to State, kind event.Kind, doing string) (VM, error) {
	vm, err := Locked(ctx, tx, q.Caller.Reach(), j.VM)
	if err != nil {
		return VM{}, err
	}
	if err := vm.may(to); err != nil {
		return VM{}, err
	}
	j.Was, j.Host = vm.State, vm.Host
	return vm, Announce(ctx, tx, q, vm, kind, doing)
}

// Announce writes the Scheduled event of an operation on a machine and tells the engine whose it is.
func Announce(ctx context.Context, tx db.Tx, q *op.Request, vm VM, kind event.Kind, doing string) (err error) {
	q.Account, q.Domain = vm.Account, vm.Domain
	q.Event, err = event.Write(ctx, tx, event.Event{
		Type: kind, State: event.Scheduled, Description: fmt.Sprintf("%s virtual machine %s (%s)", doing, vm.Name, vm.ID),
		Account: vm.Account, Domain: vm.Domain, User: q.Caller.User, ResourceID: string(vm.ID),
	})
	return err
}

// driver gives what drives a machine's host.
func (s *Service) driver(vm VM) (hypervisor.Driver, error) { return s.hosts.Driver(vm.Hypervisor) }

// driven gives what drives a machine's host. A driver that is not there is worth another try.
func (s *Service) driven(ctx context.Context, id uid.VM) (hypervisor.Driver, error) {
	vm, err := Find(ctx, s.db.Read(), id)
	if err != nil {
		return nil, err
	}
	driver, err := s.driver(vm)
	return driver, again(err)
}

// knowDriven is driven for steps that have more to do with the machine.
func (s *Service) knowDriven(ctx context.Context, id uid.VM) (known, hypervisor.Driver, error) {
	vm, err := know(ctx, s.db.Read(), id)
	if err != nil {
		return known{}, nil, err
	}
	driver, err := s.driver(vm.VM)
	return vm, driver, again(err)
}

// again makes a host that does not answer worth another try.
func again(err error) error {
	if fault.Is(err, fault.Unavailable) {
		return op.Retry(err)
	}
	return err
}
