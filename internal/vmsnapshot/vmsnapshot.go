package vmsnapshot

import (
	"context"
	"fmt"
	"time"

	"github.com/virga-cloud/virga/internal/auth"
	"github.com/virga-cloud/virga/internal/db"
	"github.com/virga-cloud/virga/internal/event"
	"github.com/virga-cloud/virga/internal/fault"
	"github.com/virga-cloud/virga/internal/host"
	"github.com/virga-cloud/virga/internal/hypervisor"
	"github.com/virga-cloud/virga/internal/op"
	"github.com/virga-cloud/virga/internal/pool"
	"github.com/virga-cloud/virga/internal/setting"
	"github.com/virga-cloud/virga/internal/volume"
	"github.com/virga-cloud/virga/uid"
)

// State is where a snapshot stands.
type State string

// The states, in CloudStack's words. One that could not be taken is not there: its job says why.
const (
	Creating  State = "Creating"
	Ready     State = "Ready"
	Reverting State = "Reverting"
	Expunging State = "Expunging"
	Removed   State = "Removed"
)

// Snapshot is what a machine was at a moment.
type Snapshot struct {
	ID          uid.VMSnapshot `bun:",pk"`
	Account     uid.Account    `bun:"account_id"`
	Domain      uid.Domain     `bun:"domain_id"`
	Zone        uid.Zone       `bun:"zone_id"`
	VM          uid.VM         `bun:"vm_id"`
	Parent      uid.VMSnapshot `bun:"parent_id,nullzero"` // that the machine had come from
	Name        string         // that the cloud gives it
	DisplayName string         // that its user gives it
	Description string
	State       State
	Memory      bool
	Current     bool // the machine has come from it, and changed since
	Created     time.Time
	Removed     time.Time `bun:",nullzero"`
}

// Type says what is kept: CloudStack's word for it.
func (n Snapshot) Type() string {
	if n.Memory {
		return "DiskAndMemory"
	}
	return "Disk"
}

// Machine is what is to be known of a machine that is kept, or taken back.
type Machine struct {
	ID           uid.VM
	Account      uid.Account
	Domain       uid.Domain
	Zone         uid.Zone
	Name         string
	InstanceName string
	Hypervisor   string
	State        string
	Running      bool
	Stopped      bool
	Host         uid.Host // where it runs, or through which its disks are reached; "" where no host reaches them
}

// Machines knows the machines, which stand above.
type Machines interface {
	// Lock gives a machine within a scope and keeps others from changing it until the transaction's end.
	Lock(ctx context.Context, tx db.Tx, scope auth.Scope, id uid.VM) (Machine, error)
	// Find gives a machine, whosever it is.
	Find(ctx context.Context, q db.Tx, id uid.VM) (Machine, error)
}

// Parts are what a service works with.
type Parts struct {
	DB       *db.DB
	Engine   *op.Engine
	Hosts    *host.Service
	Settings *setting.Settings // nil for the defaults
	Machines Machines
}

// Service keeps snapshots of machines.
type Service struct {
	Parts

	create *op.Runner[taking]
	revert *op.Runner[reverting]
	remove *op.Runner[removal]
}

// New makes a service and registers its plans with the engine.
func New(p Parts) *Service {
	s := &Service{Parts: p}
	s.create = op.Register(p.Engine, s.createPlan())
	s.revert = op.Register(p.Engine, s.revertPlan())
	s.remove = op.Register(p.Engine, s.removePlan())
	return s
}

// request is what all operations on a snapshot have in common: they take turns with those on its machine.
func request(ctx context.Context, vm uid.VM, command string, id uid.VMSnapshot) op.Request {
	return op.Request{
		Thing: op.On("vm", vm), Caller: auth.From(ctx), Command: command, SubjectKind: "VmSnapshot", SubjectID: string(id),
	}
}

// announce writes the Scheduled event of an operation on a snapshot and tells the engine whose it is.
func announce(ctx context.Context, tx db.Tx, q *op.Request, n Snapshot, kind event.Kind, doing string) (err error) {
	q.Account, q.Domain = n.Account, n.Domain
	q.Event, err = event.Write(ctx, tx, event.Event{
		Type: kind, State: event.Scheduled,
		Description: fmt.Sprintf("%s VM snapshot %s (%s) of virtual machine %s", doing, n.DisplayName, n.ID, n.VM),
		Account:     n.Account, Domain: n.Domain, User: q.Caller.User, ResourceID: string(n.ID),
	})
	return err
}

// keeper gives what keeps machines of a hypervisor.
func (s *Service) keeper(hypervisorName string) (hypervisor.Checkpointer, error) {
	driver, err := s.Hosts.Driver(hypervisorName)
	if err != nil {
		return nil, volume.Again(err)
	}
	keeper, can := driver.(hypervisor.Checkpointer)
	if !can {
		return nil, fault.Conflictf("hosts of hypervisor %s keep no snapshots of virtual machines", hypervisorName)
	}
	return keeper, nil
}

// with does something about a snapshot on the host that has its machine, or its disks.
func (s *Service) with(
	ctx context.Context, n Snapshot, do func(k hypervisor.Checkpointer, ctx context.Context, on uid.Host, c hypervisor.Checkpoint) error,
) error {
	q := s.DB.Read()
	vm, err := s.Machines.Find(ctx, q, n.VM)
	if err != nil {
		return err
	}
	keeper, err := s.keeper(vm.Hypervisor)
	if err != nil {
		return err
	}
	if vm.Host == "" {
		return op.Retry(fault.Unavailablef("no host reaches the disks of virtual machine %q", vm.Name))
	}
	disks, err := disksOf(ctx, q, n.VM)
	if err != nil {
		return err
	}
	return volume.Again(do(keeper, ctx, vm.Host, hypervisor.Checkpoint{ID: n.ID, VM: n.VM, Disks: disks, Memory: n.Memory}))
}

// disksOf gives a machine's disks, by device. They are the same as long as it has snapshots.
func disksOf(ctx context.Context, q db.Tx, id uid.VM) ([]hypervisor.DiskRef, error) {
	of, err := volume.Of(ctx, q, []uid.VM{id})
	if err != nil {
		return nil, err
	}
	var pools []uid.Pool
	for _, v := range of[id] {
		pools = append(pools, v.Pool)
	}
	known, err := pool.ByID(ctx, q, pools)
	if err != nil {
		return nil, err
	}
	var out []hypervisor.DiskRef
	for _, v := range of[id] {
		if v.Pool != "" {
			out = append(out, hypervisor.DiskRef{Volume: v.ID, Pool: v.Pool, PoolURL: known[v.Pool].URL})
		}
	}
	return out, nil
}
