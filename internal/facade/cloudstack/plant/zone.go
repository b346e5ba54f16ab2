package plant

import (
	"context"
	"slices"
	"strconv"

	"github.com/virga-cloud/virga/api"
	cs "github.com/virga-cloud/virga/api/cloudstack"
	"github.com/virga-cloud/virga/internal/auth"
	"github.com/virga-cloud/virga/internal/capacity"
	"github.com/virga-cloud/virga/internal/compute"
	"github.com/virga-cloud/virga/internal/facade/cloudstack/front"
	"github.com/virga-cloud/virga/internal/facade/cloudstack/look"
	"github.com/virga-cloud/virga/internal/facade/cloudstack/owned"
	"github.com/virga-cloud/virga/internal/facade/cloudstack/wire"
	"github.com/virga-cloud/virga/internal/tag"
	"github.com/virga-cloud/virga/internal/zone"
	"github.com/virga-cloud/virga/uid"
)

func (t Translator) registerZones(m *api.Mux) {
	api.HandleCreate(m, cs.CreateZone, t.createZone, look.Show(t.DB.Read, zone.ByID, t.zonesOut))
	api.HandleCall(m, cs.UpdateZone, t.updateZone)
	api.HandleCall(m, cs.DeleteZone, t.deleteZone)
	api.HandleList(m, cs.ListZones, t.listZones)
	api.HandleList(m, cs.ListHypervisors, t.listHypervisors)
}

func (t Translator) createZone(ctx context.Context, in cs.CreateZoneIn) (uid.Zone, error) {
	z, err := t.Zones.CreateZone(ctx, zone.Zone{
		Name: in.Name, NetworkType: zone.NetworkType(in.NetworkType), SecurityGroups: in.SecurityGroups,
		Allocation: zone.Allocation(in.AllocationState),
		DNS1:       in.DNS1, DNS2: in.DNS2, InternalDNS1: in.InternalDNS1, InternalDNS2: in.InternalDNS2, IP6DNS1: in.IP6DNS1, IP6DNS2: in.IP6DNS2,
		GuestCIDR: in.GuestCIDR, NetworkDomain: in.NetworkDomain, Domain: in.DomainID, LocalStorage: in.LocalStorage,
	})
	return z.ID, err
}

func (t Translator) updateZone(ctx context.Context, in cs.UpdateZoneIn) (cs.Zone, error) {
	err := t.Zones.UpdateZone(ctx, in.ID, zone.ZoneChange{
		Name: in.Name, DNS1: in.DNS1, DNS2: in.DNS2, InternalDNS1: in.InternalDNS1, InternalDNS2: in.InternalDNS2, IP6DNS1: in.IP6DNS1,
		IP6DNS2: in.IP6DNS2, GuestCIDR: in.GuestCIDR, NetworkDomain: in.NetworkDomain, DHCPProvider: in.DHCPProvider,
		Allocation: (*zone.Allocation)(in.AllocationState), LocalStorage: in.LocalStorage, Public: in.Public, SortKey: in.SortKey,
		DNSSearch: in.DNSSearch, Details: in.Details,
	})
	if err != nil {
		return cs.Zone{}, err
	}
	return look.Show(t.DB.Read, zone.ByID, t.zonesOut)(ctx, in.ID)
}

func (t Translator) deleteZone(ctx context.Context, in cs.DeleteZoneIn) (api.Success, error) {
	err := t.Zones.DeleteZone(ctx, in.ID)
	return api.Success{Success: err == nil}, err
}

// listZones shows tenants only the zones that are open to them: a disabled one is being built or repaired.
func (t Translator) listZones(ctx context.Context, in cs.ListZonesIn) (api.Page[cs.Zone], error) {
	ids, err := look.IDs(in.ID, in.IDs)
	if err != nil {
		return api.Page[cs.Zone]{}, err
	}
	caller := auth.From(ctx)
	if in.Available != nil && !*in.Available {
		used, err := compute.ZonesOf(ctx, t.DB.Read(), caller.Account)
		if len(ids) > 0 {
			used = slices.DeleteFunc(used, func(id uid.Zone) bool { return !slices.Contains(ids, id) })
		}
		if err != nil || len(used) == 0 {
			return api.Page[cs.Zone]{}, err
		}
		ids = used
	}
	filter := zone.Filter{
		IDs: look.Texts(ids), Name: in.Name, NetworkType: zone.NetworkType(in.NetworkType), Domain: in.DomainID,
		Tags: wire.Wanted(in.Tagged), Keyword: in.Keyword,
	}
	if !cs.Infrastructure.Allows(front.RoleOf(caller)) {
		filter.Allocation = zone.Enabled
	}
	filter.Offset, filter.Limit = look.Window(in.Paging)
	zones, total, err := t.Zones.Zones(ctx, filter)
	if err != nil {
		return api.Page[cs.Zone]{}, err
	}
	out, err := t.zonesOut(ctx, zones)
	if err == nil && in.ShowCapacities && caller.IsRoot() && len(zones) > 0 {
		ids := look.Distinct(len(zones), func(i int) uid.Zone { return zones[i].ID })
		err = t.capacitiesOf(ctx, capacity.Filter{Level: capacity.OfZones, Zones: ids},
			func(c cs.Capacity) {
				i := slices.IndexFunc(out, func(z cs.Zone) bool { return z.ID == c.ZoneID })
				out[i].Capacity = append(out[i].Capacity, c)
			})
	}
	return api.Page[cs.Zone]{Count: total, Items: out}, err
}

func (t Translator) zonesOut(ctx context.Context, zones []zone.Zone) ([]cs.Zone, error) {
	l := look.In(t.DB.Read())
	domains := look.Related(ctx, l, len(zones), func(i int) uid.Domain { return zones[i].Domain }, zone.DomainNames)
	out := make([]cs.Zone, len(zones))
	for i, z := range zones {
		out[i] = wire.Zone(z, domains[z.Domain])
	}
	if l.Err != nil {
		return nil, l.Err
	}
	return out, owned.Tagged(ctx, t.Owned, tag.Zone, len(out), func(i int) (uid.Zone, cs.Owner, *[]cs.Tag) {
		return out[i].ID, cs.Owner{}, &out[i].Tags
	})
}

// ratio is a factor as a decimal number: 1, or 1.5.
func ratio(x float64) string { return strconv.FormatFloat(x, 'f', -1, 64) }

func (t Translator) listHypervisors(ctx context.Context, in cs.ListHypervisorsIn) (api.Page[cs.Hypervisor], error) {
	names, err := t.Zones.Hypervisors(ctx, in.ZoneID)
	return look.Page(names, len(names), func(name string) cs.Hypervisor { return cs.Hypervisor{Name: name} }), err
}
