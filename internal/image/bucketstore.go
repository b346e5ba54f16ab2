package image

import (
	"context"

	"github.com/uptrace/bun"

	"github.com/virga-cloud/virga/internal/db"
	"github.com/virga-cloud/virga/internal/fault"
	"github.com/virga-cloud/virga/uid"
)

type bucketRow struct {
	bun.BaseModel `bun:"table:image_store_buckets,alias:b"`
	Bucket
	Keys string // sealed
}

func bucketOf(ctx context.Context, q db.Tx, id uid.ImageStore) (row bucketRow, err error) {
	if err = q.NewSelect().Model(&row).Where("b.store_id = ?", id).Scan(ctx); db.IsNone(err) {
		err = fault.Conflictf("image store %s is no bucket", id)
	}
	return row, err
}

// BucketsByStore gives what is known of stores that are buckets, without their keys, in one query.
func BucketsByStore(ctx context.Context, q db.Tx, ids []uid.ImageStore) (map[uid.ImageStore]Bucket, error) {
	out := map[uid.ImageStore]Bucket{}
	if len(ids) == 0 {
		return out, nil
	}
	var rows []bucketRow
	err := q.NewSelect().Model(&rows).ExcludeColumn("keys").Where("b.store_id in (?)", bun.List(ids)).Scan(ctx)
	for _, r := range rows {
		out[r.Store] = r.Bucket
	}
	return out, err
}
