package keep

import (
	"context"
	"time"

	"github.com/uptrace/bun"

	"github.com/virga-cloud/virga/internal/db"
)

type statusRow struct {
	bun.BaseModel `bun:"table:keepers,alias:k"`
	Status
}

// hold takes or renews the lease, and tells whether this server has it.
func (k *Keepers) hold(ctx context.Context, name string, lease time.Duration) (held bool, err error) {
	err = k.db.Write(ctx, func(ctx context.Context, tx db.Tx) error {
		n, err := db.Changed(tx.NewRaw(`insert into keepers (name, holder, lease_until) values (?, ?, ?)
			on conflict (name) do update set holder = excluded.holder, lease_until = excluded.lease_until
			where keepers.holder = excluded.holder or keepers.lease_until < ?`,
			name, k.server, tx.Now.Add(lease), tx.Now).Exec(ctx))
		held = n == 1
		return err
	})
	return held, err
}

// lastRun gives when a keeper's last round began, the zero time where there was none.
func (k *Keepers) lastRun(ctx context.Context, name string) (time.Time, error) {
	var row statusRow
	err := k.db.Read().NewSelect().Model(&row).Column("last_run").Where("name = ?", name).Scan(ctx)
	if db.IsNone(err) {
		err = nil
	}
	return row.LastRun, err
}

// record keeps how a round went and gives back its error.
func (k *Keepers) record(ctx context.Context, name string, began time.Time, took time.Duration, round error) error {
	text := ""
	if round != nil {
		text = round.Error()
	}
	err := k.db.Write(ctx, func(ctx context.Context, tx db.Tx) error {
		_, err := tx.NewRaw("update keepers set last_run = ?, last_took = ?, last_error = ?, runs = runs + 1 where name = ? and holder = ?",
			began, took.Microseconds(), text, name, k.server).Exec(ctx)
		return err
	})
	if round != nil {
		return round
	}
	return err
}

// List tells how all keepers do.
func List(ctx context.Context, q db.Tx) ([]Status, error) {
	var rows []statusRow
	err := q.NewSelect().Model(&rows).Order("name").Scan(ctx)
	out := make([]Status, len(rows))
	for i, r := range rows {
		out[i] = r.Status
	}
	return out, err
}
