package volume

import (
	"context"
	"slices"

	"github.com/virga-cloud/virga/internal/account"
	"github.com/virga-cloud/virga/internal/auth"
	"github.com/virga-cloud/virga/internal/db"
	"github.com/virga-cloud/virga/internal/event"
	"github.com/virga-cloud/virga/internal/fault"
	"github.com/virga-cloud/virga/internal/op"
	"github.com/virga-cloud/virga/internal/pool"
	"github.com/virga-cloud/virga/uid"
)

// deletable are the states in which a volume can be deleted.
var deletable = []State{Ready, Allocated, NotUploaded, UploadError, UploadAbandoned}

// removal is the state of deleting a volume.
type removal struct {
	Volume uid.Volume `json:"volume"`
	Was    State      `json:"was"`
}

// Delete begins to delete a volume that no machine has, with its disk and all that is on it.
func (s *Service) Delete(ctx context.Context, id uid.Volume) (op.ID, error) {
	job, _, err := s.remove.Start(ctx, request(ctx, id, "deleteVolume"), removal{Volume: id})
	return job, err
}

func (s *Service) removePlan() *op.Plan[removal] {
	return op.New[removal]("volume.delete").Refuses().
		Accept(s.beginRemoval, func(ctx context.Context, tx db.Tx, r *removal) error { return SetState(ctx, tx, r.Volume, r.Was) }).
		NoWayBack().
		Do("drop", s.drop, nil).
		Tx("gone", removed, nil)
}

func (s *Service) beginRemoval(ctx context.Context, tx db.Tx, q *op.Request, r *removal) error {
	v, err := Locked(ctx, tx, q.Caller.Reach(), r.Volume)
	switch {
	case err != nil:
		return err
	case v.VM != "":
		return fault.Conflictf("volume %q is attached to a virtual machine; detach it first", v.Name)
	case !slices.Contains(deletable, v.State):
		return fault.Conflictf("volume %q is %s and can't be deleted", v.Name, v.State)
	}
	r.Was = v.State
	if err := SetState(ctx, tx, v.ID, Expunging); err != nil {
		return err
	}
	return Announce(ctx, tx, q, v, event.VolumeDelete, "deleting")
}

// drop removes the disk, through any host that reaches it.
func (s *Service) drop(ctx context.Context, r *removal) error {
	found, err := ByID(ctx, s.DB.Read(), []uid.Volume{r.Volume})
	if err != nil {
		return err
	}
	v := found[r.Volume]
	if v.Pool == "" {
		return nil
	}
	return s.DropFrom(ctx, v.ID, v.Pool)
}

// DropFrom removes a volume's disk from a pool, through any host that reaches it.
func (s *Service) DropFrom(ctx context.Context, id uid.Volume, in uid.Pool) error {
	d, err := s.Reach(ctx, Volume{ID: id, Pool: in})
	if err != nil {
		return err
	}
	return Again(d.Driver.DropDisk(ctx, d.Host, d.Ref))
}

// DropOf is DropFrom for some of the disks of a machine.
func (s *Service) DropOf(ctx context.Context, vm uid.VM, which func(Volume) bool) error {
	of, err := Of(ctx, s.DB.Read(), []uid.VM{vm})
	if err != nil {
		return err
	}
	for _, v := range of[vm] {
		if v.Pool == "" || !which(v) {
			continue
		}
		if err := s.DropFrom(ctx, v.ID, v.Pool); err != nil {
			return err
		}
	}
	return nil
}

func removed(ctx context.Context, tx db.Tx, r *removal) error {
	v, err := Locked(ctx, tx, auth.Scope{All: true}, r.Volume)
	if err != nil {
		return err
	}
	if v.Pool != "" {
		if err := pool.Release(ctx, tx, v.Pool, v.Size); err != nil {
			return err
		}
	}
	if err := Remove(ctx, tx, v.ID); err != nil {
		return err
	}
	return account.Give(ctx, tx, v.Account, v.Use())
}

// Unplace gives back the room that was taken for a volume's disk, which is not there (any more), and leaves it in a state.
func Unplace(ctx context.Context, tx db.Tx, id uid.Volume, s State) error {
	v, err := Locked(ctx, tx, auth.Scope{All: true}, id)
	if err != nil || v.Pool == "" {
		return err
	}
	if err := pool.Release(ctx, tx, v.Pool, v.Size); err != nil {
		return err
	}
	return SetPlaced(ctx, tx, id, s, "")
}
