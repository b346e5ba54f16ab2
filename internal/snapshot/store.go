package snapshot

import (
	"context"

	"github.com/uptrace/bun"

	"github.com/virga-cloud/virga/internal/auth"
	"github.com/virga-cloud/virga/internal/db"
	"github.com/virga-cloud/virga/internal/fault"
	"github.com/virga-cloud/virga/internal/tag"
	"github.com/virga-cloud/virga/internal/zone"
	"github.com/virga-cloud/virga/uid"
)

// Taggable are the snapshots that can have tags.
var Taggable = tag.Kind{Type: tag.Snapshot, Table: "snapshots", Live: "removed is null"}

type snapshotRow struct {
	bun.BaseModel `bun:"table:snapshots,alias:n"`
	Snapshot
}

func insert(ctx context.Context, tx db.Tx, n Snapshot) error {
	_, err := tx.NewInsert().Model(&snapshotRow{Snapshot: n}).Exec(ctx)
	return err
}

// find gives a snapshot within a scope that is not removed.
func find(ctx context.Context, q db.Tx, scope auth.Scope, id uid.Snapshot) (Snapshot, error) {
	var row snapshotRow
	err := scope.Where(q.NewSelect().Model(&row), "n").Where("n.id = ? and n.removed is null", id).Scan(ctx)
	if db.IsNone(err) {
		return Snapshot{}, fault.Missing(id)
	}
	return row.Snapshot, err
}

// locked is find; it keeps others from changing the snapshot until the transaction's end.
func locked(ctx context.Context, tx db.Tx, scope auth.Scope, id uid.Snapshot) (Snapshot, error) {
	var row snapshotRow
	err := tx.Lock(scope.Where(tx.NewSelect().Model(&row), "n").Where("n.id = ? and n.removed is null", id)).Scan(ctx)
	if db.IsNone(err) {
		return Snapshot{}, fault.Missing(id)
	}
	return row.Snapshot, err
}

func setState(ctx context.Context, tx db.Tx, id uid.Snapshot, s State) error {
	_, err := tx.NewRaw("update snapshots set state = ? where id = ?", s, id).Exec(ctx)
	return err
}

func setTaken(ctx context.Context, tx db.Tx, n Snapshot) error {
	_, err := tx.NewRaw("update snapshots set state = ?, size = ?, stored_bytes = ? where id = ?", n.State, n.Size, n.Stored, n.ID).Exec(ctx)
	return err
}

func setRemoved(ctx context.Context, tx db.Tx, id uid.Snapshot) error {
	if _, err := tx.NewRaw("update snapshots set state = ?, removed = ? where id = ?", Destroyed, tx.Now, id).Exec(ctx); err != nil {
		return err
	}
	return tag.Forget(ctx, tx, tag.Snapshot, id)
}

// wantedBy counts the volumes whose disks are still to be made from a snapshot, or are being taken back to one of the same volume.
func wantedBy(ctx context.Context, tx db.Tx, n Snapshot) (waiting int, err error) {
	err = tx.NewRaw(`select count(*) from volumes where removed is null
		and (snapshot_id = ? and (pool_id is null or state in ('Creating', 'Attaching')) or id = ? and state = 'RevertSnapshotting')`,
		n.ID, n.Volume).Scan(ctx, &waiting)
	return waiting, err
}

// ByID gives snapshots by their ids, removed ones too, in one query. The caller has checked who may see them.
func ByID(ctx context.Context, q db.Tx, ids []uid.Snapshot) (map[uid.Snapshot]Snapshot, error) {
	out := map[uid.Snapshot]Snapshot{}
	if len(ids) == 0 {
		return out, nil
	}
	var rows []snapshotRow
	err := q.NewSelect().Model(&rows).Where("n.id in (?)", bun.List(ids)).Scan(ctx)
	for _, r := range rows {
		out[r.ID] = r.Snapshot
	}
	return out, err
}

// Filter says which snapshots a list shows. Zero fields don't restrict, but for Scope, whose zero value shows nothing.
type Filter struct {
	Scope   auth.Scope
	IDs     []uid.Snapshot
	Name    string
	Volume  uid.Volume
	Zone    uid.Zone
	Store   uid.ImageStore
	Tags    tag.Wanted
	Keyword string // in the name
	Offset  int
	Limit   int // 0 or less: all
}

// List gives a page of snapshots, the oldest first, and how many there are in all.
func (s *Service) List(ctx context.Context, f Filter) ([]Snapshot, int, error) {
	var rows []snapshotRow
	q := f.Scope.Where(s.DB.Read().NewSelect().Model(&rows), "n").Where("n.removed is null").Order("n.id")
	db.In(q, "n.id", f.IDs)
	f.Tags.Where(q, tag.Snapshot, "n.id")
	db.Equal(q, "n.name", f.Name)
	db.Equal(q, "n.volume_id", f.Volume)
	db.Equal(q, "n.zone_id", f.Zone)
	db.Equal(q, "n.store_id", f.Store)
	db.Like(q, f.Keyword, "n.name")
	n, err := db.Page(ctx, q, f.Offset, f.Limit)
	out := make([]Snapshot, len(rows))
	for i, r := range rows {
		out[i] = r.Snapshot
	}
	return out, n, err
}

// CountIn counts the snapshots of a zone: see [zone.Uses].
func CountIn(ctx context.Context, tx db.Tx, p zone.Place) ([]zone.Count, error) {
	if p.Zone == "" {
		return nil, nil
	}
	var n int
	err := tx.NewRaw("select count(*) from snapshots where zone_id = ? and removed is null", p.Zone).Scan(ctx, &n)
	return []zone.Count{{Thing: "snapshot", N: n}}, err
}

// Bytes gives how much snapshots take in some stores of images, in one query.
func Bytes(ctx context.Context, q db.Tx, ids []uid.ImageStore) (map[uid.ImageStore]int64, error) {
	var rows []struct {
		StoreID uid.ImageStore
		Bytes   int64
	}
	err := q.NewSelect().Model((*snapshotRow)(nil)).Column("store_id").ColumnExpr("sum(n.stored_bytes) as bytes").
		Where("n.store_id in (?) and n.removed is null", bun.List(ids)).Group("store_id").Scan(ctx, &rows)
	out := map[uid.ImageStore]int64{}
	for _, r := range rows {
		out[r.StoreID] = r.Bytes
	}
	return out, err
}
