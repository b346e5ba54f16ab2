package pool

import (
	"context"

	"github.com/uptrace/bun"

	"github.com/virga-cloud/virga/internal/db"
	"github.com/virga-cloud/virga/uid"
)

type poolRow struct {
	bun.BaseModel `bun:"table:storage_pools,alias:p"`
	Pool
}

func insert(ctx context.Context, tx db.Tx, p Pool) error {
	_, err := tx.NewInsert().Model(&poolRow{Pool: p}).Exec(ctx)
	return err
}

var ofCluster = db.Prepare(`select * from storage_pools where cluster_id = ? and state = 'Up' and removed is null
	order by bytes_total - bytes_used desc, id`)

// OfCluster gives the pools of a cluster that may be used, the emptiest first.
func OfCluster(ctx context.Context, q db.Tx, cluster uid.Cluster) ([]Pool, error) {
	var rows []poolRow
	err := q.Select(ctx, ofCluster, &rows, cluster)
	pools := make([]Pool, len(rows))
	for i, r := range rows {
		pools[i] = r.Pool
	}
	return pools, err
}

var byIDs = db.PrepareMany("select * from storage_pools where id in (?)")

// ByID gives pools by their ids, removed ones too, in one query.
func ByID(ctx context.Context, q db.Tx, ids []uid.Pool) (map[uid.Pool]Pool, error) {
	return db.ByID(ctx, q, byIDs, ids, func(r poolRow) (uid.Pool, Pool) { return r.ID, r.Pool })
}

// Label is what is shown of a pool with each thing in it. Nothing of it changes.
type Label struct {
	ID      uid.Pool
	Name    string
	Type    string
	Pod     uid.Pod     `bun:"pod_id"`
	Cluster uid.Cluster `bun:"cluster_id"`
}

var (
	findLabels = db.PrepareMany(`select id, name, type, coalesce(pod_id, '') as pod_id, coalesce(cluster_id, '') as cluster_id
		from storage_pools where id in (?)`)
	labels = db.Remember("pools", func(ctx context.Context, q db.Tx, ids []uid.Pool) (map[uid.Pool]Label, error) {
		return db.ByID(ctx, q, findLabels, ids, func(l Label) (uid.Pool, Label) { return l.ID, l })
	})
)

// Labels gives what is shown of pools elsewhere, removed ones too, in one query.
func Labels(ctx context.Context, q db.Tx, ids []uid.Pool) (map[uid.Pool]Label, error) {
	return labels.Find(ctx, q, ids)
}

var (
	take = db.PrepareHoped(`update storage_pools set bytes_used = bytes_used + ?
		where id = ? and bytes_used + ? <= bytes_total and state = 'Up' and removed is null`)
	give = db.Prepare("update storage_pools set bytes_used = bytes_used - ? where id = ?")
)

// Reserve takes room in a pool, in bytes, and tells whether there was enough. It may be hoped for: see
// [db.Tx.Hope].
func Reserve(ctx context.Context, tx db.Tx, id uid.Pool, bytes int64) (bool, error) {
	return tx.Hope(ctx, take, bytes, id, bytes)
}

// Release gives room back that was reserved.
func Release(ctx context.Context, tx db.Tx, id uid.Pool, bytes int64) error {
	return tx.Later(ctx, give, bytes, id)
}
