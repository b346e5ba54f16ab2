package wire

import (
	"maps"
	"strconv"

	"github.com/virga-cloud/virga/internal/offering"
)

// Details gives an offering's details, among them the bounds of what its users choose, where clients look for them.
func Details(o offering.Compute) map[string]string {
	if o.MaxCPU == 0 && o.MaxMemoryMB == 0 {
		return o.Details
	}
	out := map[string]string{}
	maps.Copy(out, o.Details)
	for name, bound := range map[string]int{
		"mincpunumber": o.MinCPU, "maxcpunumber": o.MaxCPU, "minmemory": o.MinMemoryMB, "maxmemory": o.MaxMemoryMB,
	} {
		out[name] = strconv.Itoa(bound)
	}
	return out
}
