package image

import (
	"context"

	"github.com/virga-cloud/virga/internal/db"
	"github.com/virga-cloud/virga/internal/zone"
)

// CountIn counts the templates of a zone: see [zone.Uses].
func CountIn(ctx context.Context, tx db.Tx, p zone.Place) ([]zone.Count, error) {
	if p.Zone == "" {
		return nil, nil
	}
	var n int
	err := tx.NewRaw("select count(*) from templates where zone_id = ? and removed is null", p.Zone).Scan(ctx, &n)
	return []zone.Count{{Things: "templates", N: n}}, err
}
