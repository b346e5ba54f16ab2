package host

import (
	"context"

	"github.com/uptrace/bun"

	"github.com/virga-cloud/virga/internal/db"
	"github.com/virga-cloud/virga/internal/fault"
	"github.com/virga-cloud/virga/internal/zone"
	"github.com/virga-cloud/virga/uid"
)

func insertHost(ctx context.Context, tx db.Tx, h Host) error {
	_, err := tx.NewInsert().Model(&hostRow{Host: h}).Exec(ctx)
	return err
}

// saveHost writes a host that was read by lock.
func saveHost(ctx context.Context, tx db.Tx, h Host) error {
	_, err := tx.NewUpdate().Model(&hostRow{Host: h}).WherePK().Exec(ctx)
	return err
}

// deleteHost removes a host that never was one.
func deleteHost(ctx context.Context, tx db.Tx, id uid.Host) error {
	_, err := tx.NewRaw("delete from hosts where id = ?", id).Exec(ctx)
	return err
}

// lock gives a host that is not removed, to change it.
func lock(ctx context.Context, tx db.Tx, id uid.Host) (Host, error) {
	var row hostRow
	err := tx.Lock(tx.NewSelect().Model(&row).Where("h.id = ? and h.removed is null", id)).Scan(ctx)
	if db.IsNone(err) {
		return Host{}, fault.Missing(id)
	}
	return row.Host, err
}

// podIPs gives the addresses of a pod's range that its hosts have.
func podIPs(ctx context.Context, tx db.Tx, pod uid.Pod) (map[int64]bool, error) {
	var ips []int64
	err := tx.NewRaw("select pod_ip from hosts where pod_id = ? and pod_ip is not null and removed is null", pod).Scan(ctx, &ips)
	taken := make(map[int64]bool, len(ips))
	for _, ip := range ips {
		taken[ip] = true
	}
	return taken, err
}

func countIn(ctx context.Context, tx db.Tx, p zone.Place) (n int, err error) {
	q := tx.NewSelect().Model((*hostRow)(nil)).ColumnExpr("count(*)").Where("h.removed is null")
	db.Equal(q, "h.zone_id", p.Zone)
	db.Equal(q, "h.pod_id", p.Pod)
	db.Equal(q, "h.cluster_id", p.Cluster)
	err = q.Scan(ctx, &n)
	return n, err
}

// setTotals gives all hosts of a cluster the totals of these ratios, in millionths, as learn reckons them, and gives those that
// have more in use and so keep theirs.
func setTotals(ctx context.Context, tx db.Tx, cluster uid.Cluster, cpu, memory int64) (tooFull []Host, err error) {
	_, err = tx.NewRaw(`update hosts set cpu_total = cpu_cores * cpu_speed * ? / 1000000, memory_total = memory_mb * ? / 1000000
		where cluster_id = ? and removed is null
		and cpu_used <= cpu_cores * cpu_speed * ? / 1000000 and memory_used <= memory_mb * ? / 1000000`,
		cpu, memory, cluster, cpu, memory).Exec(ctx)
	if err != nil {
		return nil, err
	}
	var rows []hostRow
	err = tx.NewSelect().Model(&rows).Where("h.cluster_id = ? and h.removed is null", cluster).
		Where("(h.cpu_used > h.cpu_cores * h.cpu_speed * ? / 1000000 or h.memory_used > h.memory_mb * ? / 1000000)", cpu, memory).
		Order("h.id").Limit(1).Scan(ctx)
	return hosts(rows), err
}

// setStates gives all hosts of a cluster a state.
func setStates(ctx context.Context, tx db.Tx, cluster uid.Cluster, to State) error {
	_, err := tx.NewRaw("update hosts set state = ? where cluster_id = ? and removed is null and resource_state <> 'Creating'", to, cluster).Exec(ctx)
	return err
}

// ByID gives hosts by their ids, removed ones too, in one query.
func ByID(ctx context.Context, q db.Tx, ids []uid.Host) (map[uid.Host]Host, error) {
	out := map[uid.Host]Host{}
	if len(ids) == 0 {
		return out, nil
	}
	var rows []hostRow
	err := q.NewSelect().Model(&rows).Where("h.id in (?)", bun.List(ids)).Scan(ctx)
	for _, r := range rows {
		out[r.ID] = r.Host
	}
	return out, err
}

func hosts(rows []hostRow) []Host {
	out := make([]Host, len(rows))
	for i, r := range rows {
		out[i] = r.Host
	}
	return out
}

// Reaching gives some hosts that are up and would reach storage of a cluster, or ("") of a zone.
func Reaching(ctx context.Context, q db.Tx, z uid.Zone, c uid.Cluster, hypervisor string, limit int) (ids []uid.Host, err error) {
	sel := q.NewSelect().Model((*hostRow)(nil)).Column("id").Where("h.removed is null and h.state = 'Up' and h.zone_id = ?", z).
		Where("h.hypervisor = ?", hypervisor).Order("h.id").Limit(int64(limit))
	db.Equal(sel, "h.cluster_id", c)
	err = sel.Scan(ctx, &ids)
	return ids, err
}

// Leaving gives the hosts that are being prepared for maintenance.
func Leaving(ctx context.Context, q db.Tx) ([]Host, error) {
	var rows []hostRow
	err := q.NewSelect().Model(&rows).Where("h.resource_state = 'PrepareForMaintenance' and h.removed is null").Order("h.id").Scan(ctx)
	return hosts(rows), err
}
