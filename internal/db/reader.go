package db

import (
	"context"
	"database/sql"
	"fmt"
	"net/url"
	"os"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/stdlib"
	"github.com/uptrace/bun"
	"github.com/uptrace/bun/dialect/pgdialect"
	"github.com/uptrace/bun/dialect/sqlitedialect"
)

// OpenReader opens a database for reading, beside the server that has it: it takes no lock, and can change nothing. Only Read and Close
// are for it.
func OpenReader(ctx context.Context, database string, clock Clock) (*DB, error) {
	d := &DB{Postgres: IsPostgres(database), clock: clock}
	var pool *sql.DB
	if d.Postgres {
		conf, err := pgx.ParseConfig(database)
		if err != nil {
			return nil, fmt.Errorf("the database url %s can't be read: want postgres://user:password@host:port/database", Redact(database))
		}
		conf.RuntimeParams["default_transaction_read_only"] = "on"
		conf.RuntimeParams["timezone"] = "UTC"
		pool = stdlib.OpenDB(*conf)
		d.reader = bun.NewDB(pool, pgdialect.New())
	} else {
		if _, err := os.Stat(database); err != nil {
			return nil, err
		}
		var err error
		pool, err = sql.Open("sqlite", "file:"+(&url.URL{Path: database}).EscapedPath()+"?mode=ro&_pragma=busy_timeout(5000)&_pragma=query_only(1)")
		if err != nil {
			return nil, err
		}
		d.reader = bun.NewDB(pool, sqlitedialect.New())
	}
	d.writer = d.reader
	if err := pool.PingContext(ctx); err != nil {
		d.Close()
		return nil, fmt.Errorf("reach the database %s: %w", Redact(database), explained(err))
	}
	return d, nil
}
