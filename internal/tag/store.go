package tag

import (
	"context"

	"github.com/uptrace/bun"

	"github.com/virga-cloud/virga/internal/auth"
	"github.com/virga-cloud/virga/internal/db"
	"github.com/virga-cloud/virga/uid"
)

type tagRow struct {
	bun.BaseModel `bun:"table:tags,alias:t"`
	Tag
}

// thing is whose a thing is.
type thing struct {
	ID      string
	Account uid.Account `bun:"account_id"`
	Domain  uid.Domain  `bun:"domain_id"`
}

// findThings gives those of some things that lie in a scope, and keeps them from being removed until the transaction's end.
func findThings(ctx context.Context, tx db.Tx, k Kind, scope auth.Scope, ids []string) (map[string]thing, error) {
	var rows []thing
	q := tx.Lock(tx.NewSelect().TableExpr("? as x", bun.Ident(k.Table)).Column("x.id").Where("x.id in (?)", bun.List(ids)).Order("x.id"))
	if !k.Common {
		q = scope.Where(q.Column("x.account_id", "x.domain_id"), "x")
	}
	if k.Live != "" {
		q.Where(k.Live)
	}
	err := q.Scan(ctx, &rows)
	found := make(map[string]thing, len(rows))
	for _, r := range rows {
		found[r.ID] = r
	}
	return found, err
}

func insert(ctx context.Context, tx db.Tx, t Tag) error { return tx.Insert(ctx, &tagRow{Tag: t}) }

// remove takes tags off things, and tells how many; no tags are all.
func remove(ctx context.Context, tx db.Tx, t Type, ids []string, tags []Pair) (int64, error) {
	q := tx.NewDelete().Table("tags").Where("resource_type = ? and resource_id in (?)", t, bun.List(ids))
	if len(tags) > 0 {
		q.WhereGroup(" and ", func(q *bun.DeleteQuery) *bun.DeleteQuery {
			for _, one := range tags {
				if one.Value == "" {
					q.WhereOr("key = ?", one.Key)
				} else {
					q.WhereOr("(key = ? and value = ?)", one.Key, one.Value)
				}
			}
			return q
		})
	}
	return db.Changed(q.Exec(ctx))
}

var forget = db.Prepare("delete from tags where resource_type = ? and resource_id = ?")

// Forget removes the tags of a thing that is being removed. It is called after the thing's row was changed, so that nobody adds one.
func Forget(ctx context.Context, tx db.Tx, t Type, id interface{ String() string }) error {
	return tx.Later(ctx, forget, string(t), id.String())
}

// RemoveAllOf removes all tags of an account's things, which are gone, or go in the same transaction.
func RemoveAllOf(ctx context.Context, tx db.Tx, id uid.Account) error {
	_, err := tx.NewRaw("delete from tags where account_id = ?", id).Exec(ctx)
	return err
}

var rename = db.Prepare("update tags set resource_id = ? where resource_type = ? and resource_id = ?")

// Follow lets the tags of a thing stay on it when it gets another id.
func Follow(ctx context.Context, tx db.Tx, t Type, from, to interface{ String() string }) error {
	return tx.Later(ctx, rename, to.String(), string(t), from.String())
}

var tagsOf = db.PrepareMany("select * from tags where resource_type = ? and resource_id in (?) order by resource_id, key")

func byThing(ctx context.Context, q db.Tx, t Type, ids []string) (map[string][]Tag, error) {
	return Of(ctx, q, t, ids)
}

// Of gives the tags of some things of one type, each one's by key, in one query.
func Of[K ~string](ctx context.Context, q db.Tx, t Type, ids []K) (map[K][]Tag, error) {
	if len(ids) == 0 {
		return nil, nil //nolint:nilnil // nothing has no tags
	}
	var rows []tagRow
	if err := q.Select(ctx, tagsOf, &rows, string(t), db.Many(ids)); err != nil || len(rows) == 0 {
		return nil, err
	}
	out := make(map[K][]Tag, len(rows))
	for _, r := range rows {
		out[K(r.Resource)] = append(out[K(r.Resource)], r.Tag)
	}
	return out, nil
}

// Where keeps those rows of a query that have one of the tags; id is the column with the thing's id.
func (w Wanted) Where(q *bun.SelectQuery, t Type, id string) {
	if len(w) == 0 {
		return
	}
	with := q.NewSelect().Table("tags").Column("resource_id").Where("resource_type = ?", t)
	with.WhereGroup(" and ", func(q *bun.SelectQuery) *bun.SelectQuery {
		for _, one := range w {
			if one.Value == "" {
				q.WhereOr("key = ?", one.Key)
			} else {
				q.WhereOr("(key = ? and value = ?)", one.Key, one.Value)
			}
		}
		return q
	})
	q.Where("? in (?)", bun.Safe(id), with)
}

func (s *Service) list(ctx context.Context, f Filter) ([]Tag, int, error) {
	var rows []tagRow
	q := f.Scope.Where(s.db.Read().NewSelect().Model(&rows), "t").Order("t.resource_type", "t.resource_id", "t.key")
	db.Equal(q, "t.resource_type", f.Type)
	db.Equal(q, "t.resource_id", f.Resource)
	db.Equal(q, "t.key", f.Key)
	db.Equal(q, "t.value", f.Value)
	db.Equal(q, "t.customer", f.Customer)
	db.Like(q, f.Keyword, "t.key", "t.value")
	n, err := db.Page(ctx, q, f.Offset, f.Limit)
	out := make([]Tag, len(rows))
	for i, r := range rows {
		out[i] = r.Tag
	}
	return out, n, err
}
