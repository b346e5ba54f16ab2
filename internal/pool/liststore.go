package pool

import (
	"context"

	"github.com/virga-cloud/virga/internal/db"
	"github.com/virga-cloud/virga/internal/zone"
	"github.com/virga-cloud/virga/uid"
)

// Filter says which pools a list shows. Zero fields don't restrict.
type Filter struct {
	ID      uid.Pool
	Zone    uid.Zone
	Pod     uid.Pod
	Cluster uid.Cluster
	Host    uid.Host // that reaches it
	Name    string
	Address string
	Path    string
	Scope   Scope
	State   string
	Keyword string // in the name or the URL's path
	Offset  int
	Limit   int // 0 or less: all
}

// List gives a page of pools, the oldest first, and how many there are in all.
func (s *Service) List(ctx context.Context, f Filter) ([]Pool, int, error) {
	var rows []poolRow
	q := s.db.Read().NewSelect().Model(&rows).Where("p.removed is null").Order("p.id")
	db.Equal(q, "p.id", f.ID)
	db.Equal(q, "p.zone_id", f.Zone)
	db.Equal(q, "p.pod_id", f.Pod)
	db.Equal(q, "p.cluster_id", f.Cluster)
	db.Equal(q, "p.name", f.Name)
	db.Equal(q, "p.address", f.Address)
	db.Equal(q, "p.path", f.Path)
	db.EqualFold(q, "p.scope", f.Scope)
	db.EqualFold(q, "p.state", f.State)
	db.Like(q, f.Keyword, "p.name", "p.path")
	if f.Host != "" {
		q.Where(`exists (select 1 from hosts h where h.id = ? and (p.scope = 'HOST' and p.host_id = h.id
			or p.scope = 'CLUSTER' and p.cluster_id = h.cluster_id
			or p.scope = 'ZONE' and p.zone_id = h.zone_id and p.hypervisor = h.hypervisor))`, f.Host)
	}
	n, err := db.Page(ctx, q, f.Offset, f.Limit)
	return pools(rows), n, err
}

// Local is how much storage of its own a host has.
type Local struct {
	Host      uid.Host `bun:"host_id"`
	Total     int64
	Allocated int64
}

// LocalOf gives the local storage of hosts, in one query.
func LocalOf(ctx context.Context, q db.Tx, ids []uid.Host) (map[uid.Host]Local, error) {
	out := map[uid.Host]Local{}
	var rows []Local
	sel := q.NewSelect().Table("storage_pools").Column("host_id").
		ColumnExpr("cast(sum(bytes_physical) as bigint) as total, cast(sum(bytes_used) as bigint) as allocated").
		Where("removed is null and host_id is not null").Group("host_id")
	db.In(sel, "host_id", ids)
	err := sel.Scan(ctx, &rows)
	for _, r := range rows {
		out[r.Host] = r
	}
	return out, err
}

func countIn(ctx context.Context, tx db.Tx, p zone.Place) (n int, err error) {
	q := tx.NewSelect().Model((*poolRow)(nil)).ColumnExpr("count(*)").Where("p.removed is null and p.host_id is null")
	db.Equal(q, "p.zone_id", p.Zone)
	db.Equal(q, "p.pod_id", p.Pod)
	db.Equal(q, "p.cluster_id", p.Cluster)
	err = q.Scan(ctx, &n)
	return n, err
}

func pools(rows []poolRow) []Pool {
	out := make([]Pool, len(rows))
	for i, r := range rows {
		out[i] = r.Pool
	}
	return out
}
