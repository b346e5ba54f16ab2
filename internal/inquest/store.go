package inquest

import (
	"context"

	"github.com/uptrace/bun"

	"github.com/virga-cloud/virga/internal/db"
	"github.com/virga-cloud/virga/internal/op"
	"github.com/virga-cloud/virga/uid"
)

type row struct {
	bun.BaseModel `bun:"table:inquests,alias:i"`
	Inquest
}

func find(ctx context.Context, q db.Tx, job op.ID, on uid.Host) (Inquest, bool, error) {
	var r row
	err := q.NewSelect().Model(&r).Where("i.operation_id = ? and i.host_id = ?", job, on).Scan(ctx)
	if db.IsNone(err) {
		return Inquest{}, false, nil
	}
	return r.Inquest, err == nil, err
}

func ask(ctx context.Context, tx db.Tx, i Inquest) error {
	_, err := tx.NewInsert().Model(&row{Inquest: i}).On("conflict (operation_id, host_id) do nothing").Exec(ctx)
	return err
}

// atOnce bounds how many questions about one host are looked at in one round.
const atOnce = 1000

// Open gives what has been asked about a host and not been answered, the oldest first.
func Open(ctx context.Context, q db.Tx, on uid.Host) ([]Inquest, error) {
	var rows []row
	err := q.NewSelect().Model(&rows).Where("i.host_id = ? and i.proven is null and i.runs_on is null", on).
		Order("i.asked", "i.operation_id").Limit(atOnce).Scan(ctx)
	out := make([]Inquest, len(rows))
	for n, r := range rows {
		out[n] = r.Inquest
	}
	return out, err
}

// Prove answers that the machine has ended.
func Prove(ctx context.Context, tx db.Tx, i Inquest) error {
	_, err := tx.NewRaw("update inquests set proven = ? where operation_id = ? and host_id = ?", tx.Now, i.Operation, i.Host).Exec(ctx)
	return err
}

func setRunsOn(ctx context.Context, tx db.Tx, i Inquest, there uid.Host) error {
	_, err := tx.NewRaw("update inquests set runs_on = ? where operation_id = ? and host_id = ?", there, i.Operation, i.Host).Exec(ctx)
	return err
}

// Stuck gives operations that gave up while they waited, and need not wait any more: there is an answer, or the host is back.
func Stuck(ctx context.Context, q db.Tx) (jobs []op.ID, err error) {
	err = q.NewRaw(`select distinct o.id from operations o join inquests i on i.operation_id = o.id join hosts h on h.id = i.host_id
		where o.state = 'stuck' and o.finished is null and (i.proven is not null and i.proven >= o.updated or h.state = 'Up')
		order by o.id limit ?`, atOnce).
		Scan(ctx, &jobs)
	return jobs, err
}

// Sweep forgets what operations have asked that have ended.
func Sweep(ctx context.Context, d *db.DB) error {
	some, err := d.Read().NewSelect().Table("inquests").Limit(1).Exists(ctx)
	if err != nil || !some {
		return err
	}
	return d.Write(ctx, func(ctx context.Context, tx db.Tx) error {
		_, err := tx.NewRaw(`delete from inquests where not exists (select 1 from operations o where o.id = inquests.operation_id
			and o.finished is null)`).Exec(ctx)
		return err
	})
}
