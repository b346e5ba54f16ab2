package placement

import (
	"context"

	"github.com/uptrace/bun"

	"github.com/virga-cloud/virga/internal/db"
	"github.com/virga-cloud/virga/internal/host"
)

type hostRow struct {
	bun.BaseModel `bun:"table:hosts,alias:h"`
	host.Host
}

// seen is a host as a refusal looks at it.
type seen struct {
	host.Host
	Disabled string // "zone", "pod" or "cluster" where that is disabled
}

// within keeps the hosts that a machine may be on as far as place and hypervisor go.
func within(q *bun.SelectQuery, w Want) *bun.SelectQuery {
	q.Where("h.zone_id = ? and h.removed is null", w.Zone)
	db.EqualFold(q, "h.hypervisor", w.Hypervisor)
	db.Equal(q, "h.id", w.Host)
	db.Equal(q, "h.cluster_id", w.Cluster)
	db.Equal(q, "h.pod_id", w.Pod)
	return q
}

// candidates gives some hosts with room, the emptiest first, the preferred one before all.
func candidates(ctx context.Context, tx db.Tx, w Want, limit int) ([]host.Host, error) {
	var rows []hostRow
	q := within(tx.NewSelect().Model(&rows), w).Column("id", "cluster_id", "memory_used").
		Where("h.state = 'Up' and h.resource_state = 'Enabled'").
		Where("h.memory_used + ? <= h.memory_total and h.cpu_used + ? <= h.cpu_total", w.Need.Memory, w.Need.CPU).
		Where("not exists (select 1 from clusters c where c.id = h.cluster_id and c.allocation_state <> 'Enabled')").
		Where("not exists (select 1 from pods p where p.id = h.pod_id and p.allocation_state <> 'Enabled')")
	for _, bytes := range w.Disks {
		q.Where(`exists (select 1 from storage_pools s where s.cluster_id = h.cluster_id and s.state = 'Up' and s.removed is null
			and s.bytes_used + ? <= s.bytes_total)`, bytes)
	}
	if w.Prefer != "" {
		q.OrderExpr("case when h.id = ? then 0 else 1 end", w.Prefer)
	}
	err := q.Order("h.memory_used", "h.id").Limit(int64(limit)).Scan(ctx)
	hosts := make([]host.Host, len(rows))
	for i, r := range rows {
		hosts[i] = r.Host
	}
	return hosts, err
}

// looked gives the hosts that were considered, for the reasons of a refusal.
func looked(ctx context.Context, tx db.Tx, w Want) ([]seen, error) {
	var rows []struct {
		hostRow
		Disabled string
	}
	err := within(tx.NewSelect().Model((*hostRow)(nil)), w).ColumnExpr("h.*").
		ColumnExpr(`case when exists (select 1 from clusters c where c.id = h.cluster_id and c.allocation_state <> 'Enabled') then 'cluster'
			when exists (select 1 from pods p where p.id = h.pod_id and p.allocation_state <> 'Enabled') then 'pod' else '' end as disabled`).
		Order("h.id").Scan(ctx, &rows)
	out := make([]seen, len(rows))
	for i, r := range rows {
		out[i] = seen{r.Host, r.Disabled}
	}
	return out, err
}
