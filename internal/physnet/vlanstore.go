package physnet

import (
	"context"

	"github.com/uptrace/bun"

	"github.com/virga-cloud/virga/internal/db"
	"github.com/virga-cloud/virga/internal/fault"
	"github.com/virga-cloud/virga/internal/vlan"
	"github.com/virga-cloud/virga/internal/zone"
	"github.com/virga-cloud/virga/uid"
)

type vlanRangeRow struct {
	bun.BaseModel `bun:"table:vlan_ranges"`
	Physical      uid.PhysicalNetwork `bun:"physical_network_id,pk"`
	First         int                 `bun:",pk"`
	Last          int
	Next          int
}

type vlanFreeRow struct {
	bun.BaseModel `bun:"table:vlans_free"`
	Physical      uid.PhysicalNetwork `bun:"physical_network_id,pk"`
	VLAN          int                 `bun:"vlan,pk"`
}

// apart refuses VLANs that guest networks on another physical network of the zone can get. Unless a label says which link of a host carries it,
// a guest network is known to hosts by its VLAN alone: two that have the same would be one. Who changes that waits for others.
func apart(ctx context.Context, tx db.Tx, p Network, want vlan.Set) error {
	if len(want) == 0 {
		return nil
	}
	if _, err := zone.Lock(ctx, tx, p.Zone); err != nil {
		return err
	}
	var taken []struct {
		Name        string
		First, Last int
	}
	err := tx.NewRaw(`select p.name, r.first, r.last from vlan_ranges r join physical_networks p on p.id = r.physical_network_id
		where p.zone_id = ? and p.id <> ? and p.removed is null`, p.Zone, p.ID).Scan(ctx, &taken)
	if err != nil {
		return err
	}
	for _, r := range want {
		for _, t := range taken {
			if r.First <= t.Last && t.First <= r.Last {
				return fault.Conflictf("VLAN %d is one of physical network %q: guest networks of a zone are told apart by their VLANs, "+
					"so each can be of one physical network only", max(r.First, t.First), t.Name)
			}
		}
	}
	return nil
}

// Beside gives the name of another physical network of the zone whose networks get a VLAN by themselves; "" where there is none.
func (p Network) Beside(ctx context.Context, tx db.Tx, tag int) (name string, err error) {
	err = tx.NewRaw(`select p.name from vlan_ranges r join physical_networks p on p.id = r.physical_network_id
		where p.zone_id = ? and p.id <> ? and p.removed is null and ? between r.first and r.last limit 1`, p.Zone, p.ID, tag).Scan(ctx, &name)
	if db.IsNone(err) {
		return "", nil
	}
	return name, err
}

// setVLANs gives a physical network these VLANs for guest networks; some of them are in use.
func setVLANs(ctx context.Context, tx db.Tx, id uid.PhysicalNetwork, want vlan.Set, used []int) error {
	for _, table := range []string{"vlan_ranges", "vlans_free"} {
		if _, err := tx.NewRaw("delete from ? where physical_network_id = ?", bun.Ident(table), id).Exec(ctx); err != nil {
			return err
		}
	}
	taken := map[int]bool{}
	for _, v := range used {
		taken[v] = true
	}
	var ranges []vlanRangeRow
	var free []vlanFreeRow
	for _, r := range want {
		row := vlanRangeRow{Physical: id, First: r.First, Last: r.Last, Next: r.First}
		for v := r.First; v <= r.Last; v++ {
			if taken[v] {
				row.Next = v + 1
			}
		}
		for v := r.First; v < row.Next; v++ {
			if !taken[v] {
				free = append(free, vlanFreeRow{Physical: id, VLAN: v})
			}
		}
		ranges = append(ranges, row)
	}
	if len(ranges) > 0 {
		if _, err := tx.NewInsert().Model(&ranges).Exec(ctx); err != nil {
			return err
		}
	}
	if len(free) > 0 {
		_, err := tx.NewInsert().Model(&free).Exec(ctx)
		return err
	}
	return nil
}

var (
	nextVLAN = db.Prepare(`update vlan_ranges set next = next + 1 where physical_network_id = ? and next <= last and first = (
		select min(first) from vlan_ranges where physical_network_id = ? and next <= last) returning next - 1`)
	freeVLAN = db.PrepareEach(`delete from vlans_free where physical_network_id = ? and vlan = (
		select vlan from vlans_free where physical_network_id = ? order by vlan limit 1) returning vlan`, `delete from vlans_free
		where physical_network_id = ? and vlan = (select vlan from vlans_free where physical_network_id = ? order by vlan limit 1
		for update skip locked) returning vlan`)
)

// TakeVLAN takes a free VLAN: one that was never used, or else the lowest that was given back.
func TakeVLAN(ctx context.Context, tx db.Tx, id uid.PhysicalNetwork) (int, error) {
	// The counter is asked again at the end: another transaction may have taken a range's last one while this one waited for it.
	for _, s := range []*db.Statement{nextVLAN, freeVLAN, nextVLAN} {
		var found []int
		if err := tx.Select(ctx, s, &found, id, id); err != nil {
			return 0, err
		}
		if len(found) > 0 {
			return found[0], nil
		}
	}
	p, err := find(ctx, tx, id, forShare)
	if err != nil {
		return 0, err
	}
	if p.VLANs == "" {
		return 0, fault.Fullf("physical network %q has no VLANs for guest networks", p.Name)
	}
	return 0, fault.Fullf("physical network %q has no free VLAN left: all of %s are in use", p.Name, p.VLANs)
}

// GiveVLAN gives a VLAN back, if it is one of those that are handed out.
func GiveVLAN(ctx context.Context, tx db.Tx, id uid.PhysicalNetwork, tag int) error {
	_, err := tx.NewRaw(`insert into vlans_free (physical_network_id, vlan) select physical_network_id, ? from vlan_ranges
		where physical_network_id = ? and ? between first and last and ? < next on conflict do nothing`, tag, id, tag, tag).Exec(ctx)
	return err
}
