package account

import (
	"context"

	"github.com/uptrace/bun"

	"github.com/virga-cloud/virga/internal/db"
	"github.com/virga-cloud/virga/uid"
)

type keyHolderRow struct {
	bun.BaseModel `bun:"table:users,alias:u"`
	userRow
	Secret string `bun:",scanonly"` // sealed
}

func userByKey(ctx context.Context, q db.Tx, apiKey string) (u User, sealed string, err error) {
	var row keyHolderRow
	err = selectUsers(q, &row).ColumnExpr("k.secret").Where("k.api_key = ?", apiKey).Where(mayAct).Scan(ctx)
	return row.User, row.Secret, err
}

func putKeys(ctx context.Context, tx db.Tx, id uid.User, apiKey, sealed string) error {
	_, err := tx.NewRaw(`insert into api_keys (api_key, user_id, secret, created) values (?, ?, ?, ?)
		on conflict (user_id) do update set api_key = excluded.api_key, secret = excluded.secret, created = excluded.created`,
		apiKey, id, sealed, tx.Now).Exec(ctx)
	return err
}

func findKeys(ctx context.Context, q db.Tx, id uid.User) (apiKey, sealed string, err error) {
	err = q.NewRaw("select api_key, secret from api_keys where user_id = ?", id).Scan(ctx, &apiKey, &sealed)
	return apiKey, sealed, err
}
