package plant

import (
	"context"

	"github.com/virga-cloud/virga/api"
	cs "github.com/virga-cloud/virga/api/cloudstack"
	"github.com/virga-cloud/virga/internal/facade/cloudstack/look"
	"github.com/virga-cloud/virga/internal/pool"
	"github.com/virga-cloud/virga/internal/zone"
	"github.com/virga-cloud/virga/uid"
)

func (t Translator) registerPools(m *api.Mux) {
	api.HandleCreate(m, cs.CreateStoragePool, t.createPool, look.Show(t.DB.Read, pool.ByID, t.poolsOut))
	api.HandleCall(m, cs.DeleteStoragePool, t.deletePool)
	api.HandleList(m, cs.ListStoragePools, t.listPools)
}

func (t Translator) createPool(ctx context.Context, in cs.CreateStoragePoolIn) (uid.Pool, error) {
	p, err := t.Pools.Create(ctx, pool.Pool{
		Zone: in.ZoneID, Pod: in.PodID, Cluster: in.ClusterID, Name: in.Name, Hypervisor: in.Hypervisor, URL: in.URL, Scope: in.Scope,
		BytesPhysical: in.CapacityBytes, Tags: in.Tags, Provider: in.Provider, Details: in.Details,
	})
	return p.ID, err
}

func (t Translator) deletePool(ctx context.Context, in cs.DeleteStoragePoolIn) (api.Success, error) {
	err := t.Pools.Delete(ctx, in.ID, in.Forced)
	return api.Success{Success: err == nil}, err
}

func (t Translator) listPools(ctx context.Context, in cs.ListStoragePoolsIn) (api.Page[cs.StoragePool], error) {
	filter := pool.Filter{
		ID: in.ID, Zone: in.ZoneID, Pod: in.PodID, Cluster: in.ClusterID, Host: in.HostID, Name: in.Name, Address: in.IPAddress, Path: in.Path,
		Scope: in.Scope, State: in.Status, Keyword: in.Keyword,
	}
	filter.Offset, filter.Limit = look.Window(in.Paging)
	pools, total, err := t.Pools.List(ctx, filter)
	if err != nil {
		return api.Page[cs.StoragePool]{}, err
	}
	out, err := t.poolsOut(ctx, pools)
	return api.Page[cs.StoragePool]{Count: total, Items: out}, err
}

func (t Translator) poolsOut(ctx context.Context, pools []pool.Pool) ([]cs.StoragePool, error) {
	l := look.In(t.DB.Read())
	zones := look.Related(ctx, l, len(pools), func(i int) uid.Zone { return pools[i].Zone }, zone.Names)
	pods := look.Related(ctx, l, len(pools), func(i int) uid.Pod { return pools[i].Pod }, zone.PodNames)
	clusters := look.Related(ctx, l, len(pools), func(i int) uid.Cluster { return pools[i].Cluster }, zone.ClusterNames)
	out := make([]cs.StoragePool, len(pools))
	for i, p := range pools {
		out[i] = cs.StoragePool{
			ID: p.ID, Name: p.Name, ZoneID: p.Zone, ZoneName: zones[p.Zone], PodID: p.Pod, PodName: pods[p.Pod], ClusterID: p.Cluster,
			ClusterName: clusters[p.Cluster], Hypervisor: p.Hypervisor, Scope: p.Scope, State: p.State, Type: p.Type, IPAddress: p.Address,
			Path: p.Path, Provider: p.Provider, Tags: p.Tags, Total: p.BytesPhysical, Allocated: p.BytesUsed, Used: min(p.BytesUsed, p.BytesPhysical),
			Factor: ratio(t.Pools.Factor(p)), Details: p.Details, Created: api.At(p.Created),
		}
	}
	return out, l.Err
}
