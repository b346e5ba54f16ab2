package cloudstack

import (
	"context"
	"fmt"

	"github.com/virga-cloud/virga/api"
	cs "github.com/virga-cloud/virga/api/cloudstack"
	"github.com/virga-cloud/virga/internal/auth"
	"github.com/virga-cloud/virga/internal/compute"
	"github.com/virga-cloud/virga/internal/facade/cloudstack/front"
	"github.com/virga-cloud/virga/internal/facade/cloudstack/look"
	"github.com/virga-cloud/virga/internal/placement"
	"github.com/virga-cloud/virga/internal/pool"
	"github.com/virga-cloud/virga/internal/zone"
	"github.com/virga-cloud/virga/uid"
)

// tryMachine answers a deployment that is only to be tried. Who may not see hosts is told the outcome alone.
func (f *Facade) tryMachine(ctx context.Context, in compute.DeployIn) (api.Started, error) {
	run, err := f.Machines.TryDeploy(ctx, in)
	if err != nil {
		return api.Started{}, err
	}
	out := cs.Placement{Feasible: run.Feasible(), Summary: "there is room for this machine"}
	if !out.Feasible {
		out.Summary = run.Text
	}
	if !cs.Infrastructure.Allows(front.RoleOf(auth.From(ctx))) {
		return api.Started{DryRun: out}, nil
	}
	switch {
	case !out.Feasible && run.Detail != "":
		out.Summary += ": " + run.Detail
	case out.Feasible && run.Suitable < run.Considered:
		out.Summary += fmt.Sprintf(": %d would do of %s", run.Suitable, run.Detail)
	case out.Feasible:
		out.Summary += fmt.Sprintf(": all %d hosts would do", run.Considered)
	}
	out.Algorithm, out.Considered, out.Suitable = run.Algorithm, &run.Considered, &run.Suitable
	for _, g := range run.Groups {
		out.Groups = append(out.Groups, cs.PlacementDrop{Filter: g.Filter, Reason: g.Reason, Hosts: g.Hosts})
	}
	err = f.rankingOut(ctx, run, &out)
	return api.Started{DryRun: out}, err
}

// rankingOut shows the hosts of a dry run, with one query for each kind of thing that they name.
func (f *Facade) rankingOut(ctx context.Context, run compute.DryRun, out *cs.Placement) error {
	all := make([]placement.Dropped, 0, len(run.Hosts)+len(run.Dropped)) // as far as places go
	var chosen []uid.Pool
	for _, h := range run.Hosts {
		all, chosen = append(all, placement.Dropped{Pod: h.Pod, Cluster: h.Cluster}), append(chosen, h.Pools...)
	}
	all = append(all, run.Dropped...)
	l := look.In(f.DB.Read())
	pods := look.Related(ctx, l, len(all), func(i int) uid.Pod { return all[i].Pod }, zone.PodNames)
	clusters := look.Related(ctx, l, len(all), func(i int) uid.Cluster { return all[i].Cluster }, zone.ClusterNames)
	pools := look.Related(ctx, l, len(chosen), func(i int) uid.Pool { return chosen[i] }, pool.ByID)
	for i, h := range run.Hosts {
		one := cs.PlacementHost{
			Rank: i + 1, HostID: h.ID, HostName: h.Name, PodID: h.Pod, PodName: pods[h.Pod], ClusterID: h.Cluster, ClusterName: clusters[h.Cluster],
			Score: h.Score, Parts: []cs.PlacementPart{},
		}
		for _, p := range h.Parts {
			one.Parts = append(one.Parts, cs.PlacementPart{Name: p.Name, Value: p.Value, Weight: p.Weight})
		}
		for j, id := range h.Pools {
			one.Pools = append(one.Pools, cs.PlacementPool{Volume: string(run.Disks[j]), ID: id, Name: pools[id].Name})
		}
		out.Hosts = append(out.Hosts, one)
	}
	for _, h := range run.Dropped {
		out.Dropped = append(out.Dropped, cs.PlacementDrop{
			Filter: h.Filter, Reason: h.Reason, HostID: h.ID, HostName: h.Name, PodID: h.Pod, PodName: pods[h.Pod], ClusterID: h.Cluster,
			ClusterName: clusters[h.Cluster],
		})
	}
	return l.Err
}
