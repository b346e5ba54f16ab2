package volume

import (
	"context"

	"github.com/virga-cloud/virga/internal/db"
	"github.com/virga-cloud/virga/internal/zone"
	"github.com/virga-cloud/virga/uid"
)

// InPool counts the volumes in a pool.
func InPool(ctx context.Context, tx db.Tx, id uid.Pool) (n int, err error) {
	err = tx.NewRaw("select count(*) from volumes where pool_id = ? and removed is null", id).Scan(ctx, &n)
	return n, err
}

// CountIn counts the volumes of a zone: see [zone.Uses].
func CountIn(ctx context.Context, tx db.Tx, p zone.Place) ([]zone.Count, error) {
	if p.Zone == "" {
		return nil, nil
	}
	var n int
	err := tx.NewRaw("select count(*) from volumes where zone_id = ? and removed is null", p.Zone).Scan(ctx, &n)
	return []zone.Count{{Thing: "volume", N: n}}, err
}
