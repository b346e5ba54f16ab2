package cloudstack

import (
	"context"
	"math"
	"strconv"

	"github.com/virga-cloud/virga/api"
	cs "github.com/virga-cloud/virga/api/cloudstack"
	"github.com/virga-cloud/virga/internal/host"
	"github.com/virga-cloud/virga/internal/hypervisor"
	"github.com/virga-cloud/virga/internal/zone"
	"github.com/virga-cloud/virga/uid"
)

func (f *Facade) registerHosts(m *api.Mux) {
	api.HandleList(m, cs.ListHosts, f.listHosts)
	api.HandleCall(m, cs.ConfigureSimulator, f.configureSimulator)
}

func (f *Facade) listHosts(ctx context.Context, in cs.ListHostsIn) (api.Page[cs.Host], error) {
	filter := host.Filter{
		ID: in.ID, Zone: in.ZoneID, Pod: in.PodID, Cluster: in.ClusterID, Name: in.Name, Type: in.Type, State: host.State(in.State),
		ResourceState: host.ResourceState(in.ResourceState), Hypervisor: in.Hypervisor, Keyword: in.Keyword,
	}
	filter.Offset, filter.Limit = window(in.Paging)
	hosts, total, err := f.Hosts.List(ctx, filter)
	if err != nil {
		return api.Page[cs.Host]{}, err
	}
	l := lookIn(f.DB.Read())
	zones := related(ctx, l, len(hosts), func(i int) uid.Zone { return hosts[i].Zone }, zone.Names)
	pods := related(ctx, l, len(hosts), func(i int) uid.Pod { return hosts[i].Pod }, zone.PodNames)
	clusters := related(ctx, l, len(hosts), func(i int) uid.Cluster { return hosts[i].Cluster }, zone.ClustersByID)
	return pageOf(hosts, total, func(h host.Host) cs.Host {
		c := clusters[h.Cluster]
		out := cs.Host{
			ID: h.ID, Name: h.Name, State: string(h.State), ResourceState: string(h.ResourceState), Type: h.Type, Hypervisor: h.Hypervisor,
			IPAddress: h.IPAddress, ZoneID: h.Zone, ZoneName: zones[h.Zone], PodID: h.Pod, PodName: pods[h.Pod], ClusterID: h.Cluster,
			ClusterName: c.Name, ClusterType: c.Type, Tags: h.Tags, Version: h.Version, LastPinged: api.At(h.LastSeen), Created: api.At(h.Created),
		}
		capacityOut(&out, h, c)
		return out
	}), l.err
}

// capacityOut shows how much of a host is promised. A host's row holds what may be promised, overcommit included; what is
// really there follows from the factors of its cluster.
func capacityOut(out *cs.Host, h host.Host, c zone.Cluster) {
	const mb = 1 << 20
	out.CPUNumber, out.CPUSpeed = h.CPUCores, int64(h.CPUSpeed)
	out.CPUTotal, out.CPUAllocatedValue = strconv.FormatInt(h.CPUTotal, 10), h.CPUUsed
	out.CPUAllocated = share(h.CPUUsed, int64(h.CPUCores)*int64(h.CPUSpeed))
	out.CPUAllocatedPercentage = out.CPUAllocated
	out.CPUAllocatedShare = share(h.CPUUsed, h.CPUTotal)

	// The product was rounded down to whole MB; half an MB of doubt is left to the float.
	memory := int64(math.Ceil(float64(h.MemoryTotal)/max(c.MemoryOvercommit, 1) - 1e-6))
	out.MemoryTotal, out.MemoryOvercommitted = memory*mb, strconv.FormatInt(h.MemoryTotal*mb, 10)
	out.MemoryAllocated, out.MemoryAllocatedBytes = h.MemoryUsed*mb, h.MemoryUsed*mb
	out.MemoryAllocatedPercentage = share(h.MemoryUsed, memory)
}

// share is a part of a whole as clients show it: 40%, or 12.5%.
func share(part, whole int64) string {
	if whole == 0 {
		return "0%"
	}
	return strconv.FormatFloat(math.Round(float64(part)*10000/float64(whole))/100, 'f', -1, 64) + "%"
}

// configureSimulator refuses a scope that is not there: a rule for nothing would be a fault injection that tests nothing.
func (f *Facade) configureSimulator(ctx context.Context, in cs.ConfigureSimulatorIn) (api.Success, error) {
	rule, err := hypervisor.ParseRule(in.Name, in.Value, in.Count)
	if err != nil {
		return api.Success{}, err
	}
	rule.Zone, rule.Pod, rule.Cluster, rule.Host = in.ZoneID, in.PodID, in.ClusterID, in.HostID
	if in.ZoneID != "" {
		_, err = zone.Find(ctx, f.DB.Read(), in.ZoneID)
	}
	if in.PodID != "" && err == nil {
		_, err = zone.FindPod(ctx, f.DB.Read(), in.PodID)
	}
	if in.ClusterID != "" && err == nil {
		_, err = zone.FindCluster(ctx, f.DB.Read(), in.ClusterID)
	}
	if in.HostID != "" && err == nil {
		_, err = host.Find(ctx, f.DB.Read(), in.HostID)
	}
	if err == nil {
		err = f.Hosts.Script(ctx, rule)
	}
	return api.Success{Success: err == nil}, err
}
