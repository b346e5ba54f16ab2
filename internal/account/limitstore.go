package account

import (
	"context"

	"github.com/uptrace/bun"

	"github.com/virga-cloud/virga/internal/db"
	"github.com/virga-cloud/virga/uid"
)

// uncounted gives the error of a count that could not be changed.
type uncounted = func(ctx context.Context, q db.Tx) error

type countRow struct {
	bun.BaseModel `bun:"table:resource_counts"`
	AccountID     uid.Account `bun:",pk"`
	Kind          Kind        `bun:",pk"`
	Used          int64
	Maximum       int64
}

// Asking and counting are one statement, so that no other transaction comes between. "maximum - used >= n" can't overflow,
// whatever n is.
var (
	takeCount = db.PrepareMust(`update resource_counts set used = used + ?
		where account_id = ? and kind = ? and (maximum < 0 or maximum - used >= ?)`)
	giveCount = db.PrepareMust("update resource_counts set used = used - ? where account_id = ? and kind = ? and used >= ?")
)

// take counts n more; the transaction fails with what otherwise gives where the limit does not allow them.
func take(ctx context.Context, tx db.Tx, account uid.Account, kind Kind, n int64, otherwise uncounted) error {
	return tx.Must(ctx, takeCount, otherwise, n, account, kind, n)
}

// give counts n less.
func give(ctx context.Context, tx db.Tx, account uid.Account, kind Kind, n int64, otherwise uncounted) error {
	return tx.Must(ctx, giveCount, otherwise, n, account, kind, n)
}

var countsOf = db.PrepareMany("select account_id, kind, used, maximum from resource_counts where account_id in (?)")

func counts(ctx context.Context, q db.Tx, accounts []uid.Account) ([]countRow, error) {
	return db.Rows[countRow](ctx, q, countsOf, accounts)
}

func insertCounts(ctx context.Context, tx db.Tx, rows []countRow) error {
	_, err := tx.NewInsert().Model(&rows).Exec(ctx)
	return err
}
