package cloudstack

import (
	"context"

	"github.com/virga-cloud/virga/api"
	cs "github.com/virga-cloud/virga/api/cloudstack"
	"github.com/virga-cloud/virga/internal/fault"
	"github.com/virga-cloud/virga/internal/host"
	"github.com/virga-cloud/virga/internal/hypervisor"
	"github.com/virga-cloud/virga/internal/zone"
)

func (f *Facade) registerSimulator(m *api.Mux) {
	api.HandleCall(m, cs.ConfigureSimulator, f.configureSimulator)
	api.HandleCall(m, cs.ResetSandbox, f.resetSandbox)
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
