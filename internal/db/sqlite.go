package db

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"net/url"
	"os"
	"time"

	"github.com/uptrace/bun"
	"github.com/uptrace/bun/dialect/sqlitedialect"
	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"

	"github.com/virga-cloud/virga/internal/filelock"
)

// readers is how many queries SQLite answers at the same time.
const readers = 4

// readerCacheKB is how much each of those that read lists keeps of the file at most: a page names things all over it. The others ask
// for single rows, and count.
const (
	readerCacheKB = 32_000
	otherCacheKB  = 16_000
)

// busyTimeout is how long a connection waits for another one's lock.
const busyTimeout = 10 * time.Second

// readerMapped is how much of the file they read where the kernel has it, instead of copying it page by page.
const readerMapped = 1 << 30

func openSQLite(path string, o Options) (*DB, error) {
	lock, err := lockFile(path + ".lock")
	if err != nil {
		return nil, err
	}
	if err := ownersOnly(path); err != nil {
		_ = lock.Close()
		return nil, fmt.Errorf("open database %s: %w", path, err)
	}
	sync := "FULL"
	if o.NoSync {
		sync = "OFF"
	}
	direct := newDirect(path)
	open := func(conns int, lockMode string, cacheKB, mappedBytes int) (*bun.DB, error) {
		q := url.Values{"_txlock": {lockMode}, "_pragma": {
			fmt.Sprintf("busy_timeout(%d)", busyTimeout.Milliseconds()), "journal_mode(WAL)", "synchronous(" + sync + ")", "foreign_keys(ON)",
			fmt.Sprintf("cache_size(-%d)", cacheKB),
			"temp_store(MEMORY)", // what a closure's savepoint keeps of each page, two calls to the kernel each in a file
			fmt.Sprintf("mmap_size(%d)", mappedBytes),
		}}
		pool, err := sql.Open("sqlite", "file:"+(&url.URL{Path: path}).EscapedPath()+"?"+q.Encode())
		if err != nil {
			return nil, fmt.Errorf("open database %s: %w", path, err)
		}
		pool.SetMaxOpenConns(conns)
		pool.SetMaxIdleConns(conns)
		if err := pool.PingContext(context.Background()); err != nil {
			_ = pool.Close()
			return nil, fmt.Errorf("open database %s: %w", path, explained(err))
		}
		return bun.NewDB(pool, sqlitedialect.New(), bun.WithConnResolver(sqliteConn{pool, direct})), nil
	}
	d := &DB{lock: lock, direct: direct}
	if d.writer, err = open(1, "immediate", 8_000, 0); err != nil {
		_ = lock.Close()
		return nil, err
	}
	if d.reader, err = open(readers, "deferred", otherCacheKB, readerMapped); err != nil {
		_ = d.writer.Close()
		_ = lock.Close()
		return nil, err
	}
	return d, nil
}

// CopyTo writes what is committed into a new SQLite file. Only SQLite does.
func (d *DB) CopyTo(ctx context.Context, path string) error {
	if d.Postgres {
		return errors.New("PostgreSQL is copied by its own tools")
	}
	conn, err := d.reader.DB.Conn(ctx)
	if err != nil {
		return err
	}
	defer func() { _ = conn.Close() }()
	return conn.Raw(func(driver any) error {
		content, err := driver.(interface{ Serialize() ([]byte, error) }).Serialize() // four times as quick as "vacuum into"
		if err != nil {
			return err
		}
		return os.WriteFile(path, content, 0o600)
	})
}

// ownersOnly makes the file, empty, if it isn't there: what it will hold is nobody else's business, whatever the folder lets
// others do. SQLite gives the files that it makes beside it the same mode.
func ownersOnly(path string) error {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return err
	}
	defer func() { _ = f.Close() }()
	info, err := f.Stat()
	if err == nil && info.Mode().Perm()&0o077 != 0 {
		err = f.Chmod(0o600)
	}
	return err
}

// explained says what to do about a file that SQLite can't make sense of.
func explained(err error) error {
	if c := sqliteCode(err) & 0xff; c == sqlite3.SQLITE_NOTADB || c == sqlite3.SQLITE_CORRUPT {
		return fmt.Errorf("%w: the file is damaged, or was never Virga's: give another --data, or put a kept copy in its place", err)
	}
	return err
}

// lockFile makes sure that one process at a time has the data: the engine takes over all work it finds there at start, which
// would be wrong beside a living server. The kernel drops the lock with the process.
func lockFile(path string) (*filelock.Lock, error) {
	lock, err := filelock.Take(path)
	switch {
	case errors.Is(err, filelock.ErrHeld):
		return nil, fmt.Errorf("another process uses this data (%s is locked): stop it, or give this one another folder", path)
	case err != nil:
		return nil, fmt.Errorf("lock the data: %w", err)
	}
	return lock, nil
}

// Hold keeps a SQLite file from being opened, by this process or another, until what it gives is closed: for who replaces it.
func Hold(path string) (io.Closer, error) { return lockFile(path + ".lock") }

func sqliteCode(err error) int {
	if e, ok := errors.AsType[*sqlite.Error](err); ok {
		return e.Code()
	}
	return 0
}

func isSQLiteUnique(err error) bool {
	c := sqliteCode(err)
	return c == sqlite3.SQLITE_CONSTRAINT_UNIQUE || c == sqlite3.SQLITE_CONSTRAINT_PRIMARYKEY
}

func isSQLiteCheck(err error) bool { return sqliteCode(err) == sqlite3.SQLITE_CONSTRAINT_CHECK }
