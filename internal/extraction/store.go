package extraction

import (
	"context"
	"time"

	"github.com/uptrace/bun"

	"github.com/virga-cloud/virga/internal/db"
	"github.com/virga-cloud/virga/internal/fault"
	"github.com/virga-cloud/virga/internal/zone"
	"github.com/virga-cloud/virga/uid"
)

type row struct {
	bun.BaseModel `bun:"table:extractions,alias:x"`
	Extraction
}

func insert(ctx context.Context, tx db.Tx, e Extraction) error {
	_, err := tx.NewInsert().Model(&row{Extraction: e}).Exec(ctx)
	return err
}

func find(ctx context.Context, q db.Tx, id uid.Extraction) (Extraction, error) {
	var r row
	err := q.NewSelect().Model(&r).Where("x.id = ?", id).Scan(ctx)
	if db.IsNone(err) {
		return Extraction{}, fault.Missing(id)
	}
	return r.Extraction, err
}

// ByID gives extractions by their ids, in one query. The caller has checked who may see them.
func ByID(ctx context.Context, q db.Tx, ids []uid.Extraction) (map[uid.Extraction]Extraction, error) {
	all, err := list(ctx, q.NewSelect().Where("x.id in (?)", bun.List(ids)))
	out := map[uid.Extraction]Extraction{}
	for _, e := range all {
		out[e.ID] = e
	}
	return out, err
}

func list(ctx context.Context, q *bun.SelectQuery) ([]Extraction, error) {
	var rows []row
	err := q.Model(&rows).Order("x.id").Scan(ctx)
	out := make([]Extraction, len(rows))
	for i, r := range rows {
		out[i] = r.Extraction
	}
	return out, err
}

func expired(ctx context.Context, q db.Tx, now time.Time) ([]Extraction, error) {
	return list(ctx, q.NewSelect().Where("x.state = ? and x.expires <= ?", Ready, now))
}

func of(ctx context.Context, q db.Tx, id uid.Account) ([]Extraction, error) {
	return list(ctx, q.NewSelect().Where("x.state = ? and x.account_id = ?", Ready, id))
}

func ofVolume(ctx context.Context, q db.Tx, id uid.Volume) ([]Extraction, error) {
	return list(ctx, q.NewSelect().Where("x.state = ? and x.volume_id = ?", Ready, id))
}

func setReady(ctx context.Context, tx db.Tx, id uid.Extraction, until time.Time) error {
	_, err := tx.NewRaw("update extractions set state = ?, expires = ? where id = ?", Ready, until, id).Exec(ctx)
	return err
}

func remove(ctx context.Context, tx db.Tx, id uid.Extraction) error {
	_, err := tx.NewRaw("delete from extractions where id = ?", id).Exec(ctx)
	return err
}

// CountIn counts the copies of volumes in a zone that can be downloaded: see [zone.Uses].
func CountIn(ctx context.Context, tx db.Tx, p zone.Place) ([]zone.Count, error) {
	if p.Zone == "" {
		return nil, nil
	}
	var n int
	err := tx.NewRaw("select count(*) from extractions where zone_id = ? and volume_id is not null", p.Zone).Scan(ctx, &n)
	return []zone.Count{{Thing: "download of volumes", N: n}}, err
}
