package db

import (
	"context"
	"database/sql"

	"github.com/uptrace/bun"
)

// Snapshot gives fn one state of the database to ask: that of its first question, whatever is written meanwhile. It
// is for queries that are built: prepared statements have connections of their own.
func (d *DB) Snapshot(ctx context.Context, fn func(ctx context.Context, q Tx) error) error {
	o := &sql.TxOptions{ReadOnly: true}
	if d.Postgres {
		o.Isolation = sql.LevelRepeatableRead // SQLite's readers know no other
	}
	return d.reader.RunInTx(ctx, o, func(ctx context.Context, tx bun.Tx) error {
		return fn(ctx, Tx{IDB: tx, Now: d.Now(), Postgres: d.Postgres, db: d})
	})
}
