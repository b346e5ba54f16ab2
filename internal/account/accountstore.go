package account

import (
	"context"

	"github.com/uptrace/bun"

	"github.com/virga-cloud/virga/internal/auth"
	"github.com/virga-cloud/virga/internal/db"
	"github.com/virga-cloud/virga/uid"
)

type accountRow struct {
	bun.BaseModel `bun:"table:accounts,alias:a"`
	Account
}

func insertAccount(ctx context.Context, tx db.Tx, a Account) error {
	_, err := tx.NewInsert().Model(&accountRow{Account: a}).Exec(ctx)
	return err
}

func selectAccounts(q db.Tx, rows any) *bun.SelectQuery {
	return q.NewSelect().Model(rows).ColumnExpr("a.*, d.name as domain_name, d.path as domain_path").
		Join("join domains as d on d.id = a.domain_id")
}

func accountByName(ctx context.Context, q db.Tx, domain uid.Domain, name string) (Account, error) {
	var row accountRow
	err := selectAccounts(q, &row).Where("a.domain_id = ? and a.name = ? and a.removed is null", domain, name).Scan(ctx)
	return row.Account, err
}

// accountsByID finds removed accounts too.
func accountsByID(ctx context.Context, q db.Tx, ids []uid.Account) ([]Account, error) {
	var rows []accountRow
	err := selectAccounts(q, &rows).Where("a.id in (?)", bun.List(ids)).Scan(ctx)
	return accounts(rows), err
}

func listAccounts(ctx context.Context, tx db.Tx, f AccountFilter) ([]Account, int, error) {
	var rows []accountRow
	q := selectAccounts(tx, &rows).Where("a.removed is null and a.id <> ?", auth.System().Account).OrderExpr("a.id")
	f.Scope.WhereOwner(q, "a.id", "a.domain_id")
	if f.ID != "" {
		q.Where("a.id = ?", f.ID)
	}
	if f.Name != "" {
		q.Where("a.name = ?", f.Name)
	}
	if f.State != "" {
		q.Where("a.state = ?", f.State)
	}
	if f.Type != nil {
		q.Where("a.type = ?", *f.Type)
	}
	keyword(q, f.Keyword, "a.name")
	total, err := page(q, f.Offset, f.Limit).ScanAndCount(ctx)
	return accounts(rows), int(total), err
}

func accounts(rows []accountRow) []Account {
	all := make([]Account, len(rows))
	for i, r := range rows {
		all[i] = r.Account
	}
	return all
}
