package vmsnapshot

import (
	"context"

	"github.com/virga-cloud/virga/internal/auth"
	"github.com/virga-cloud/virga/internal/db"
	"github.com/virga-cloud/virga/internal/event"
	"github.com/virga-cloud/virga/internal/fault"
	"github.com/virga-cloud/virga/internal/hypervisor"
	"github.com/virga-cloud/virga/internal/op"
	"github.com/virga-cloud/virga/uid"
)

// reverting is the state of taking a machine back to a snapshot.
type reverting struct {
	Snapshot uid.VMSnapshot `json:"snapshot"`
}

// Revert begins to make a machine what it was when a snapshot of it was taken: with memory it runs and runs on from there, and without
// it is stopped. What was written since is lost, but for what other snapshots keep.
func (s *Service) Revert(ctx context.Context, id uid.VMSnapshot) (op.ID, error) {
	n, err := find(ctx, s.DB.Read(), auth.From(ctx).Reach(), id)
	if err != nil {
		return "", err
	}
	q := request(ctx, n.VM, "revertToVMSnapshot", id)
	q.SubjectKind, q.SubjectID = "VirtualMachine", string(n.VM)
	job, _, err := s.revert.Start(ctx, q, reverting{Snapshot: id})
	return job, err
}

// revertPlan has no undo for the disks: what was on them is gone as soon as the host begins, and the next attempt begins anew.
func (s *Service) revertPlan() *op.Plan[reverting] {
	return op.New[reverting]("vmsnapshot.revert").Refuses().
		Accept(s.beginRevert, func(ctx context.Context, tx db.Tx, r *reverting) error { return setState(ctx, tx, r.Snapshot, Ready) }).
		Do("revert", func(ctx context.Context, r *reverting) error {
			return s.handle(ctx, r.Snapshot, hypervisor.Checkpointer.RevertTo)
		}, nil).
		Tx("finish", func(ctx context.Context, tx db.Tx, r *reverting) error { return setCurrent(ctx, tx, r.Snapshot) }, nil)
}

func (s *Service) beginRevert(ctx context.Context, tx db.Tx, q *op.Request, r *reverting) error {
	n, vm, err := s.lock(ctx, tx, q, r.Snapshot)
	switch {
	case err != nil:
		return err
	case n.State != Ready:
		return fault.Conflictf("VM snapshot %q is %s; want it Ready", n.DisplayName, n.State)
	case !vm.Running && !vm.Stopped:
		return fault.Conflictf("virtual machine %q is %s; it can be taken back to a VM snapshot while it is Running or Stopped", vm.Name, vm.State)
	case n.Memory && !vm.Running:
		return fault.Conflictf("virtual machine %q is %s, and VM snapshot %q is of one that ran, with its memory: start it first", vm.Name, vm.State,
			n.DisplayName)
	case !n.Memory && !vm.Stopped:
		return fault.Conflictf("virtual machine %q is %s, and VM snapshot %q has no memory for it to run on with: stop it first", vm.Name, vm.State,
			n.DisplayName)
	}
	if err := setState(ctx, tx, n.ID, Reverting); err != nil {
		return err
	}
	return announce(ctx, tx, q, n, event.VMSnapshotRevert, "reverting to")
}

// lock gives a snapshot in the caller's reach, and its machine, and keeps others from changing them until the transaction's end.
func (s *Service) lock(ctx context.Context, tx db.Tx, q *op.Request, id uid.VMSnapshot) (Snapshot, Machine, error) {
	n, err := find(ctx, tx, q.Caller.Reach(), id)
	if err != nil {
		return n, Machine{}, err
	}
	vm, err := s.Machines.Lock(ctx, tx, auth.Scope{All: true}, n.VM)
	if err != nil {
		return n, vm, err
	}
	n, err = find(ctx, tx, q.Caller.Reach(), id) // all that changes snapshots locks their machine
	return n, vm, err
}
