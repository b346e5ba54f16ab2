package image

import (
	"context"

	"github.com/uptrace/bun"

	"github.com/virga-cloud/virga/internal/db"
	"github.com/virga-cloud/virga/internal/fault"
	"github.com/virga-cloud/virga/uid"
)

type osTypeRow struct {
	bun.BaseModel `bun:"table:os_types,alias:o"`
	OSType
}

type categoryRow struct {
	bun.BaseModel `bun:"table:os_categories,alias:c"`
	OSCategory
}

func categories(ctx context.Context, q db.Tx) (rows []categoryRow, err error) {
	err = q.NewSelect().Model(&rows).Scan(ctx)
	return rows, err
}

func osTypes(ctx context.Context, q db.Tx) (rows []osTypeRow, err error) {
	err = q.NewSelect().Model(&rows).Scan(ctx)
	return rows, err
}

// anyOS is the operating system of a template whose user says none.
const anyOS = "Other (64-bit)"

func findAnyOS(ctx context.Context, q db.Tx) (OSType, error) {
	var row osTypeRow
	err := q.NewSelect().Model(&row).Where("o.description = ?", anyOS).Scan(ctx)
	if db.IsNone(err) {
		return OSType{}, fault.Invalidf("say what operating system is inside: ostypeid is missing, and there is no %q to take instead", anyOS)
	}
	return row.OSType, err
}

func findOSType(ctx context.Context, q db.Tx, id uid.OSType) (OSType, error) {
	var row osTypeRow
	err := q.NewSelect().Model(&row).Where("o.id = ?", id).Scan(ctx)
	if db.IsNone(err) {
		return OSType{}, fault.Missing(id)
	}
	return row.OSType, err
}

// OSFilter says which OS types a list shows. Zero fields don't restrict.
type OSFilter struct {
	ID          uid.OSType
	Category    uid.OSCategory
	Description string
	Keyword     string // in the description
	Offset      int
	Limit       int // 0 or less: all
}

// OSTypes gives a page of OS types by description, and how many there are in all.
func (s *Service) OSTypes(ctx context.Context, f OSFilter) ([]OSType, int, error) {
	var rows []osTypeRow
	q := s.DB.Read().NewSelect().Model(&rows).Order("o.description")
	db.Equal(q, "o.id", f.ID)
	db.Equal(q, "o.category_id", f.Category)
	db.Equal(q, "o.description", f.Description)
	db.Like(q, f.Keyword, "o.description")
	n, err := db.Page(ctx, q, f.Offset, f.Limit)
	out := make([]OSType, len(rows))
	for i, r := range rows {
		out[i] = r.OSType
	}
	return out, n, err
}

// CategoryFilter says which OS categories a list shows. Zero fields don't restrict.
type CategoryFilter struct {
	ID      uid.OSCategory
	Name    string
	Keyword string // in the name
	Offset  int
	Limit   int // 0 or less: all
}

// OSCategories gives a page of OS categories by name, and how many there are in all.
func (s *Service) OSCategories(ctx context.Context, f CategoryFilter) ([]OSCategory, int, error) {
	var rows []categoryRow
	q := s.DB.Read().NewSelect().Model(&rows).Order("c.name")
	db.Equal(q, "c.id", f.ID)
	db.Equal(q, "c.name", f.Name)
	db.Like(q, f.Keyword, "c.name")
	n, err := db.Page(ctx, q, f.Offset, f.Limit)
	out := make([]OSCategory, len(rows))
	for i, r := range rows {
		out[i] = r.OSCategory
	}
	return out, n, err
}

var (
	typeNames     = db.RememberNames[uid.OSType]("os_types", "os_types", "description")
	categoryNames = db.RememberNames[uid.OSCategory]("os_types", "os_categories", "name")
)

// OSTypeNames gives the descriptions of OS types, in one query.
func OSTypeNames(ctx context.Context, q db.Tx, ids []uid.OSType) (map[uid.OSType]string, error) {
	return typeNames.Find(ctx, q, ids)
}

// OSCategoryNames gives the names of OS categories, in one query.
func OSCategoryNames(ctx context.Context, q db.Tx, ids []uid.OSCategory) (map[uid.OSCategory]string, error) {
	return categoryNames.Find(ctx, q, ids)
}
