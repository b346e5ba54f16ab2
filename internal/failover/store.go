package failover

import (
	"context"
	"time"

	"github.com/uptrace/bun"

	"github.com/virga-cloud/virga/internal/db"
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

// takeTurn begins another try, and tells whether it is the next one: nobody else has begun it.
func takeTurn(ctx context.Context, tx db.Tx, p pending) (bool, error) {
	n, err := db.Changed(tx.NewRaw("update failovers set tries = ?, due = ? where vm_id = ? and tries = ?",
		p.Tries, p.Due, p.VM, p.Tries-1).Exec(ctx))
	return n == 1, err
}

// setTry records the job of a try, and when the next one is, and tells whether it is still the last one.
func setTry(ctx context.Context, tx db.Tx, p pending) (bool, error) {
	n, err := db.Changed(tx.NewRaw("update failovers set job_id = ?, due = ? where vm_id = ? and tries = ?", p.Job, p.Due, p.VM, p.Tries).Exec(ctx))
	return n == 1, err
}

// drop forgets a machine, and tells whether it was still to run again for the reason that was read: it may have ended once more.
func drop(ctx context.Context, tx db.Tx, p pending) (bool, error) {
	n, err := db.Changed(tx.NewRaw("delete from failovers where vm_id = ? and since = ?", p.VM, p.Since).Exec(ctx))
	return n == 1, err
}
