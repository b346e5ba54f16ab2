package db

import "context"

// Exists tells whether a table has a row with that id which is not removed.
func Exists(ctx context.Context, q Tx, table, id string) (bool, error) {
	return q.NewSelect().Table(table).Where("id = ? and removed is null", id).Exists(ctx)
}
