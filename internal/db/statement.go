package db

import (
	"context"
	"database/sql"
	"errors"
	"reflect"
	"strconv"
	"strings"
	"sync/atomic"
	"time"
)

// Statement is one SQL statement that runs so often that it is parsed once per connection and not once per call. It is
// written with ? for its arguments and declared in a package variable. Everything else is built with bun.
type Statement struct {
	sqlite, postgres string
	hot              bool
	many             bool // its rows are many: on SQLite they are read directly
}

// Hot makes a statement one whose row many transactions want: an account's counts, a pool's room. Given to [Tx.Must] or hoped
// for, it travels last of all, whatever its transaction still does after it, so that others wait for one journey and the
// commit only. The transaction itself does not see what it does.
func (s *Statement) Hot() *Statement {
	s.hot = true
	return s
}

// Prepare declares a statement that is the same in both dialects. A question mark stands for an argument everywhere.
func Prepare(query string) *Statement { return PrepareEach(query, query) }

// PrepareEach declares a statement that is written differently in the two dialects.
func PrepareEach(sqlite, postgres string) *Statement {
	var b strings.Builder
	n := 0
	for _, c := range postgres {
		if c != '?' {
			b.WriteRune(c)
			continue
		}
		n++
		b.WriteString("$" + strconv.Itoa(n))
	}
	return &Statement{sqlite: sqlite, postgres: b.String()}
}

// PrepareMust declares a statement for [Tx.Must]: one that changes rows and returns nothing.
func PrepareMust(query string) *Statement { return PrepareEach(query, must(query)) }

// must makes a statement fail that changes nothing: 1/0 is the only way for one to forbid the commit that travels with it.
func must(query string) string {
	return "with changed as (" + query + " returning 1) select 1 / count(*) from changed"
}

// timeFormat is how bun writes times for SQLite; what is compared as text must be written one way only.
const timeFormat = "2006-01-02 15:04:05.999999-07:00"

// arguments makes driver values: a zero time is null.
func arguments(args []any, postgres bool) []any {
	out := make([]any, len(args))
	for i, a := range args {
		t, isTime := a.(time.Time)
		switch {
		case isTime && t.IsZero():
			out[i] = nil
		case isTime && !postgres:
			out[i] = t.UTC().Format(timeFormat)
		default:
			if m, isMany := a.(many); isMany {
				a = m.argument(postgres)
			}
			out[i] = a
		}
	}
	return out
}

// Run runs a statement in the transaction and tells how many rows it changed.
func (tx Tx) Run(ctx context.Context, s *Statement, args ...any) (changed int64, err error) {
	if tx.Postgres {
		item := &item{query: s.postgres, args: arguments(args, true)}
		err := tx.pg.send(ctx, item)
		return item.changed, err
	}
	prepared, err := tx.prepared.of(ctx, s)
	if err != nil {
		return 0, err
	}
	return Changed(prepared.ExecContext(ctx, arguments(args, false)...))
}

// Later runs a statement whose outcome nobody has to know before the transaction goes on. On PostgreSQL it travels with the
// next one whose answer is needed, or with the commit; its error comes from there, and is known by [IsLate].
func (tx Tx) Later(ctx context.Context, s *Statement, args ...any) error {
	if tx.Postgres {
		tx.pg.queue = append(tx.pg.queue, &item{query: s.postgres, args: arguments(args, true)})
		return nil
	}
	_, err := tx.Run(ctx, s, args...)
	return err
}

// Must is Later for a statement that the transaction fails without: if it changes nothing, nothing of the transaction
// remains, and its error is what otherwise gives. That is asked in the transaction or, where this is gone, outside.
// The statement is declared with [PrepareMust].
func (tx Tx) Must(ctx context.Context, s *Statement, otherwise func(ctx context.Context, q Tx) error, args ...any) error {
	if tx.Postgres {
		item := &item{query: s.postgres, args: arguments(args, true), otherwise: otherwise}
		if s.hot {
			tx.pg.last = append(tx.pg.last, item)
		} else {
			tx.pg.queue = append(tx.pg.queue, item)
		}
		return nil
	}
	n, err := tx.Run(ctx, s, args...)
	if err == nil && n == 0 {
		err = otherwise(ctx, tx)
	}
	return err
}

// Hoped is a statement that usually changes something: see [Tx.Hope].
type Hoped struct {
	looked, hoped *Statement
}

// PrepareHoped declares a statement for [Tx.Hope]: one that changes rows and returns nothing. While it is hoped for it is
// [Statement.Hot].
func PrepareHoped(query string) Hoped { return Hoped{Prepare(query), PrepareMust(query).Hot()} }

// Hope runs a statement and tells whether it changed anything, for closures that know another way if not. PostgreSQL's first
// attempt takes that it does: the statement travels as with [Tx.Later], and if it changed nothing, the closure runs again
// and is told the truth ([ErrAgain]). So its rows are locked for the last journey only.
func (tx Tx) Hope(ctx context.Context, h Hoped, args ...any) (bool, error) {
	if tx.Postgres && tx.Attempt == 0 {
		again := func(context.Context, Tx) error { return ErrAgain }
		return true, tx.Must(ctx, h.hoped, again, args...)
	}
	n, err := tx.Run(ctx, h.looked, args...)
	return n > 0, err
}

// Question is a query and where its rows go: a pointer to a slice of bun models, or of single values.
type Question struct {
	of   *Statement
	args []any
	dest any
}

// Asking makes a question for [Tx.Ask].
func Asking(s *Statement, dest any, args ...any) Question { return Question{s, args, dest} }

// Ask asks several questions; on PostgreSQL in one journey, though not as of one moment.
func (tx Tx) Ask(ctx context.Context, questions ...Question) error {
	if n, ok := ctx.Value(asked{}).(*atomic.Int64); ok {
		n.Add(int64(len(questions)))
	}
	if !tx.Postgres {
		for _, q := range questions {
			if err := tx.selectSQLite(ctx, q); err != nil {
				return err
			}
		}
		return nil
	}
	items := make([]*item, len(questions))
	for i, q := range questions {
		items[i] = &item{query: q.of.postgres, args: arguments(q.args, true), dest: q.dest, db: tx.db}
	}
	if tx.pg != nil {
		return tx.pg.send(ctx, items...)
	}
	return tx.db.ask(ctx, items)
}

type asked struct{}

// Counting gives a context in which n counts the prepared queries, for tests of how many there are. Bun's hooks count its own.
func Counting(ctx context.Context, n *atomic.Int64) context.Context {
	return context.WithValue(ctx, asked{}, n)
}

// Select runs a query and reads its rows into dest: a slice of bun models, or of single values.
func (tx Tx) Select(ctx context.Context, s *Statement, dest any, args ...any) error {
	return tx.Ask(ctx, Asking(s, dest, args...))
}

// One runs a query for one row, of a bun model; without any it is an error for [IsNone].
func One[R any](ctx context.Context, q Tx, s *Statement, args ...any) (row R, err error) {
	rows := make([]R, 0, 1)
	if err = q.Select(ctx, s, &rows, args...); err == nil && len(rows) == 0 {
		err = sql.ErrNoRows
	}
	if err == nil {
		row = rows[0]
	}
	return row, err
}

func (tx Tx) selectSQLite(ctx context.Context, q Question) error {
	of := tx.db.readPrepared
	if tx.prepared != nil {
		of = tx.prepared.of
	}
	model, args := reflect.TypeOf(q.dest).Elem().Elem(), arguments(q.args, false)
	if q.of.many && !isSingle(model) && tx.prepared == nil && tx.db.direct != nil {
		return tx.db.direct.read(ctx, tx.db.reader, q.dest, q.of.sqlite, true, args...)
	}
	prepared, err := of(ctx, q.of)
	if err != nil {
		return err
	}
	rows, err := prepared.QueryContext(ctx, args...)
	if err != nil {
		return err
	}
	if isSingle(model) {
		return tx.db.reader.ScanRows(ctx, rows, q.dest)
	}
	return readRows(tx.db.reader, rows, q.dest)
}

// readPrepared gives a statement that SQLite's reading connections have parsed, or will when they first run it.
func (d *DB) readPrepared(ctx context.Context, s *Statement) (*sql.Stmt, error) {
	if known, ok := d.reading.Load(s); ok {
		return known.(*sql.Stmt), nil
	}
	prepared, err := d.reader.DB.PrepareContext(ctx, s.sqlite)
	if err != nil {
		return nil, err
	}
	if other, loaded := d.reading.LoadOrStore(s, prepared); loaded {
		_ = prepared.Close()
		return other.(*sql.Stmt), nil
	}
	return prepared, nil
}

// statements are those that SQLite's one writing connection has parsed.
type statements struct {
	conn  *sql.Conn
	known map[*Statement]*sql.Stmt
}

func (p *statements) of(ctx context.Context, s *Statement) (*sql.Stmt, error) {
	if st, ok := p.known[s]; ok {
		return st, nil
	}
	st, err := p.conn.PrepareContext(ctx, s.sqlite)
	if err == nil {
		p.known[s] = st
	}
	return st, err
}

// lateError is an error of a statement that came when a later one's answer was awaited.
type lateError struct{ error }

func (e lateError) Unwrap() error { return e.error }

// IsLate tells whether an error is not that of the statement, or the commit, that it came with, but of one that was given to
// [Tx.Later] or [Tx.Must] before.
func IsLate(err error) bool {
	_, late := errors.AsType[lateError](err)
	return late
}
