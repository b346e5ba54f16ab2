package db

import (
	"context"
	"embed"
	"fmt"
	"io/fs"
	"os"
	"strings"

	"github.com/pressly/goose/v3"
	"github.com/pressly/goose/v3/lock"
)

//go:embed migrations/*.sql
var embedded embed.FS

func migrations() fs.FS {
	files, err := fs.Sub(embedded, "migrations")
	if err != nil {
		panic(err) // only a name that is not a path's can't be opened
	}
	return files
}

// oldest is the version of the first migration. Builds before the first release had another one, see docs/decisions/0010.
const oldest = 2

// migrate brings the schema up to date. Migrations only go forward; before the first pending one runs on a database that
// holds something, a copy of the data is kept: beside the file (SQLite), in a schema of its own (PostgreSQL).
func (d *DB) migrate(ctx context.Context, url string, files fs.FS) error {
	dialect := goose.DialectSQLite3
	if d.Postgres {
		dialect = goose.DialectPostgres
		unlock, err := d.lockMigrations(ctx)
		if err != nil {
			return fmt.Errorf("wait for other servers' migrations: %w", err)
		}
		defer unlock()
	}
	p, err := goose.NewProvider(dialect, d.writer.DB, files, goose.WithVerbose(false))
	if err != nil {
		return fmt.Errorf("read the migrations: %w", err)
	}
	have, want, err := p.GetVersions(ctx)
	if err != nil {
		return fmt.Errorf("read the schema's version: %w", explained(err))
	}
	switch {
	case have == want:
		return nil
	case have > want:
		return fmt.Errorf("the data was written by a newer Virga (schema %d, this one knows %d): use that version, "+
			"or the copy that was kept before its migration", have, want)
	case have > 0 && have < oldest:
		return fmt.Errorf("the data was written by a build from before the first release (schema %d, the oldest known is %d), which "+
			"can't be carried over: begin with an empty folder or database", have, oldest)
	case have > 0:
		if _, err := d.KeepCopy(ctx, url); err != nil {
			return fmt.Errorf("keep a copy of the data before migrating it: %w", err)
		}
	}
	if _, err := p.Up(ctx); err != nil {
		return fmt.Errorf("migrate the database: %w", err)
	}
	d.log.Info("database migrated", "from", have, "to", want)
	return nil
}

// lockMigrations makes sure that one server at a time looks at the schema, keeps a copy and migrates: others that start at the
// same moment wait, and find nothing left to do. The lock is goose's own, which it would take for the migration alone; like
// there PostgreSQL drops it with the connection.
func (d *DB) lockMigrations(ctx context.Context) (unlock func(), err error) {
	conn, err := d.writer.DB.Conn(ctx)
	if err != nil {
		return nil, err
	}
	if _, err := conn.ExecContext(ctx, "select pg_advisory_lock($1)", lock.DefaultLockID); err != nil {
		_ = conn.Close()
		return nil, err
	}
	return func() {
		if _, err := conn.ExecContext(context.WithoutCancel(ctx), "select pg_advisory_unlock($1)", lock.DefaultLockID); err != nil {
			d.log.Warn("can't give the lock on migrations back", "error", err)
		}
		_ = conn.Close()
	}, nil
}

// KeepCopy copies the whole database aside and gives the copy's name: a file beside the database's (SQLite), or a schema in
// the same database (PostgreSQL).
func (d *DB) KeepCopy(ctx context.Context, url string) (string, error) {
	var version int64
	if err := d.reader.NewRaw("select max(version_id) from goose_db_version").Scan(ctx, &version); err != nil {
		return "", err
	}
	name := fmt.Sprintf("before_schema_%d_at_%s", version, d.Now().Format("20060102t150405"))
	if !d.Postgres {
		file := url + "." + name
		if _, err := d.reader.ExecContext(ctx, "vacuum into ?", file); err != nil {
			return "", err
		}
		return file, os.Chmod(file, 0o600)
	}
	var tables []string
	err := d.reader.NewRaw("select tablename from pg_tables where schemaname = current_schema() order by 1").Scan(ctx, &tables)
	if err != nil {
		return "", err
	}
	var sql strings.Builder
	fmt.Fprintf(&sql, "create schema %s;", name)
	for _, t := range tables {
		fmt.Fprintf(&sql, "create table %s.%q as table %q;", name, t, t)
	}
	return name, d.oncePostgres(ctx, 0, func(ctx context.Context, tx Tx) error {
		_, err := tx.ExecContext(ctx, sql.String())
		return err
	})
}
