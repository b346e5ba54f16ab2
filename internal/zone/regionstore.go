package zone

import (
	"context"

	"github.com/uptrace/bun"

	"github.com/virga-cloud/virga/internal/db"
	"github.com/virga-cloud/virga/internal/fault"
)

type regionRow struct {
	bun.BaseModel `bun:"table:regions,alias:r"`
	Region
}

// RegionFilter says which regions a list shows. Zero fields don't restrict.
type RegionFilter struct {
	ID      *int
	Name    string
	Keyword string // in the name
	Offset  int
	Limit   int // 0 or less: all
}

// Regions gives a page of regions by id, and how many there are in all. They are for everybody.
func (s *Service) Regions(ctx context.Context, f RegionFilter) ([]Region, int, error) {
	var rows []regionRow
	q := s.db.Read().NewSelect().Model(&rows).OrderExpr("r.id")
	if f.ID != nil {
		q.Where("r.id = ?", *f.ID)
	}
	db.Equal(q, "r.name", f.Name)
	db.Like(q, f.Keyword, "r.name")
	n, err := db.Page(ctx, q, f.Offset, f.Limit)
	out := make([]Region, len(rows))
	for i, r := range rows {
		out[i] = r.Region
	}
	return out, n, err
}

func findRegion(ctx context.Context, q db.Tx, id int) (Region, error) {
	var row regionRow
	err := q.NewSelect().Model(&row).Where("r.id = ?", id).Scan(ctx)
	return row.Region, err
}

// lockRegion keeps others from changing a region until the transaction's end.
func lockRegion(ctx context.Context, tx db.Tx, id int) (Region, error) {
	var row regionRow
	err := tx.Lock(tx.NewSelect().Model(&row).Where("r.id = ?", id)).Scan(ctx)
	if db.IsNone(err) {
		err = fault.NotFoundf("there is no region with the id %d", id)
	}
	return row.Region, err
}

func deleteRegion(ctx context.Context, tx db.Tx, id int) error {
	_, err := tx.NewRaw("delete from regions where id = ?", id).Exec(ctx)
	return err
}
