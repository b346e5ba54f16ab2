package network

import (
	"context"

	"github.com/uptrace/bun"

	"github.com/virga-cloud/virga/internal/db"
	"github.com/virga-cloud/virga/uid"
)

// besides gives the other ranges of a range's network, pod and subnet, the oldest first.
func besides(ctx context.Context, tx db.Tx, r Range) ([]Range, error) {
	var rows []rangeRow
	err := tx.NewSelect().Model(&rows).Where("r.network_id = ? and coalesce(r.pod_id, '') = ? and r.removed is null", r.Network, r.Pod).
		Where("r.id <> ? and r.gateway = ? and r.netmask = ?", r.ID, r.Gateway, r.Netmask).Order("r.id").Scan(ctx)
	return ranges(rows), err
}

// takeSide gives the last free address of a range to its network's virtual router, and tells whether there is one.
func takeSide(ctx context.Context, tx db.Tx, id uid.IPRange) (bool, error) {
	var rows []addressRow
	q := tx.NewSelect().Model(&rows).Where("a.range_id = ? and a.state = ?", id, Free).Order("a.ip desc").Limit(1)
	if err := tx.Lock(q).Scan(ctx); err != nil || len(rows) == 0 {
		return false, err
	}
	if err := keepAddress(ctx, tx, id, rows[0].IP); err != nil {
		return false, err
	}
	_, err := tx.NewRaw("update ip_ranges set router_ip = ? where id = ?", rows[0].IP, id).Exec(ctx)
	return true, err
}

// keepAddress keeps a free address of a range from everybody: it is a virtual router's.
func keepAddress(ctx context.Context, tx db.Tx, id uid.IPRange, ip IP) error {
	_, err := tx.NewRaw("delete from public_ips where range_id = ? and ip = ?", id, ip).Exec(ctx)
	return err
}

// SidesOf gives the places of virtual routers in shared networks, each network's by the age of its ranges, in one query.
func SidesOf(ctx context.Context, q db.Tx, ids []uid.Network) (map[uid.Network][]Side, error) {
	of := map[uid.Network][]Side{}
	if len(ids) == 0 {
		return of, nil
	}
	var rows []Side
	err := q.NewRaw(`select id, network_id, coalesce(pod_id, '') as pod_id, router_ip, gateway, netmask from ip_ranges
		where network_id in (?) and router_ip <> 0 and removed is null order by id`, bun.List(ids)).Scan(ctx, &rows)
	for _, s := range rows {
		of[s.Network] = append(of[s.Network], s)
	}
	return of, err
}

// isSide tells whether an address of a shared network is its virtual router's.
func isSide(ctx context.Context, tx db.Tx, id uid.Network, ip IP) (yes bool, err error) {
	err = tx.NewRaw("select exists (select 1 from ip_ranges where network_id = ? and router_ip = ? and removed is null)", id, ip).Scan(ctx, &yes)
	return yes, err
}

var touchNow = db.Prepare("update networks set revision = revision + 1 where id = ? returning revision")

// settleNIC gives a NIC its address of a pod, and says that the routers of the network must know. The network stays locked until the
// transaction's end, so that the revision is this change's alone.
func settleNIC(ctx context.Context, tx db.Tx, n Network, nic NIC) error {
	told := nic.Told
	if n.Routed {
		var revision []int64
		if err := tx.Select(ctx, touchNow, &revision, n.ID); err != nil {
			return err
		}
		told = revision[0]
	}
	_, err := tx.NewRaw("update nics set ip = ?, gateway = ?, netmask = ?, told = ? where id = ?", nic.IP, nic.Gateway, nic.Netmask, told, nic.ID).
		Exec(ctx)
	return err
}
