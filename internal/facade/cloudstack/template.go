package cloudstack

import (
	"context"
	"strings"

	"github.com/virga-cloud/virga/api"
	cs "github.com/virga-cloud/virga/api/cloudstack"
	"github.com/virga-cloud/virga/internal/account"
	"github.com/virga-cloud/virga/internal/auth"
	"github.com/virga-cloud/virga/internal/compute"
	"github.com/virga-cloud/virga/internal/facade/cloudstack/front"
	"github.com/virga-cloud/virga/internal/facade/cloudstack/look"
	"github.com/virga-cloud/virga/internal/facade/cloudstack/owned"
	"github.com/virga-cloud/virga/internal/facade/cloudstack/wire"
	"github.com/virga-cloud/virga/internal/fault"
	"github.com/virga-cloud/virga/internal/image"
	"github.com/virga-cloud/virga/internal/snapshot"
	"github.com/virga-cloud/virga/internal/tag"
	"github.com/virga-cloud/virga/internal/zone"
	"github.com/virga-cloud/virga/uid"
)

func (f *Facade) registerTemplates(m *api.Mux) {
	api.HandleList(m, cs.ListTemplates, f.listTemplates)
	api.HandleList(m, cs.ListIsos, f.listISOs)
	api.HandleCreateItems(m, cs.RegisterTemplate, f.registerTemplate, f.showTemplate)
	api.HandleJob(m, cs.CreateTemplate, f.createTemplate, func(ctx context.Context, id string) (none cs.Template, err error) {
		all, err := f.showTemplate(ctx, uid.Template(id))
		if err != nil {
			return none, err
		}
		return all[0], nil
	})
	api.HandleCreateItems(m, cs.RegisterIso, f.registerISO, f.showTemplate)
	api.HandleJob(m, cs.DeleteIso, func(ctx context.Context, in cs.DeleteIsoIn) (api.Started, error) {
		job, err := f.Images.DeleteISO(ctx, in.ID, in.ZoneID)
		return api.Started{JobID: job}, err
	}, look.Succeeded)
	api.HandleJob(m, cs.DeleteTemplate, func(ctx context.Context, in cs.DeleteTemplateIn) (api.Started, error) {
		job, err := f.Images.Delete(ctx, in.ID, in.ZoneID, in.Forced)
		return api.Started{JobID: job}, err
	}, look.Succeeded)
	api.HandleList(m, cs.ListOsTypes, f.listOSTypes)
	api.HandleList(m, cs.ListOsCategories, f.listOSCategories)
}

// everyZone stands for all zones where images are registered.
const everyZone = "-1"

func (f *Facade) registerTemplate(ctx context.Context, in cs.RegisterTemplateIn) (uid.Template, error) {
	zones, err := zonesOf(in.ZoneID, in.ZoneIDs)
	if err != nil {
		return "", err
	}
	t, err := f.Images.Register(ctx, image.RegisterIn{
		Template: image.Template{
			Name: in.Name, DisplayText: in.DisplayText, URL: in.URL, Format: in.Format, Hypervisor: in.Hypervisor, OSType: in.OSTypeID,
			Checksum: in.Checksum, Bits: in.Bits, RequiresHVM: in.RequiresHVM == nil || *in.RequiresHVM, PasswordEnabled: in.PasswordEnabled,
			SSHKeyEnabled: in.SSHKeyEnabled, Scalable: in.Scalable, Extractable: in.Extractable, Featured: in.Featured, Public: in.Public,
			Tag: in.Tag, Details: in.Details,
		},
		Zones: zones, Store: in.ImageStoreID, Owner: account.For{Account: in.Account, Domain: in.DomainID, Project: in.ProjectID},
	})
	return t.ID, err
}

func (f *Facade) createTemplate(ctx context.Context, in cs.CreateTemplateIn) (api.Started, error) {
	if err := f.noBareMetal(ctx, in); err != nil {
		return api.Started{}, err
	}
	id, job, err := f.Snapshots.MakeTemplate(ctx, snapshot.TemplateIn{
		Template: image.Template{
			Name: in.Name, DisplayText: in.DisplayText, OSType: in.OSTypeID, Bits: in.Bits, Bootable: true,
			RequiresHVM: in.RequiresHVM == nil || *in.RequiresHVM, PasswordEnabled: in.PasswordEnabled, SSHKeyEnabled: in.SSHKeyEnabled,
			Scalable: in.Scalable, Featured: in.Featured, Public: in.Public, Tag: in.Tag, Details: in.Details,
		},
		Snapshot: in.SnapshotID, Volume: in.VolumeID, Zone: in.ZoneID,
		Owner: account.For{Account: in.Account, Domain: in.DomainID, Project: in.ProjectID},
	})
	return api.Started{ID: string(id), JobID: job}, err
}

// noBareMetal refuses what is for bare-metal machines, which there are none of.
func (f *Facade) noBareMetal(ctx context.Context, in cs.CreateTemplateIn) error {
	if in.VMID == "" {
		if in.URL != "" {
			return fault.Invalidf("url says where the image of a bare-metal machine goes: leave it out")
		}
		return nil
	}
	vms, _, err := f.Machines.List(ctx, compute.Filter{Scope: auth.From(ctx).Reach(), IDs: []uid.VM{in.VMID}})
	if err == nil && len(vms) == 0 {
		err = fault.Missing(in.VMID)
	}
	if err != nil {
		return err
	}
	return fault.Invalidf("virtual machine %q is on no bare-metal host: name its volume in volumeid", vms[0].Name)
}

func (f *Facade) registerISO(ctx context.Context, in cs.RegisterIsoIn) (uid.Template, error) {
	zones, err := zonesOf(in.ZoneID, nil)
	if err != nil {
		return "", err
	}
	t, err := f.Images.Register(ctx, image.RegisterIn{
		Template: image.Template{
			Name: in.Name, DisplayText: in.DisplayText, URL: in.URL, OSType: in.OSTypeID, Checksum: in.Checksum,
			Bootable: in.Bootable == nil || *in.Bootable, PasswordEnabled: in.PasswordEnabled, Scalable: in.Scalable,
			Extractable: in.Extractable, Featured: in.Featured, Public: in.Public,
		},
		ISO: true, Zones: zones, Store: in.ImageStoreID,
		Owner: account.For{Account: in.Account, Domain: in.DomainID, Project: in.ProjectID},
	})
	return t.ID, err
}

// zonesOf reads the parameters zoneid and zoneids, of which one is given; none is every zone.
func zonesOf(one string, many []string) ([]uid.Zone, error) {
	switch {
	case one != "" && len(many) > 0:
		return nil, fault.Invalidf("zoneid and zoneids were both given; use one of them")
	case one != "":
		many = []string{one}
	case len(many) == 0:
		return nil, fault.Invalidf("give zoneid, zoneids, or zoneid=%s for all zones", everyZone)
	}
	var zones []uid.Zone
	for _, id := range many {
		switch id = strings.ToLower(strings.TrimSpace(id)); {
		case id == everyZone && len(many) == 1:
			return nil, nil
		case !uid.Valid(id):
			return nil, fault.Invalidf("zone %q is not the ID of a zone, and not %s alone for all", id, everyZone)
		}
		zones = append(zones, uid.Zone(id))
	}
	return zones, nil
}

func (f *Facade) showTemplate(ctx context.Context, id uid.Template) ([]cs.Template, error) {
	entries, err := f.Images.Entries(ctx, id)
	if err != nil {
		return nil, err
	}
	if len(entries) == 0 {
		return nil, fault.Missing(id)
	}
	return f.templatesOut(ctx, entries)
}

func (f *Facade) listTemplates(ctx context.Context, in cs.ListTemplatesIn) (none api.Page[cs.Template], err error) {
	ids, err := look.IDs(in.ID, in.IDs)
	if err != nil {
		return none, err
	}
	return f.images(ctx, imagesIn{in.Paging, in.Scope, in.InProject, in.Tagged}, image.Filter{
		Which: image.Which(in.Filter), IDs: ids, Name: in.Name, Zone: in.ZoneID, Hypervisor: in.Hypervisor, Type: in.Type,
		Store: in.ImageStoreID, Category: in.OSCategoryID, Ready: in.Ready, Removed: in.ShowRemoved,
	})
}

func (f *Facade) listISOs(ctx context.Context, in cs.ListIsosIn) (api.Page[cs.Template], error) {
	which := image.Which(in.Filter)
	if which == "" {
		which = image.SelfExecutable
	}
	return f.images(ctx, imagesIn{in.Paging, in.Scope, in.InProject, in.Tagged}, image.Filter{
		ISOs: true, Which: which, IDs: look.Distinct(1, func(int) uid.Template { return in.ID }), Name: in.Name, Zone: in.ZoneID,
		Hypervisor: in.Hypervisor, Store: in.ImageStoreID, Category: in.OSCategoryID, Ready: in.Ready, Public: in.Public, Bootable: in.Bootable,
		Removed: in.ShowRemoved,
	})
}

// imagesIn is what all lists of images have in common.
type imagesIn struct {
	paging  api.Paging
	scope   api.Scope
	project cs.InProject
	tagged  cs.Tagged
}

func (f *Facade) images(ctx context.Context, in imagesIn, filter image.Filter) (none api.Page[cs.Template], err error) {
	if filter.Which == image.All {
		if !api.Admins.Allows(front.RoleOf(auth.From(ctx))) {
			return none, fault.Deniedf("the filter all is for admins only; executable shows what you can deploy")
		}
		in.scope.ListAll = true // which leaves a named account or domain as narrow as it is
	}
	if filter.Scope, err = f.Owned.ScopeIn(ctx, in.scope, len(filter.IDs) > 0, in.project); err != nil {
		return none, err
	}
	filter.Tags, filter.Keyword = wire.Wanted(in.tagged), in.paging.Keyword
	filter.Offset, filter.Limit = look.Window(in.paging)
	templates, total, err := f.Images.Templates(ctx, filter)
	if err != nil {
		return none, err
	}
	items, err := f.templatesOut(ctx, templates)
	return api.Page[cs.Template]{Count: total, Items: items}, err
}

// templatesOut shows templates and ISOs in their zones, with one query for each kind of thing that they name.
func (f *Facade) templatesOut(ctx context.Context, templates []image.Template) ([]cs.Template, error) {
	n, l := len(templates), look.In(f.DB.Read())
	zones := look.Related(ctx, l, n, func(i int) uid.Zone { return templates[i].Zone }, zone.Names)
	systems := look.Related(ctx, l, n, func(i int) uid.OSType { return templates[i].OSType }, image.OSTypeNames)
	stores := look.Related(ctx, l, n, func(i int) uid.ImageStore { return templates[i].Place.Store }, image.StoresByID)
	if l.Err != nil {
		return nil, l.Err
	}
	out := make([]cs.Template, n)
	for i, t := range templates {
		out[i] = wire.Template(t)
		out[i].ZoneName, out[i].HostName, out[i].OSTypeName = zones[t.Zone], stores[t.Place.Store].Name, systems[t.OSType]
	}
	if err := f.Owned.Owners(ctx, n, func(i int) (uid.Account, *cs.Owner) { return templates[i].Account, &out[i].Owner }); err != nil {
		return nil, err
	}
	for _, of := range []tag.Type{tag.Template, tag.ISO} { // a page is of one of them
		if n == 0 || templates[0].IsISO() != (of == tag.ISO) {
			continue
		}
		err := owned.Tagged(ctx, f.Owned, of, n, func(i int) (uid.Template, cs.Owner, *[]cs.Tag) { return out[i].ID, out[i].Owner, &out[i].Tags })
		if err != nil {
			return nil, err
		}
	}
	return out, f.Owned.Pending(ctx, n, func(i int) (string, *cs.Pending) { return string(templates[i].ID), &out[i].Pending })
}

func (f *Facade) listOSTypes(ctx context.Context, in cs.ListOsTypesIn) (api.Page[cs.OSType], error) {
	filter := image.OSFilter{ID: in.ID, Category: in.CategoryID, Description: in.Description, Keyword: in.Keyword}
	filter.Offset, filter.Limit = look.Window(in.Paging)
	types, total, err := f.Images.OSTypes(ctx, filter)
	if err != nil {
		return api.Page[cs.OSType]{}, err
	}
	l := look.In(f.DB.Read())
	categories := look.Related(ctx, l, len(types), func(i int) uid.OSCategory { return types[i].Category }, image.OSCategoryNames)
	return look.Page(types, total, func(t image.OSType) cs.OSType {
		return cs.OSType{
			ID: t.ID, Name: t.Description, Description: t.Description, CategoryID: t.Category, CategoryName: categories[t.Category],
		}
	}), l.Err
}

func (f *Facade) listOSCategories(ctx context.Context, in cs.ListOsCategoriesIn) (api.Page[cs.OSCategory], error) {
	filter := image.CategoryFilter{ID: in.ID, Name: in.Name, Keyword: in.Keyword}
	filter.Offset, filter.Limit = look.Window(in.Paging)
	categories, total, err := f.Images.OSCategories(ctx, filter)
	return look.Page(categories, total, func(c image.OSCategory) cs.OSCategory { return cs.OSCategory{ID: c.ID, Name: c.Name} }), err
}
