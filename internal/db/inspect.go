package db

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/stdlib"
	"github.com/pressly/goose/v3"
)

// State is what can be seen of a database without having it.
type State struct {
	Schema, Newest int64 // the schema's version, 0 where it has none, and the one that this build knows
	Size           int64 // in bytes
	Damage         string
	// What servers and others have open, and how much can be; PostgreSQL only.
	Connections, MaxConnections int64
}

// inspectedSize is up to which size every page of a SQLite file is looked at.
const inspectedSize = 1 << 30

// Inspect looks at a database beside the server that has it, and changes nothing: neither the lock nor the schema.
func Inspect(ctx context.Context, database string) (s State, err error) {
	if s.Newest, err = newest(); err != nil {
		return s, err
	}
	look := s.inspectSQLite
	if IsPostgres(database) {
		look = s.inspectPostgres
	}
	err = look(ctx, database)
	return s, err
}

// newest is the version of the last migration.
func newest() (version int64, err error) {
	files, err := fs.Glob(migrations(), "*.sql")
	for _, name := range files {
		n, err := goose.NumericComponent(name)
		if err != nil {
			return 0, err
		}
		version = max(version, n)
	}
	return version, err
}

// one asks for one row.
func one(ctx context.Context, pool *sql.DB, query string, into ...any) error {
	return pool.QueryRowContext(ctx, query).Scan(into...)
}

func (s *State) inspectSQLite(ctx context.Context, path string) error {
	info, err := os.Stat(path)
	if err != nil {
		return err
	}
	s.Size = info.Size()
	if log, err := os.Stat(path + "-wal"); err == nil {
		s.Size += log.Size()
	}
	pool, err := sql.Open("sqlite", "file:"+(&url.URL{Path: path}).EscapedPath()+"?mode=ro&_pragma=busy_timeout(5000)")
	if err != nil {
		return err
	}
	defer func() { _ = pool.Close() }() // nothing was written
	var tables int
	if err := one(ctx, pool, "select count(*) from sqlite_master where name = 'goose_db_version'", &tables); err != nil {
		return explained(err)
	}
	if tables > 0 {
		if err := one(ctx, pool, "select max(version_id) from goose_db_version", &s.Schema); err != nil {
			return explained(err)
		}
	}
	if s.Size > inspectedSize {
		return nil
	}
	if err := one(ctx, pool, "pragma quick_check(1)", &s.Damage); err != nil {
		return explained(err)
	}
	if s.Damage == "ok" {
		s.Damage = ""
	}
	return nil
}

func (s *State) inspectPostgres(ctx context.Context, database string) error {
	conf, err := pgx.ParseConfig(database)
	if err != nil {
		return errors.New("the database url can't be read: want postgres://user:password@host:port/database")
	}
	pool := stdlib.OpenDB(*conf)
	defer func() { _ = pool.Close() }() // nothing was written
	var table *string
	err = one(ctx, pool, "select pg_database_size(current_database()), to_regclass('goose_db_version')::text, "+
		"(select count(*) from pg_stat_activity), current_setting('max_connections')::bigint", &s.Size, &table, &s.Connections, &s.MaxConnections)
	if err != nil {
		return fmt.Errorf("reach the database %s: %w", Redact(database), err)
	}
	if table == nil {
		return nil
	}
	return one(ctx, pool, "select max(version_id) from goose_db_version", &s.Schema)
}
