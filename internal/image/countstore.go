package image

import (
	"context"

	"github.com/virga-cloud/virga/internal/db"
	"github.com/virga-cloud/virga/internal/zone"
	"github.com/virga-cloud/virga/uid"
)

// CountIn counts the templates in a zone: see [zone.Uses]. Its stores, and the ISOs in it, go with it: see [Service.LeaveZone].
func CountIn(ctx context.Context, tx db.Tx, p zone.Place) ([]zone.Count, error) {
	if p.Zone == "" {
		return nil, nil
	}
	var n int
	err := tx.NewRaw(`select count(*) from template_zones z join templates t on t.id = z.template_id
		where z.zone_id = ? and z.removed is null and t.format <> ?`, p.Zone, ISO).Scan(ctx, &n)
	return []zone.Count{{Thing: "template", N: n}}, err
}

// imagesIn gives the images that are in a zone.
func imagesIn(ctx context.Context, tx db.Tx, z uid.Zone) (ids []uid.Template, err error) {
	err = tx.NewRaw("select template_id from template_zones where zone_id = ? and removed is null order by template_id", z).Scan(ctx, &ids)
	return ids, err
}

func removeStores(ctx context.Context, tx db.Tx, z uid.Zone) error {
	_, err := tx.NewRaw("delete from image_store_buckets where store_id in (select id from image_stores where zone_id = ?)", z).Exec(ctx)
	if err != nil { // the keys would be kept for nothing
		return err
	}
	_, err = tx.NewRaw("update image_stores set removed = ? where zone_id = ? and removed is null", tx.Now, z).Exec(ctx)
	return err
}
