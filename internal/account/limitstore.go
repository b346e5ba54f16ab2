package account

import (
	"context"

	"github.com/uptrace/bun"

	"github.com/virga-cloud/virga/internal/db"
	"github.com/virga-cloud/virga/uid"
)

type countRow struct {
	bun.BaseModel `bun:"table:resource_counts"`
	AccountID     uid.Account `bun:",pk"`
	Kind          Kind        `bun:",pk"`
	Used          int64
	Maximum       int64
}

// take tells whether n more were counted. Asking and counting are one statement, so that no other transaction comes between.
// "maximum - used >= n" can't overflow, whatever n is.
func take(ctx context.Context, tx db.Tx, account uid.Account, kind Kind, n int64) (bool, error) {
	changed, err := db.Changed(tx.NewRaw(`update resource_counts set used = used + ?
		where account_id = ? and kind = ? and (maximum < 0 or maximum - used >= ?)`, n, account, kind, n).Exec(ctx))
	return changed == 1, err
}

func give(ctx context.Context, tx db.Tx, account uid.Account, kind Kind, n int64) (bool, error) {
	changed, err := db.Changed(tx.NewRaw(`update resource_counts set used = used - ?
		where account_id = ? and kind = ? and used >= ?`, n, account, kind, n).Exec(ctx))
	return changed == 1, err
}

func counts(ctx context.Context, q db.Tx, accounts []uid.Account) ([]countRow, error) {
	var rows []countRow
	err := q.NewSelect().Model(&rows).Where("account_id in (?)", bun.List(accounts)).Scan(ctx)
	return rows, err
}

func insertCounts(ctx context.Context, tx db.Tx, rows []countRow) error {
	_, err := tx.NewInsert().Model(&rows).Exec(ctx)
	return err
}
