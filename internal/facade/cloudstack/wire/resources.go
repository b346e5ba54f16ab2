package wire

import (
	"strconv"

	cs "github.com/virga-cloud/virga/api/cloudstack"
	"github.com/virga-cloud/virga/internal/limit"
)

// Resources shows what is used and may be. A kind that is not counted has no limit.
func Resources(counts limit.Counts) cs.Resources {
	var out cs.Resources
	var secondary *int64
	for _, to := range [...]struct {
		kind             limit.Kind
		limit, available *string
		total            **int64
	}{
		{limit.VMs, &out.VMLimit, &out.VMAvailable, &out.VMTotal},
		{limit.CPUs, &out.CPULimit, &out.CPUAvailable, &out.CPUTotal},
		{limit.MemoryMB, &out.MemoryLimit, &out.MemoryAvailable, &out.MemoryTotal},
		{limit.Volumes, &out.VolumeLimit, &out.VolumeAvailable, &out.VolumeTotal},
		{limit.PrimaryGB, &out.PrimaryStorageLimit, &out.PrimaryStorageAvailable, &out.PrimaryStorageTotal},
		{limit.Networks, &out.NetworkLimit, &out.NetworkAvailable, &out.NetworkTotal},
		{limit.PublicIPs, &out.IPLimit, &out.IPAvailable, &out.IPTotal},
		{limit.Templates, &out.TemplateLimit, &out.TemplateAvailable, &out.TemplateTotal},
		{limit.SecondaryGB, &out.SecondaryStorageLimit, &out.SecondaryStorageAvailable, &secondary},
		{limit.Snapshots, &out.SnapshotLimit, &out.SnapshotAvailable, &out.SnapshotTotal},
		{limit.Projects, &out.ProjectLimit, &out.ProjectAvailable, &out.ProjectTotal},
		{limit.VPCs, &out.VPCLimit, &out.VPCAvailable, &out.VPCTotal},
	} {
		count, counted := counts[to.kind]
		if !counted {
			count.Maximum = limit.Unlimited
		}
		*to.total, *to.limit, *to.available = new(count.Used), "Unlimited", "Unlimited"
		if count.Maximum != limit.Unlimited {
			*to.limit = strconv.FormatInt(count.Maximum, 10)
			*to.available = strconv.FormatInt(max(count.Maximum-count.Used, 0), 10)
		}
	}
	out.SecondaryStorageTotal = new(float64(*secondary))
	return out
}
