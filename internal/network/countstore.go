package network

import (
	"context"
	"unicode/utf8"

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

// CountBelow counts what operators keep for the domain with a path, or one below it: physical networks, and networks for a whole domain.
func CountBelow(ctx context.Context, tx db.Tx, path string) ([]zone.Count, error) {
	var physical, shared int
	below := "domain_id in (select id from domains where removed is null and (path = ? or substr(path, 1, ?) = ?))"
	args := []any{path, utf8.RuneCountInString(path) + 1, path + "/"}
	err := tx.NewRaw("select (select count(*) from physical_networks where removed is null and "+below+"), "+
		"(select count(*) from networks where removed is null and acl_type = 'Domain' and "+below+")", append(args, args...)...).
		Scan(ctx, &physical, &shared)
	return []zone.Count{{Things: "physical networks", N: physical}, {Things: "networks with acltype=Domain", N: shared}}, err
}
