package plant

import (
	"context"

	"github.com/virga-cloud/virga/api"
	cs "github.com/virga-cloud/virga/api/cloudstack"
	"github.com/virga-cloud/virga/internal/auth"
	"github.com/virga-cloud/virga/internal/compute"
	"github.com/virga-cloud/virga/internal/facade/cloudstack/look"
	"github.com/virga-cloud/virga/internal/fault"
	"github.com/virga-cloud/virga/internal/host"
	"github.com/virga-cloud/virga/internal/image"
	"github.com/virga-cloud/virga/uid"
)

func (t Translator) registerHosts(m *api.Mux) {
	one := look.Show(t.DB.Read, host.ByID, t.hostsOut)
	api.HandleCreateList(m, cs.AddHost, t.addHost, one)
	api.HandleCall(m, cs.UpdateHost, t.updateHost)
	api.HandleCall(m, cs.DeleteHost, t.deleteHost)
	shown := func(ctx context.Context, subject string) (cs.Host, error) { return one(ctx, uid.Host(subject)) }
	api.HandleJob(m, cs.ReconnectHost, t.reconnectHost, shown)
	api.HandleJob(m, cs.PrepareHostForMaintenance, func(ctx context.Context, in cs.PrepareHostForMaintenanceIn) (api.Started, error) {
		job, err := t.Hosts.Maintain(ctx, in.ID)
		return api.Started{JobID: job}, err
	}, shown)
	api.HandleJob(m, cs.CancelHostMaintenance, func(ctx context.Context, in cs.CancelHostMaintenanceIn) (api.Started, error) {
		job, err := t.Hosts.EndMaintenance(ctx, in.ID)
		return api.Started{JobID: job}, err
	}, shown)
	api.HandleList(m, cs.ListHosts, t.listHosts)
	api.HandleList(m, cs.FindHostsForMigration, t.findHosts)
}

// findHosts shows where a machine could be moved to.
func (t Translator) findHosts(ctx context.Context, in cs.FindHostsForMigrationIn) (api.Page[cs.HostForMigration], error) {
	among, err := t.Machines.Destinations(ctx, in.VMID)
	if err != nil {
		return api.Page[cs.HostForMigration]{}, err
	}
	filter := host.Filter{Zone: among.Zone, Hypervisor: among.Hypervisor, Except: among.From, Type: "Routing", Keyword: in.Keyword}
	filter.Offset, filter.Limit = look.Window(in.Paging)
	hosts, total, err := t.Hosts.List(ctx, filter)
	if err != nil {
		return api.Page[cs.HostForMigration]{}, err
	}
	shown, err := t.hostsOut(ctx, hosts)
	if err != nil {
		return api.Page[cs.HostForMigration]{}, err
	}
	ids := make([]uid.Host, len(hosts))
	for i, h := range hosts {
		ids[i] = h.ID
	}
	fits, err := t.Machines.Fits(ctx, in.VMID, ids)
	out := make([]cs.HostForMigration, len(hosts))
	for i, h := range hosts {
		f := fits[h.ID]
		out[i] = cs.HostForMigration{Host: shown[i], StorageMotion: f.Copies, Obstacle: f.Why}
		out[i].Suitable, out[i].EnoughCapacity = &f.OK, new(h.HasRoom(among.Need))
	}
	return api.Page[cs.HostForMigration]{Count: total, Items: out}, err
}

func (t Translator) addHost(ctx context.Context, in cs.AddHostIn) (uid.Host, error) {
	return t.Agents.AddHost(ctx, host.JoinIn{
		Zone: in.ZoneID, Pod: in.PodID, Cluster: in.ClusterID, ClusterName: in.ClusterName, Hypervisor: in.Hypervisor, URL: in.URL,
		Tags: in.HostTags, State: host.ResourceState(in.AllocationState),
	})
}

func (t Translator) updateHost(ctx context.Context, in cs.UpdateHostIn) (cs.Host, error) {
	change := host.Change{Name: in.Name, URL: in.URL, Tags: in.HostTags}
	if in.AllocationState != "" {
		change.Enable = new(in.AllocationState == "Enable")
	}
	if in.OSCategoryID != "" {
		known, err := image.OSCategoryNames(ctx, t.DB.Read(), []uid.OSCategory{in.OSCategoryID})
		if err != nil {
			return cs.Host{}, err
		}
		if known[in.OSCategoryID] == "" {
			return cs.Host{}, fault.Missing(in.OSCategoryID)
		}
		change.OSCategory = &in.OSCategoryID
	}
	if err := t.Hosts.Update(ctx, in.ID, change); err != nil {
		return cs.Host{}, err
	}
	return look.Show(t.DB.Read, host.ByID, t.hostsOut)(ctx, in.ID)
}

func (t Translator) deleteHost(ctx context.Context, in cs.DeleteHostIn) (api.Success, error) {
	err := t.Hosts.Delete(ctx, in.ID, host.DeleteIn{Forced: in.Forced, DestroyLocal: in.DestroyLocal})
	return api.Success{Success: err == nil}, err
}

func (t Translator) reconnectHost(ctx context.Context, in cs.ReconnectHostIn) (api.Started, error) {
	job, err := t.Hosts.Reconnect(ctx, in.ID)
	return api.Started{JobID: job}, err
}

func (t Translator) listHosts(ctx context.Context, in cs.ListHostsIn) (api.Page[cs.Host], error) {
	parts, err := hostPartsOf(in.Details)
	if err != nil || in.HAHost != nil && *in.HAHost { // none is kept free for that
		return api.Page[cs.Host]{}, err
	}
	filter := host.Filter{
		ID: in.ID, Zone: in.ZoneID, Pod: in.PodID, Cluster: in.ClusterID, Name: in.Name, Type: in.Type, State: host.State(in.State),
		ResourceState: host.ResourceState(in.ResourceState), Hypervisor: in.Hypervisor, Keyword: in.Keyword,
	}
	var vm *compute.VM
	if in.VMID != "" {
		if vm, err = t.neighbours(ctx, in.VMID, &filter); err != nil {
			return api.Page[cs.Host]{}, err
		}
	}
	filter.Offset, filter.Limit = look.Window(in.Paging)
	hosts, total, err := t.Hosts.List(ctx, filter)
	if err != nil {
		return api.Page[cs.Host]{}, err
	}
	out, err := t.hostsWith(ctx, hosts, parts)
	for i := range out {
		if vm != nil {
			need := host.Need{CPU: int64(vm.CPUNumber) * int64(vm.CPUSpeed), Memory: int64(vm.MemoryMB)}
			out[i].EnoughCapacity = new(hosts[i].ID == vm.Host || hosts[i].HasRoom(need))
			out[i].Suitable = new(hosts[i].ID != vm.Host && hosts[i].Fits(need))
		}
	}
	return api.Page[cs.Host]{Count: total, Items: out}, err
}

// neighbours keeps the hosts of the cluster that a machine is in, or was in last.
func (t Translator) neighbours(ctx context.Context, id uid.VM, filter *host.Filter) (*compute.VM, error) {
	vms, _, err := t.Machines.List(ctx, compute.Filter{Scope: auth.From(ctx).Reach(), IDs: []uid.VM{id}})
	if err != nil {
		return nil, err
	}
	if len(vms) == 0 {
		return nil, fault.Missing(id)
	}
	vm := vms[0]
	at := vm.Host
	if at == "" {
		at = vm.LastHost
	}
	if at == "" {
		return nil, fault.Conflictf("virtual machine %q has never been on a host, so it is in no cluster", vm.Name)
	}
	hosts, err := host.ByID(ctx, t.DB.Read(), []uid.Host{at})
	if err != nil {
		return nil, err
	}
	if filter.Cluster != "" && filter.Cluster != hosts[at].Cluster {
		return nil, fault.Invalidf("virtual machine %q is in another cluster than clusterid says", vm.Name)
	}
	filter.Cluster = hosts[at].Cluster
	return &vm, nil
}
