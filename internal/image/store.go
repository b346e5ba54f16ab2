package image

import (
	"context"

	"github.com/uptrace/bun"

	"github.com/virga-cloud/virga/internal/auth"
	"github.com/virga-cloud/virga/internal/db"
	"github.com/virga-cloud/virga/internal/fault"
	"github.com/virga-cloud/virga/uid"
)

type templateRow struct {
	bun.BaseModel `bun:"table:templates,alias:t"`
	Template
}

type osTypeRow struct {
	bun.BaseModel `bun:"table:os_types,alias:o"`
	OSType
}

type categoryRow struct {
	bun.BaseModel `bun:"table:os_categories,alias:c"`
	OSCategory
}

func insert(ctx context.Context, tx db.Tx, row any) error {
	_, err := tx.NewInsert().Model(row).Exec(ctx)
	return err
}

// Which says which templates a caller wants to see, in the words of listTemplates.
type Which string

// The template filters. Rules: the developer's guide to CloudStack 4.1, section 4.3.3.
const (
	Featured         Which = "featured"         // public and featured
	Self             Which = "self"             // owned
	SelfExecutable   Which = "selfexecutable"   // owned and ready
	SharedExecutable Which = "sharedexecutable" // granted by another account and ready
	Executable       Which = "executable"       // owned or public, and ready
	Community        Which = "community"        // public, not featured
	All              Which = "all"              // everything in reach; admins only
)

var findTemplate = db.Prepare("select * from templates where id = ? and removed is null")

// Deployable gives a template that the caller may deploy: owned, in reach or public, and ready.
func Deployable(ctx context.Context, q db.Tx, caller auth.Caller, id uid.Template) (Template, error) {
	var rows []templateRow
	if err := q.Select(ctx, findTemplate, &rows, id); err != nil {
		return Template{}, err
	}
	if len(rows) == 0 {
		return Template{}, fault.Missing(id)
	}
	t := rows[0].Template
	if !t.Public {
		mine, err := caller.Reach().Where(q.NewSelect().Model((*templateRow)(nil)), "t").Where("t.id = ?", id).Exists(ctx)
		if err != nil {
			return Template{}, err
		}
		if !mine {
			return Template{}, fault.Missing(id)
		}
	}
	if !t.Ready {
		return Template{}, fault.Conflictf("template %q is not ready yet", t.Name)
	}
	return t, nil
}

// Filter says which templates a list shows. Zero fields don't restrict, but for Scope, whose zero value shows no owned one.
type Filter struct {
	Scope      auth.Scope
	Which      Which
	IDs        []uid.Template
	Name       string
	Zone       uid.Zone
	Hypervisor string
	Keyword    string // in name or display text
	Offset     int
	Limit      int // 0 or less: all
}

// Templates gives a page of templates, the oldest first, and how many there are in all.
func (s *Service) Templates(ctx context.Context, f Filter) ([]Template, int, error) {
	var rows []templateRow
	q := s.db.Read().NewSelect().Model(&rows).Where("t.removed is null").Order("t.id")
	mine := f.Scope.Where(s.db.Read().NewSelect().Table("templates").Column("id"), "templates")
	switch f.Which {
	case Featured:
		q.Where("t.is_public and t.is_featured")
	case Community:
		q.Where("t.is_public and not t.is_featured")
	case Self:
		q.Where("t.id in (?)", mine)
	case SelfExecutable:
		q.Where("t.id in (?) and t.is_ready", mine)
	case SharedExecutable:
		q.Where("1 = 0") // no command grants a template to another account yet
	case Executable:
		q.Where("(t.is_public or t.id in (?)) and t.is_ready", mine)
	case All:
		q.Where("t.id in (?)", mine)
	default:
		return nil, 0, fault.Invalidf("there is no template filter %q", f.Which)
	}
	db.In(q, "t.id", f.IDs)
	db.Equal(q, "t.name", f.Name)
	db.Equal(q, "t.zone_id", f.Zone)
	db.EqualFold(q, "t.hypervisor", f.Hypervisor)
	db.Like(q, f.Keyword, "t.name", "t.display_text")
	n, err := db.Page(ctx, q, f.Offset, f.Limit)
	out := make([]Template, len(rows))
	for i, r := range rows {
		out[i] = r.Template
	}
	return out, n, err
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
	q := s.db.Read().NewSelect().Model(&rows).Order("o.description")
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

var byIDs = db.PrepareMany("select * from templates where id in (?)")

// ByID gives templates by their ids, removed ones too, in one query.
func ByID(ctx context.Context, q db.Tx, ids []uid.Template) (map[uid.Template]Template, error) {
	return db.ByID(ctx, q, byIDs, ids, func(r templateRow) (uid.Template, Template) { return r.ID, r.Template })
}

// OSTypeNames gives the descriptions of OS types, in one query.
func OSTypeNames(ctx context.Context, q db.Tx, ids []uid.OSType) (map[uid.OSType]string, error) {
	return db.Names(ctx, q, "os_types", "description", ids)
}

// OSCategoryNames gives the names of OS categories, in one query.
func OSCategoryNames(ctx context.Context, q db.Tx, ids []uid.OSCategory) (map[uid.OSCategory]string, error) {
	return db.Names(ctx, q, "os_categories", "name", ids)
}
