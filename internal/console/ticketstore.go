package console

import (
	"context"

	"github.com/uptrace/bun"

	"github.com/virga-cloud/virga/internal/db"
)

type ticketRow struct {
	bun.BaseModel `bun:"table:console_tickets,alias:t"`
	ticket
}

func insert(ctx context.Context, tx db.Tx, t ticket) error {
	_, err := tx.NewInsert().Model(&ticketRow{ticket: t}).Exec(ctx)
	return err
}

func find(ctx context.Context, q db.Tx, id string) (ticket, error) {
	var row ticketRow
	err := q.NewSelect().Model(&row).Where("t.id = ?", id).Scan(ctx)
	if db.IsNone(err) {
		return ticket{}, errSpent()
	}
	return row.ticket, err
}

// take uses a ticket up, and tells whether it was still there to be used: of two that have it at the same moment one is told so.
func take(ctx context.Context, tx db.Tx, id, extra string) (bool, error) {
	n, err := db.Changed(tx.NewRaw("update console_tickets set used = ?, expires = ? where id = ? and used = ? and extra = ? and expires > ?",
		true, tx.Now.Add(longest), id, false, extra, tx.Now).Exec(ctx))
	return n == 1, err
}

func drop(ctx context.Context, tx db.Tx, id string) error {
	_, err := tx.NewRaw("delete from console_tickets where id = ?", id).Exec(ctx)
	return err
}

// sweep removes what is no use any more.
func sweep(ctx context.Context, tx db.Tx) error {
	_, err := tx.NewRaw("delete from console_tickets where expires <= ?", tx.Now).Exec(ctx)
	return err
}
