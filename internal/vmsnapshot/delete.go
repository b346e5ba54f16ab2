package vmsnapshot

import (
	"context"

	"github.com/virga-cloud/virga/internal/auth"
	"github.com/virga-cloud/virga/internal/db"
	"github.com/virga-cloud/virga/internal/event"
	"github.com/virga-cloud/virga/internal/fault"
	"github.com/virga-cloud/virga/internal/hypervisor"
	"github.com/virga-cloud/virga/internal/op"
	"github.com/virga-cloud/virga/internal/volume"
	"github.com/virga-cloud/virga/uid"
)

// removal is the state of deleting a snapshot.
type removal struct {
	Snapshot uid.VMSnapshot `json:"snapshot"`
}

// Delete begins to delete a snapshot. Those that came from it come from its own parent then.
func (s *Service) Delete(ctx context.Context, id uid.VMSnapshot) (op.ID, error) {
	n, err := find(ctx, s.DB.Read(), auth.From(ctx).Reach(), id)
	if err != nil {
		return "", err
	}
	job, _, err := s.remove.Start(ctx, request(ctx, n.VM, "deleteVMSnapshot", id), removal{Snapshot: id})
	return job, err
}

func (s *Service) removePlan() *op.Plan[removal] {
	return op.New[removal]("vmsnapshot.delete").Refuses().
		Accept(s.beginRemoval, nil).
		NoWayBack().
		Do("drop", func(ctx context.Context, r *removal) error {
			return s.handle(ctx, r.Snapshot, hypervisor.Checkpointer.DropCheckpoint)
		}, nil).
		Tx("gone", removed, nil)
}

func (s *Service) beginRemoval(ctx context.Context, tx db.Tx, q *op.Request, r *removal) error {
	n, _, err := s.lock(ctx, tx, q, r.Snapshot)
	if err != nil {
		return err
	}
	if n.State != Ready {
		return fault.Conflictf("VM snapshot %q is %s and can't be deleted", n.DisplayName, n.State)
	}
	if err := setState(ctx, tx, n.ID, Expunging); err != nil {
		return err
	}
	return announce(ctx, tx, q, n, event.VMSnapshotDelete, "deleting")
}

// removed records that a snapshot is no more: its parent takes its place in the tree.
func removed(ctx context.Context, tx db.Tx, r *removal) error {
	n, err := find(ctx, tx, auth.Scope{All: true}, r.Snapshot)
	if err != nil {
		return err
	}
	if err := adopt(ctx, tx, n); err != nil {
		return err
	}
	if err := setRemoved(ctx, tx, n.ID); err != nil {
		return err
	}
	if n.Current && n.Parent != "" {
		return setCurrent(ctx, tx, n.Parent)
	}
	return nil
}

// Drop has the host through which a machine's disks are reached forget all of its snapshots, before its disks part, or go.
func Drop(ctx context.Context, q db.Tx, driver hypervisor.Driver, on uid.Host, id uid.VM) error {
	has, err := Of(ctx, q, id)
	if err != nil || len(has) == 0 {
		return err
	}
	keeper, can := driver.(hypervisor.Checkpointer)
	if !can {
		return fault.Conflictf("hosts of this hypervisor keep no snapshots of virtual machines")
	}
	disks, err := disksOf(ctx, q, id)
	if err != nil {
		return err
	}
	for _, n := range has {
		c := hypervisor.Checkpoint{ID: n.ID, VM: id, Disks: disks, Memory: n.Memory}
		if err := keeper.DropCheckpoint(ctx, on, c); err != nil {
			return volume.Again(err)
		}
	}
	return nil
}
