package host

import (
	"context"

	"github.com/virga-cloud/virga/internal/db"
	"github.com/virga-cloud/virga/uid"
)

// ClusterUse is how much of a cluster's hosts is given away.
type ClusterUse struct {
	Cluster     uid.Cluster `bun:"cluster_id"`
	Name        string
	CPUUsed     int64 `bun:"cpu_used"`    // MHz
	CPUTotal    int64 `bun:"cpu_total"`   // MHz, overcommit applied
	MemoryUsed  int64 `bun:"memory_used"` // MB
	MemoryTotal int64 `bun:"memory_total"`
}

// Use gives how much of each cluster with hosts is given away, in one query.
func Use(ctx context.Context, q db.Tx) ([]ClusterUse, error) {
	var rows []ClusterUse
	err := q.NewRaw(`select h.cluster_id, c.name, sum(h.cpu_used) as cpu_used, sum(h.cpu_total) as cpu_total,
			sum(h.memory_used) as memory_used, sum(h.memory_total) as memory_total
		from hosts h join clusters c on c.id = h.cluster_id
		where h.removed is null group by h.cluster_id, c.name order by h.cluster_id`).Scan(ctx, &rows)
	return rows, err
}
