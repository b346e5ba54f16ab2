package db

import (
	"context"
	"database/sql"
	"strconv"
	"strings"
	"time"
)

// Statement is one SQL statement that runs so often that it is parsed once per connection and not once per call. It is
// written with ? for its arguments and declared in a package variable. Everything else is built with bun.
type Statement struct {
	sqlite, postgres string
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
			out[i] = a
		}
	}
	return out
}

// Run runs a statement in the transaction and tells how many rows it changed.
func (tx Tx) Run(ctx context.Context, s *Statement, args ...any) (int64, error) {
	if tx.Postgres {
		return tx.pg.run(ctx, s, arguments(args, true))
	}
	prepared, err := tx.prepared.of(ctx, s)
	if err != nil {
		return 0, err
	}
	return Changed(prepared.ExecContext(ctx, arguments(args, false)...))
}

// Select runs a query and reads its rows into dest: a slice of bun models, or of single values.
func (tx Tx) Select(ctx context.Context, s *Statement, dest any, args ...any) error {
	rows, err := tx.query(ctx, s, args) //nolint:rowserrcheck // ScanRows checks it
	if err != nil {
		return err
	}
	return tx.db.reader.ScanRows(ctx, rows, dest)
}

func (tx Tx) query(ctx context.Context, s *Statement, args []any) (*sql.Rows, error) {
	values := arguments(args, tx.Postgres)
	switch {
	case tx.pg != nil:
		return tx.pg.QueryContext(ctx, s.postgres, values...)
	case tx.Postgres:
		return tx.db.reader.DB.QueryContext(ctx, s.postgres, values...)
	case tx.prepared != nil:
		prepared, err := tx.prepared.of(ctx, s)
		if err != nil {
			return nil, err
		}
		return prepared.QueryContext(ctx, values...)
	}
	prepared, err := tx.db.readPrepared(ctx, s)
	if err != nil {
		return nil, err
	}
	return prepared.QueryContext(ctx, values...)
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

// WriteOne runs a statement in a transaction of its own, durably, and tells how many rows it changed.
func (d *DB) WriteOne(ctx context.Context, s *Statement, args ...any) (n int64, err error) {
	if d.Postgres {
		return Changed(d.writer.DB.ExecContext(context.WithoutCancel(ctx), s.postgres, arguments(args, true)...))
	}
	err = d.Write(ctx, func(ctx context.Context, tx Tx) (err error) {
		n, err = tx.Run(ctx, s, args...)
		return err
	})
	return n, err
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
