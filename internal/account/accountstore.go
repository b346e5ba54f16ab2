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
	s := q.NewSelect().Model(rows)
	withDomain(s)
	return s
}

func withDomain(q *bun.SelectQuery) {
	q.ColumnExpr("a.*, d.name as domain_name, d.path as domain_path").Join("join domains as d on d.id = a.domain_id")
}

func accountByName(ctx context.Context, q db.Tx, domain uid.Domain, name string) (Account, error) {
	var row accountRow
	err := selectAccounts(q, &row).Where("a.domain_id = ? and a.name = ? and a.removed is null", domain, name).Scan(ctx)
	return row.Account, err
}

var findNames = db.PrepareMany(`select a.id, a.name, a.domain_id, d.name as domain_name, d.path as domain_path
	from accounts a join domains d on d.id = a.domain_id where a.id in (?)`)

// names finds those of removed accounts too.
func names(ctx context.Context, q db.Tx, ids []uid.Account) (map[uid.Account]Name, error) {
	return db.ByID(ctx, q, findNames, ids, func(r accountRow) (uid.Account, Name) {
		return r.ID, Name{Account: r.Name, Domain: r.Domain, DomainName: r.DomainName, DomainPath: r.DomainPath}
	})
}

func listAccounts(ctx context.Context, tx db.Tx, f AccountFilter) ([]Account, int, error) {
	var rows []accountRow
	q := tx.NewSelect().Model(&rows).Where("a.removed is null and a.id <> ?", auth.System().Account).OrderExpr("a.id")
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
	db.Like(q, f.Keyword, "a.name")
	total, err := db.PageByID(ctx, q, f.Offset, f.Limit, withDomain)
	return accounts(rows), total, err
}

func accounts(rows []accountRow) []Account {
	all := make([]Account, len(rows))
	for i, r := range rows {
		all[i] = r.Account
	}
	return all
}

func countOfRole(ctx context.Context, q db.Tx, id uid.Role) (int, error) {
	n, err := q.NewSelect().Model((*accountRow)(nil)).Where("a.role_id = ? and a.removed is null", id).Count(ctx)
	return int(n), err
}
