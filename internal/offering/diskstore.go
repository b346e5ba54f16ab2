package offering

import (
	"context"

	"github.com/uptrace/bun"

	"github.com/virga-cloud/virga/internal/auth"
	"github.com/virga-cloud/virga/internal/db"
	"github.com/virga-cloud/virga/internal/fault"
	"github.com/virga-cloud/virga/internal/setting"
	"github.com/virga-cloud/virga/uid"
)

type diskRow struct {
	bun.BaseModel `bun:"table:disk_offerings,alias:o"`
	Disk
}

var findDisk = db.Prepare("select * from disk_offerings where id = ? and removed is null")

// FindDisk gives a disk offering that is not removed.
func FindDisk(ctx context.Context, q db.Tx, id uid.DiskOffering) (Disk, error) {
	var rows []diskRow
	if err := q.Select(ctx, findDisk, &rows, id); err != nil {
		return Disk{}, err
	}
	if len(rows) == 0 {
		return Disk{}, fault.Missing(id)
	}
	return rows[0].Disk, nil
}

// Disks gives a page of the disk offerings that the caller in ctx is offered, and how many there are in all.
func (s *Service) Disks(ctx context.Context, f Filter) ([]Disk, int, error) {
	var rows []diskRow
	caller := auth.From(ctx)
	q := s.offered(s.db.Read().NewSelect().Model(&rows), f, caller)
	if !caller.IsRoot() {
		q.Where("not o.hidden")
	}
	n, err := db.Page(ctx, q, f.Offset, f.Limit)
	if err != nil {
		return nil, 0, err
	}
	out, ids := make([]Disk, len(rows)), make([]string, len(rows))
	for i, r := range rows {
		out[i], ids[i] = r.Disk, string(r.ID)
	}
	return out, n, scopesOf(ctx, s.db.Read(), ids, func(i int) *Scope { return &out[i].Scope })
}

var disksByID = db.PrepareMany("select * from disk_offerings where id in (?)")

var disks = db.Remember("offerings", func(ctx context.Context, q db.Tx, ids []uid.DiskOffering) (map[uid.DiskOffering]Disk, error) {
	return db.ByID(ctx, q, disksByID, ids, func(r diskRow) (uid.DiskOffering, Disk) { return r.ID, r.Disk })
})

// DisksByID gives disk offerings by their ids, removed ones too, in one query. Their domains and zones are left out.
func DisksByID(ctx context.Context, q db.Tx, ids []uid.DiskOffering) (map[uid.DiskOffering]Disk, error) {
	return disks.Find(ctx, q, ids)
}

// DiskNames gives the names of disk offerings, removed ones too, in one query.
func DiskNames(ctx context.Context, q db.Tx, ids []uid.DiskOffering) (map[uid.DiskOffering]string, error) {
	return db.Names(ctx, q, "disk_offerings", "name", ids)
}

// offered applies a filter for service and disk offerings, which are for all or for some domains and zones.
func (s *Service) offered(q *bun.SelectQuery, f Filter, caller auth.Caller) *bun.SelectQuery {
	q.Where("o.removed is null").OrderExpr("o.sort_key " + db.Direction(setting.SortAscending.Of(s.settings))).Order("o.id")
	db.Equal(q, "o.id", f.ID)
	db.Equal(q, "o.name", f.Name)
	db.EqualFold(q, "o.state", f.State)
	db.EqualFold(q, "o.storage_type", f.StorageType)
	db.Like(q, f.Keyword, "o.name", "o.display_text")
	if f.Zone != "" {
		q.Where("(not o.in_zones or exists (select 1 from offering_zones x where x.offering_id = o.id and x.zone_id = ?))", f.Zone)
	}
	if f.Domain != "" {
		q.Where("exists (select 1 from offering_domains x where x.offering_id = o.id and x.domain_id = ?)", f.Domain)
	}
	visible(q, caller)
	return q
}

// findLocked gives an offering that is not removed and keeps others from changing it until the transaction's end.
func findLocked(ctx context.Context, tx db.Tx, id uid.Typed, row any) error {
	err := tx.Lock(tx.NewSelect().Model(row).Where("o.id = ? and o.removed is null", id.String())).Scan(ctx)
	if db.IsNone(err) {
		return fault.Missing(id)
	}
	return err
}

func update(ctx context.Context, tx db.Tx, row any) error {
	if _, err := tx.NewUpdate().Model(row).WherePK().Exec(ctx); err != nil {
		return err
	}
	return forget(ctx, tx)
}

func remove(ctx context.Context, tx db.Tx, table, id string) error {
	if _, err := tx.NewRaw("update ? set state = ?, removed = ? where id = ?", bun.Ident(table), Inactive, tx.Now, id).Exec(ctx); err != nil {
		return err
	}
	return forget(ctx, tx)
}

// forget says that offerings change with a transaction: all that is remembered of any kind is read again.
func forget(ctx context.Context, tx db.Tx) error { return computes.Forget(ctx, tx) }
