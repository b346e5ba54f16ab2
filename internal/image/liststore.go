package image

import (
	"context"

	"github.com/virga-cloud/virga/internal/auth"
	"github.com/virga-cloud/virga/internal/db"
	"github.com/virga-cloud/virga/internal/fault"
	"github.com/virga-cloud/virga/internal/tag"
	"github.com/virga-cloud/virga/internal/zone"
	"github.com/virga-cloud/virga/uid"
)

// Which says which templates a caller wants to see, in the words of listTemplates.
type Which string

// The template filters. Rules: the developer's guide to CloudStack 4.1, section 4.3.3. Of what is only to be used, and not one's
// own, only what is ready is shown.
const (
	Featured         Which = "featured"         // public and featured
	Self             Which = "self"             // owned
	SelfExecutable   Which = "selfexecutable"   // owned and ready
	SharedExecutable Which = "sharedexecutable" // granted by another account and ready
	Executable       Which = "executable"       // owned or public, and ready
	Community        Which = "community"        // public, not featured
	All              Which = "all"              // everything in reach; admins only
)

// The images that can have tags.
var (
	Taggable    = tag.Kind{Type: tag.Template, Table: "templates", Live: "removed is null and format <> '" + ISO + "'"}
	TaggableISO = tag.Kind{Type: tag.ISO, Table: "templates", Live: "removed is null and format = '" + ISO + "'"}
)

// Filter says which templates, or ISOs, a list shows. Zero fields don't restrict, but for Scope, whose zero value shows no owned
// one.
type Filter struct {
	Scope      auth.Scope
	Which      Which
	ISOs       bool // instead of templates
	IDs        []uid.Template
	Name       string
	Zone       uid.Zone
	Store      uid.ImageStore
	Hypervisor string
	Type       string
	Category   uid.OSCategory
	Ready      *bool
	Public     *bool
	Bootable   *bool
	Removed    bool // removed ones, too
	Tags       tag.Wanted
	Keyword    string // in name or display text
	Offset     int
	Limit      int // 0 or less: all
}

// Templates gives a page of templates in their zones, the oldest first, and how many there are in all.
func (s *Service) Templates(ctx context.Context, f Filter) ([]Template, int, error) {
	var rows []entryRow
	q := s.DB.Read().NewSelect().Model(&rows).ColumnExpr("t.*").ColumnExpr(entryColumns).
		Join("join template_zones z on z.template_id = t.id").Order("t.id", "z.zone_id")
	mine := f.Scope.Where(s.DB.Read().NewSelect().Table("templates").Column("id"), "templates")
	switch f.Which {
	case Featured:
		q.Where("t.is_public and t.is_featured and z.state = ?", Ready)
	case Community:
		q.Where("t.is_public and not t.is_featured and z.state = ?", Ready)
	case Self, All:
		q.Where("t.id in (?)", mine)
	case SelfExecutable:
		q.Where("t.id in (?) and z.state = ?", mine, Ready)
	case SharedExecutable:
		q.Where("1 = 0") // no command grants a template to another account yet
	case Executable:
		q.Where("(t.is_public or t.id in (?)) and z.state = ?", mine, Ready)
	default:
		return nil, 0, fault.Invalidf("there is no template filter %q", f.Which)
	}
	if !f.Removed {
		q.Where("t.removed is null and z.removed is null and exists (select 1 from zones where zones.id = z.zone_id and zones.removed is null)")
	}
	zone.Known(q, auth.From(ctx), "z.zone_id")
	if f.ISOs {
		q.Where("t.format = ?", ISO)
		f.Tags.Where(q, tag.ISO, "t.id")
	} else {
		q.Where("t.format <> ?", ISO)
		f.Tags.Where(q, tag.Template, "t.id")
	}
	db.In(q, "t.id", f.IDs)
	db.Equal(q, "t.name", f.Name)
	db.Equal(q, "z.zone_id", f.Zone)
	db.Equal(q, "z.store_id", f.Store)
	db.EqualFold(q, "t.hypervisor", f.Hypervisor)
	db.EqualFold(q, "t.type", f.Type)
	if f.Category != "" {
		q.Where("t.os_type_id in (select id from os_types where category_id = ?)", f.Category)
	}
	if f.Ready != nil {
		q.Where("(z.state = ? and z.removed is null) = ?", Ready, *f.Ready)
	}
	if f.Public != nil {
		q.Where("t.is_public = ?", *f.Public)
	}
	if f.Bootable != nil {
		q.Where("t.bootable = ?", *f.Bootable)
	}
	db.Like(q, f.Keyword, "t.name", "t.display_text")
	n, err := db.Page(ctx, q, f.Offset, f.Limit)
	out := make([]Template, len(rows))
	for i, r := range rows {
		out[i] = r.template()
	}
	return out, n, err
}

// Entries gives a template or ISO in all its zones. The caller may see it.
func (s *Service) Entries(ctx context.Context, id uid.Template) ([]Template, error) {
	f := Filter{Scope: auth.Scope{All: true}, Which: All, IDs: []uid.Template{id}}
	t, _, err := s.Templates(ctx, f)
	if err != nil || len(t) > 0 {
		return t, err
	}
	f.ISOs = true
	t, _, err = s.Templates(ctx, f)
	return t, err
}
