package offer

import (
	"context"
	"strings"

	"github.com/virga-cloud/virga/api"
	cs "github.com/virga-cloud/virga/api/cloudstack"
	"github.com/virga-cloud/virga/internal/auth"
	"github.com/virga-cloud/virga/internal/compute"
	"github.com/virga-cloud/virga/internal/facade/cloudstack/look"
	"github.com/virga-cloud/virga/internal/facade/cloudstack/wire"
	"github.com/virga-cloud/virga/internal/fault"
	"github.com/virga-cloud/virga/internal/image"
	"github.com/virga-cloud/virga/internal/offering"
	"github.com/virga-cloud/virga/internal/zone"
	"github.com/virga-cloud/virga/uid"
)

func (f Translator) registerServiceOfferings(m *api.Mux) {
	api.HandleList(m, cs.ListServiceOfferings, f.listServiceOfferings)
	api.HandleCreate(m, cs.CreateServiceOffering, f.createServiceOffering, f.showServiceOffering)
	api.HandleCall(m, cs.UpdateServiceOffering, f.updateServiceOffering)
	api.HandleCall(m, cs.DeleteServiceOffering, f.deleteServiceOffering)
}

func (f Translator) createServiceOffering(ctx context.Context, in cs.CreateServiceOfferingIn) (uid.ServiceOffering, error) {
	o := offering.Compute{
		Name: in.Name, DisplayText: in.DisplayText, CPUNumber: in.CPUNumber, CPUSpeed: in.CPUSpeed, MemoryMB: in.Memory, RootGB: in.RootDiskSize,
		MinCPU: in.MinCPU, MaxCPU: in.MaxCPU, MinMemoryMB: in.MinMemory, MaxMemoryMB: in.MaxMemory,
		OfferHA: in.OfferHA, LimitCPU: in.LimitCPU, Volatile: in.Volatile, IsSystem: in.System, SystemType: in.SystemType,
		StorageType: offering.StorageType(in.StorageType), HostTags: in.HostTags,
		StorageTags: in.StorageTags, NetworkRate: in.NetworkRate, Planner: in.Planner, Limits: wire.LimitsIn(in.IOLimitsIn),
		Details: in.Details, Scope: offering.Scope{Domains: in.DomainIDs, Zones: in.ZoneIDs},
	}
	if in.Customized != nil {
		o.Customized = *in.Customized
	} else {
		o.Customized = in.CPUNumber == 0 && in.Memory == 0 && !in.System
	}
	o, err := f.Offerings.CreateCompute(ctx, o)
	return o.ID, err
}

func (f Translator) updateServiceOffering(ctx context.Context, in cs.UpdateServiceOfferingIn) (none cs.ServiceOffering, err error) {
	c := offering.Change{
		Name: in.Name, DisplayText: in.DisplayText, SortKey: in.SortKey, State: newState(in.State), HostTags: in.HostTags,
		StorageTags: in.StorageTags,
	}
	if err := forWhom(&c, in.DomainIDs, in.ZoneIDs); err != nil {
		return none, err
	}
	if _, err := f.Offerings.UpdateCompute(ctx, in.ID, c); err != nil {
		return none, err
	}
	return f.showServiceOffering(ctx, in.ID)
}

func (f Translator) deleteServiceOffering(ctx context.Context, in cs.DeleteServiceOfferingIn) (api.Success, error) {
	err := f.Offerings.DeleteCompute(ctx, in.ID)
	return api.Success{Success: err == nil}, err
}

func (f Translator) listServiceOfferings(ctx context.Context, in cs.ListServiceOfferingsIn) (none api.Page[cs.ServiceOffering], err error) {
	if in.System && !auth.From(ctx).IsRoot() {
		return none, fault.Deniedf("only root admins may see the offerings of the cloud's own machines")
	}
	if in.SystemType != "" && !in.System {
		return none, fault.Invalidf("systemvmtype %q chooses among the offerings of the cloud's own machines: give issystem=true, too", in.SystemType)
	}
	filter := offering.Filter{
		ID: string(in.ID), Name: in.Name, State: offered(in.State), System: new(in.System), SystemType: in.SystemType,
		StorageType: offering.StorageType(in.StorageType), Domain: in.DomainID, Zone: in.ZoneID, MinCPU: in.CPUNumber, MinMHz: in.CPUSpeed,
		MinMemoryMB: in.Memory, Keyword: in.Keyword,
	}
	filter.Offset, filter.Limit = look.Window(in.Paging)
	if in.VMID != "" {
		if filter.ChangeFrom, err = f.offeringOf(ctx, in.VMID); err != nil {
			return none, err
		}
	}
	if in.TemplateID != "" {
		t, err := image.Visible(ctx, f.DB.Read(), in.TemplateID)
		if err != nil {
			return none, err
		}
		filter.RootBytes = t.Size
	}
	offerings, total, err := f.Offerings.Computes(ctx, filter)
	if err != nil {
		return none, err
	}
	items, err := f.serviceOfferingsOut(ctx, offerings)
	return api.Page[cs.ServiceOffering]{Count: total, Items: items}, err
}

// offeringOf gives the service offering of a machine that the caller reaches.
func (f Translator) offeringOf(ctx context.Context, vm uid.VM) (*offering.Compute, error) {
	vms, _, err := f.Machines.List(ctx, compute.Filter{Scope: auth.From(ctx).Reach(), IDs: []uid.VM{vm}})
	if err != nil {
		return nil, err
	}
	if len(vms) == 0 {
		return nil, fault.Missing(vm)
	}
	found, err := offering.ComputesByID(ctx, f.DB.Read(), []uid.ServiceOffering{vms[0].Offering})
	return new(found[vms[0].Offering]), err
}

func (f Translator) showServiceOffering(ctx context.Context, id uid.ServiceOffering) (none cs.ServiceOffering, err error) {
	found, _, err := f.Offerings.Computes(ctx, offering.Filter{ID: string(id)})
	if err != nil {
		return none, err
	}
	if len(found) == 0 {
		return none, fault.Missing(id)
	}
	items, err := f.serviceOfferingsOut(ctx, found)
	if err != nil {
		return none, err
	}
	return items[0], nil
}

// serviceOfferingsOut shows service offerings, with one query for each kind of thing that they name.
func (f Translator) serviceOfferingsOut(ctx context.Context, offerings []offering.Compute) ([]cs.ServiceOffering, error) {
	out := make([]cs.ServiceOffering, len(offerings))
	for i, o := range offerings {
		out[i] = cs.ServiceOffering{
			ID: o.ID, Name: o.Name, DisplayText: o.DisplayText, CPUNumber: o.CPUNumber, CPUSpeed: o.CPUSpeed, Memory: o.MemoryMB,
			Customized: o.Customized, Details: wire.Details(o), RootDiskSize: o.RootGB, Provisioning: thin, OfferHA: o.OfferHA, LimitCPU: o.LimitCPU,
			Volatile: o.Volatile, System: o.IsSystem, SystemType: o.SystemType, DefaultUse: o.IsDefault, NetworkRate: o.NetworkRate,
			StorageType: string(o.StorageType), Tags: o.StorageTags, StorageTags: o.StorageTags, HostTags: o.HostTags, State: string(o.State),
			Created: api.At(o.Created), Planner: o.Planner, IOLimits: wire.LimitsOut(o.Limits),
		}
	}
	return out, f.offeredTo(ctx, len(out), func(i int) (*offering.Scope, *cs.OfferedTo) { return &offerings[i].Scope, &out[i].OfferedTo })
}

// thin is how all disks take room.
const thin = "thin"

// offered is the state that a list of service or disk offerings is to show: what can be had, unless the caller says.
func offered(state string) offering.State {
	switch {
	case state == "":
		return offering.Active
	case strings.EqualFold(state, "all"):
		return ""
	}
	return offering.State(state)
}

// newState is the state that an update is to bring about, nil for none.
func newState(state string) *offering.State {
	switch {
	case state == "":
		return nil
	case strings.EqualFold(state, string(offering.Active)):
		return new(offering.Active)
	}
	return new(offering.Inactive)
}

// forWhom reads for which domains, and in which zones, an offering is from now on.
func forWhom(c *offering.Change, domains, zones string) (err error) {
	if c.Domains, err = someOr[uid.Domain]("domainid", domains, "public"); err == nil {
		c.Zones, err = someOr[uid.Zone]("zoneid", zones, "all")
	}
	return err
}

// someOr reads a list of ids, or the word that stands for no restriction; nil where nothing was given.
func someOr[ID ~string](name, list, all string) (*[]ID, error) {
	ids := []ID{}
	switch {
	case list == "":
		return nil, nil //nolint:nilnil // nothing was given
	case strings.EqualFold(list, all):
		return &ids, nil
	}
	for id := range strings.SplitSeq(list, ",") {
		if id = strings.ToLower(strings.TrimSpace(id)); !uid.Valid(id) {
			return nil, fault.Invalidf("%s %q: want IDs with commas between them, or %s", name, list, all)
		}
		ids = append(ids, ID(id))
	}
	return &ids, nil
}

// offeredTo fills in whom n offerings are for, and where.
func (f Translator) offeredTo(ctx context.Context, n int, at func(i int) (*offering.Scope, *cs.OfferedTo)) error {
	l := look.In(f.DB.Read())
	var domains []uid.Domain
	var zones []uid.Zone
	for i := range n {
		s, _ := at(i)
		domains, zones = append(domains, s.Domains...), append(zones, s.Zones...)
	}
	domainNames := look.Related(ctx, l, len(domains), func(i int) uid.Domain { return domains[i] }, offering.DomainNames)
	zoneNames := look.Related(ctx, l, len(zones), func(i int) uid.Zone { return zones[i] }, zone.Names)
	for i := range n {
		s, out := at(i)
		out.DomainID, out.Domain = joined(s.Domains, domainNames)
		out.ZoneID, out.Zone = joined(s.Zones, zoneNames)
	}
	return l.Err
}

// joined gives ids and their names as two lists with commas.
func joined[ID ~string](ids []ID, names map[ID]string) (string, string) {
	var called []string
	for _, id := range ids {
		called = append(called, names[id])
	}
	return strings.Join(look.Texts(ids), ","), strings.Join(called, ",")
}
