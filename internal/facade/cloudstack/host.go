package cloudstack

import (
	"context"

	"github.com/virga-cloud/virga/api"
	cs "github.com/virga-cloud/virga/api/cloudstack"
	"github.com/virga-cloud/virga/internal/auth"
	"github.com/virga-cloud/virga/internal/compute"
	"github.com/virga-cloud/virga/internal/facade/cloudstack/look"
	"github.com/virga-cloud/virga/internal/fault"
	"github.com/virga-cloud/virga/internal/host"
	"github.com/virga-cloud/virga/internal/hypervisor"
	"github.com/virga-cloud/virga/internal/image"
	"github.com/virga-cloud/virga/internal/zone"
	"github.com/virga-cloud/virga/uid"
)

func (f *Facade) registerHosts(m *api.Mux) {
	one := look.Show(f.DB.Read, host.ByID, f.hostsOut)
	api.HandleCreateList(m, cs.AddHost, f.addHost, one)
	api.HandleCall(m, cs.UpdateHost, f.updateHost)
	api.HandleCall(m, cs.DeleteHost, f.deleteHost)
	api.HandleJob(m, cs.ReconnectHost, f.reconnectHost, func(ctx context.Context, subject string) (cs.Host, error) {
		return one(ctx, uid.Host(subject))
	})
	api.HandleList(m, cs.ListHosts, f.listHosts)
	api.HandleCall(m, cs.ConfigureSimulator, f.configureSimulator)
	api.HandleCall(m, cs.ResetSandbox, f.resetSandbox)
}

func (f *Facade) addHost(ctx context.Context, in cs.AddHostIn) (uid.Host, error) {
	return f.Hosts.Join(ctx, host.JoinIn{
		Zone: in.ZoneID, Pod: in.PodID, Cluster: in.ClusterID, ClusterName: in.ClusterName, Hypervisor: in.Hypervisor, URL: in.URL,
		Tags: in.HostTags, State: host.ResourceState(in.AllocationState),
	})
}

func (f *Facade) updateHost(ctx context.Context, in cs.UpdateHostIn) (cs.Host, error) {
	change := host.Change{Name: in.Name, URL: in.URL, Tags: in.HostTags}
	if in.AllocationState != "" {
		change.Enable = new(in.AllocationState == "Enable")
	}
	if in.OSCategoryID != "" {
		known, err := image.OSCategoryNames(ctx, f.DB.Read(), []uid.OSCategory{in.OSCategoryID})
		if err != nil {
			return cs.Host{}, err
		}
		if known[in.OSCategoryID] == "" {
			return cs.Host{}, fault.Missing(in.OSCategoryID)
		}
		change.OSCategory = &in.OSCategoryID
	}
	if err := f.Hosts.Update(ctx, in.ID, change); err != nil {
		return cs.Host{}, err
	}
	return look.Show(f.DB.Read, host.ByID, f.hostsOut)(ctx, in.ID)
}

func (f *Facade) deleteHost(ctx context.Context, in cs.DeleteHostIn) (api.Success, error) {
	err := f.Hosts.Delete(ctx, in.ID, host.DeleteIn{Forced: in.Forced, DestroyLocal: in.DestroyLocal})
	return api.Success{Success: err == nil}, err
}

func (f *Facade) reconnectHost(ctx context.Context, in cs.ReconnectHostIn) (api.Started, error) {
	job, err := f.Hosts.Reconnect(ctx, in.ID)
	return api.Started{JobID: job}, err
}

func (f *Facade) listHosts(ctx context.Context, in cs.ListHostsIn) (api.Page[cs.Host], error) {
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
		if vm, err = f.neighbours(ctx, in.VMID, &filter); err != nil {
			return api.Page[cs.Host]{}, err
		}
	}
	filter.Offset, filter.Limit = look.Window(in.Paging)
	hosts, total, err := f.Hosts.List(ctx, filter)
	if err != nil {
		return api.Page[cs.Host]{}, err
	}
	out, err := f.hostsWith(ctx, hosts, parts)
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
func (f *Facade) neighbours(ctx context.Context, id uid.VM, filter *host.Filter) (*compute.VM, error) {
	vms, _, err := f.Machines.List(ctx, compute.Filter{Scope: auth.From(ctx).Reach(), IDs: []uid.VM{id}})
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
	hosts, err := host.ByID(ctx, f.DB.Read(), []uid.Host{at})
	if err != nil {
		return nil, err
	}
	if filter.Cluster != "" && filter.Cluster != hosts[at].Cluster {
		return nil, fault.Invalidf("virtual machine %q is in another cluster than clusterid says", vm.Name)
	}
	filter.Cluster = hosts[at].Cluster
	return &vm, nil
}

func (f *Facade) resetSandbox(ctx context.Context, _ cs.ResetSandboxIn) (api.Success, error) {
	if f.Reset == nil {
		return api.Success{}, fault.Conflictf("this server is not a sandbox: only the cloud of \"virga dev\" is put back to its beginning")
	}
	err := f.Reset(ctx)
	return api.Success{Success: err == nil}, err
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
