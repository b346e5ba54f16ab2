package cloud

import (
	"cmp"
	"context"
	"fmt"
	"strings"

	"github.com/virga-cloud/virga/internal/alert"
	"github.com/virga-cloud/virga/internal/auth"
	"github.com/virga-cloud/virga/internal/capacity"
	"github.com/virga-cloud/virga/internal/db"
	"github.com/virga-cloud/virga/internal/host"
	"github.com/virga-cloud/virga/internal/op"
	"github.com/virga-cloud/virga/internal/pool"
	"github.com/virga-cloud/virga/internal/setting"
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
	scarce, err := cl.scarce(ctx)
	if err != nil {
		return fmt.Errorf("sum up capacity: %w", err)
	}
	stuck, err := cl.stuckJobs(ctx)
	if err != nil {
		return fmt.Errorf("look for stuck jobs: %w", err)
	}
	scarce[alert.CPU], scarce[alert.Memory], scarce[alert.StorageAllocated], scarce[alert.Management] = cpu, memory, storage, stuck
	for t, causes := range scarce {
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

// scarceness is a kind of capacity that is watched.
type scarceness struct {
	alert alert.Type
	kind  capacity.Kind
	level capacity.Level
	what  string
	most  setting.Key[float64]
}

var scarcenesses = []scarceness{
	{alert.PublicIP, capacity.PublicIP, capacity.OfZones, "public addresses", setting.PublicIPNotifyThreshold},
	{alert.SharedIP, capacity.SharedIP, capacity.OfZones, "addresses of shared networks", setting.SharedIPNotifyThreshold},
	{alert.VLAN, capacity.VLAN, capacity.OfZones, "VLANs", setting.VLANNotifyThreshold},
	{alert.Secondary, capacity.Secondary, capacity.OfZones, "bytes of secondary storage", setting.SecondaryNotifyThreshold},
	{alert.PodIP, capacity.PodIP, capacity.OfPods, "management addresses", setting.PodIPNotifyThreshold},
	{alert.Storage, capacity.Storage, capacity.OfClusters, "bytes of storage", setting.UsedStorageNotifyThreshold},
	{alert.LocalStorage, capacity.LocalStorage, capacity.OfClusters, "bytes of local storage", setting.LocalStorageNotifyThreshold},
}

// scarce gives what runs out in zones, pods and clusters.
func (cl *Cloud) scarce(ctx context.Context) (map[alert.Type][]alert.Cause, error) {
	out := map[alert.Type][]alert.Cause{}
	for _, one := range scarcenesses {
		found, err := capacity.Of(ctx, cl.DB.Read(), capacity.Filter{Kind: &one.kind, Level: one.level})
		if err != nil {
			return nil, err
		}
		var full fullness
		for _, c := range found {
			place := cmp.Or(string(c.Cluster), string(c.Pod), string(c.Zone))
			full.look(place, place, one.what, c.Used, c.Total, one.most.Of(cl.Settings, setting.InCluster(c.Cluster)))
		}
		if err := cl.name(ctx, one.level, full); err != nil {
			return nil, err
		}
		out[one.alert] = full
	}
	return out, nil
}

// name gives the places of causes their names, in the place of their ids.
func (cl *Cloud) name(ctx context.Context, l capacity.Level, full fullness) error {
	if len(full) == 0 {
		return nil
	}
	table := map[capacity.Level]string{capacity.OfZones: "zones", capacity.OfPods: "pods", capacity.OfClusters: "clusters"}[l]
	ids := make([]string, len(full))
	for i, c := range full {
		ids[i] = c.Subject
	}
	names, err := db.Names(ctx, cl.DB.Read(), table, "name", ids)
	for i, c := range full {
		full[i].Description = strings.TrimSuffix(table, "s") + " " + names[c.Subject] + strings.TrimPrefix(c.Description, c.Subject)
	}
	return err
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
