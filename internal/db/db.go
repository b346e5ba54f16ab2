package db

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"strings"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/uptrace/bun"

	"github.com/virga-cloud/virga/internal/filelock"
)

// Clock tells the time. Everything in the house that needs the time gets one from outside.
type Clock func() time.Time

// Options say how to open a database. The zero value is right for a server, but for Clock, which is required.
type Options struct {
	Clock Clock
	Log   *slog.Logger
	// NoSync gives up durability against power cuts. Only tests and benchmarks of other things set it.
	NoSync bool
	// SkipMigrations opens a database whose schema is known to be the newest: a test's copy of a template.
	SkipMigrations bool
	// Connector makes PostgreSQL's connections, pgx's own if it is nil. Its connections have the method Conn() *pgx.Conn.
	Connector func(pgx.ConnConfig) driver.Connector

	migrations fs.FS // nil: the ones there are
}

// DB is an open database.
type DB struct {
	// Postgres tells the dialect apart where the two differ.
	Postgres bool

	clock  Clock
	log    *slog.Logger
	reader *bun.DB
	writer *bun.DB
	group  *group // SQLite only
	lock   *filelock.Lock
	close  sync.Once

	counters sync.Map // name → *Counter
	reading  sync.Map // *Statement → *sql.Stmt, on SQLite's readers
	minds    sync.Map // *Memory → *remembered
	direct   *direct  // SQLite only, and not beside a server
	convoy   *convoy  // PostgreSQL only
}

// Open opens the database at url, brings its schema up to date and returns it. A url is "postgres://…" or the path of a
// SQLite file, whose folder must exist. A SQLite file belongs to one process at a time; a second one is refused.
func Open(ctx context.Context, url string, o Options) (*DB, error) {
	if o.Clock == nil {
		return nil, fmt.Errorf("db: open %s: no clock given", Redact(url))
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	open := openSQLite
	if IsPostgres(url) {
		open = openPostgres
	}
	d, err := open(url, o)
	if err != nil {
		return nil, err
	}
	d.clock, d.log = o.Clock, o.Log
	if o.migrations == nil {
		o.migrations = migrations()
	}
	if !o.SkipMigrations {
		if err := d.migrate(ctx, url, o.migrations); err != nil {
			d.Close()
			return nil, err
		}
	}
	if !d.Postgres {
		if d.group, err = newGroup(ctx, d); err != nil {
			d.Close()
			return nil, err
		}
	}
	return d, nil
}

// IsPostgres tells whether url names a PostgreSQL database.
func IsPostgres(url string) bool {
	return strings.HasPrefix(url, "postgres://") || strings.HasPrefix(url, "postgresql://")
}

// Now is the time by the database's clock, in UTC and whole microseconds, which is what both dialects keep.
func (d *DB) Now() time.Time { return d.clock().UTC().Truncate(time.Microsecond) }

// Close ends all connections. Writes that are under way are finished first; later ones fail.
func (d *DB) Close() {
	d.close.Do(func() {
		if d.group != nil {
			d.group.stop()
		}
		d.reading.Range(func(_, prepared any) bool { _ = prepared.(*sql.Stmt).Close(); return true })
		if d.direct != nil {
			d.direct.close()
		}
		_ = d.reader.Close()
		_ = d.writer.Close()
		if !d.Postgres {
			ended(d.reader.DB)
		}
		if d.lock != nil {
			_ = d.lock.Close()
		}
	})
}

// ended waits for the queries of a closed pool that are still at work, for as long as one may wait for a lock. A connection to a SQLite
// file that is closed after the file has been given another content would remove the log of the new one.
func ended(pool *sql.DB) {
	end, tick := time.After(busyTimeout), time.NewTicker(time.Millisecond)
	defer tick.Stop()
	for pool.Stats().OpenConnections > 0 {
		select {
		case <-tick.C:
		case <-end:
			return
		}
	}
}

// Tx is what a store works with: a transaction, or the readers' pool. It carries the time, so that everything written in
// one transaction has one time.
type Tx struct {
	bun.IDB
	Now      time.Time
	Postgres bool
	// Attempt is how often the closure was run before: see [ErrAgain].
	Attempt int

	hooks    *[]func()
	db       *DB
	pg       *pgTx       // PostgreSQL
	prepared *statements // SQLite
}

// Write runs fn in a transaction and returns after its effects are durable. When fn returns an error nothing of it remains
// and the error is returned as it is. The context that fn gets is not cancelled: a statement that is interrupted half-way
// would take the whole group of closures with it. fn may run more than once (PostgreSQL deadlocks) and must not call Write.
func (d *DB) Write(ctx context.Context, fn func(ctx context.Context, tx Tx) error) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if d.group != nil {
		return d.group.write(ctx, fn)
	}
	return d.writePostgres(ctx, fn)
}

// ErrAgain, given by a closure or by what a [Tx.Must] asks otherwise, makes PostgreSQL's writes run the closure again. It is for
// closures that hope at first, lest they lock rows for longer than a journey, and look carefully when they were wrong.
var ErrAgain = errors.New("what was hoped for is not so: again, carefully")

// Read gives the connections for asking. Each query sees what was committed before it began.
func (d *DB) Read() Tx { return Tx{IDB: d.reader, Now: d.Now(), Postgres: d.Postgres, db: d} }

// OnCommit runs fn after the transaction's commit, never when it fails.
func (tx Tx) OnCommit(fn func()) { *tx.hooks = append(*tx.hooks, fn) }

// Lock makes a SELECT take row locks where rows are locked one by one; SQLite's writer is alone anyway.
func (tx Tx) Lock(q *bun.SelectQuery) *bun.SelectQuery {
	if tx.Postgres {
		return q.For("UPDATE")
	}
	return q
}

// Changed runs a statement that changes rows and tells how many it changed.
func Changed(res sql.Result, err error) (int64, error) {
	if err != nil {
		return 0, err
	}
	return res.RowsAffected()
}
