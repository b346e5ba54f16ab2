package plant

import (
	"context"

	"github.com/virga-cloud/virga/api"
	cs "github.com/virga-cloud/virga/api/cloudstack"
	"github.com/virga-cloud/virga/internal/facade/cloudstack/look"
	"github.com/virga-cloud/virga/internal/physnet"
	"github.com/virga-cloud/virga/internal/zone"
	"github.com/virga-cloud/virga/uid"
)

func (t Translator) registerPhysicalNetworks(m *api.Mux) {
	shown := look.Subject[uid.PhysicalNetwork](look.Show(t.DB.Read, physnet.ByID, t.physicalsOut))
	api.HandleJob(m, cs.CreatePhysicalNetwork, t.createPhysicalNetwork, shown)
	api.HandleList(m, cs.ListPhysicalNetworks, t.listPhysicalNetworks)
	api.HandleJob(m, cs.UpdatePhysicalNetwork, t.updatePhysicalNetwork, shown)
	api.HandleJob(m, cs.DeletePhysicalNetwork, t.deletePhysicalNetwork, look.Succeeded)
	api.HandleJob(m, cs.AddTrafficType, t.addTrafficType, look.Subject[uid.TrafficType](look.Show(t.DB.Read, physnet.TrafficsByID, t.trafficsOut)))
	api.HandleList(m, cs.ListTrafficTypes, t.listTrafficTypes)
}

func (t Translator) createPhysicalNetwork(ctx context.Context, in cs.CreatePhysicalNetworkIn) (api.Started, error) {
	id, job, err := t.PhysNets.Create(ctx, physnet.CreateIn{
		Zone: in.ZoneID, Domain: in.DomainID, Name: in.Name, VLANs: in.VLAN, Isolation: in.IsolationMethods,
		BroadcastRange: in.BroadcastDomainRange, Speed: in.NetworkSpeed, Tags: in.Tags,
	})
	return api.Started{ID: string(id), JobID: job}, err
}

func (t Translator) updatePhysicalNetwork(ctx context.Context, in cs.UpdatePhysicalNetworkIn) (api.Started, error) {
	job, err := t.PhysNets.Change(ctx, in.ID, physnet.ChangeIn{
		State: in.State, VLANs: in.VLAN, Tags: in.Tags, Speed: in.NetworkSpeed,
	})
	return api.Started{JobID: job}, err
}

func (t Translator) deletePhysicalNetwork(ctx context.Context, in cs.DeletePhysicalNetworkIn) (api.Started, error) {
	job, err := t.PhysNets.Delete(ctx, in.ID)
	return api.Started{JobID: job}, err
}

func (t Translator) listPhysicalNetworks(ctx context.Context, in cs.ListPhysicalNetworksIn) (none api.Page[cs.PhysicalNetwork], err error) {
	filter := physnet.Filter{ID: in.ID, Zone: in.ZoneID, Name: in.Name, Keyword: in.Keyword}
	filter.Offset, filter.Limit = look.Window(in.Paging)
	found, total, err := t.PhysNets.List(ctx, filter)
	if err != nil {
		return none, err
	}
	items, err := t.physicalsOut(ctx, found)
	return api.Page[cs.PhysicalNetwork]{Count: total, Items: items}, err
}

func (t Translator) physicalsOut(ctx context.Context, all []physnet.Network) ([]cs.PhysicalNetwork, error) {
	l := look.In(t.DB.Read())
	zones := look.Related(ctx, l, len(all), func(i int) uid.Zone { return all[i].Zone }, zone.Names)
	if l.Err != nil {
		return nil, l.Err
	}
	out := make([]cs.PhysicalNetwork, len(all))
	for i, p := range all {
		out[i] = cs.PhysicalNetwork{
			ID: p.ID, Name: p.Name, ZoneID: p.Zone, ZoneName: zones[p.Zone], State: string(p.State), BroadcastDomainRange: p.BroadcastRange,
			DomainID: p.Domain, IsolationMethods: p.Isolation, NetworkSpeed: p.Speed, Tags: p.Tags, VLAN: p.VLANs,
		}
	}
	return out, t.Owned.Pending(ctx, len(all), func(i int) (string, *cs.Pending) { return string(all[i].ID), &out[i].Pending })
}

func (t Translator) addTrafficType(ctx context.Context, in cs.AddTrafficTypeIn) (api.Started, error) {
	id, job, err := t.PhysNets.AddTraffic(ctx, physnet.AddTrafficIn{
		Physical: in.PhysicalNetworkID, Type: in.TrafficType, VLAN: in.VLAN,
		TrafficLabels: physnet.TrafficLabels{KVM: in.KVM, Xen: in.Xen, VMware: in.VMware, HyperV: in.HyperV, OVM3: in.OVM3},
	})
	return api.Started{ID: string(id), JobID: job}, err
}

func (t Translator) listTrafficTypes(ctx context.Context, in cs.ListTrafficTypesIn) (none api.Page[cs.TrafficType], err error) {
	filter := physnet.TrafficFilter{Physical: in.PhysicalNetworkID, Keyword: in.Keyword}
	filter.Offset, filter.Limit = look.Window(in.Paging)
	found, total, err := t.PhysNets.Traffics(ctx, filter)
	if err != nil {
		return none, err
	}
	items, err := t.trafficsOut(ctx, found)
	return api.Page[cs.TrafficType]{Count: total, Items: items}, err
}

func (t Translator) trafficsOut(ctx context.Context, all []physnet.Traffic) ([]cs.TrafficType, error) {
	out := make([]cs.TrafficType, len(all))
	for i, t := range all {
		out[i] = cs.TrafficType{
			ID: t.ID, PhysicalNetworkID: t.Physical, TrafficType: t.Type, KVM: t.KVM, Xen: t.Xen, VMware: t.VMware, HyperV: t.HyperV, OVM3: t.OVM3,
		}
	}
	return out, t.Owned.Pending(ctx, len(all), func(i int) (string, *cs.Pending) { return string(all[i].ID), &out[i].Pending })
}
