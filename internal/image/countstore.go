package image

import (
	"context"

	"github.com/virga-cloud/virga/internal/db"
	"github.com/virga-cloud/virga/internal/zone"
)

// CountIn counts the templates in a zone: see [zone.Uses]. Its stores, and the ISOs in them, go with it.
func CountIn(ctx context.Context, tx db.Tx, p zone.Place) ([]zone.Count, error) {
	if p.Zone == "" {
		return nil, nil
	}
	var n int
	err := tx.NewRaw(`select count(*) from template_zones z join templates t on t.id = z.template_id
		where z.zone_id = ? and z.removed is null and t.format <> ?`, p.Zone, ISO).Scan(ctx, &n)
	return []zone.Count{{Things: "templates", N: n}}, err
}
