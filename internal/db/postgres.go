package db

import (
	"context"
	"crypto/rand"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/stdlib"
	"github.com/uptrace/bun"
	"github.com/uptrace/bun/dialect/pgdialect"
)

// connections bounds what one server asks of PostgreSQL at the same time; more than this only queues inside PostgreSQL.
const connections = 12

const (
	// deadlocks is how many deadlocks a closure loses before the error is given up to the caller.
	deadlocks = 8
	// hopes is how often it hopes in vain ([ErrAgain]). Each time somebody else was faster, so that all of them together come on: at a limit
	// that others are giving back to, one may be the slowest again and again.
	hopes = 100
)

func openPostgres(url string, o Options) (*DB, error) {
	conf, err := pgx.ParseConfig(url)
	if err != nil {
		return nil, fmt.Errorf("the database url %s can't be read: want postgres://user:password@host:port/database", Redact(url))
	}
	// Acknowledged means durable, whatever the server's default is; UTC so that times come back as they went in.
	conf.RuntimeParams["synchronous_commit"] = "on"
	if o.NoSync {
		conf.RuntimeParams["synchronous_commit"] = "off"
	}
	conf.RuntimeParams["timezone"] = "UTC"
	// A row in memory or on flash costs hardly more by itself than beside others: an index is worth it where PostgreSQL, which
	// reckons with disks that turn, would read the whole table.
	conf.RuntimeParams["random_page_cost"] = "1.1"
	conf.RuntimeParams["jit"] = "off" // our queries are short: compiling one takes a hundred times as long as running it
	// A prepared statement is planned once. Left to itself PostgreSQL may find that a plan for these very values looks a little cheaper, and
	// then plans some joins anew with each call, which takes ten times as long as running them.
	conf.RuntimeParams["plan_cache_mode"] = "force_generic_plan"
	if conf.RuntimeParams["application_name"] == "" {
		conf.RuntimeParams["application_name"] = "virga"
	}
	connector := o.Connector
	if connector == nil {
		connector = func(conf pgx.ConnConfig) driver.Connector { return stdlib.GetConnector(conf) }
	}
	pool := sql.OpenDB(connector(*conf))
	pool.SetMaxOpenConns(connections)
	pool.SetMaxIdleConns(connections)
	if err := pool.PingContext(context.Background()); err != nil {
		_ = pool.Close()
		return nil, fmt.Errorf("reach the database %s: %w", Redact(url), err)
	}
	d := bun.NewDB(pool, pgdialect.New(), bun.WithConnResolver(literal{pool}))
	opened := &DB{Postgres: true, reader: d, writer: d}
	opened.convoy = &convoy{db: opened}
	return opened, nil
}

// pgxOf gives what is behind a connection of the pool.
func pgxOf(conn any) *pgx.Conn { return conn.(interface{ Conn() *pgx.Conn }).Conn() }

func (d *DB) writePostgres(ctx context.Context, fn func(context.Context, Tx) error) error {
	ctx = context.WithoutCancel(ctx)
	lost, hoped := 0, 0
	for attempt := 0; ; attempt++ {
		err := d.oncePostgres(ctx, attempt, fn)
		if e, ok := errors.AsType[ending](err); ok {
			err = lateError{e.otherwise(ctx, d.Read())}
		}
		switch {
		case errors.Is(err, ErrAgain):
			if hoped++; hoped == hopes {
				return err
			}
			if hoped > 1 {
				<-time.After(pause(1))
			}
		case isDeadlock(err):
			if lost++; lost == deadlocks {
				return err
			}
			<-time.After(pause(lost))
		default:
			return err
		}
	}
}

func (d *DB) oncePostgres(ctx context.Context, attempt int, fn func(context.Context, Tx) error) error {
	var hooks []func()
	tx := &pgTx{db: d}
	committed := false
	defer func() { tx.end(committed) }() // after a panic, too
	if err := fn(ctx, Tx{IDB: pgIDB{d.writer, tx}, Now: d.Now(), Postgres: true, Attempt: attempt, db: d, hooks: &hooks, pg: tx}); err != nil {
		return err
	}
	if err := tx.commit(ctx); err != nil {
		return err
	}
	committed = true
	for _, hook := range hooks {
		hook()
	}
	return nil
}

func pgCode(err error) string {
	if e, ok := errors.AsType[*pgconn.PgError](err); ok {
		return e.Code
	}
	return ""
}

func isDeadlock(err error) bool {
	c := pgCode(err)
	return c == "40P01" || c == "40001"
}

// IsUnique tells whether err is a row that a unique index refused.
func IsUnique(err error) bool { return pgCode(err) == "23505" || isSQLiteUnique(err) }

// IsCheck tells whether err is a row that a check constraint refused.
func IsCheck(err error) bool { return pgCode(err) == "23514" || isSQLiteCheck(err) }

// IsNone tells whether err says that the one row asked for is not there.
func IsNone(err error) bool { return errors.Is(err, sql.ErrNoRows) }

// pause is how long to wait before a closure that lost a deadlock is run again: longer each time, and not the same for two
// that met each other.
func pause(attempt int) time.Duration {
	var b [1]byte
	_, _ = rand.Read(b[:])
	return time.Duration(attempt) * (2*time.Millisecond + time.Duration(b[0])*100*time.Microsecond)
}

// IsPassing tells whether err is an accident of the database that passes, and not of what was asked: a connection that broke
// (what was under way may or may not have happened), or a deadlock that was lost again and again.
func IsPassing(err error) bool {
	if errors.Is(err, context.DeadlineExceeded) || errors.Is(err, context.Canceled) {
		return false // the first of them would pass for a network error
	}
	_, network := errors.AsType[net.Error](err)
	_, connect := errors.AsType[*pgconn.ConnectError](err)
	return isDeadlock(err) || network || connect ||
		errors.Is(err, driver.ErrBadConn) || errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, io.EOF) ||
		strings.HasPrefix(pgCode(err), "57P") // PostgreSQL is shutting down or starting up
}
