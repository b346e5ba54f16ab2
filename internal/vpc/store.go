package vpc

import (
	"context"

	"github.com/uptrace/bun"

	"github.com/virga-cloud/virga/internal/db"
	"github.com/virga-cloud/virga/internal/offering"
	"github.com/virga-cloud/virga/uid"
)

type offeringRow struct {
	bun.BaseModel `bun:"table:vpc_offerings,alias:o"`
	Offering
}

func insert(ctx context.Context, tx db.Tx, o Offering) error {
	_, err := tx.NewInsert().Model(&offeringRow{Offering: o}).Exec(ctx)
	return err
}

// Filter says which VPC offerings a list shows. Zero fields don't restrict.
type Filter struct {
	ID          uid.VPCOffering
	Name        string
	DisplayText string
	State       offering.State
	Default     *bool
	Services    []string // that an offering must have, all of them
	Keyword     string   // in name or display text
	Offset      int
	Limit       int // 0 or less: all
}

// Offerings gives a page of VPC offerings, the oldest first, and how many there are in all.
func (s *Service) Offerings(ctx context.Context, f Filter) ([]Offering, int, error) {
	var rows []offeringRow
	q := s.db.Read().NewSelect().Model(&rows).Where("o.removed is null").Order("o.id")
	db.Equal(q, "o.id", f.ID)
	db.Equal(q, "o.name", f.Name)
	db.Equal(q, "o.display_text", f.DisplayText)
	db.EqualFold(q, "o.state", f.State)
	if f.Default != nil {
		q.Where("o.is_default = ?", *f.Default)
	}
	for _, name := range f.Services {
		db.Like(q, `"name":"`+name+`"`, "o.services")
	}
	db.Like(q, f.Keyword, "o.name", "o.display_text")
	n, err := db.Page(ctx, q, f.Offset, f.Limit)
	out := make([]Offering, len(rows))
	for i, r := range rows {
		out[i] = r.Offering
	}
	return out, n, err
}
