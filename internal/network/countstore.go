package network

import (
	"context"

	"github.com/virga-cloud/virga/internal/db"
	"github.com/virga-cloud/virga/internal/zone"
)

// CountIn counts the networks of a zone: see [zone.Uses].
func CountIn(ctx context.Context, tx db.Tx, p zone.Place) ([]zone.Count, error) {
	if p.Zone == "" {
		return nil, nil
	}
	var guest, physical int
	err := tx.NewRaw(`select (select count(*) from networks where zone_id = ? and removed is null),
		(select count(*) from physical_networks where zone_id = ? and removed is null)`, p.Zone, p.Zone).Scan(ctx, &guest, &physical)
	return []zone.Count{{Things: "networks", N: guest}, {Things: "physical networks", N: physical}}, err
}
