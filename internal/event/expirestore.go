package event

import (
	"context"
	"time"

	"github.com/virga-cloud/virga/internal/db"
)

// Expire removes events that were written before a time, the oldest first and at most limit of them, and tells how many. Ids
// grow with time, so the oldest are found without an index that every event would pay for.
func Expire(ctx context.Context, tx db.Tx, before time.Time, limit int) (int64, error) {
	return db.Changed(tx.NewRaw("delete from events where id in (select id from events order by id limit ?) and created < ?", limit, before).
		Exec(ctx))
}
