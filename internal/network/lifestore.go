package network

import (
	"context"

	"github.com/virga-cloud/virga/internal/db"
	"github.com/virga-cloud/virga/internal/offering"
	"github.com/virga-cloud/virga/internal/physnet"
	"github.com/virga-cloud/virga/internal/tag"
	"github.com/virga-cloud/virga/uid"
)

// unimplemented gives those of a machine's networks that have no VLAN yet.
func unimplemented(ctx context.Context, tx db.Tx, vm uid.VM) (ids []uid.Network, err error) {
	err = tx.NewRaw(`select n.id from networks n join nics c on c.network_id = n.id
		where c.vm_id = ? and n.state = ? order by n.id`, vm, Allocated).Scan(ctx, &ids)
	return ids, err
}

func setImplemented(ctx context.Context, tx db.Tx, n Network) error {
	var vlan *int
	if n.VLAN != 0 {
		vlan = &n.VLAN
	}
	_, err := tx.NewRaw("update networks set state = ?, vlan = ?, revision = revision + 1, retold = revision + 1 where id = ?",
		Implemented, vlan, n.ID).Exec(ctx)
	return err
}

func setState(ctx context.Context, tx db.Tx, id uid.Network, s State) error {
	_, err := tx.NewRaw("update networks set state = ? where id = ?", s, id).Exec(ctx)
	return err
}

func setRemoved(ctx context.Context, tx db.Tx, n Network) error {
	if _, err := tx.NewRaw("delete from free_ips where network_id = ?", n.ID).Exec(ctx); err != nil {
		return err
	}
	if _, err := tx.NewRaw("delete from gone_nics where network_id = ?", n.ID).Exec(ctx); err != nil {
		return err
	}
	if n.VLAN != 0 {
		if err := physnet.GiveVLAN(ctx, tx, n.PhysicalNetwork, n.VLAN); err != nil {
			return err
		}
	}
	if err := dropRanges(ctx, tx, n.ID); err != nil {
		return err
	}
	if _, err := tx.NewRaw("update networks set removed = ?, automatic = false where id = ?", tx.Now, n.ID).Exec(ctx); err != nil {
		return err
	}
	return tag.Forget(ctx, tx, tag.Network, n.ID)
}

func machinesIn(ctx context.Context, tx db.Tx, id uid.Network) (n int, err error) {
	err = tx.NewRaw("select count(*) from nics where network_id = ?", id).Scan(ctx, &n)
	return n, err
}

// onVLAN gives the name of the network that has a VLAN (0: none, untagged) on a physical network, or on another one of the zone where hosts
// have the same wire for it ("": that by which they carry networks to each other); "" where there is none.
func onVLAN(ctx context.Context, tx db.Tx, p physnet.Network, wire string, vlan int) (name string, err error) {
	q := tx.NewSelect().TableExpr("networks as n").Column("n.name").Join("join physical_networks as p on p.id = n.physical_network_id").
		Join("left join traffic_types as t on t.physical_network_id = p.id and t.type = ? and n.guest_type = ?",
			physnet.TrafficGuest, offering.Shared).
		Where("p.zone_id = ? and n.removed is null and (p.id = ? or coalesce(t.kvm_label, '') = ?)", p.Zone, p.ID, wire).Limit(1)
	if vlan == 0 {
		q.Where("n.untagged")
	} else {
		q.Where("n.vlan = ?", vlan)
	}
	if err = q.Scan(ctx, &name); db.IsNone(err) {
		return "", nil
	}
	return name, err
}

// domainOf gives the DNS domain that an account's networks get: its own, or that of the nearest domain above it which has one; ""
// where none has.
func domainOf(ctx context.Context, tx db.Tx, account uid.Account) (name string, err error) {
	err = tx.NewRaw(`select name from (
		select network_domain as name, 1 << 20 as level from accounts where id = ? and network_domain <> ''
		union all select up.network_domain, up.level from accounts a join domains d on d.id = a.domain_id
			join domains up on up.id = d.id or substr(d.path, 1, length(up.path) + 1) = up.path || '/'
			where a.id = ? and up.removed is null and up.network_domain <> '') x order by level desc limit 1`, account, account).Scan(ctx, &name)
	if db.IsNone(err) {
		return "", nil
	}
	return name, err
}

var havingGroups = db.PrepareMany(`select 1 from networks n join network_offerings o on o.id = n.offering_id
	where n.id in (?) and o.services like '%"name":"SecurityGroup"%' limit 1`)

// HaveGroups tells whether one of some networks keeps its machines apart by security groups.
func HaveGroups(ctx context.Context, q db.Tx, ids []uid.Network) (bool, error) {
	var found []int
	err := q.Select(ctx, havingGroups, &found, db.Many(ids))
	return len(found) > 0, err
}

// CountOf counts the networks that were made from an offering.
func CountOf(ctx context.Context, q db.Tx, id uid.NetworkOffering) (n int, err error) {
	err = q.NewRaw("select count(*) from networks where offering_id = ? and removed is null", id).Scan(ctx, &n)
	return n, err
}
