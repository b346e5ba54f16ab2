package snapshot

import (
	"context"

	"github.com/virga-cloud/virga/internal/account"
	"github.com/virga-cloud/virga/internal/auth"
	"github.com/virga-cloud/virga/internal/db"
	"github.com/virga-cloud/virga/internal/event"
	"github.com/virga-cloud/virga/internal/fault"
	"github.com/virga-cloud/virga/internal/hypervisor"
	"github.com/virga-cloud/virga/internal/limit"
	"github.com/virga-cloud/virga/internal/op"
	"github.com/virga-cloud/virga/internal/volume"
	"github.com/virga-cloud/virga/uid"
)

// removal is the state of deleting a snapshot.
type removal struct {
	Snapshot uid.Snapshot `json:"snapshot"`

	zone uid.Zone // for Accept only
}

// Delete begins to delete a snapshot. What was made from it stays. With a zone it must be in that one.
func (s *Service) Delete(ctx context.Context, id uid.Snapshot, zone uid.Zone) (op.ID, error) {
	job, _, err := s.remove.Start(ctx, request(ctx, op.On("snapshot", id), id, "deleteSnapshot"), removal{Snapshot: id, zone: zone})
	return job, err
}

func (s *Service) removePlan() *op.Plan[removal] {
	return op.New[removal]("snapshot.delete").
		Accept(beginRemoval, nil).
		NoWayBack().
		Do("drop", func(ctx context.Context, r *removal) error { return s.drop(ctx, r.Snapshot) }, nil).
		Tx("gone", removed, nil)
}

func beginRemoval(ctx context.Context, tx db.Tx, q *op.Request, r *removal) error {
	if err := tx.Retire(ctx, r.Snapshot); err != nil {
		return err
	}
	n, err := locked(ctx, tx, q.Caller.Reach(), r.Snapshot)
	switch {
	case err != nil:
		return err
	case r.zone != "" && r.zone != n.Zone:
		return fault.NotFoundf("snapshot %q is not in zone %s", n.Name, r.zone)
	case n.State != BackedUp:
		return fault.Conflictf("snapshot %q is %s and can't be deleted", n.Name, n.State)
	}
	waiting, err := wantedBy(ctx, tx, n)
	if err != nil {
		return err
	}
	if waiting > 0 {
		return fault.Conflictf("snapshot %q has %s waiting for it, whose disks are made when a machine first starts with them: attach these, "+
			"or delete them, first", n.Name, fault.Count(waiting, "volume"))
	}
	if err := setState(ctx, tx, n.ID, Destroying); err != nil {
		return err
	}
	return announce(ctx, tx, q, n, event.SnapshotDelete, "deleting")
}

func (s *Service) drop(ctx context.Context, id uid.Snapshot) error {
	n, err := find(ctx, s.DB.Read(), auth.Scope{All: true}, id)
	if err != nil {
		return err
	}
	return s.DropFrom(ctx, n)
}

// DropFrom removes a snapshot from its store. Where no host is left that could, there is nothing that could be used, either.
func (s *Service) DropFrom(ctx context.Context, n Snapshot) error {
	driver, on, err := s.snapshotter(ctx, n)
	if err != nil {
		return err
	}
	ref, err := s.ref(ctx, n)
	if err != nil || on == "" && !hypervisor.Reaches(driver, hypervisor.StoreRef{Store: ref.Store, URL: ref.StoreURL}) {
		return err
	}
	return volume.Again(driver.DropSnapshot(ctx, on, ref))
}

// snapshotter gives what handles a snapshot in its zone, and one of its hosts; "" where there are none.
func (s *Service) snapshotter(ctx context.Context, n Snapshot) (hypervisor.Snapshotter, uid.Host, error) {
	driver, err := s.Hosts.Driver(n.Hypervisor)
	if err != nil {
		return nil, "", volume.Again(err)
	}
	snapshotter, can := driver.(hypervisor.Snapshotter)
	if !can {
		return nil, "", fault.Conflictf("%s hosts keep no snapshots", n.Hypervisor)
	}
	on, err := s.Images.AnyHost(ctx, n.Zone, n.Hypervisor)
	return snapshotter, on, err
}

// Reader gives what reads a snapshot in its store, one of its hosts, and what they call it.
func (s *Service) Reader(ctx context.Context, n Snapshot) (hypervisor.Giver, uid.Host, hypervisor.Stored, error) {
	return through[hypervisor.Giver](ctx, s, n, "read")
}

// Writer gives what takes a snapshot into its store, one of its hosts, and what they call it.
func (s *Service) Writer(ctx context.Context, n Snapshot) (hypervisor.Taker, uid.Host, hypervisor.Stored, error) {
	return through[hypervisor.Taker](ctx, s, n, "write to")
}

func through[D any](ctx context.Context, s *Service, n Snapshot, do string) (d D, on uid.Host, at hypervisor.Stored, err error) {
	driver, on, err := s.snapshotter(ctx, n)
	if err != nil {
		return d, "", at, err
	}
	d, can := driver.(D)
	if !can || on == "" {
		return d, "", at, fault.Conflictf("the zone has no %s hosts that could %s its stores", n.Hypervisor, do)
	}
	ref, err := s.ref(ctx, n)
	return d, on, hypervisor.Stored{Store: ref.Store, StoreURL: ref.StoreURL, Snapshot: ref.Snapshot}, err
}

func removed(ctx context.Context, tx db.Tx, r *removal) error {
	n, err := locked(ctx, tx, auth.Scope{All: true}, r.Snapshot)
	if err != nil {
		return err
	}
	if err := setRemoved(ctx, tx, n.ID); err != nil {
		return err
	}
	return account.Give(ctx, tx, n.Account, limit.Use{limit.Snapshots: 1, limit.SecondaryGB: volume.Gigabytes(n.Stored)})
}
