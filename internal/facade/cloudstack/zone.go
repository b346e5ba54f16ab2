package cloudstack

import (
	"context"
	"slices"
	"strconv"

	"github.com/virga-cloud/virga/api"
	cs "github.com/virga-cloud/virga/api/cloudstack"
	"github.com/virga-cloud/virga/internal/auth"
	"github.com/virga-cloud/virga/internal/compute"
	"github.com/virga-cloud/virga/internal/zone"
	"github.com/virga-cloud/virga/uid"
)

func (f *Facade) registerZones(m *api.Mux) {
	api.HandleList(m, cs.ListZones, f.listZones)
	api.HandleList(m, cs.ListPods, f.listPods)
	api.HandleList(m, cs.ListClusters, f.listClusters)
	api.HandleList(m, cs.ListHypervisors, f.listHypervisors)
}

// listZones shows tenants only the zones that are open to them: a disabled one is being built or repaired.
func (f *Facade) listZones(ctx context.Context, in cs.ListZonesIn) (api.Page[cs.Zone], error) {
	ids, err := idsOf(in.ID, in.IDs)
	if err != nil {
		return api.Page[cs.Zone]{}, err
	}
	caller := auth.From(ctx)
	if in.Available != nil && !*in.Available {
		used, err := compute.ZonesOf(ctx, f.DB.Read(), caller.Account)
		if len(ids) > 0 {
			used = slices.DeleteFunc(used, func(id uid.Zone) bool { return !slices.Contains(ids, id) })
		}
		if err != nil || len(used) == 0 {
			return api.Page[cs.Zone]{}, err
		}
		ids = used
	}
	filter := zone.Filter{IDs: texts(ids), Name: in.Name, NetworkType: zone.NetworkType(in.NetworkType), Keyword: in.Keyword}
	if !cs.Infrastructure.Allows(roleOf(caller)) {
		filter.Allocation = zone.Enabled
	}
	filter.Offset, filter.Limit = window(in.Paging)
	zones, total, err := f.Zones.Zones(ctx, filter)
	return pageOf(zones, total, func(z zone.Zone) cs.Zone {
		return cs.Zone{
			ID: z.ID, Name: z.Name, DNS1: z.DNS1, DNS2: z.DNS2, InternalDNS1: z.InternalDNS1, InternalDNS2: z.InternalDNS2,
			GuestCIDR: z.GuestCIDR, NetworkDomain: z.NetworkDomain, NetworkType: string(z.NetworkType), SecurityGroups: z.SecurityGroups,
			AllocationState: string(z.Allocation), LocalStorage: z.LocalStorage,
		}
	}), err
}

func (f *Facade) listPods(ctx context.Context, in cs.ListPodsIn) (api.Page[cs.Pod], error) {
	filter := zone.Filter{Zone: in.ZoneID, Name: in.Name, Allocation: zone.Allocation(in.AllocationState), Keyword: in.Keyword}
	filter.IDs = texts(distinct(1, func(int) uid.Pod { return in.ID }))
	filter.Offset, filter.Limit = window(in.Paging)
	pods, total, err := f.Zones.Pods(ctx, filter)
	if err != nil {
		return api.Page[cs.Pod]{}, err
	}
	l := lookIn(f.DB.Read())
	zones := related(ctx, l, len(pods), func(i int) uid.Zone { return pods[i].Zone }, zone.Names)
	return pageOf(pods, total, func(p zone.Pod) cs.Pod {
		return cs.Pod{
			ID: p.ID, Name: p.Name, ZoneID: p.Zone, ZoneName: zones[p.Zone], Gateway: p.Gateway, Netmask: p.Netmask,
			StartIP: []string{p.StartIP}, EndIP: []string{p.EndIP}, AllocationState: string(p.Allocation),
		}
	}), l.err
}

func (f *Facade) listClusters(ctx context.Context, in cs.ListClustersIn) (api.Page[cs.Cluster], error) {
	filter := zone.Filter{
		Zone: in.ZoneID, Pod: in.PodID, Name: in.Name, Hypervisor: in.Hypervisor, Allocation: zone.Allocation(in.AllocationState),
		Keyword: in.Keyword,
	}
	filter.IDs = texts(distinct(1, func(int) uid.Cluster { return in.ID }))
	filter.Offset, filter.Limit = window(in.Paging)
	clusters, total, err := f.Zones.Clusters(ctx, filter)
	if err != nil {
		return api.Page[cs.Cluster]{}, err
	}
	l := lookIn(f.DB.Read())
	zones := related(ctx, l, len(clusters), func(i int) uid.Zone { return clusters[i].Zone }, zone.Names)
	pods := related(ctx, l, len(clusters), func(i int) uid.Pod { return clusters[i].Pod }, zone.PodNames)
	return pageOf(clusters, total, func(c zone.Cluster) cs.Cluster {
		return cs.Cluster{
			ID: c.ID, Name: c.Name, PodID: c.Pod, PodName: pods[c.Pod], ZoneID: c.Zone, ZoneName: zones[c.Zone], Hypervisor: c.Hypervisor,
			Type: c.Type, AllocationState: string(c.Allocation), ManagedState: c.Managed,
			CPUOvercommit: ratio(c.CPUOvercommit), MemoryOvercommit: ratio(c.MemoryOvercommit),
		}
	}), l.err
}

// ratio is a factor as a decimal number: 1, or 1.5.
func ratio(x float64) string { return strconv.FormatFloat(x, 'f', -1, 64) }

func (f *Facade) listHypervisors(ctx context.Context, in cs.ListHypervisorsIn) (api.Page[cs.Hypervisor], error) {
	names, err := f.Zones.Hypervisors(ctx, in.ZoneID)
	return pageOf(names, len(names), func(name string) cs.Hypervisor { return cs.Hypervisor{Name: name} }), err
}
