package db

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/stdlib"
	"github.com/uptrace/bun"
)

// pgTx is a transaction that makes no journey of its own to PostgreSQL where it can help it: its beginning travels with the
// first statement, its commit with the last one, if the closure said which one that is. On a network the journeys are what
// a transaction costs.
type pgTx struct {
	conn  *sql.Conn
	begun bool
	last  *Statement
	args  []any
}

// ExecContext is what bun runs statements with; they have no arguments left.
func (t *pgTx) ExecContext(ctx context.Context, query string, args ...any) (sql.Result, error) {
	if !t.begun && len(args) == 0 {
		t.begun = true
		return t.conn.ExecContext(ctx, "begin; "+query)
	}
	if err := t.begin(ctx); err != nil {
		return nil, err
	}
	return t.conn.ExecContext(ctx, query, args...)
}

// QueryContext is what bun runs queries with.
func (t *pgTx) QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error) {
	if err := t.begin(ctx); err != nil {
		return nil, err
	}
	return t.conn.QueryContext(ctx, query, args...)
}

// QueryRowContext is there because bun's interface has it; nothing in the house uses it.
func (t *pgTx) QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row {
	if err := t.begin(ctx); err != nil {
		ended, cancel := context.WithCancelCause(ctx)
		cancel(err)
		return t.conn.QueryRowContext(ended, query, args...)
	}
	return t.conn.QueryRowContext(ctx, query, args...)
}

func (t *pgTx) begin(ctx context.Context) error {
	if t.begun {
		return nil
	}
	t.begun = true
	_, err := t.conn.ExecContext(ctx, "begin")
	return err
}

// run runs a prepared statement, and the transaction's beginning with it if it is the first.
func (t *pgTx) run(ctx context.Context, s *Statement, args []any) (changed int64, err error) {
	if t.begun {
		return Changed(t.conn.ExecContext(ctx, s.postgres, args...))
	}
	t.begun = true
	return t.together(ctx, []any{"begin", s}, args)
}

// commit ends the transaction, and runs its last statement on the way.
func (t *pgTx) commit(ctx context.Context) error {
	var err error
	switch {
	case t.last != nil && !t.begun:
		t.begun = true
		_, err = t.together(ctx, []any{"begin", t.last, "commit"}, t.args)
	case t.last != nil:
		_, err = t.together(ctx, []any{t.last, "commit"}, t.args)
	case t.begun:
		_, err = t.conn.ExecContext(ctx, "commit")
	}
	return err
}

// together sends statements in one journey: texts as they are, and one prepared statement with its arguments. When one
// fails, PostgreSQL skips those after it. It tells how many rows the prepared one changed.
func (t *pgTx) together(ctx context.Context, statements []any, args []any) (changed int64, err error) {
	err = t.conn.Raw(func(c any) error {
		batch := &pgx.Batch{}
		for _, s := range statements {
			if p, ok := s.(*Statement); ok {
				batch.Queue(p.postgres, args...)
			} else {
				batch.Queue(s.(string))
			}
		}
		results := c.(*stdlib.Conn).Conn().SendBatch(ctx, batch)
		for _, s := range statements {
			tag, err := results.Exec()
			if err != nil {
				_ = results.Close()
				return err
			}
			if _, ok := s.(*Statement); ok {
				changed = tag.RowsAffected()
			}
		}
		return results.Close()
	})
	return changed, err
}

// end gives the connection back: rolled back if it was not committed, thrown away if even that fails.
func (t *pgTx) end(committed bool) {
	if t.begun && !committed {
		if _, err := t.conn.ExecContext(context.Background(), "rollback"); err != nil {
			_ = t.conn.Raw(func(any) error { return driver.ErrBadConn })
		}
	}
	_ = t.conn.Close()
}

// pgIDB lets bun build queries that run in a pgTx.
type pgIDB struct {
	*bun.DB
	tx *pgTx
}

// The ways into the database that the house uses, each in the transaction.

func (i pgIDB) ExecContext(ctx context.Context, query string, args ...any) (sql.Result, error) {
	return i.tx.ExecContext(ctx, i.DB.QueryGen().FormatQuery(query, args...))
}

func (i pgIDB) QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error) {
	return i.tx.QueryContext(ctx, i.DB.QueryGen().FormatQuery(query, args...))
}

func (i pgIDB) QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row {
	return i.tx.QueryRowContext(ctx, i.DB.QueryGen().FormatQuery(query, args...))
}

func (i pgIDB) NewSelect() *bun.SelectQuery { return i.DB.NewSelect().Conn(i.tx) }
func (i pgIDB) NewInsert() *bun.InsertQuery { return i.DB.NewInsert().Conn(i.tx) }
func (i pgIDB) NewUpdate() *bun.UpdateQuery { return i.DB.NewUpdate().Conn(i.tx) }
func (i pgIDB) NewDelete() *bun.DeleteQuery { return i.DB.NewDelete().Conn(i.tx) }
func (i pgIDB) NewRaw(query string, args ...any) *bun.RawQuery {
	return i.DB.NewRaw(query, args...).Conn(i.tx)
}

var errNested = errors.New("a transaction in a transaction: pass the outer one on")

func (i pgIDB) BeginTx(context.Context, *sql.TxOptions) (bun.Tx, error) { return bun.Tx{}, errNested }

func (i pgIDB) RunInTx(context.Context, *sql.TxOptions, func(context.Context, bun.Tx) error) error {
	return errNested
}

// ErrNothing is what a statement given to [Tx.RunLast] makes the transaction fail with when it changed nothing.
var ErrNothing = errors.New("nothing was changed")

// PrepareLast declares a statement for [Tx.RunLast]. On PostgreSQL it must end in a query of one division by the number of
// rows that it changed: 1/0 is the only way for a statement to forbid the commit that travels with it.
func PrepareLast(postgres string) *Statement { return PrepareEach("", postgres) }

// RunLast runs a statement at the transaction's end, on PostgreSQL: after it nothing else is done, and the commit travels
// with it. If it changes nothing the transaction fails with [ErrNothing].
func (tx Tx) RunLast(s *Statement, args ...any) {
	tx.pg.last, tx.pg.args = s, arguments(args, true)
}

func lastError(err error) error {
	const divisionByZero = "22012"
	if pgCode(err) == divisionByZero {
		return ErrNothing
	}
	return fmt.Errorf("commit: %w", err)
}
