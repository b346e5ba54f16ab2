package snapshot

import (
	"cmp"
	"context"
	"unicode/utf8"

	"github.com/virga-cloud/virga/internal/account"
	"github.com/virga-cloud/virga/internal/auth"
	"github.com/virga-cloud/virga/internal/db"
	"github.com/virga-cloud/virga/internal/event"
	"github.com/virga-cloud/virga/internal/fault"
	"github.com/virga-cloud/virga/internal/hypervisor"
	"github.com/virga-cloud/virga/internal/image"
	"github.com/virga-cloud/virga/internal/limit"
	"github.com/virga-cloud/virga/internal/op"
	"github.com/virga-cloud/virga/internal/volume"
	"github.com/virga-cloud/virga/uid"
)

// CreateIn says of what to take a snapshot. It belongs to whom the volume belongs.
type CreateIn struct {
	Volume uid.Volume
	Name   string      // the volume's and the time unless given
	Owner  account.For // who must have the volume; zero for anybody
}

// taking is the state of taking a snapshot.
type taking struct {
	Snapshot uid.Snapshot `json:"snapshot"`
	Volume   uid.Volume   `json:"volume"`
	Bytes    int64        `json:"bytes,omitempty"`
	Stored   int64        `json:"stored,omitempty"`

	in *CreateIn // for Accept only
}

// Create begins to copy a volume as it is into a store, and gives the snapshot's id and that of the job. A machine that has the volume
// runs on, and waits with all that is asked of it until the copy is there.
func (s *Service) Create(ctx context.Context, in CreateIn) (uid.Snapshot, op.ID, error) {
	key, err := s.Volumes.KeyOf(ctx, in.Volume)
	if err != nil {
		return "", "", err
	}
	id := uid.New[uid.Snapshot]()
	job, _, err := s.create.Start(ctx, request(ctx, key, id, "createSnapshot"), taking{Snapshot: id, Volume: in.Volume, in: &in})
	return id, job, err
}

func (s *Service) createPlan() *op.Plan[taking] {
	return op.New[taking]("snapshot.create").
		Accept(s.begin, discard).
		Do("take", s.take, func(ctx context.Context, t *taking) error { return s.drop(ctx, t.Snapshot) }).
		Tx("finish", taken, nil)
}

func (s *Service) begin(ctx context.Context, tx db.Tx, q *op.Request, t *taking) error {
	v, _, err := s.Volumes.Work(ctx, tx, q, t.Volume, "copied")
	if err != nil {
		return err
	}
	if v.Pool == "" {
		return fault.Conflictf("volume %q has nothing to take a snapshot of: its disk is made when a machine first starts with it", v.Name)
	}
	if n := utf8.RuneCountInString(t.in.Name); n > 255 {
		return fault.Invalidf("the name has %d characters; want at most 255", n)
	}
	if t.in.Owner != (account.For{}) {
		owner, err := s.Accounts.Owner(ctx, tx, t.in.Owner)
		if err != nil {
			return err
		}
		if owner.Account != v.Account {
			return fault.Invalidf("volume %q belongs to another account, and so would its snapshot: leave out account and domainid", v.Name)
		}
	}
	store, err := image.StoreFor(ctx, tx, v.Zone)
	if err != nil {
		return err
	}
	if store == "" {
		return fault.Conflictf("zone %s has no image store to keep snapshots in: add one with addSecondaryStorage or addImageStore first", v.Zone)
	}
	_, kind, err := volume.Through(ctx, tx, v.Pool)
	if err != nil {
		return err
	}
	n := Snapshot{
		ID: t.Snapshot, Account: v.Account, Domain: v.Domain, Zone: v.Zone, Volume: v.ID, Store: store, Hypervisor: kind, State: Creating,
		Name: cmp.Or(t.in.Name, v.Name+"_"+tx.Now.UTC().Format("20060102150405")), Size: v.Size, Created: tx.Now,
	}
	if err := insert(ctx, tx, n); err != nil {
		return err
	}
	if err := volume.Settle(ctx, tx, v.ID, v.State, volume.Snapshotting); err != nil {
		return err
	}
	if err := announce(ctx, tx, q, n, event.SnapshotCreate, "taking"); err != nil {
		return err
	}
	return account.Take(ctx, tx, n.Account, limit.Use{limit.Snapshots: 1})
}

func discard(ctx context.Context, tx db.Tx, t *taking) error {
	n, err := locked(ctx, tx, auth.Scope{All: true}, t.Snapshot)
	if err != nil {
		return err
	}
	if err := setRemoved(ctx, tx, n.ID); err != nil {
		return err
	}
	if err := volume.Settle(ctx, tx, n.Volume, volume.Snapshotting, volume.Ready); err != nil {
		return err
	}
	return account.Give(ctx, tx, n.Account, limit.Use{limit.Snapshots: 1})
}

func (s *Service) take(ctx context.Context, t *taking) error {
	n, err := find(ctx, s.DB.Read(), auth.Scope{All: true}, t.Snapshot)
	if err != nil {
		return err
	}
	report, err := s.Copy(ctx, n)
	t.Bytes, t.Stored = report.Bytes, report.StoredBytes
	return err
}

// Copy has the volume of a snapshot copied into the store, where the snapshot need not have a row.
func (s *Service) Copy(ctx context.Context, n Snapshot) (r hypervisor.SnapshotReport, err error) {
	found, err := volume.ByID(ctx, s.DB.Read(), []uid.Volume{n.Volume})
	if err != nil {
		return r, err
	}
	v := found[n.Volume]
	if !v.Removed.IsZero() {
		return r, fault.Conflictf("volume %q was deleted with its machine before it was copied", v.Name)
	}
	ref, err := s.ref(ctx, n)
	if err != nil {
		return r, err
	}
	d, err := s.Volumes.Reach(ctx, v)
	if err != nil {
		return r, err
	}
	driver, can := d.Driver.(hypervisor.Snapshotter)
	if !can {
		return r, fault.Conflictf("%s hosts can't take snapshots of volumes", d.Kind)
	}
	r, err = driver.TakeSnapshot(ctx, d.Host, d.Ref, ref)
	return r, volume.Again(err)
}

func taken(ctx context.Context, tx db.Tx, t *taking) error {
	n, err := locked(ctx, tx, auth.Scope{All: true}, t.Snapshot)
	if err != nil {
		return err
	}
	n.State, n.Size, n.Stored = BackedUp, t.Bytes, t.Stored
	if err := setTaken(ctx, tx, n); err != nil {
		return err
	}
	if err := volume.Settle(ctx, tx, n.Volume, volume.Snapshotting, volume.Ready); err != nil {
		return err
	}
	return account.Take(ctx, tx, n.Account, limit.Use{limit.SecondaryGB: volume.Gigabytes(n.Stored)})
}

// Source gives a snapshot to make a volume from: see [volume.Sources].
func (s *Service) Source(ctx context.Context, tx db.Tx, id uid.Snapshot) (volume.Source, error) {
	n, err := usable(ctx, tx, id)
	if err != nil {
		return volume.Source{}, err
	}
	of, err := volume.ByID(ctx, tx, []uid.Volume{n.Volume})
	return volume.Source{Name: n.Name, Zone: n.Zone, Bytes: n.Size, Offering: of[n.Volume].DiskOffering}, err
}

// usable gives a snapshot in the caller's reach that is whole, and stays until the transaction's end.
func usable(ctx context.Context, tx db.Tx, id uid.Snapshot) (Snapshot, error) {
	if err := tx.Rely(ctx, id); err != nil {
		return Snapshot{}, err
	}
	n, err := find(ctx, tx, auth.From(ctx).Reach(), id)
	if err == nil && n.State != BackedUp {
		err = fault.Conflictf("snapshot %q is %s and can't be used", n.Name, n.State)
	}
	return n, err
}
