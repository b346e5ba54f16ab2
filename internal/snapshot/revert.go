package snapshot

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

// reverting is the state of taking a volume back to a snapshot.
type reverting struct {
	Snapshot uid.Snapshot `json:"snapshot"`
	Volume   uid.Volume   `json:"volume"`
	Bytes    int64        `json:"bytes"` // that it has afterwards
}

// Revert begins to make a volume what a snapshot of it is. No machine may run with it. What was written since is lost.
func (s *Service) Revert(ctx context.Context, id uid.Snapshot) (op.ID, error) {
	n, err := find(ctx, s.DB.Read(), auth.From(ctx).Reach(), id)
	if err != nil {
		return "", err
	}
	key, err := s.Volumes.KeyOf(ctx, n.Volume)
	if fault.Is(err, fault.NotFound) {
		err = fault.Conflictf("the volume of snapshot %q is deleted: make a new one from the snapshot with createVolume", n.Name)
	}
	if err != nil {
		return "", err
	}
	job, _, err := s.revert.Start(ctx, request(ctx, key, id, "revertSnapshot"), reverting{Snapshot: id, Volume: n.Volume})
	return job, err
}

// revertPlan has no undo for the disk: what was on it is gone as soon as the host begins. It fails with the disk as it was, or where it
// can't be known, leaves it to the next attempt.
func (s *Service) revertPlan() *op.Plan[reverting] {
	return op.New[reverting]("snapshot.revert").
		Accept(s.beginRevert, func(ctx context.Context, tx db.Tx, r *reverting) error {
			return volume.Settle(ctx, tx, r.Volume, volume.Reverting, volume.Ready)
		}).
		Do("revert", s.revertDisk, nil).
		Tx("finish", func(ctx context.Context, tx db.Tx, r *reverting) error {
			return volume.Reverted(ctx, tx, r.Volume, r.Bytes)
		}, nil)
}

func (s *Service) beginRevert(ctx context.Context, tx db.Tx, q *op.Request, r *reverting) error {
	n, err := usable(ctx, tx, r.Snapshot)
	if err != nil {
		return err
	}
	v, holder, err := s.Volumes.Work(ctx, tx, q, n.Volume, "taken back to a snapshot")
	switch {
	case err != nil:
		return err
	case holder.Host != "":
		return fault.Conflictf("virtual machine %q runs with volume %q; stop it first", holder.Name, v.Name)
	case v.Pool == "":
		return fault.Conflictf("volume %q has no disk", v.Name)
	}
	if err := holder.Unkept("one of its disks is taken back to a snapshot"); err != nil {
		return err
	}
	r.Bytes = n.Size
	if err := volume.Settle(ctx, tx, v.ID, v.State, volume.Reverting); err != nil {
		return err
	}
	return announce(ctx, tx, q, n, event.SnapshotRevert, "reverting to")
}

func (s *Service) revertDisk(ctx context.Context, r *reverting) error {
	n, err := find(ctx, s.DB.Read(), auth.Scope{All: true}, r.Snapshot)
	if err != nil {
		return err
	}
	found, err := volume.ByID(ctx, s.DB.Read(), []uid.Volume{r.Volume})
	if err != nil {
		return err
	}
	ref, err := s.ref(ctx, n)
	if err != nil {
		return err
	}
	d, err := s.Volumes.Reach(ctx, found[r.Volume])
	if err != nil {
		return err
	}
	driver, can := d.Driver.(hypervisor.Snapshotter)
	if !can {
		return fault.Conflictf("%s hosts can't take volumes back to snapshots", d.Kind)
	}
	return volume.Again(driver.RevertDisk(ctx, d.Host, d.Ref, ref))
}
