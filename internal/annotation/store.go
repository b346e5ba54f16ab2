package annotation

import (
	"context"

	"github.com/uptrace/bun"

	"github.com/virga-cloud/virga/internal/auth"
	"github.com/virga-cloud/virga/internal/db"
	"github.com/virga-cloud/virga/uid"
)

type annotationRow struct {
	bun.BaseModel `bun:"table:annotations,alias:n"`
	Annotation
}

// thing is what is annotated.
type thing struct {
	ID      string
	Name    string
	Account uid.Account `bun:"account_id"`
	Domain  uid.Domain  `bun:"domain_id"`
}

func things(q *bun.SelectQuery, k Kind) *bun.SelectQuery {
	q.TableExpr("? as x", bun.Safe(k.Table)).Column("x.id")
	if k.Live != "" {
		q.Where(k.Live)
	}
	return q
}

// findThing finds what the caller may annotate, and keeps it from being removed until the transaction's end.
func findThing(ctx context.Context, tx db.Tx, k Kind, c auth.Caller, id string) (t thing, err error) {
	q := tx.Lock(things(tx.NewSelect(), k)).ColumnExpr("x.? as name", bun.Ident(k.Name)).Where("x.id = ?", id)
	switch {
	case !k.Common:
		c.Reach().Where(q.Column("x.account_id", "x.domain_id"), "x")
	case !c.IsRoot():
		q.Where("1 = 0")
	}
	err = q.Scan(ctx, &t)
	return t, err
}

func namesOf(ctx context.Context, q db.Tx, k Kind, ids []string) (map[string]string, error) {
	var rows []thing
	err := q.NewSelect().TableExpr("? as x", bun.Safe(k.Table)).ColumnExpr("x.id, x.? as name", bun.Ident(k.Name)).
		Where("x.id in (?)", bun.List(ids)).Scan(ctx, &rows)
	out := make(map[string]string, len(rows))
	for _, r := range rows {
		out[r.ID] = r.Name
	}
	return out, err
}

func insert(ctx context.Context, tx db.Tx, a Annotation) error {
	return tx.Insert(ctx, &annotationRow{Annotation: a})
}

func remove(ctx context.Context, tx db.Tx, id uid.Annotation) error {
	_, err := tx.NewRaw("delete from annotations where id = ?", id).Exec(ctx)
	return err
}

func setVisible(ctx context.Context, tx db.Tx, id uid.Annotation, adminsOnly bool) error {
	_, err := tx.NewRaw("update annotations set admins_only = ? where id = ?", adminsOnly, id).Exec(ctx)
	return err
}

// visible keeps the annotations that a caller may see.
func visible(q *bun.SelectQuery, c auth.Caller) *bun.SelectQuery {
	if !c.IsRoot() {
		q.Where("not n.admins_only")
	}
	return c.Reach().Where(q, "n")
}

func findLocked(ctx context.Context, tx db.Tx, c auth.Caller, id uid.Annotation) (Annotation, error) {
	var row annotationRow
	err := tx.Lock(visible(tx.NewSelect().Model(&row), c)).Where("n.id = ?", id).Scan(ctx)
	return row.Annotation, err
}

func list(ctx context.Context, tx db.Tx, c auth.Caller, f Filter) ([]Annotation, int, error) {
	var rows []annotationRow
	q := visible(tx.NewSelect().Model(&rows), c).Order("n.id desc")
	db.In(q, "n.id", f.IDs)
	db.Equal(q, "n.entity_type", f.Type)
	db.Equal(q, "n.entity_id", f.Entity)
	db.Equal(q, "n.user_id", f.User)
	db.Like(q, f.Keyword, "n.text")
	n, err := db.Page(ctx, q, f.Offset, f.Limit)
	out := make([]Annotation, len(rows))
	for i, r := range rows {
		out[i] = r.Annotation
	}
	return out, n, err
}

// ByID gives some annotations, whoever asks.
func (s *Service) ByID(ctx context.Context, q db.Tx, ids []uid.Annotation) (map[uid.Annotation]Annotation, error) {
	var rows []annotationRow
	if err := q.NewSelect().Model(&rows).Where("n.id in (?)", bun.List(ids)).Scan(ctx); err != nil {
		return nil, err
	}
	found := make([]Annotation, len(rows))
	for i, r := range rows {
		found[i] = r.Annotation
	}
	err := s.named(ctx, q, found)
	out := make(map[uid.Annotation]Annotation, len(rows))
	for _, a := range found {
		out[a.ID] = a
	}
	return out, err
}

// On tells which of some things of a type have annotations that the caller in ctx may see, in one query.
func On[ID ~string](kind string) func(ctx context.Context, q db.Tx, ids []ID) (map[ID]bool, error) {
	return func(ctx context.Context, q db.Tx, ids []ID) (map[ID]bool, error) {
		var found []ID
		err := visible(q.NewSelect().TableExpr("annotations as n").ColumnExpr("distinct n.entity_id"), auth.From(ctx)).
			Where("n.entity_type = ? and n.entity_id in (?)", kind, bun.List(ids)).Scan(ctx, &found)
		out := make(map[ID]bool, len(found))
		for _, id := range found {
			out[id] = true
		}
		return out, err
	}
}

// Follow lets the remarks on a thing of a type stay on it when it gets another id.
func Follow(ctx context.Context, tx db.Tx, kind, from, to string) error {
	_, err := tx.NewRaw("update annotations set entity_id = ? where entity_type = ? and entity_id = ?", to, kind, from).Exec(ctx)
	return err
}

func sweep(ctx context.Context, tx db.Tx, k Kind) error {
	_, err := tx.NewDelete().Table("annotations").Where("entity_type = ?", k.Type).Where("entity_id not in (?)", things(tx.NewSelect(), k)).Exec(ctx)
	return err
}
