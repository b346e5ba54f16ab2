package image

import (
	"context"
	"maps"
	"slices"

	"github.com/uptrace/bun"

	"github.com/virga-cloud/virga/internal/db"
	"github.com/virga-cloud/virga/internal/hypervisor"
	"github.com/virga-cloud/virga/uid"
)

type storeRow struct {
	bun.BaseModel `bun:"table:image_stores,alias:s"`
	Store
}

// storeOfURL gives the name of the store that is at a URL already, for a zone or for all; "" for none.
func storeOfURL(ctx context.Context, tx db.Tx, zone uid.Zone, url string) (name string, err error) {
	q := tx.NewSelect().Model((*storeRow)(nil)).Column("name").Where("s.url = ? and s.removed is null", url).Order("s.id").Limit(1)
	if zone != "" {
		q.Where("(s.zone_id is null or s.zone_id = ?)", zone)
	}
	if err = q.Scan(ctx, &name); db.IsNone(err) {
		return "", nil
	}
	return name, err
}

// storeFor gives the store in which a zone keeps an image: the wanted one, or ("") the zone's own before one of all zones; ""
// where there is none.
func storeFor(ctx context.Context, q db.Tx, zone uid.Zone, wanted uid.ImageStore) (id uid.ImageStore, err error) {
	find := q.NewSelect().Model((*storeRow)(nil)).Column("id").Where("s.removed is null and (s.zone_id is null or s.zone_id = ?)", zone).
		OrderExpr("case when s.zone_id is null then 1 else 0 end, s.id").Limit(1)
	db.Equal(find, "s.id", wanted)
	if err = find.Scan(ctx, &id); db.IsNone(err) {
		return "", nil
	}
	return id, err
}

// StoreFor gives the store in which a zone keeps what is new; "" where there is none.
func StoreFor(ctx context.Context, q db.Tx, zone uid.Zone) (uid.ImageStore, error) {
	return storeFor(ctx, q, zone, "")
}

// zonesWithStores gives the zones in which images can be kept.
func zonesWithStores(ctx context.Context, q db.Tx) (ids []uid.Zone, err error) {
	err = q.NewRaw(`select z.id from zones z where z.removed is null and exists (select 1 from image_stores s
		where s.removed is null and (s.zone_id is null or s.zone_id = z.id)) order by z.id`).Scan(ctx, &ids)
	return ids, err
}

// allZones gives all zones.
func allZones(ctx context.Context, q db.Tx) (ids []uid.Zone, err error) {
	err = q.NewRaw("select id from zones where removed is null order by id").Scan(ctx, &ids)
	return ids, err
}

// hasHypervisor tells whether a zone has hosts of a kind.
func hasHypervisor(ctx context.Context, q db.Tx, zone uid.Zone, name string) (bool, error) {
	return q.NewSelect().Table("hosts").Where("zone_id = ? and lower(hypervisor) = lower(?) and removed is null", zone, name).Exists(ctx)
}

// hypervisorsIn are the kinds of hosts that a zone has.
func hypervisorsIn(ctx context.Context, q db.Tx, zone uid.Zone) (names []string, err error) {
	err = q.NewRaw("select distinct hypervisor from hosts where zone_id = ? and removed is null order by hypervisor", zone).Scan(ctx, &names)
	return names, err
}

// Stores gives a page of image stores, the oldest first, and how many there are in all.
func (s *Service) Stores(ctx context.Context, f StoreFilter) ([]Store, int, error) {
	var rows []storeRow
	q := s.DB.Read().NewSelect().Model(&rows).Where("s.removed is null").Order("s.id")
	db.Equal(q, "s.id", f.ID)
	db.Equal(q, "s.zone_id", f.Zone)
	db.Equal(q, "s.name", f.Name)
	db.EqualFold(q, "s.protocol", f.Protocol)
	db.EqualFold(q, "s.provider", f.Provider)
	db.Like(q, f.Keyword, "s.name", "s.url")
	n, err := db.Page(ctx, q, f.Offset, f.Limit)
	if err != nil {
		return nil, 0, err
	}
	out, ids := make([]Store, len(rows)), make([]uid.ImageStore, len(rows))
	for i, r := range rows {
		out[i], ids[i] = r.Store, r.ID
	}
	for _, of := range append([]Uses{usedOf}, s.alsoIn...) {
		if err != nil || len(ids) == 0 {
			break
		}
		var used map[uid.ImageStore]int64
		used, err = of(ctx, s.DB.Read(), ids)
		for i := range out {
			out[i].BytesUsed += used[out[i].ID]
		}
	}
	return out, n, err
}

// setStoreSizes notes how large stores are.
func setStoreSizes(ctx context.Context, tx db.Tx, sizes map[uid.ImageStore]int64) error {
	for _, id := range slices.Sorted(maps.Keys(sizes)) {
		if _, err := tx.NewRaw("update image_stores set bytes_total = ? where id = ?", sizes[id], id).Exec(ctx); err != nil {
			return err
		}
	}
	return nil
}

// usedOf gives how many bytes the images in some stores take, in one query.
func usedOf(ctx context.Context, q db.Tx, ids []uid.ImageStore) (map[uid.ImageStore]int64, error) {
	out := map[uid.ImageStore]int64{}
	var rows []struct {
		StoreID uid.ImageStore
		Bytes   int64
	}
	err := q.NewSelect().Model((*placeRow)(nil)).Column("store_id").ColumnExpr("sum(z.stored_bytes) as bytes").
		Where("z.store_id in (?) and z.removed is null", bun.List(ids)).Group("store_id").Scan(ctx, &rows)
	for _, r := range rows {
		out[r.StoreID] = r.Bytes
	}
	return out, err
}

// StoresByID gives image stores by their ids, removed ones too, in one query.
func StoresByID(ctx context.Context, q db.Tx, ids []uid.ImageStore) (map[uid.ImageStore]Store, error) {
	out := map[uid.ImageStore]Store{}
	if len(ids) == 0 {
		return out, nil
	}
	var rows []storeRow
	err := q.NewSelect().Model(&rows).Where("s.id in (?)", bun.List(ids)).Scan(ctx)
	for _, r := range rows {
		out[r.ID] = r.Store
	}
	return out, err
}

// In gives a template or ISO as the hosts of a zone find it; nil when it is not there, or not any more.
func In(ctx context.Context, q db.Tx, id uid.Template, zone uid.Zone) (*hypervisor.ImageRef, error) {
	var rows []struct {
		StoreID uid.ImageStore
		URL     string `bun:"url"`
	}
	err := q.NewRaw(`select coalesce(z.store_id, '') as store_id, coalesce(s.url, '') as url from template_zones z
		left join image_stores s on s.id = z.store_id
		where z.template_id = ? and z.zone_id = ? and z.state = ? and z.removed is null`, id, zone, Ready).Scan(ctx, &rows)
	if err != nil || len(rows) == 0 {
		return nil, err
	}
	return &hypervisor.ImageRef{Template: id, Store: rows[0].StoreID, StoreURL: rows[0].URL}, nil
}
