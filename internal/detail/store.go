package detail

import (
	"context"
	"encoding/json"

	"github.com/uptrace/bun"

	"github.com/virga-cloud/virga/internal/auth"
	"github.com/virga-cloud/virga/internal/db"
	"github.com/virga-cloud/virga/uid"
)

// thing is whose a thing is, with the details in its own row.
type thing struct {
	ID      string
	Account uid.Account       `bun:"account_id"`
	Domain  uid.Domain        `bun:"domain_id"`
	Details map[string]string `bun:"details,type:text"`
}

// Seen restricts a query for things, known as x, to those that a caller sees.
type Seen func(q *bun.SelectQuery, caller auth.Caller)

// things selects the things of a kind that lie in a scope.
func things(q *bun.SelectQuery, k Kind, scope auth.Scope) *bun.SelectQuery {
	q.TableExpr("? as x", bun.Safe(k.Table))
	if !k.Common {
		q = scope.Where(q, "x")
	}
	if k.Live != "" {
		q.Where(k.Live)
	}
	return q
}

func findThing(ctx context.Context, tx db.Tx, k Kind, scope auth.Scope, id string) (t thing, err error) {
	q := tx.Lock(things(tx.NewSelect(), k, scope).Column("x.id").Where("x.id = ?", id))
	if !k.Common {
		q.Column("x.account_id", "x.domain_id")
	}
	if k.Keep != nil {
		q.Column("x.details")
	}
	err = q.Scan(ctx, &t)
	if t.Details == nil {
		t.Details = map[string]string{}
	}
	return t, err
}

func notedOf(ctx context.Context, tx db.Tx, kind, id string) (map[string]Detail, error) {
	var rows []Detail
	err := tx.NewRaw("select resource_id, key, value, display from resource_details where resource_type = ? and resource_id = ?", kind, id).
		Scan(ctx, &rows)
	out := make(map[string]Detail, len(rows))
	for _, d := range rows {
		out[d.Key] = d
	}
	return out, err
}

// replace writes what is noted of a thing.
func replace(ctx context.Context, tx db.Tx, kind, id string, noted map[string]Detail) error {
	_, err := tx.NewRaw("delete from resource_details where resource_type = ? and resource_id = ?", kind, id).Exec(ctx)
	for _, d := range noted {
		if err == nil {
			_, err = tx.NewRaw("insert into resource_details (resource_type, resource_id, key, value, display) values (?, ?, ?, ?, ?)",
				kind, id, d.Key, d.Value, d.Display).Exec(ctx)
		}
	}
	return err
}

// Follow lets what is noted of a thing stay on it when it gets another id.
func Follow(ctx context.Context, tx db.Tx, k Kind, from, to string) error {
	_, err := tx.NewRaw("update resource_details set resource_id = ? where resource_type = ? and resource_id = ?", to, k.Type, from).Exec(ctx)
	return err
}

func (s *Service) list(ctx context.Context, k Kind, f Filter) ([]Detail, int, error) {
	q, caller := s.db.Read(), auth.From(ctx)
	all := things(q.NewSelect(), k, f.Scope).ColumnExpr("x.id as resource_id, d.key, d.value, d.display").
		Join("join resource_details as d on d.resource_type = ? and d.resource_id = x.id", k.Type)
	owned := []*bun.SelectQuery{all}
	if k.Keep != nil {
		const object = "case when x.details like '{%' then x.details else '{}' end" // a map that is nil is kept as null
		each := "json_each(" + object + ")"
		if q.Postgres {
			each = "json_each_text((" + object + ")::json)"
		}
		own := things(q.NewSelect(), k, f.Scope).ColumnExpr("x.id as resource_id, d.key, d.value, true as display").
			Join("cross join " + each + " as d")
		all, owned = all.UnionAll(own), append(owned, own)
	}
	for _, one := range owned {
		if !k.Common {
			one.ColumnExpr("x.account_id, x.domain_id")
		} else if !caller.IsRoot() {
			k.Seen(one, caller)
		}
		db.Equal(one, "x.id", f.Resource)
	}
	var rows []Detail
	page := q.NewSelect().ModelTableExpr("(?) as y", all).Model(&rows).ColumnExpr("y.*").Order("y.resource_id", "y.key")
	db.Equal(page, "y.key", f.Key)
	db.Equal(page, "y.value", f.Value)
	if f.Display != nil {
		page.Where("y.display = ?", *f.Display)
	}
	db.Like(page, f.Keyword, "y.key", "y.value")
	n, err := db.Page(ctx, page, f.Offset, f.Limit)
	for i := range rows {
		rows[i].Type = k.Type
	}
	return rows, n, err
}

func sweep(ctx context.Context, tx db.Tx, k Kind) error {
	_, err := tx.NewDelete().Table("resource_details").Where("resource_type = ?", k.Type).
		Where("resource_id not in (?)", things(tx.NewSelect(), k, auth.Scope{All: true}).Column("x.id")).Exec(ctx)
	return err
}

// Keep makes the function that writes details into things' own rows, out of a statement that takes the JSON text and the id. What
// comes then is done afterwards: where the rows are remembered, that they are forgotten.
func Keep(set *db.Statement, then ...func(ctx context.Context, tx db.Tx) error,
) func(ctx context.Context, tx db.Tx, id string, details map[string]string) error {
	return func(ctx context.Context, tx db.Tx, id string, details map[string]string) error {
		text, err := json.Marshal(details)
		if err != nil {
			return err
		}
		_, err = tx.Run(ctx, set, string(text), id)
		for _, do := range then {
			if err == nil {
				err = do(ctx, tx)
			}
		}
		return err
	}
}
