package certificate

import (
	"context"

	"github.com/uptrace/bun"

	"github.com/virga-cloud/virga/internal/db"
)

type partRow struct {
	bun.BaseModel `bun:"table:certificates,alias:c"`
	Part
}

// put keeps a part in the place of the one of its name.
func put(ctx context.Context, tx db.Tx, p Part) error {
	_, err := tx.NewInsert().Model(&partRow{Part: p}).On("conflict (suffix, name) do update").Set("position = excluded.position").
		Set("pem = excluded.pem").Set("private_key = excluded.private_key").Set("created = excluded.created").Exec(ctx)
	return err
}

// partsOf gives the parts of a chain, the root first.
func partsOf(ctx context.Context, tx db.Tx, suffix string) ([]Part, error) {
	var rows []partRow
	err := tx.NewSelect().Model(&rows).Where("suffix = ? and name <> ''", suffix).Order("position", "name").Scan(ctx)
	return parts(rows), err
}

var allParts = db.Prepare("select suffix, name, position, pem, private_key, created from certificates order by suffix, position, name")

func everything(ctx context.Context, q db.Tx) ([]Part, error) {
	var rows []partRow
	err := q.Select(ctx, allParts, &rows)
	return parts(rows), err
}

func parts(rows []partRow) []Part {
	out := make([]Part, len(rows))
	for i, r := range rows {
		out[i] = r.Part
	}
	return out
}
