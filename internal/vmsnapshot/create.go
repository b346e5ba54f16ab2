package vmsnapshot

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"
	"unicode/utf8"

	"github.com/virga-cloud/virga/internal/auth"
	"github.com/virga-cloud/virga/internal/db"
	"github.com/virga-cloud/virga/internal/event"
	"github.com/virga-cloud/virga/internal/fault"
	"github.com/virga-cloud/virga/internal/hypervisor"
	"github.com/virga-cloud/virga/internal/op"
	"github.com/virga-cloud/virga/internal/setting"
	"github.com/virga-cloud/virga/internal/volume"
	"github.com/virga-cloud/virga/uid"
)

// CreateIn says of what to take a snapshot. It belongs to whom the machine belongs.
type CreateIn struct {
	VM          uid.VM
	Name        string // that it is shown by; the one that the cloud gives it unless given
	Description string
	Memory      bool // of a machine that runs
	Quiesce     bool // have the guest write out what it has in memory first
}

// taking is the state of taking a snapshot.
type taking struct {
	Snapshot uid.VMSnapshot `json:"snapshot"`

	in *CreateIn // for Accept only
}

// Create begins to keep a machine as it is, and gives the snapshot's id and that of the job. A machine that runs stands still while its
// memory is written.
func (s *Service) Create(ctx context.Context, in CreateIn) (uid.VMSnapshot, op.ID, error) {
	id := uid.New[uid.VMSnapshot]()
	job, _, err := s.create.Start(ctx, request(ctx, in.VM, "createVMSnapshot", id), taking{Snapshot: id, in: &in})
	return id, job, err
}

func (s *Service) createPlan() *op.Plan[taking] {
	return op.New[taking]("vmsnapshot.create").Refuses().
		Accept(s.begin, func(ctx context.Context, tx db.Tx, t *taking) error { return setRemoved(ctx, tx, t.Snapshot) }).
		Do("take", func(ctx context.Context, t *taking) error {
			return s.handle(ctx, t.Snapshot, hypervisor.Checkpointer.TakeCheckpoint)
		},
			func(ctx context.Context, t *taking) error {
				return s.handle(ctx, t.Snapshot, hypervisor.Checkpointer.DropCheckpoint)
			}).
		Tx("finish", func(ctx context.Context, tx db.Tx, t *taking) error { return setCurrent(ctx, tx, t.Snapshot) }, nil)
}

// handle is [Service.with] for a snapshot by its id.
func (s *Service) handle(
	ctx context.Context, id uid.VMSnapshot, do func(k hypervisor.Checkpointer, ctx context.Context, on uid.Host, c hypervisor.Checkpoint) error,
) error {
	n, err := find(ctx, s.DB.Read(), auth.Scope{All: true}, id)
	if err != nil {
		return err
	}
	return s.with(ctx, n, do)
}

func (s *Service) begin(ctx context.Context, tx db.Tx, q *op.Request, t *taking) error {
	vm, err := s.Machines.Lock(ctx, tx, q.Caller.Reach(), t.in.VM)
	if err != nil {
		return err
	}
	if err := s.mayTake(ctx, tx, vm, *t.in); err != nil {
		return err
	}
	has, err := Of(ctx, tx, vm.ID)
	if err != nil {
		return err
	}
	n := Snapshot{
		ID: t.Snapshot, Account: vm.Account, Domain: vm.Domain, Zone: vm.Zone, VM: vm.ID, Description: t.in.Description, State: Creating,
		Name: nameFor(vm, has, tx.Now), Memory: t.in.Memory, Created: tx.Now,
	}
	n.DisplayName = cmp.Or(t.in.Name, n.Name)
	if most := setting.MaxVMSnapshots.Of(s.Settings); int64(len(has)) >= most {
		return fault.Limitf("virtual machine %q has %d VM snapshots, and may have %d: delete one with deleteVMSnapshot first",
			vm.Name, len(has), most)
	}
	for _, other := range has {
		if other.DisplayName == n.DisplayName {
			return fault.Conflictf("virtual machine %q has a VM snapshot %q already", vm.Name, n.DisplayName)
		}
		if other.Current {
			n.Parent = other.ID
		}
	}
	if err := insert(ctx, tx, n); err != nil {
		return err
	}
	return announce(ctx, tx, q, n, event.VMSnapshotCreate, "taking")
}

// nameFor is the name that the cloud gives a snapshot. Two of one second have a number each.
func nameFor(vm Machine, has []Snapshot, now time.Time) string {
	base := vm.InstanceName + "_VS_" + now.UTC().Format("20060102150405")
	name := base
	for i := 2; slices.ContainsFunc(has, func(n Snapshot) bool { return n.Name == name || n.DisplayName == name }); i++ {
		name = fmt.Sprintf("%s_%d", base, i)
	}
	return name
}

// mayTake refuses a snapshot that can't be taken of a machine.
func (s *Service) mayTake(ctx context.Context, tx db.Tx, vm Machine, in CreateIn) error {
	for what, text := range map[string]string{"name": in.Name, "description": in.Description} {
		if n := utf8.RuneCountInString(text); n > 255 {
			return fault.Invalidf("the %s has %d characters; want at most 255", what, n)
		}
	}
	if _, err := s.keeper(vm.Hypervisor); err != nil {
		return err
	}
	switch {
	case in.Quiesce:
		return fault.Invalidf("hosts of hypervisor %s can't have a guest write out what it has in memory: leave out quiescevm, or stop virtual "+
			"machine %q first", vm.Hypervisor, vm.Name)
	case !vm.Running && !vm.Stopped:
		return fault.Conflictf("virtual machine %q is %s; VM snapshots can be taken while it is Running or Stopped", vm.Name, vm.State)
	case in.Memory && !vm.Running:
		return fault.Conflictf("virtual machine %q is %s and has nothing in memory: start it first, or leave out snapshotmemory", vm.Name, vm.State)
	}
	of, err := volume.Of(ctx, tx, []uid.VM{vm.ID})
	if err != nil {
		return err
	}
	if i := slices.IndexFunc(of[vm.ID], func(v volume.Volume) bool { return v.State != volume.Ready }); i >= 0 {
		v := of[vm.ID][i]
		if v.State == volume.Allocated {
			return fault.Conflictf("volume %q has no disk yet: start virtual machine %q first, which makes it", v.Name, vm.Name)
		}
		return fault.Conflictf("volume %q of virtual machine %q is %s; try again when it is Ready", v.Name, vm.Name, v.State)
	}
	return nil
}
