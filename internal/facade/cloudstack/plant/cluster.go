package plant

import (
	"context"
	"slices"

	"github.com/virga-cloud/virga/api"
	cs "github.com/virga-cloud/virga/api/cloudstack"
	"github.com/virga-cloud/virga/internal/capacity"
	"github.com/virga-cloud/virga/internal/facade/cloudstack/look"
	"github.com/virga-cloud/virga/internal/fault"
	"github.com/virga-cloud/virga/internal/zone"
	"github.com/virga-cloud/virga/uid"
)

func (t Translator) registerClusters(m *api.Mux) {
	api.HandleCreateList(m, cs.AddCluster, t.addCluster, look.Show(t.DB.Read, zone.ClustersByID, t.clustersOut))
	api.HandleCall(m, cs.UpdateCluster, t.updateCluster)
	api.HandleCall(m, cs.DeleteCluster, t.deleteCluster)
	api.HandleList(m, cs.ListClusters, t.listClusters)
}

func (t Translator) addCluster(ctx context.Context, in cs.AddClusterIn) (uid.Cluster, error) {
	for _, p := range []struct{ name, value string }{
		{"url", in.URL}, {"username", in.Username}, {"password", in.Password}, {"guestvswitchtype", in.GuestSwitch},
		{"publicvswitchtype", in.PublicSwitch}, {"vsmipaddress", in.VSMAddress}, {"vsmusername", in.VSMUsername}, {"vsmpassword", in.VSMPassword},
	} {
		if p.value != "" {
			return "", fault.Invalidf("%s is for VMware clusters, which this cloud does not drive; leave it out for one of %s", p.name, in.Hypervisor)
		}
	}
	// "Not said" and 0 are the same on the wire: a ratio below 0 is what the service has to refuse.
	c, err := t.Zones.CreateCluster(ctx, zone.Cluster{
		Zone: in.ZoneID, Pod: in.PodID, Name: in.Name, Hypervisor: in.Hypervisor, Type: in.Type, Allocation: zone.Allocation(in.AllocationState),
		CPUOvercommit: in.CPUOvercommit, MemoryOvercommit: in.MemoryOvercommit,
	})
	return c.ID, err
}

func (t Translator) updateCluster(ctx context.Context, in cs.UpdateClusterIn) (cs.Cluster, error) {
	err := t.Hosts.UpdateCluster(ctx, in.ID, zone.ClusterChange{
		Name: in.Name, Hypervisor: in.Hypervisor, Type: in.Type, Managed: in.ManagedState, Allocation: (*zone.Allocation)(in.AllocationState),
		CPUOvercommit: in.CPUOvercommit, MemoryOvercommit: in.MemoryOvercommit,
	})
	if err != nil {
		return cs.Cluster{}, err
	}
	return look.Show(t.DB.Read, zone.ClustersByID, t.clustersOut)(ctx, in.ID)
}

func (t Translator) deleteCluster(ctx context.Context, in cs.DeleteClusterIn) (api.Success, error) {
	err := t.Zones.DeleteCluster(ctx, in.ID)
	return api.Success{Success: err == nil}, err
}

func (t Translator) listClusters(ctx context.Context, in cs.ListClustersIn) (api.Page[cs.Cluster], error) {
	filter := zone.Filter{
		Zone: in.ZoneID, Pod: in.PodID, Name: in.Name, Hypervisor: in.Hypervisor, Allocation: zone.Allocation(in.AllocationState),
		Type: in.Type, Managed: in.ManagedState, Keyword: in.Keyword,
	}
	filter.IDs = look.Texts(look.Distinct(1, func(int) uid.Cluster { return in.ID }))
	filter.Offset, filter.Limit = look.Window(in.Paging)
	clusters, total, err := t.Zones.Clusters(ctx, filter)
	if err != nil {
		return api.Page[cs.Cluster]{}, err
	}
	out, err := t.clustersOut(ctx, clusters)
	if err == nil && in.ShowCapacities && len(clusters) > 0 {
		ids := look.Distinct(len(clusters), func(i int) uid.Cluster { return clusters[i].ID })
		err = t.capacitiesOf(ctx, capacity.Filter{Level: capacity.OfClusters, Clusters: ids}, func(c cs.Capacity) {
			i := slices.IndexFunc(out, func(o cs.Cluster) bool { return o.ID == c.ClusterID })
			out[i].Capacity = append(out[i].Capacity, c)
		})
	}
	return api.Page[cs.Cluster]{Count: total, Items: out}, err
}

func (t Translator) clustersOut(ctx context.Context, clusters []zone.Cluster) ([]cs.Cluster, error) {
	l := look.In(t.DB.Read())
	zones := look.Related(ctx, l, len(clusters), func(i int) uid.Zone { return clusters[i].Zone }, zone.Names)
	pods := look.Related(ctx, l, len(clusters), func(i int) uid.Pod { return clusters[i].Pod }, zone.PodNames)
	out := make([]cs.Cluster, len(clusters))
	for i, c := range clusters {
		out[i] = cs.Cluster{
			ID: c.ID, Name: c.Name, PodID: c.Pod, PodName: pods[c.Pod], ZoneID: c.Zone, ZoneName: zones[c.Zone], Hypervisor: c.Hypervisor,
			Type: c.Type, AllocationState: string(c.Allocation), ManagedState: c.Managed,
			CPUOvercommit: ratio(c.CPUOvercommit), MemoryOvercommit: ratio(c.MemoryOvercommit),
		}
	}
	return out, l.Err
}
