package cloud

import (
	"context"
	"fmt"

	"github.com/virga-cloud/virga/internal/alert"
	"github.com/virga-cloud/virga/internal/auth"
	"github.com/virga-cloud/virga/internal/capacity"
	"github.com/virga-cloud/virga/internal/host"
	"github.com/virga-cloud/virga/internal/op"
	"github.com/virga-cloud/virga/internal/pool"
	"github.com/virga-cloud/virga/internal/setting"
	"github.com/virga-cloud/virga/internal/zone"
	"github.com/virga-cloud/virga/uid"
)

// watch looks how full clusters, pools and public ranges are, and for jobs that are stuck, and keeps the alerts about it.
func (cl *Cloud) watch(ctx context.Context) error {
	clusters, err := host.Use(ctx, cl.DB.Read())
	if err != nil {
		return fmt.Errorf("sum up the hosts: %w", err)
	}
	var cpu, memory, storage fullness
	for _, c := range clusters {
		at, what := setting.InCluster(c.Cluster), "cluster "+c.Name
		cpu.look(string(c.Cluster), what, "MHz of CPU", c.CPUUsed, c.CPUTotal, setting.CPUNotifyThreshold.Of(cl.Settings, at))
		memory.look(string(c.Cluster), what, "MB of memory", c.MemoryUsed, c.MemoryTotal, setting.MemoryNotifyThreshold.Of(cl.Settings, at))
	}
	pools, err := pool.Use(ctx, cl.DB.Read())
	if err != nil {
		return fmt.Errorf("sum up the storage pools: %w", err)
	}
	for _, p := range pools {
		most := setting.StorageNotifyThreshold.Of(cl.Settings, setting.InCluster(p.Cluster))
		storage.look(string(p.ID), "storage pool "+p.Name, "GB of space", p.Used>>30, p.Total>>30, most)
	}
	addresses, err := cl.publicAddresses(ctx)
	if err != nil {
		return fmt.Errorf("sum up the public addresses: %w", err)
	}
	stuck, err := cl.stuckJobs(ctx)
	if err != nil {
		return fmt.Errorf("look for stuck jobs: %w", err)
	}
	for t, causes := range map[alert.Type][]alert.Cause{
		alert.CPU: cpu, alert.Memory: memory, alert.StorageAllocated: storage, alert.PublicIP: addresses, alert.Management: stuck,
	} {
		if err := alert.Keep(ctx, cl.DB, t, causes); err != nil {
			return err
		}
	}
	return nil
}

// fullness is what is nearly full.
type fullness []alert.Cause

// look notes a thing of which more is given away than operators want to be silent about.
func (f *fullness) look(subject, what, unit string, used, total int64, most float64) {
	if total <= 0 || float64(used) <= most*float64(total) {
		return
	}
	*f = append(*f, alert.Cause{Subject: subject, Description: fmt.Sprintf("%s is nearly full: %d of %d %s are given away, %.0f %%",
		what, used, total, unit, 100*float64(used)/float64(total))})
}

// publicAddresses gives the zones whose public addresses run out.
func (cl *Cloud) publicAddresses(ctx context.Context) (fullness, error) {
	kind := capacity.PublicIP
	found, err := capacity.Of(ctx, cl.DB.Read(), capacity.Filter{Kind: &kind})
	if err != nil {
		return nil, err
	}
	ids := make([]uid.Zone, len(found))
	for i, c := range found {
		ids[i] = c.Zone
	}
	names, err := zone.Names(ctx, cl.DB.Read(), ids)
	var full fullness
	for _, c := range found {
		full.look(string(c.Zone), "zone "+names[c.Zone], "public addresses", c.Used, c.Total, setting.PublicIPNotifyThreshold.Of(cl.Settings))
	}
	return full, err
}

// stuckJobs gives the jobs that wait for an operator.
func (cl *Cloud) stuckJobs(ctx context.Context) ([]alert.Cause, error) {
	jobs, _, err := op.List(ctx, cl.DB.Read(), op.Filter{Scope: auth.Scope{All: true}, OnlyStuck: true})
	causes := make([]alert.Cause, len(jobs))
	for i, j := range jobs {
		causes[i] = alert.Cause{
			Subject:     string(j.ID),
			Description: fmt.Sprintf("job %s (%s) is stuck in the undo of step %q: %s", j.ID, j.Command, j.StepName, j.FaultText),
		}
	}
	return causes, err
}
