package capacity

import (
	"context"

	"github.com/uptrace/bun"

	"github.com/virga-cloud/virga/internal/db"
	"github.com/virga-cloud/virga/internal/zone"
	"github.com/virga-cloud/virga/uid"
)

// columns name the place of a sum at each level.
var columns = map[Level][]string{
	OfZones: {"zone_id"}, OfPods: {"zone_id", "pod_id"}, OfClusters: {"zone_id", "pod_id", "cluster_id"},
}

// group sums up a table with the columns zone_id, pod_id and cluster_id, known as t, by the places of a filter.
func group(q db.Tx, table string, f Filter) *bun.SelectQuery {
	sel := q.NewSelect().TableExpr(table + " as t").Where("t.removed is null")
	for _, c := range columns[f.Level] {
		sel.ColumnExpr("?", bun.Ident("t."+c)).GroupExpr("?", bun.Ident("t."+c))
		sel.Where("? is not null", bun.Ident("t."+c)) // what is all of a zone's is no pod's
	}
	db.In(sel, "t.zone_id", f.Zones)
	if f.Level > OfZones || len(f.Pods) > 0 {
		db.In(sel, "t.pod_id", f.Pods)
	}
	if f.Level > OfPods || len(f.Clusters) > 0 {
		db.In(sel, "t.cluster_id", f.Clusters)
	}
	return sel
}

// place is what the rows of all sums begin with.
type place struct {
	Zone    uid.Zone    `bun:"zone_id"`
	Pod     uid.Pod     `bun:"pod_id"`
	Cluster uid.Cluster `bun:"cluster_id"`
}

func (p place) of(kind Kind, total, used, allocated int64) Capacity {
	return Capacity{Kind: kind, Zone: p.Zone, Pod: p.Pod, Cluster: p.Cluster, Total: total, Used: used, Allocated: allocated}
}

func sumHosts(ctx context.Context, q db.Tx, f Filter) (out []Capacity, err error) {
	var rows []struct {
		place
		CPU, CPUUsed, Memory, MemoryUsed int64
	}
	err = group(q, "hosts", f).ColumnExpr("cast(sum(t.cpu_total) as bigint) as cpu, cast(sum(t.cpu_used) as bigint) as cpu_used").
		ColumnExpr("cast(sum(t.memory_total) as bigint) as memory, cast(sum(t.memory_used) as bigint) as memory_used").Scan(ctx, &rows)
	const mb = 1 << 20
	for _, r := range rows {
		out = append(out, r.of(Memory, r.Memory*mb, r.MemoryUsed*mb, r.MemoryUsed*mb), r.of(CPU, r.CPU, r.CPUUsed, r.CPUUsed))
	}
	return out, err
}

// sumCores counts cores as they may be given out, and those that machines with a host have.
func sumCores(ctx context.Context, q db.Tx, f Filter) (out []Capacity, err error) {
	var rows []struct {
		place
		Total, Used int64
	}
	err = group(q, "hosts", f).ColumnExpr("cast(sum(t.cpu_total / nullif(t.cpu_speed, 0)) as bigint) as total").
		ColumnExpr("cast(coalesce(sum(v.cores), 0) as bigint) as used").
		Join(`left join (select host_id, sum(cpu_number) as cores from vms where host_id is not null and removed is null group by host_id) v
			on v.host_id = t.id`).Scan(ctx, &rows)
	for _, r := range rows {
		out = append(out, r.of(CPUCore, r.Total, r.Used, r.Used))
	}
	return out, err
}

func sumPools(ctx context.Context, q db.Tx, f Filter) (out []Capacity, err error) {
	var rows []struct {
		place
		Host                  bool
		Physical, Total, Used int64
	}
	err = group(q, "storage_pools", f).ColumnExpr("t.host_id is not null as host").GroupExpr("t.host_id is not null").
		ColumnExpr("cast(sum(t.bytes_physical) as bigint) as physical, cast(sum(t.bytes_total) as bigint) as total").
		ColumnExpr("cast(sum(t.bytes_used) as bigint) as used").Scan(ctx, &rows)
	for _, r := range rows {
		if r.Host {
			out = append(out, r.of(LocalStorage, r.Total, r.Used, r.Used))
			continue
		}
		out = append(out, r.of(Storage, r.Physical, min(r.Used, r.Physical), min(r.Used, r.Physical)),
			r.of(StorageAllocated, r.Total, r.Used, r.Used))
	}
	return out, err
}

type podRow struct {
	bun.BaseModel `bun:"table:pods,alias:p"`
	zone.Pod
}

// sumPodIPs counts the addresses of pods' ranges, and those that hosts have. Ranges are text, so they are counted here.
func sumPodIPs(ctx context.Context, q db.Tx, f Filter) (out []Capacity, err error) {
	var pods []podRow
	sel := q.NewSelect().Model(&pods).Where("p.removed is null").Order("p.id")
	db.In(sel, "p.zone_id", f.Zones)
	db.In(sel, "p.id", f.Pods)
	if err := sel.Scan(ctx); err != nil || len(pods) == 0 {
		return nil, err
	}
	var taken []struct {
		Pod uid.Pod `bun:"pod_id"`
		N   int64
	}
	count := q.NewSelect().Table("hosts").Column("pod_id").ColumnExpr("count(pod_ip) as n").Where("removed is null").Group("pod_id")
	db.In(count, "zone_id", f.Zones)
	db.In(count, "pod_id", f.Pods)
	if err := count.Scan(ctx, &taken); err != nil {
		return nil, err
	}
	used := map[uid.Pod]int64{}
	for _, t := range taken {
		used[t.Pod] = t.N
	}
	at := map[uid.Zone]int{}
	for _, p := range pods {
		first, last := p.Range()
		c := Capacity{Kind: PodIP, Zone: p.Zone, Pod: p.ID, Total: last - first + 1, Used: used[p.ID], Allocated: used[p.ID]}
		if f.Level == OfPods {
			out = append(out, c)
			continue
		}
		i, ok := at[p.Zone]
		if !ok {
			i = len(out)
			at[p.Zone], out = i, append(out, Capacity{Kind: PodIP, Zone: p.Zone})
		}
		out[i].Total, out[i].Used, out[i].Allocated = out[i].Total+c.Total, out[i].Used+c.Used, out[i].Allocated+c.Used
	}
	return out, nil
}

// sumAddresses counts the addresses of ranges that operators gave, public ones and those of shared networks.
func sumAddresses(ctx context.Context, q db.Tx, f Filter) (out []Capacity, err error) {
	var rows []struct {
		place
		Shared      bool
		Total, Used int64
	}
	sel := q.NewSelect().TableExpr("ip_ranges as r").Column("r.zone_id").ColumnExpr("r.network_id is not null as shared").
		ColumnExpr("cast(sum(r.end_ip - r.start_ip + 1) as bigint) as total").
		ColumnExpr("cast(coalesce(sum(a.used), 0) + sum(case when r.router_ip <> 0 then 1 else 0 end) as bigint) as used").
		Join("left join (select range_id, count(*) as used from public_ips where state <> 'Free' group by range_id) a on a.range_id = r.id").
		Where("r.removed is null and r.end_ip > 0"). // those of IPv6 only are as good as endless
		GroupExpr("r.zone_id, r.network_id is not null")
	db.In(sel, "r.zone_id", f.Zones)
	err = sel.Scan(ctx, &rows)
	for _, r := range rows {
		kind := PublicIP
		if r.Shared {
			kind = SharedIP
		}
		out = append(out, r.of(kind, r.Total, r.Used, r.Used))
	}
	return out, err
}

// sumStores counts what image stores hold, and what the images in them take. A store of all zones counts in each of them. Stores
// that no host could be asked about are left out, with what is in them.
func sumStores(ctx context.Context, q db.Tx, f Filter) (out []Capacity, err error) {
	var rows []struct {
		place
		Total, Used int64
	}
	sel := q.NewSelect().TableExpr("zones as z").Join("join image_stores as s on s.zone_id = z.id or s.zone_id is null").
		Join(`left join (select store_id, sum(stored_bytes) as used from template_zones where removed is null and store_id is not null
			group by store_id) i on i.store_id = s.id`).
		ColumnExpr("z.id as zone_id, cast(sum(s.bytes_total) as bigint) as total, cast(coalesce(sum(i.used), 0) as bigint) as used").
		Where("z.removed is null and s.removed is null and s.bytes_total > 0").Group("z.id")
	db.In(sel, "z.id", f.Zones)
	err = sel.Scan(ctx, &rows)
	for _, r := range rows {
		out = append(out, r.of(Secondary, r.Total, r.Used, r.Used))
	}
	return out, err
}

// sumVLANs counts the VLANs for guest networks. Those below a range's counter are taken, but for the free ones.
func sumVLANs(ctx context.Context, q db.Tx, f Filter) (out []Capacity, err error) {
	var rows []struct {
		place
		Total, Used int64
	}
	sel := q.NewSelect().TableExpr("vlan_ranges as r").Join("join physical_networks as p on p.id = r.physical_network_id").
		Column("p.zone_id").Where("p.removed is null").Group("p.zone_id").
		ColumnExpr("cast(sum(r.last - r.first + 1) as bigint) as total").
		ColumnExpr(`cast(sum(r.next - r.first - (select count(*) from vlans_free v
			where v.physical_network_id = r.physical_network_id and v.vlan between r.first and r.last)) as bigint) as used`)
	db.In(sel, "p.zone_id", f.Zones)
	err = sel.Scan(ctx, &rows)
	for _, r := range rows {
		out = append(out, r.of(VLAN, r.Total, r.Used, r.Used))
	}
	return out, err
}
