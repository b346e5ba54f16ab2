package pool

import (
	"context"

	"github.com/virga-cloud/virga/internal/db"
	"github.com/virga-cloud/virga/uid"
)

// PoolUse is how much of a pool is allocated to volumes.
type PoolUse struct {
	ID      uid.Pool
	Cluster uid.Cluster `bun:"cluster_id"`
	Name    string
	Used    int64 `bun:"bytes_used"`
	Total   int64 `bun:"bytes_total"`
}

// Use gives how much of each pool is allocated, in one query.
func Use(ctx context.Context, q db.Tx) ([]PoolUse, error) {
	var rows []PoolUse
	err := q.NewRaw(`select id, coalesce(cluster_id, '') as cluster_id, name, bytes_used, bytes_total
		from storage_pools where removed is null order by id`).Scan(ctx, &rows)
	return rows, err
}
