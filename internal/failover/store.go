package failover

import (
	"context"
	"time"

	"github.com/uptrace/bun"

	"github.com/virga-cloud/virga/internal/db"
	"github.com/virga-cloud/virga/uid"
)

type pendingRow struct {
	bun.BaseModel `bun:"table:failovers,alias:f"`
	pending
}

// atOnce bounds how many machines one round starts.
const atOnce = 100

// due gives machines whose turn has come, those that have waited longest first.
func due(ctx context.Context, q db.Tx, now time.Time) ([]pending, error) {
	var rows []pendingRow
	err := q.NewSelect().Model(&rows).Where("f.due <= ?", now).Order("f.due", "f.vm_id").Limit(atOnce).Scan(ctx)
	out := make([]pending, len(rows))
	for i, r := range rows {
		out[i] = r.pending
	}
	return out, err
}

// put writes a machine's row, in the place of the one that was there.
func put(ctx context.Context, tx db.Tx, p pending) error {
	_, err := tx.NewInsert().Model(&pendingRow{pending: p}).On("conflict (vm_id) do update").
		Set("since = excluded.since, tries = excluded.tries, due = excluded.due, job_id = excluded.job_id").Exec(ctx)
	return err
}

func drop(ctx context.Context, tx db.Tx, id uid.VM) error {
	_, err := tx.NewRaw("delete from failovers where vm_id = ?", id).Exec(ctx)
	return err
}
