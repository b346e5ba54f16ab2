package wire

import (
	"strconv"

	cs "github.com/virga-cloud/virga/api/cloudstack"
	"github.com/virga-cloud/virga/internal/account"
)

// Resources shows what is used and may be. A kind that is not counted has no limit.
func Resources(counts account.Counts) cs.Resources {
	var out cs.Resources
	var secondary *int64
	for kind, to := range map[account.Kind]struct {
		limit, available *string
		total            **int64
	}{
		account.VMs:         {&out.VMLimit, &out.VMAvailable, &out.VMTotal},
		account.CPUs:        {&out.CPULimit, &out.CPUAvailable, &out.CPUTotal},
		account.MemoryMB:    {&out.MemoryLimit, &out.MemoryAvailable, &out.MemoryTotal},
		account.Volumes:     {&out.VolumeLimit, &out.VolumeAvailable, &out.VolumeTotal},
		account.PrimaryGB:   {&out.PrimaryStorageLimit, &out.PrimaryStorageAvailable, &out.PrimaryStorageTotal},
		account.Networks:    {&out.NetworkLimit, &out.NetworkAvailable, &out.NetworkTotal},
		account.PublicIPs:   {&out.IPLimit, &out.IPAvailable, &out.IPTotal},
		account.Templates:   {&out.TemplateLimit, &out.TemplateAvailable, &out.TemplateTotal},
		account.SecondaryGB: {&out.SecondaryStorageLimit, &out.SecondaryStorageAvailable, &secondary},
		account.Snapshots:   {&out.SnapshotLimit, &out.SnapshotAvailable, &out.SnapshotTotal},
		account.Projects:    {&out.ProjectLimit, &out.ProjectAvailable, &out.ProjectTotal},
		account.VPCs:        {&out.VPCLimit, &out.VPCAvailable, &out.VPCTotal},
	} {
		count, counted := counts[kind]
		if !counted {
			count.Maximum = account.Unlimited
		}
		*to.total, *to.limit, *to.available = new(count.Used), "Unlimited", "Unlimited"
		if count.Maximum != account.Unlimited {
			*to.limit = strconv.FormatInt(count.Maximum, 10)
			*to.available = strconv.FormatInt(max(count.Maximum-count.Used, 0), 10)
		}
	}
	out.SecondaryStorageTotal = new(float64(*secondary))
	return out
}
