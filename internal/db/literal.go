package db

import (
	"context"
	"database/sql"
	"hash/maphash"
	"sync/atomic"

	"github.com/jackc/pgx/v5"
	"github.com/uptrace/bun"
)

// literal runs bun's queries on PostgreSQL. Their values are written out, so most texts come once, and to prepare them, as
// the driver would, is a journey for nothing. One that comes again is prepared: then PostgreSQL plans it once.
type literal struct{ bun.IConn }

// QueryContext runs a query. A list's rows it reads past database/sql, which would look at each value twice more.
func (l literal) QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error) {
	if w := wantedIn(ctx); w != nil {
		return w.finish(l.readWire(ctx, w, query, args))
	}
	return l.IConn.QueryContext(ctx, query, mode(query, args)...)
}

// QueryRowContext runs a query for one row.
func (l literal) QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row {
	return l.IConn.QueryRowContext(ctx, query, mode(query, args)...)
}

func (l literal) readWire(ctx context.Context, w *wanted, query string, args []any) error {
	conn, inTransaction := l.IConn.(*sql.Conn)
	if !inTransaction {
		var err error
		if conn, err = w.d.DB.Conn(ctx); err != nil {
			return err
		}
		defer func() { _ = conn.Close() }()
	}
	return conn.Raw(func(c any) error {
		rows, err := pgxOf(c).Query(ctx, query, mode(query, args)...)
		if err != nil {
			return err
		}
		defer rows.Close()
		return scan(w.d, rows, w.into)
	})
}

func mode(query string, args []any) []any {
	if len(args) == 0 && !lately.again(query) {
		return []any{pgx.QueryExecModeExec}
	}
	return args
}

// ResolveConn makes bun use it for all queries outside transactions.
func (l literal) ResolveConn(context.Context, bun.Query) bun.IConn { return l }

// Close is there because bun's interface has it.
func (l literal) Close() error { return nil }

// texts remembers the queries of late, by their hashes; a newer one takes the place of an older one.
type texts struct {
	seed maphash.Seed
	seen [4096]atomic.Uint64
}

var lately = texts{seed: maphash.MakeSeed()}

// again tells whether a query is among those of late.
func (t *texts) again(query string) bool {
	h := maphash.String(t.seed, query)
	return t.seen[h%uint64(len(t.seen))].Swap(h) == h
}
