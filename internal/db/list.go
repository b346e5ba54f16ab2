package db

import (
	"context"
	"strings"

	"github.com/uptrace/bun"
)

// Equal keeps the rows whose column has a value; the zero value does not restrict. Column names come from code, never from
// outside.
func Equal[T comparable](q *bun.SelectQuery, column string, value T) {
	var zero T
	if value != zero {
		q.Where("? = ?", bun.Safe(column), value)
	}
}

// In keeps the rows whose column has one of some values; none does not restrict.
func In[T any](q *bun.SelectQuery, column string, values []T) {
	if len(values) > 0 {
		q.Where("? in (?)", bun.Safe(column), bun.List(values))
	}
}

// EqualFold is Equal for text in any case.
func EqualFold[T ~string](q *bun.SelectQuery, column string, value T) {
	if value != "" {
		q.Where("lower(?) = ?", bun.Safe(column), strings.ToLower(string(value)))
	}
}

// Like keeps the rows that have a keyword, in any case, in one of some columns; "" does not restrict.
func Like(q *bun.SelectQuery, keyword string, columns ...string) {
	if keyword == "" {
		return
	}
	pattern := "%" + strings.NewReplacer("!", "!!", "%", "!%", "_", "!_").Replace(strings.ToLower(keyword)) + "%"
	q.WhereGroup(" and ", func(q *bun.SelectQuery) *bun.SelectQuery {
		for _, c := range columns {
			q.WhereOr("lower(?) like ? escape '!'", bun.Safe(c), pattern)
		}
		return q
	})
}

// Page runs a list query: limit rows (0 or less: all) from offset on, and how many there are in all.
func Page(ctx context.Context, q *bun.SelectQuery, offset, limit int) (total int, err error) {
	if limit <= 0 && offset <= 0 {
		n, err := q.ScanAndCount(ctx)
		return int(n), err
	}
	n, err := q.Offset(int64(offset)).Limit(int64(max(limit, 0))).ScanAndCount(ctx)
	return int(n), err
}

// Names gives a column of some rows by their ids, in one query.
func Names[K ~string](ctx context.Context, q Tx, table, column string, ids []K) (map[K]string, error) {
	names := map[K]string{}
	if len(ids) == 0 {
		return names, nil
	}
	var rows []struct {
		ID   K
		Name string
	}
	err := q.NewSelect().Table(table).Column("id").ColumnExpr("? as name", bun.Ident(column)).
		Where("id in (?)", bun.List(ids)).Scan(ctx, &rows)
	for _, r := range rows {
		names[r.ID] = r.Name
	}
	return names, err
}
