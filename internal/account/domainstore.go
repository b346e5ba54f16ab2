package account

import (
	"context"
	"strings"
	"unicode/utf8"

	"github.com/uptrace/bun"

	"github.com/virga-cloud/virga/internal/auth"
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

// domainNamed finds a domain by its path, as clients write it, or its id.
func domainNamed(ctx context.Context, q db.Tx, name string) (Domain, error) {
	if id := strings.ToLower(name); uid.Valid(id) {
		return domainByID(ctx, q, uid.Domain(id))
	}
	var row domainRow
	err := q.NewSelect().Model(&row).Where("d.path = ? and d.removed is null and d.state = ?", DomainPath(name), Active).Scan(ctx)
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

// keptDomain finds a domain that may be inactive.
func keptDomain(ctx context.Context, q db.Tx, id uid.Domain) (Domain, error) {
	var row domainRow
	err := q.NewSelect().Model(&row).Where("d.id = ? and d.removed is null", id).Scan(ctx)
	return row.Domain, err
}

// below is true for domains with the path ? and below it, where the path, its length and the path are the arguments. (Not LIKE: see
// auth.Scope.Where.)
const below = "(path = ? or substr(path, 1, ?) = ?)"

func belowArgs(path string) []any {
	return []any{path, utf8.RuneCountInString(path) + 1, path + "/"}
}

// moveDomains gives a domain its name and path, and those below it theirs.
func moveDomains(ctx context.Context, tx db.Tx, was string, d Domain) error {
	if _, err := tx.NewRaw("update domains set name = ? where id = ?", d.Name, d.ID).Exec(ctx); err != nil {
		return err
	}

	args := append([]any{d.Path, utf8.RuneCountInString(was) + 1}, belowArgs(was)...)
	if _, err := tx.NewRaw("update domains set path = ? || substr(path, ?) where removed is null and "+below, args...).Exec(ctx); err != nil {
		return err
	}
	return names.Forget(ctx, tx)
}

func setDomainNetwork(ctx context.Context, tx db.Tx, id uid.Domain, name string) error {
	_, err := tx.NewRaw("update domains set network_domain = ? where id = ?", name, id).Exec(ctx)
	return err
}

func countBelow(ctx context.Context, tx db.Tx, l *Lone) error {
	in := "(select count(*) from accounts where removed is null and domain_id in (select id from domains where removed is null and " + below + ")"
	args := belowArgs(l.Path)
	args = append(append(append(args, args...), auth.Project), append(args, auth.Project)...)
	return tx.NewRaw("select (select count(*) - 1 from domains where removed is null and "+below+"), "+in+" and type <> ?), "+in+" and type = ?)",
		args...).Scan(ctx, &l.Domains, &l.Accounts, &l.Projects)
}

func deactivate(ctx context.Context, tx db.Tx, path string) error {
	_, err := tx.NewRaw("update domains set state = ? where removed is null and "+below, append([]any{Inactive}, belowArgs(path)...)...).Exec(ctx)
	return err
}

func removeDomains(ctx context.Context, tx db.Tx, path string) error {
	_, err := tx.NewRaw("update domains set removed = ? where removed is null and "+below, append([]any{tx.Now}, belowArgs(path)...)...).Exec(ctx)
	return err
}

func idsBelow(ctx context.Context, q db.Tx, path string) (ids []uid.Domain, err error) {
	err = q.NewRaw("select id from domains where removed is null and "+below+" order by id", belowArgs(path)...).Scan(ctx, &ids)
	return ids, err
}

func closing(ctx context.Context, q db.Tx) (accounts []uid.Account, domains []uid.Domain, err error) {
	if err := q.NewRaw("select id from accounts where closing and removed is null order by id").Scan(ctx, &accounts); err != nil {
		return nil, nil, err
	}
	err = q.NewRaw(`select d.id from domains d join domains p on p.id = d.parent_id where d.state = ? and d.removed is null and p.state = ?
		order by d.id`, Inactive, Active).Scan(ctx, &domains)
	return accounts, domains, err
}

// DomainsWithFamily gives domains by their ids, with what [Service.Domains] tells of each.
func DomainsWithFamily(ctx context.Context, q db.Tx, ids []uid.Domain) (map[uid.Domain]Domain, error) {
	var rows []domainRow
	s := q.NewSelect().Model(&rows).Where("d.id in (?)", bun.List(ids))
	withFamily(s)
	err := s.Scan(ctx)
	out := make(map[uid.Domain]Domain, len(rows))
	for _, r := range rows {
		out[r.ID] = r.Domain
	}
	return out, err
}

// above are the domains that an account is in and below, but for ROOT, from the top. (Not by their paths: a removed domain may have
// had the path that another one has now.)
var aboveDomain = db.Prepare(`with recursive up (id, parent_id, level) as (
		select id, parent_id, level from domains where id = ?
		union all select p.id, p.parent_id, p.level from domains p join up on p.id = up.parent_id)
	select id from up order by level desc`)

// Above gives the domains from one up to ROOT, itself first; none where there is no such domain.
func Above(ctx context.Context, q db.Tx, id uid.Domain) (ids []uid.Domain, err error) {
	err = q.Select(ctx, aboveDomain, &ids, id)
	return ids, err
}

var above = db.Prepare(`with recursive up (id, parent_id, level) as (
		select d.id, d.parent_id, d.level from domains d join accounts a on a.domain_id = d.id where a.id = ?
		union all select p.id, p.parent_id, p.level from domains p join up on p.id = up.parent_id)
	select id from up where parent_id is not null order by level`)
