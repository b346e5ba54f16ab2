package cloudstack

import (
	"context"

	"github.com/virga-cloud/virga/api"
	cs "github.com/virga-cloud/virga/api/cloudstack"
	"github.com/virga-cloud/virga/internal/auth"
	"github.com/virga-cloud/virga/internal/fault"
	"github.com/virga-cloud/virga/internal/image"
	"github.com/virga-cloud/virga/internal/zone"
	"github.com/virga-cloud/virga/uid"
)

func (f *Facade) registerTemplates(m *api.Mux) {
	api.HandleList(m, cs.ListTemplates, f.listTemplates)
	api.HandleList(m, cs.ListOsTypes, f.listOSTypes)
}

func (f *Facade) listTemplates(ctx context.Context, in cs.ListTemplatesIn) (api.Page[cs.Template], error) {
	which := image.Which(in.Filter)
	if which == image.All {
		if !api.Admins.Allows(roleOf(auth.From(ctx))) {
			return api.Page[cs.Template]{}, fault.Deniedf("templatefilter all is for admins only; executable shows what you can deploy")
		}
		in.ListAll = true // which leaves a named account or domain as narrow as it is
	}
	ids, err := idsOf(in.ID, in.IDs)
	if err != nil {
		return api.Page[cs.Template]{}, err
	}
	scope, err := f.scope(ctx, in.Scope, len(ids) > 0)
	if err != nil {
		return api.Page[cs.Template]{}, err
	}
	filter := image.Filter{
		Scope: scope, Which: which, IDs: ids, Name: in.Name, Zone: in.ZoneID, Hypervisor: in.Hypervisor, Keyword: in.Keyword,
	}
	filter.Offset, filter.Limit = window(in.Paging)
	templates, total, err := f.Images.Templates(ctx, filter)
	if err != nil {
		return api.Page[cs.Template]{}, err
	}
	l := lookIn(f.DB.Read())
	zones := related(ctx, l, len(templates), func(i int) uid.Zone { return templates[i].Zone }, zone.Names)
	systems := related(ctx, l, len(templates), func(i int) uid.OSType { return templates[i].OSType }, image.OSTypeNames)
	if l.err != nil {
		return api.Page[cs.Template]{}, l.err
	}
	page := pageOf(templates, total, func(t image.Template) cs.Template {
		out := cs.Template{
			ID: t.ID, Name: t.Name, DisplayText: t.DisplayText, AccountID: t.Account, ZoneID: t.Zone, ZoneName: zones[t.Zone],
			OSTypeID: t.OSType, OSTypeName: systems[t.OSType], Hypervisor: t.Hypervisor, Format: t.Format, Type: t.Type, URL: t.URL,
			Checksum: t.Checksum, Size: t.Size, Public: t.Public, Featured: t.Featured, Extractable: t.Extractable, Ready: t.Ready,
			PasswordEnabled: t.PasswordEnabled, Created: api.At(t.Created),
		}
		if t.Ready {
			out.Status = statusReady
		}
		return out
	})
	return page, f.owners(ctx, len(templates), func(i int) (uid.Account, *cs.Owner) { return templates[i].Account, &page.Items[i].Owner })
}

// statusReady is CloudStack's word for an image that has arrived, which clients wait for.
const statusReady = "Download Complete"

func (f *Facade) listOSTypes(ctx context.Context, in cs.ListOsTypesIn) (api.Page[cs.OSType], error) {
	filter := image.OSFilter{ID: in.ID, Category: in.CategoryID, Description: in.Description, Keyword: in.Keyword}
	filter.Offset, filter.Limit = window(in.Paging)
	types, total, err := f.Images.OSTypes(ctx, filter)
	if err != nil {
		return api.Page[cs.OSType]{}, err
	}
	l := lookIn(f.DB.Read())
	categories := related(ctx, l, len(types), func(i int) uid.OSCategory { return types[i].Category }, image.OSCategoryNames)
	return pageOf(types, total, func(t image.OSType) cs.OSType {
		return cs.OSType{
			ID: t.ID, Name: t.Description, Description: t.Description, CategoryID: t.Category, CategoryName: categories[t.Category],
		}
	}), l.err
}
