package once

import (
	"context"
	"time"

	"github.com/uptrace/bun"

	"github.com/virga-cloud/virga/internal/db"
	"github.com/virga-cloud/virga/uid"
)

type madeRow struct {
	bun.BaseModel `bun:"table:once_keys,alias:k"`
	Made
}

func insert(ctx context.Context, tx db.Tx, m Made) error {
	_, err := tx.NewInsert().Model(&madeRow{Made: m}).Exec(ctx)
	return err
}

func find(ctx context.Context, q db.Tx, user uid.User, key string) (*Made, error) {
	var row madeRow
	err := q.NewSelect().Model(&row).Where("k.user_id = ? and k.key = ?", user, key).Scan(ctx)
	if db.IsNone(err) {
		return nil, nil //nolint:nilnil // there is none
	}
	return &row.Made, err
}

func forget(ctx context.Context, tx db.Tx, before time.Time, limit int) (int64, error) {
	return db.Changed(tx.NewRaw(`delete from once_keys where (user_id, key) in
		(select user_id, key from once_keys where created < ? order by created limit ?)`, before, limit).Exec(ctx))
}

func withdraw(ctx context.Context, tx db.Tx, users []uid.User) error {
	_, err := tx.NewRaw("update once_keys set withdrawn = ? where user_id in (?)", true, bun.List(users)).Exec(ctx)
	return err
}

func release(ctx context.Context, tx db.Tx, user uid.User, subject string) error {
	_, err := tx.NewRaw("delete from once_keys where user_id = ? and subject_id = ?", user, subject).Exec(ctx)
	return err
}
