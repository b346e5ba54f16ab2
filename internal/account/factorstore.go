package account

import (
	"context"

	"github.com/virga-cloud/virga/internal/db"
	"github.com/virga-cloud/virga/uid"
)

func userFactor(ctx context.Context, q db.Tx, id uid.User) (userRow, error) {
	var row userRow
	err := selectUsers(q, &row).Where("u.id = ? and u.removed is null", id).Scan(ctx)
	return row, err
}

func putFactor(ctx context.Context, tx db.Tx, u User, sealed string, step int64) error {
	_, err := tx.NewRaw("update users set factor = ?, factor_provider = ?, factor_secret = ?, factor_step = ? where id = ?",
		u.Factor, u.FactorProvider, sealed, step, u.ID).Exec(ctx)
	return err
}

func setFactor(ctx context.Context, tx db.Tx, id uid.User, f FactorState) error {
	_, err := tx.NewRaw("update users set factor = ? where id = ?", f, id).Exec(ctx)
	return err
}

// useStep makes a code and all before it good for nothing, and forgets failures.
func useStep(ctx context.Context, tx db.Tx, id uid.User, step int64) error {
	_, err := tx.NewRaw("update users set factor_step = ?, failures = 0, locked_until = null where id = ?", step, id).Exec(ctx)
	return err
}

func mandateFactor(ctx context.Context, tx db.Tx, id uid.User, mandated bool) error {
	_, err := tx.NewRaw("update users set factor_mandated = ? where id = ?", mandated, id).Exec(ctx)
	return err
}
