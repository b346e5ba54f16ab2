package audit

import (
	"context"

	"github.com/uptrace/bun"

	"github.com/virga-cloud/virga/internal/db"
)

type recordRow struct {
	bun.BaseModel `bun:"table:audit_log"`
	Record
}

type waitingRow struct {
	bun.BaseModel `bun:"table:audit_inbox"`
	Record
}

type markRow struct {
	bun.BaseModel `bun:"table:audit_marks"`
	Mark
}

// insertion writes a record once, however often its transaction notes it.
var insertion = db.Prepare(`insert into audit_inbox (id, time, kind, command, result, user_id, username, account_id, key_id, remote, request,
	named, subject, event_id, job_id) values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) on conflict (id) do nothing`)

func insert(ctx context.Context, tx db.Tx, r Record) error {
	return tx.Later(ctx, insertion, r.ID, r.Time, string(r.Kind), r.Command, r.Result, string(r.User), r.Username, string(r.Account),
		string(r.Key), r.Remote, r.Request, r.Named, r.Subject, string(r.Event), string(r.Job))
}

// waiting are records that are not in the chain yet, the oldest first.
func waiting(ctx context.Context, tx db.Tx, limit int64) ([]Record, error) {
	var rows []waitingRow
	err := tx.NewSelect().Model(&rows).ExcludeColumn("seq", "prev", "hash").Order("id").Limit(limit).Scan(ctx)
	records := make([]Record, len(rows))
	for i, r := range rows {
		records[i] = r.Record
	}
	return records, err
}

func forget(ctx context.Context, tx db.Tx, ids []string) error {
	_, err := tx.NewRaw("delete from audit_inbox where id in (?)", bun.List(ids)).Exec(ctx)
	return err
}

func countWaiting(ctx context.Context, q db.Tx) (n int, err error) {
	err = q.NewRaw("select count(*) from audit_inbox").Scan(ctx, &n)
	return n, err
}

func add(ctx context.Context, tx db.Tx, records []Record) error {
	rows := make([]recordRow, len(records))
	for i, r := range records {
		rows[i].Record = r
	}
	_, err := tx.NewInsert().Model(&rows).Exec(ctx)
	return err
}

// read gives the records after a number, in order.
func read(ctx context.Context, q db.Tx, after int64, limit int64) ([]Record, error) {
	var rows []recordRow
	err := q.NewSelect().Model(&rows).Where("seq > ?", after).Order("seq").Limit(limit).Scan(ctx)
	records := make([]Record, len(rows))
	for i, r := range rows {
		records[i] = r.Record
	}
	return records, err
}

func cut(ctx context.Context, tx db.Tx, upTo int64) error {
	_, err := tx.NewRaw("delete from audit_log where seq <= ?", upTo).Exec(ctx)
	return err
}

// lockMark gives a mark, and keeps others from moving it until the transaction's end.
func lockMark(ctx context.Context, tx db.Tx, name string) (Mark, error) {
	_, err := tx.NewRaw("insert into audit_marks (name, seq, hash, seal) values (?, 0, ?, '') on conflict (name) do nothing", name, none).Exec(ctx)
	if err != nil {
		return Mark{}, err
	}
	var row markRow
	err = tx.Lock(tx.NewSelect().Model(&row).Where("name = ?", name)).Scan(ctx)
	return row.Mark, err
}

func marks(ctx context.Context, q db.Tx) (map[string]Mark, error) {
	var rows []markRow
	err := q.NewSelect().Model(&rows).Scan(ctx)
	out := map[string]Mark{}
	for _, r := range rows {
		out[r.Name] = r.Mark
	}
	return out, err
}

func putMark(ctx context.Context, tx db.Tx, m Mark) error {
	_, err := tx.NewRaw("update audit_marks set seq = ?, hash = ?, seal = ? where name = ?", m.Seq, m.Hash, m.Seal, m.Name).Exec(ctx)
	return err
}
