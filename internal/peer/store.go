package peer

import (
	"context"

	"github.com/virga-cloud/virga/internal/db"
	"github.com/virga-cloud/virga/uid"
)

// hostsIn gives the hosts of a zone, whether they answer or not.
func hostsIn(ctx context.Context, q db.Tx, zone uid.Zone) (all []member, err error) {
	err = q.NewRaw("select id, hypervisor, ip_address as address from hosts where zone_id = ? and removed is null order by id", zone).
		Scan(ctx, &all)
	return all, err
}

// mesh is a zone, and what some of its hosts are driven by.
type mesh struct {
	Zone       uid.Zone `bun:"zone_id"`
	Hypervisor string
}

func meshes(ctx context.Context, q db.Tx) (all []mesh, err error) {
	err = q.NewRaw("select distinct zone_id, hypervisor from clusters where removed is null").Scan(ctx, &all)
	return all, err
}

// known gives the digest of the hosts that the zone's hosts were told of; "" where they were told of none.
func known(ctx context.Context, q db.Tx, zone uid.Zone) (digest string, err error) {
	err = q.NewRaw("select digest from meshes where zone_id = ?", zone).Scan(ctx, &digest)
	if db.IsNone(err) {
		return "", nil
	}
	return digest, err
}

func note(ctx context.Context, tx db.Tx, zone uid.Zone, digest string) error {
	_, err := tx.NewRaw(`insert into meshes (zone_id, digest) values (?, ?) on conflict (zone_id) do update set digest = excluded.digest`,
		zone, digest).Exec(ctx)
	return err
}
