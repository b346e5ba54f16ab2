package pool

import (
	"context"

	"github.com/virga-cloud/virga/internal/db"
	"github.com/virga-cloud/virga/internal/fault"
	"github.com/virga-cloud/virga/uid"
)

// lock gives a pool that is not removed, to change it.
func lock(ctx context.Context, tx db.Tx, id uid.Pool) (Pool, error) {
	var row poolRow
	err := tx.Lock(tx.NewSelect().Model(&row).Where("p.id = ? and p.removed is null", id)).Scan(ctx)
	if db.IsNone(err) {
		return Pool{}, fault.Missing(id)
	}
	return row.Pool, err
}

func remove(ctx context.Context, tx db.Tx, id uid.Pool) error {
	_, err := tx.NewRaw("update storage_pools set removed = ? where id = ?", tx.Now, id).Exec(ctx)
	return err
}

func setTotal(ctx context.Context, tx db.Tx, id uid.Pool, bytes int64) error {
	_, err := tx.NewRaw("update storage_pools set bytes_total = ? where id = ?", bytes, id).Exec(ctx)
	return err
}

func ofHost(ctx context.Context, q db.Tx, id uid.Host) ([]Pool, error) {
	var rows []poolRow
	err := q.NewSelect().Model(&rows).Where("p.host_id = ? and p.removed is null", id).Order("p.id").Scan(ctx)
	return pools(rows), err
}
