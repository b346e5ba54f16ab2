package network

import (
	"context"
	"unicode/utf8"

	"github.com/virga-cloud/virga/internal/db"
	"github.com/virga-cloud/virga/internal/offering"
	"github.com/virga-cloud/virga/internal/physnet"
	"github.com/virga-cloud/virga/internal/zone"
	"github.com/virga-cloud/virga/uid"
)

// CountIn counts the networks of a zone: see [zone.Uses].
func CountIn(ctx context.Context, tx db.Tx, p zone.Place) ([]zone.Count, error) {
	if p.Zone == "" {
		return nil, nil
	}
	n, err := tx.NewSelect().Model((*networkRow)(nil)).Where("n.zone_id = ? and n.removed is null", p.Zone).Count(ctx)
	return []zone.Count{{Thing: "network", N: int(n)}}, err
}

// CountBelow counts the networks for the whole domain with a path, or for one below it.
func CountBelow(ctx context.Context, tx db.Tx, path string) ([]zone.Count, error) {
	n, err := tx.NewSelect().Model((*networkRow)(nil)).Where("n.removed is null and n.acl_type = ?", ForDomain).
		Where("n.domain_id in (select id from domains where removed is null and (path = ? or substr(path, 1, ?) = ?))", path,
			utf8.RuneCountInString(path)+1, path+"/").Count(ctx)
	return []zone.Count{{Thing: "network with acltype=Domain", N: int(n)}}, err
}

// On tells what of ours is on a physical network: see [physnet.Uses].
func On(ctx context.Context, tx db.Tx, p physnet.Network) (u physnet.Use, err error) {
	id := p.ID
	err = tx.NewRaw(`select (select count(*) from networks where physical_network_id = ? and removed is null),
		(select count(*) from ip_ranges where physical_network_id = ? and removed is null)`, id, id).Scan(ctx, &u.Networks, &u.Ranges)
	if err != nil {
		return u, err
	}
	err = tx.NewRaw("select vlan from networks where physical_network_id = ? and vlan is not null and removed is null order by vlan", id).
		Scan(ctx, &u.Guest)
	if err != nil {
		return u, err
	}
	err = tx.NewRaw(`select distinct n.vlan from networks n join physical_networks p on p.id = n.physical_network_id
		left join traffic_types t on t.physical_network_id = p.id and t.type = ? and n.guest_type = ?
		where p.zone_id = ? and p.id <> ? and n.vlan is not null and n.removed is null and coalesce(t.kvm_label, '') = '' order by n.vlan`,
		physnet.TrafficGuest, offering.Shared, p.Zone, id).Scan(ctx, &u.Beside)
	if err != nil {
		return u, err
	}
	u.Public, err = publicVLANs(ctx, tx, id)
	return u, err
}

// publicVLANs gives the VLANs of ranges of public addresses.
func publicVLANs(ctx context.Context, tx db.Tx, id uid.PhysicalNetwork) (used []int, err error) {
	err = tx.NewRaw(`select distinct cast(vlan as bigint) from ip_ranges where physical_network_id = ? and network_id is null
		and vlan <> 'untagged' and removed is null`, id).Scan(ctx, &used)
	return used, err
}
