package upload

import (
	"context"
	"time"

	"github.com/uptrace/bun"

	"github.com/virga-cloud/virga/internal/db"
	"github.com/virga-cloud/virga/internal/fault"
	"github.com/virga-cloud/virga/uid"
)

type row struct {
	bun.BaseModel `bun:"table:uploads,alias:x"`
	Upload
}

func insert(ctx context.Context, tx db.Tx, u Upload) error {
	_, err := tx.NewInsert().Model(&row{Upload: u}).Exec(ctx)
	return err
}

func find(ctx context.Context, q db.Tx, id uid.Upload) (Upload, error) {
	var r row
	err := q.NewSelect().Model(&r).Where("x.id = ?", id).Scan(ctx)
	if db.IsNone(err) {
		return Upload{}, fault.Missing(id)
	}
	return r.Upload, err
}

// ByID gives uploads by their ids, in one query. The caller has checked who may see them.
func ByID(ctx context.Context, q db.Tx, ids []uid.Upload) (map[uid.Upload]Upload, error) {
	all, err := list(ctx, q.NewSelect().Where("x.id in (?)", bun.List(ids)))
	out := map[uid.Upload]Upload{}
	for _, u := range all {
		out[u.ID] = u
	}
	return out, err
}

func list(ctx context.Context, q *bun.SelectQuery) ([]Upload, error) {
	var rows []row
	err := q.Model(&rows).Order("x.id").Scan(ctx)
	out := make([]Upload, len(rows))
	for i, r := range rows {
		out[i] = r.Upload
	}
	return out, err
}

// expired gives those that did not begin in time, or stand still, and those that nobody can begin any more.
func expired(ctx context.Context, q db.Tx, now time.Time) ([]Upload, error) {
	return list(ctx, q.NewSelect().Where("x.state in (?)", bun.List([]State{Waiting, Receiving})).
		Where(`(x.expires <= ? or x.state = ? and (x.volume_id is not null and not exists (select 1 from volumes v where v.id = x.volume_id
			and v.removed is null) or x.template_id is not null and not exists (select 1 from template_zones z where z.template_id = x.template_id
			and z.zone_id = x.zone_id and z.removed is null)))`, now, Waiting))
}

// openOf gives those of an account that may begin, or come.
func openOf(ctx context.Context, q db.Tx, id uid.Account) ([]Upload, error) {
	return list(ctx, q.NewSelect().Where("x.account_id = ? and x.state in (?)", id, bun.List([]State{Waiting, Receiving})))
}

// over gives those, of an account or ("") of all, of which nothing is needed any more.
func over(ctx context.Context, q db.Tx, of uid.Account) ([]Upload, error) {
	find := q.NewSelect().Where(`(x.state = ? or x.state = ? and exists (select 1 from volumes v where v.id = x.volume_id
		and (v.state = 'Ready' or v.removed is not null)))`, Ended, Taken)
	db.Equal(find, "x.account_id", of)
	return list(ctx, find)
}

// move moves an upload from a state to another one, and tells whether it was in it.
func move(ctx context.Context, tx db.Tx, id uid.Upload, from, to State) (bool, error) {
	return changed(ctx, tx, "update uploads set state = ? where id = ? and state = ?", to, id, from)
}

// moving records how much of an upload has come, and until when it may go on; it tells whether it does.
func moving(ctx context.Context, tx db.Tx, id uid.Upload, received int64, until time.Time) (bool, error) {
	return changed(ctx, tx, "update uploads set received = ?, expires = ? where id = ? and state = ?", received, until, id, Receiving)
}

func changed(ctx context.Context, tx db.Tx, query string, args ...any) (bool, error) {
	done, err := tx.NewRaw(query, args...).Exec(ctx)
	if err != nil {
		return false, err
	}
	n, err := done.RowsAffected()
	return n > 0, err
}

func setReceived(ctx context.Context, tx db.Tx, id uid.Upload, bytes int64) error {
	_, err := tx.NewRaw("update uploads set received = ? where id = ?", bytes, id).Exec(ctx)
	return err
}

func setTaken(ctx context.Context, tx db.Tx, id uid.Upload, stored int64) error {
	_, err := tx.NewRaw("update uploads set state = ?, stored_bytes = ? where id = ?", Taken, stored, id).Exec(ctx)
	return err
}

func remove(ctx context.Context, tx db.Tx, id uid.Upload) error {
	_, err := tx.NewRaw("delete from uploads where id = ?", id).Exec(ctx)
	return err
}

// removeOver removes an upload that is in a state, and tells whether it was there.
func removeOver(ctx context.Context, tx db.Tx, id uid.Upload, in State) (bool, error) {
	return changed(ctx, tx, "delete from uploads where id = ? and state = ?", id, in)
}

// Bytes gives how many bytes what came for volumes takes in some stores: see [image.Uses].
func Bytes(ctx context.Context, q db.Tx, ids []uid.ImageStore) (map[uid.ImageStore]int64, error) {
	var rows []struct {
		StoreID uid.ImageStore
		Bytes   int64
	}
	err := q.NewSelect().Model((*row)(nil)).Column("store_id").ColumnExpr("sum(x.stored_bytes) as bytes").
		Where("x.store_id in (?)", bun.List(ids)).Group("store_id").Scan(ctx, &rows)
	out := map[uid.ImageStore]int64{}
	for _, r := range rows {
		out[r.StoreID] = r.Bytes
	}
	return out, err
}
