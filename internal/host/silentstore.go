package host

import (
	"context"

	"github.com/virga-cloud/virga/internal/db"
	"github.com/virga-cloud/virga/uid"
)

// Silent gives the hosts that do not answer.
func Silent(ctx context.Context, q db.Tx) ([]Host, error) {
	var rows []hostRow
	err := q.NewSelect().Model(&rows).Where("h.lost is not null and h.removed is null and h.state in (?, ?)", Alert, Down).Order("h.id").Scan(ctx)
	return hosts(rows), err
}

// unsureAtOnce bounds how many hosts are looked at after everything was away.
const unsureAtOnce = 200

// Unsure gives hosts that answer, and of which it is to be found out what runs there.
func Unsure(ctx context.Context, q db.Tx) ([]Host, error) {
	var rows []hostRow
	err := q.NewSelect().Model(&rows).Where("h.unsure > 0 and h.removed is null and h.state = ?", Up).Order("h.id").Limit(unsureAtOnce).Scan(ctx)
	return hosts(rows), err
}

// Busy gives hosts that answer and on which machines should run, those that follow a host.
func Busy(ctx context.Context, q db.Tx, after uid.Host, limit int) ([]Host, error) {
	var rows []hostRow
	err := q.NewSelect().Model(&rows).Where("h.id > ? and h.removed is null and h.state = ? and h.memory_used > 0 and h.unsure = 0", after, Up).
		Order("h.id").Limit(int64(limit)).Scan(ctx)
	return hosts(rows), err
}

// Answering gives hosts that answer, those that follow a host.
func Answering(ctx context.Context, q db.Tx, after uid.Host, limit int) ([]Host, error) {
	var rows []hostRow
	err := q.NewSelect().Model(&rows).Where("h.id > ? and h.removed is null and h.state = ?", after, Up).
		Order("h.id").Limit(int64(limit)).Scan(ctx)
	return hosts(rows), err
}

// BeUnsure records that what runs on a host may have changed without our knowing.
func BeUnsure(ctx context.Context, tx db.Tx, id uid.Host) error {
	_, err := tx.NewRaw("update hosts set unsure = unsure + 1 where id = ?", id).Exec(ctx)
	return err
}

// Sure records that it was found out what runs on a host, unless there is new reason to look.
func Sure(ctx context.Context, tx db.Tx, h Host) error {
	_, err := tx.NewRaw("update hosts set unsure = 0 where id = ? and unsure = ?", h.ID, h.Unsure).Exec(ctx)
	return err
}
