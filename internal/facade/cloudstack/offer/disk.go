package offer

import (
	"context"

	"github.com/virga-cloud/virga/api"
	cs "github.com/virga-cloud/virga/api/cloudstack"
	"github.com/virga-cloud/virga/internal/facade/cloudstack/look"
	"github.com/virga-cloud/virga/internal/facade/cloudstack/wire"
	"github.com/virga-cloud/virga/internal/fault"
	"github.com/virga-cloud/virga/internal/offering"
	"github.com/virga-cloud/virga/uid"
)

func (f Translator) registerDiskOfferings(m *api.Mux) {
	api.HandleList(m, cs.ListDiskOfferings, f.listDiskOfferings)
	api.HandleCreate(m, cs.CreateDiskOffering, f.createDiskOffering, f.showDiskOffering)
	api.HandleCall(m, cs.UpdateDiskOffering, f.updateDiskOffering)
	api.HandleCall(m, cs.DeleteDiskOffering, f.deleteDiskOffering)
}

func (f Translator) createDiskOffering(ctx context.Context, in cs.CreateDiskOfferingIn) (uid.DiskOffering, error) {
	o, err := f.Offerings.CreateDisk(ctx, offering.Disk{
		Name: in.Name, DisplayText: in.DisplayText, SizeGB: in.Size, Customized: in.Customized, StorageType: offering.StorageType(in.StorageType),
		Tags: in.Tags, Hidden: in.Display != nil && !*in.Display, Details: in.Details, Limits: wire.LimitsIn(in.IOLimitsIn),
		Scope: offering.Scope{Domains: in.DomainIDs, Zones: in.ZoneIDs},
	})
	return o.ID, err
}

func (f Translator) updateDiskOffering(ctx context.Context, in cs.UpdateDiskOfferingIn) (none cs.DiskOffering, err error) {
	c := offering.Change{
		Name: in.Name, DisplayText: in.DisplayText, SortKey: in.SortKey, State: newState(in.State), StorageTags: in.Tags,
		Limits: wire.LimitsChange(in.IOLimitsChange),
	}
	if in.Display != nil {
		c.Hidden = new(!*in.Display)
	}
	if err := forWhom(&c, in.DomainIDs, in.ZoneIDs); err != nil {
		return none, err
	}
	if _, err := f.Offerings.UpdateDisk(ctx, in.ID, c); err != nil {
		return none, err
	}
	return f.showDiskOffering(ctx, in.ID)
}

func (f Translator) deleteDiskOffering(ctx context.Context, in cs.DeleteDiskOfferingIn) (api.Success, error) {
	err := f.Offerings.DeleteDisk(ctx, in.ID)
	return api.Success{Success: err == nil}, err
}

func (f Translator) listDiskOfferings(ctx context.Context, in cs.ListDiskOfferingsIn) (none api.Page[cs.DiskOffering], err error) {
	filter := offering.Filter{
		ID: string(in.ID), Name: in.Name, State: offered(in.State), StorageType: offering.StorageType(in.StorageType), Domain: in.DomainID,
		Zone: in.ZoneID, Keyword: in.Keyword,
	}
	filter.Offset, filter.Limit = look.Window(in.Paging)
	offerings, total, err := f.Offerings.Disks(ctx, filter)
	if err != nil {
		return none, err
	}
	items, err := f.diskOfferingsOut(ctx, offerings)
	return api.Page[cs.DiskOffering]{Count: total, Items: items}, err
}

func (f Translator) showDiskOffering(ctx context.Context, id uid.DiskOffering) (none cs.DiskOffering, err error) {
	found, _, err := f.Offerings.Disks(ctx, offering.Filter{ID: string(id)})
	if err != nil {
		return none, err
	}
	if len(found) == 0 {
		return none, fault.Missing(id)
	}
	items, err := f.diskOfferingsOut(ctx, found)
	if err != nil {
		return none, err
	}
	return items[0], nil
}

// diskOfferingsOut shows disk offerings, with one query for each kind of thing that they name.
func (f Translator) diskOfferingsOut(ctx context.Context, offerings []offering.Disk) ([]cs.DiskOffering, error) {
	out := make([]cs.DiskOffering, len(offerings))
	for i, o := range offerings {
		out[i] = cs.DiskOffering{
			ID: o.ID, Name: o.Name, DisplayText: o.DisplayText, Size: o.SizeGB, Customized: o.Customized, Provisioning: thin,
			StorageType: string(o.StorageType), Tags: o.Tags, Display: !o.Hidden, Details: o.Details, State: string(o.State),
			Created: api.At(o.Created), IOLimits: wire.LimitsOut(o.Limits),
		}
	}
	return out, f.offeredTo(ctx, len(out), func(i int) (*offering.Scope, *cs.OfferedTo) { return &offerings[i].Scope, &out[i].OfferedTo })
}
