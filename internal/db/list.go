package db

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"runtime/debug"
	"strings"
	"sync"

	"github.com/uptrace/bun"
	"github.com/uptrace/bun/dialect"
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

// Direction is the direction of an order, in SQL.
func Direction(ascending bool) string {
	if ascending {
		return "asc"
	}
	return "desc"
}

// Like keeps the rows that have a keyword, in any case, in one of some columns; "" does not restrict.
func Like(q *bun.SelectQuery, keyword string, columns ...string) {
	if keyword == "" {
		return
	}
	pattern := "%" + strings.NewReplacer("!", "!!", "%", "!%", "_", "!_").Replace(strings.ToLower(keyword)) + "%"
	q.WhereGroup(" and ", func(q *bun.SelectQuery) *bun.SelectQuery {
		like := "lower(?) like ? escape '!'"
		if q.DB().Dialect().Name() == dialect.SQLite {
			like = "? like ? escape '!'" // which takes the letters that lower() knows for each other, and is twice as quick
		}
		for _, c := range columns {
			q.WhereOr(like, bun.Safe(c), pattern)
		}
		return q
	})
}

// Page runs a list query: limit rows (0 or less: all) from offset on, and how many there are in all, which it asks for at the
// same time. What dress does to the query is for the rows only: columns and joins that change neither which rows there are nor
// how many.
func Page(ctx context.Context, q *bun.SelectQuery, offset, limit int, dress ...func(*bun.SelectQuery)) (total int, err error) {
	count := q.Clone()
	if offset > 0 || limit > 0 {
		q.Offset(int64(max(offset, 0))).Limit(int64(max(limit, 0)))
	} else {
		count = nil // the rows tell
	}
	return page(ctx, q, count, dress)
}

// PageByID is Page for tables that grow large, in a query whose rows are those of its model, by id: rows before the page are
// stepped over in the index that gives the order, and not read.
func PageByID(ctx context.Context, q *bun.SelectQuery, offset, limit int, dress ...func(*bun.SelectQuery)) (total int, err error) {
	if offset <= 0 {
		return Page(ctx, q, offset, limit, dress...)
	}
	return PageFound(ctx, q, offset, limit, dress...)
}

// PageFound is PageByID for queries that look at many rows to find a page's: at first they are looked for alone, in an index that has
// what the conditions ask for, and then only those found are read.
func PageFound(ctx context.Context, q *bun.SelectQuery, offset, limit int, dress ...func(*bun.SelectQuery)) (total int, err error) {
	if limit <= 0 && offset <= 0 {
		return Page(ctx, q, offset, limit, dress...)
	}
	count := q.Clone()
	q.Where("?TableAlias.id in (?)", count.Clone().Column("id").Offset(int64(max(offset, 0))).Limit(int64(max(limit, 0))))
	return page(ctx, q, count, dress)
}

func page(ctx context.Context, q, count *bun.SelectQuery, dress []func(*bun.SelectQuery)) (total int, err error) {
	for _, d := range dress {
		d(q)
	}
	if count == nil {
		return read(ctx, q)
	}
	err = Together(
		func() error { _, err := read(ctx, q); return err },
		func() error { n, err := count.Count(ctx); total = int(n); return err },
	)
	return total, err
}

// read runs a query, reads its rows into its model, and tells how many there are.
func read(ctx context.Context, q *bun.SelectQuery) (int, error) {
	w := &wanted{d: q.DB(), into: q.GetModel().Value()}
	rows, err := q.Rows(context.WithValue(ctx, wanting{}, w))
	if !w.read {
		if err != nil {
			return 0, err
		}
		w.err = readRows(w.d, rows, w.into)
	}
	return reflect.ValueOf(w.into).Elem().Len(), w.err
}

// wanted is where a query's rows are to go. It travels in the context to the connection, which only bun knows: one that reads rows
// in a quicker way than database/sql does so, and says errRead.
type wanted struct {
	d    *bun.DB
	into any // a pointer to a slice of bun models
	read bool
	err  error
}

type wanting struct{}

var errRead = errors.New("the rows are read already")

// wantedIn gives where the rows of a query are to go, nil for one whose caller reads them.
func wantedIn(ctx context.Context) *wanted {
	w, _ := ctx.Value(wanting{}).(*wanted)
	return w
}

// finish says how the reading went.
func (w *wanted) finish(err error) (*sql.Rows, error) {
	w.read, w.err = true, err
	return nil, errRead
}

// Together asks several things at the same time, outside transactions, and waits for all: a list's page and its length, or what
// of several kinds its items name. Each of them has a connection of its own. A panic of one is an error.
func Together(ask ...func() error) error {
	errs := make([]error, len(ask))
	var all sync.WaitGroup
	for i, one := range ask {
		all.Go(func() {
			defer func() {
				if panicked := recover(); panicked != nil {
					errs[i] = fmt.Errorf("panic: %v\n%s", panicked, debug.Stack())
				}
			}()
			errs[i] = one()
		})
	}
	all.Wait()
	return errors.Join(errs...)
}

// PrepareMany declares a query for what belongs to many ids, parsed once however many they are: all of them are the one
// argument that stands as "in (?)". See [Many].
func PrepareMany(query string) *Statement {
	s := PrepareEach(strings.ReplaceAll(query, "in (?)", "in (select value from json_each(?))"), strings.ReplaceAll(query, "in (?)", "= any(?)"))
	s.many = true
	return s
}

// many are ids as one argument.
type many []string

// Many makes one argument of many ids, for a statement of [PrepareMany].
func Many[K ~string](ids []K) any {
	texts := make(many, len(ids))
	for i, id := range ids {
		texts[i] = string(id)
	}
	return texts
}

// argument is an array for PostgreSQL, and for SQLite, which has none, its JSON.
func (m many) argument(postgres bool) any {
	if postgres {
		return []string(m)
	}
	text, err := json.Marshal([]string(m))
	if err != nil {
		panic("db: texts that have no JSON: " + err.Error())
	}
	return string(text)
}

// Rows asks a statement of [PrepareMany] for the rows that belong to some ids; R is a bun model.
func Rows[R any, K ~string](ctx context.Context, q Tx, s *Statement, ids []K) (rows []R, err error) {
	if len(ids) == 0 {
		return nil, nil
	}
	rows = make([]R, 0, len(ids))
	err = q.Select(ctx, s, &rows, Many(ids))
	return rows, err
}

// ByID asks a statement of [PrepareMany] for the rows with some ids, and gives what they are by these.
func ByID[R any, K ~string, V any](ctx context.Context, q Tx, s *Statement, ids []K, is func(R) (K, V)) (map[K]V, error) {
	rows, err := Rows[R](ctx, q, s, ids)
	found := make(map[K]V, len(rows))
	for _, r := range rows {
		id, v := is(r)
		found[id] = v
	}
	return found, err
}

// RememberNames declares a memory of a column of a table, by the rows' ids.
func RememberNames[K ~string](name, table, column string) *Memory[K, string] {
	return Remember(name, func(ctx context.Context, q Tx, ids []K) (map[K]string, error) {
		return Names(ctx, q, table, column, ids)
	})
}

// naming are the statements of Names, by table and column.
var naming sync.Map

// Names gives a column of some rows by their ids, in one query.
func Names[K ~string](ctx context.Context, q Tx, table, column string, ids []K) (map[K]string, error) {
	key := [2]string{table, column}
	s, known := naming.Load(key)
	if !known {
		s, _ = naming.LoadOrStore(key, PrepareMany("select id, "+column+" as name from "+table+" where id in (?)"))
	}
	type named struct {
		ID   K
		Name string
	}
	return ByID(ctx, q, s.(*Statement), ids, func(r named) (K, string) { return r.ID, r.Name })
}
