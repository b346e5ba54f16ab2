package network

import (
	"context"

	"github.com/virga-cloud/virga/internal/db"
	"github.com/virga-cloud/virga/internal/fault"
	"github.com/virga-cloud/virga/uid"
)

// unimplemented gives those of a machine's networks that have no VLAN yet.
func unimplemented(ctx context.Context, tx db.Tx, vm uid.VM) (ids []uid.Network, err error) {
	err = tx.NewRaw(`select n.id from networks n join nics c on c.network_id = n.id
		where c.vm_id = ? and n.state = ? order by n.id`, vm, Allocated).Scan(ctx, &ids)
	return ids, err
}

// takeVLAN takes a free VLAN: the one after the last that was taken, or else the lowest that was given back.
func takeVLAN(ctx context.Context, tx db.Tx, physical uid.PhysicalNetwork) (vlan int, err error) {
	var p physicalRow
	if err := tx.Lock(tx.NewSelect().Model(&p).Where("p.id = ?", physical)).Scan(ctx); err != nil {
		return 0, err
	}
	var used []int
	err = tx.NewRaw("select vlan from networks where physical_network_id = ? and vlan is not null and removed is null order by vlan",
		physical).Scan(ctx, &used)
	if err != nil {
		return 0, err
	}
	taken := make(map[int]bool, len(used))
	for _, v := range used {
		taken[v] = true
	}
	size := p.VLANEnd - p.VLANStart + 1
	for i := range size {
		v := p.VLANStart + (p.VLANNext-p.VLANStart+i)%size
		if !taken[v] {
			_, err = tx.NewRaw("update physical_networks set vlan_next = ? where id = ?", v+1, physical).Exec(ctx)
			return v, err
		}
	}
	return 0, fault.Fullf("physical network %q has no free VLAN left: all of %d to %d are in use", p.Name, p.VLANStart, p.VLANEnd)
}

func setImplemented(ctx context.Context, tx db.Tx, id uid.Network, vlan int) error {
	_, err := tx.NewRaw("update networks set state = ?, vlan = ?, revision = revision + 1 where id = ?", Implemented, vlan, id).Exec(ctx)
	return err
}

func setState(ctx context.Context, tx db.Tx, id uid.Network, s State) error {
	_, err := tx.NewRaw("update networks set state = ? where id = ?", s, id).Exec(ctx)
	return err
}

func setRemoved(ctx context.Context, tx db.Tx, id uid.Network) error {
	if _, err := tx.NewRaw("delete from free_ips where network_id = ?", id).Exec(ctx); err != nil {
		return err
	}
	_, err := tx.NewRaw("update networks set removed = ?, automatic = false where id = ?", tx.Now, id).Exec(ctx)
	return err
}

func machinesIn(ctx context.Context, tx db.Tx, id uid.Network) (n int, err error) {
	err = tx.NewRaw("select count(*) from nics where network_id = ?", id).Scan(ctx, &n)
	return n, err
}
