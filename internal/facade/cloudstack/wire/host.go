package wire

import (
	"math"
	"strconv"

	"github.com/virga-cloud/virga/api"
	cs "github.com/virga-cloud/virga/api/cloudstack"
	"github.com/virga-cloud/virga/internal/host"
)

// Host shows what a host's own row says, with how much of it is promised or without.
func Host(h host.Host, withCapacity bool) cs.Host {
	out := cs.Host{
		ID: h.ID, Name: h.Name, State: string(h.State), ResourceState: string(h.ResourceState), Type: h.Type, Hypervisor: h.Hypervisor,
		IPAddress: h.IPAddress, ZoneID: h.Zone, PodID: h.Pod, ClusterID: h.Cluster, Tags: h.Tags, ExplicitTags: h.Tags,
		HypervisorVersion: h.Version, Version: h.AgentVersion, Capabilities: h.Capabilities, OSCategoryID: h.OSCategory,
		UEFI: new(h.StartsUEFI()), CPUNumber: h.CPUCores, CPUSpeed: int64(h.CPUSpeed),
		LastPinged: api.At(h.LastSeen), Disconnected: api.At(h.Lost), Created: api.At(h.Created), Removed: api.At(h.Removed),
	}
	if withCapacity {
		capacity(&out, h)
	}
	return out
}

// capacity shows how much of a host is promised: of what is there, and of what may be promised, overcommit included.
func capacity(out *cs.Host, h host.Host) {
	const mb = 1 << 20
	out.CPUTotal, out.CPUAllocatedValue = strconv.FormatInt(h.CPUTotal, 10), &h.CPUUsed
	out.CPUAllocated = share(h.CPUUsed, int64(h.CPUCores)*int64(h.CPUSpeed))
	out.CPUAllocatedPercentage = out.CPUAllocated
	out.CPUAllocatedShare = share(h.CPUUsed, h.CPUTotal)

	used := h.MemoryUsed * mb
	out.MemoryTotal, out.MemoryOvercommitted = new(h.MemoryMB*mb), strconv.FormatInt(h.MemoryTotal*mb, 10)
	out.MemoryAllocated, out.MemoryAllocatedBytes = &used, &used
	out.MemoryAllocatedPercentage = share(h.MemoryUsed, h.MemoryMB)
}

// share is a part of a whole as clients show it: 40%, or 12.5%.
func share(part, whole int64) string {
	if whole == 0 {
		return "0%"
	}
	return percent(new(int64(math.Round(float64(part) * 10000 / float64(whole)))))
}
