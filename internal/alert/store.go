package alert

import (
	"context"
	"time"

	"github.com/uptrace/bun"

	"github.com/virga-cloud/virga/internal/db"
)

type alertRow struct {
	bun.BaseModel `bun:"table:alerts,alias:a"`
	Alert
}

func insert(ctx context.Context, tx db.Tx, a Alert) error {
	_, err := tx.NewInsert().Model(&alertRow{Alert: a}).On("conflict (type, subject) where resolved is null do nothing").Exec(ctx)
	return err
}

func resolve(ctx context.Context, tx db.Tx, t Type, subjects []string) error {
	if len(subjects) == 0 {
		return nil
	}
	_, err := tx.NewRaw("update alerts set resolved = ? where type = ? and subject in (?) and resolved is null",
		tx.Now, t, bun.List(subjects)).Exec(ctx)
	return err
}

// lasting gives the subjects of a type's alerts whose cause lasts.
func lasting(ctx context.Context, q db.Tx, t Type) ([]string, error) {
	var subjects []string
	err := q.NewRaw("select subject from alerts where type = ? and resolved is null", t).Scan(ctx, &subjects)
	return subjects, err
}

func list(ctx context.Context, q db.Tx, f Filter) ([]Alert, int, error) {
	var rows []alertRow
	s := q.NewSelect().Model(&rows).OrderExpr("a.id desc")
	db.Equal(s, "a.id", f.ID)
	db.In(s, "a.type", f.Types)
	db.Like(s, f.Keyword, "a.description")
	total, err := db.Page(ctx, s, f.Offset, f.Limit)
	alerts := make([]Alert, len(rows))
	for i, r := range rows {
		alerts[i] = r.Alert
	}
	return alerts, total, err
}

func expire(ctx context.Context, tx db.Tx, before time.Time, limit int) (int64, error) {
	return db.Changed(tx.NewRaw(`delete from alerts where id in
		(select id from alerts where resolved < ? order by id limit ?)`, before, limit).Exec(ctx))
}
