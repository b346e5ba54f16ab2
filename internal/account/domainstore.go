package account

import (
	"context"

	"github.com/uptrace/bun"

	"github.com/virga-cloud/virga/internal/db"
	"github.com/virga-cloud/virga/uid"
)

type domainRow struct {
	bun.BaseModel `bun:"table:domains,alias:d"`
	Domain
}

func insertDomain(ctx context.Context, tx db.Tx, d Domain) error {
	_, err := tx.NewInsert().Model(&domainRow{Domain: d}).Exec(ctx)
	return err
}

// insertDomainOnce tells whether it was this call that made the domain. On PostgreSQL it waits for another that is about to.
func insertDomainOnce(ctx context.Context, tx db.Tx, d Domain) (bool, error) {
	n, err := db.Changed(tx.NewInsert().Model(&domainRow{Domain: d}).On("conflict do nothing").Exec(ctx))
	return n == 1, err
}

func domainByID(ctx context.Context, q db.Tx, id uid.Domain) (Domain, error) {
	var row domainRow
	err := q.NewSelect().Model(&row).Where("d.id = ? and d.removed is null and d.state = ?", id, Active).Scan(ctx)
	return row.Domain, err
}

func listDomains(ctx context.Context, tx db.Tx, f DomainFilter) ([]Domain, int, error) {
	var rows []domainRow
	q := tx.NewSelect().Model(&rows).Where("d.removed is null").OrderExpr("d.id")
	if f.Scope.Account != "" {
		q.Where("d.id in (select domain_id from accounts where id = ?)", f.Scope.Account)
	} else {
		f.Scope.WhereOwner(q, "", "d.id")
	}
	if f.ID != "" {
		q.Where("d.id = ?", f.ID)
	}
	switch {
	case f.Parent != "" && f.Below:
		q.Where(`exists (select 1 from domains as top
			where top.id = ? and substr(d.path, 1, length(top.path) + 1) = top.path || '/')`, f.Parent)
	case f.Parent != "":
		q.Where("d.parent_id = ?", f.Parent)
	}
	if f.Name != "" {
		q.Where("d.name = ?", f.Name)
	}
	if f.Level != nil {
		q.Where("d.level = ?", *f.Level)
	}
	db.Like(q, f.Keyword, "d.name")
	total, err := db.PageByID(ctx, q, f.Offset, f.Limit, withFamily)
	domains := make([]Domain, len(rows))
	for i, r := range rows {
		domains[i] = r.Domain
	}
	return domains, total, err
}

func withFamily(q *bun.SelectQuery) {
	q.ColumnExpr("d.*, coalesce(p.name, '') as parent_name").
		ColumnExpr("exists (select 1 from domains as c where c.parent_id = d.id and c.removed is null) as has_children").
		Join("left join domains as p on p.id = d.parent_id")
}

var domainsByID = db.PrepareMany("select * from domains where id in (?)")

// DomainsByID gives domains by their ids, removed ones too, in one query.
func DomainsByID(ctx context.Context, q db.Tx, ids []uid.Domain) (map[uid.Domain]Domain, error) {
	return db.ByID(ctx, q, domainsByID, ids, func(r domainRow) (uid.Domain, Domain) { return r.ID, r.Domain })
}
