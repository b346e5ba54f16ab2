package db

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"
	"github.com/uptrace/bun"
)

// pgTx is a transaction that makes no journey of its own to PostgreSQL where it can help it: its beginning travels with the
// first statement, its commit with the last one, and what nobody waits for with the next one that somebody does. Journeys are
// what a transaction costs, and how long it keeps others waiting for the rows that it has locked.
type pgTx struct {
	db    *DB
	conn  *sql.Conn // nil until there is something to send
	begun bool
	queue []*item // not sent yet
	last  []*item // sent with the commit, not before
}

// item is a statement on a journey.
type item struct {
	query     string
	args      []any
	dest      any // of a query
	db        *DB // of a query
	changed   int64
	otherwise func(ctx context.Context, q Tx) error // of a statement that must change something
}

// ending is what a transaction fails with when a statement that must change something did not. It is resolved after the
// rollback.
type ending struct {
	error
	otherwise func(ctx context.Context, q Tx) error
}

func (e ending) Unwrap() error { return e.error }

func beginning() *item  { return &item{query: "begin"} }
func committing() *item { return &item{query: "commit"} }

// connect takes a connection for the transaction, unless it has one.
func (t *pgTx) connect(ctx context.Context) (err error) {
	if t.conn == nil {
		t.conn, err = t.db.writer.DB.Conn(ctx)
	}
	return err
}

// send sends what is queued and then some more, in one journey.
func (t *pgTx) send(ctx context.Context, more ...*item) error {
	if err := t.connect(ctx); err != nil {
		return err
	}
	items := make([]*item, 0, 1+len(t.queue)+len(more))
	if !t.begun {
		items = append(items, beginning())
	}
	items = append(append(items, t.queue...), more...)
	t.begun, t.queue = true, nil
	return t.conn.Raw(func(c any) error {
		failed, err := travel(ctx, c, items)
		if failed < len(items)-len(more) && pgCode(err) != "" {
			err = lateError{err}
		}
		return err
	})
}

// travel sends statements over a connection in one journey, and tells which one failed: PostgreSQL skips those after it.
func travel(ctx context.Context, conn any, items []*item) (failed int, err error) {
	batch := &pgx.Batch{}
	for _, i := range items {
		batch.Queue(i.query, i.args...)
	}
	results := pgxOf(conn).SendBatch(ctx, batch)
	for n, i := range items {
		if err := i.take(results); err != nil {
			_ = results.Close()
			if i.otherwise != nil && pgCode(err) == divisionByZero {
				err = ending{err, i.otherwise}
			}
			return n, err
		}
	}
	return len(items), results.Close()
}

const divisionByZero = "22012"

func (i *item) take(results pgx.BatchResults) error {
	if i.dest == nil {
		tag, err := results.Exec()
		i.changed = tag.RowsAffected()
		return err
	}
	rows, err := results.Query()
	if err != nil {
		return err
	}
	defer rows.Close()
	return scan(i.db.reader, rows, i.dest)
}

// commit ends the transaction, and runs what is still queued on the way. One that did nothing was never begun; one that asked
// nothing travels with others of its kind.
func (t *pgTx) commit(ctx context.Context) error {
	t.queue, t.last = append(t.queue, t.last...), nil
	if !t.begun && len(t.queue) == 0 {
		return nil
	}
	if !t.begun {
		if alone, err := t.db.convoy.commit(t.queue); !alone {
			return err
		}
	}
	err := t.send(ctx, committing())
	if err == nil || IsLate(err) {
		return err
	}
	return fmt.Errorf("commit: %w", err)
}

// end gives the connection back: rolled back if it was not committed, thrown away if even that fails.
func (t *pgTx) end(committed bool) {
	if t.begun && !committed {
		if _, err := t.conn.ExecContext(context.Background(), "rollback"); err != nil {
			_ = t.conn.Raw(func(any) error { return driver.ErrBadConn })
		}
	}
	if t.conn != nil {
		_ = t.conn.Close()
	}
}

// ask sends questions outside any transaction.
func (d *DB) ask(ctx context.Context, items []*item) error {
	conn, err := d.reader.DB.Conn(ctx)
	if err != nil {
		return err
	}
	defer func() { _ = conn.Close() }()
	return conn.Raw(func(c any) error {
		_, err := travel(ctx, c, items)
		return err
	})
}

// ExecContext is what bun runs statements with; they have no arguments left.
func (t *pgTx) ExecContext(ctx context.Context, query string, args ...any) (sql.Result, error) {
	if err := t.connect(ctx); err != nil {
		return nil, err
	}
	if !t.begun && len(t.queue) == 0 && len(args) == 0 {
		t.begun = true
		return t.conn.ExecContext(ctx, "begin; "+query)
	}
	if err := t.flush(ctx); err != nil {
		return nil, err
	}
	return t.conn.ExecContext(ctx, query, args...)
}

// QueryContext is what bun runs queries with.
func (t *pgTx) QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error) {
	if err := t.flush(ctx); err != nil {
		return nil, err
	}
	return literal{t.conn}.QueryContext(ctx, query, args...)
}

// QueryRowContext is there because bun's interface has it; nothing in the house uses it.
func (t *pgTx) QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row {
	if err := t.flush(ctx); err != nil {
		ended, cancel := context.WithCancelCause(ctx)
		cancel(err)
		return t.db.writer.DB.QueryRowContext(ended, query, args...)
	}
	return literal{t.conn}.QueryRowContext(ctx, query, args...)
}

// flush sends what is queued, since a statement of bun's comes that knows nothing of queues.
func (t *pgTx) flush(ctx context.Context) error {
	if t.begun && len(t.queue) == 0 {
		return nil
	}
	return t.send(ctx)
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
