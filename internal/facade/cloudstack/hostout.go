package cloudstack

import (
	"context"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/virga-cloud/virga/api"
	cs "github.com/virga-cloud/virga/api/cloudstack"
	"github.com/virga-cloud/virga/internal/facade/cloudstack/look"
	"github.com/virga-cloud/virga/internal/fault"
	"github.com/virga-cloud/virga/internal/host"
	"github.com/virga-cloud/virga/internal/image"
	"github.com/virga-cloud/virga/internal/pool"
	"github.com/virga-cloud/virga/internal/zone"
	"github.com/virga-cloud/virga/uid"
)

// hostParts says how much to show of hosts.
type hostParts struct{ capacity, events, more bool }

var wholeHosts = hostParts{capacity: true, events: true, more: true}

// hostPartsOf reads the details parameter of listHosts. What hosts tell of their load (stats) is shown where there is any.
func hostPartsOf(details []string) (p hostParts, err error) {
	if len(details) == 0 || slices.Contains(details, "all") {
		p = wholeHosts
	}
	for _, d := range details {
		switch d {
		case "capacity":
			p.capacity = true
		case "events":
			p.events = true
		case "all", "min", "stats":
		default:
			return p, fault.Invalidf("details has %q; want any of all, capacity, events, stats and min", d)
		}
	}
	return p, nil
}

func (f *Facade) hostsOut(ctx context.Context, hosts []host.Host) ([]cs.Host, error) {
	return f.hostsWith(ctx, hosts, wholeHosts)
}

func (f *Facade) hostsWith(ctx context.Context, hosts []host.Host, parts hostParts) ([]cs.Host, error) {
	l := look.In(f.DB.Read())
	zones := look.Related(ctx, l, len(hosts), func(i int) uid.Zone { return hosts[i].Zone }, zone.Names)
	pods := look.Related(ctx, l, len(hosts), func(i int) uid.Pod { return hosts[i].Pod }, zone.PodNames)
	clusters := look.Related(ctx, l, len(hosts), func(i int) uid.Cluster { return hosts[i].Cluster }, zone.ClustersByID)
	categories := look.Related(ctx, l, len(hosts), func(i int) uid.OSCategory { return hosts[i].OSCategory }, image.OSCategoryNames)
	var local map[uid.Host]pool.Local
	if parts.more {
		local = look.Related(ctx, l, len(hosts), func(i int) uid.Host { return hosts[i].ID }, pool.LocalOf)
	}
	if l.Err != nil {
		return nil, l.Err
	}
	out := make([]cs.Host, len(hosts))
	for i, h := range hosts {
		c := clusters[h.Cluster]
		out[i] = cs.Host{
			ID: h.ID, Name: h.Name, State: string(h.State), ResourceState: string(h.ResourceState), Type: h.Type, Hypervisor: h.Hypervisor,
			IPAddress: h.IPAddress, ZoneID: h.Zone, ZoneName: zones[h.Zone], PodID: h.Pod, PodName: pods[h.Pod], ClusterID: h.Cluster,
			ClusterName: c.Name, ClusterType: c.Type, Tags: h.Tags, ExplicitTags: h.Tags, HypervisorVersion: h.Version,
			OSCategoryID: h.OSCategory, OSCategoryName: categories[h.OSCategory], CPUNumber: h.CPUCores, CPUSpeed: int64(h.CPUSpeed),
			LastPinged: api.At(h.LastSeen), Disconnected: api.At(h.Lost), Created: api.At(h.Created), Removed: api.At(h.Removed),
		}
		if parts.capacity {
			capacityOut(&out[i], h)
		}
		if parts.events {
			out[i].Events = strings.Join(h.State.Events(), "; ")
		}
		if own, ok := local[h.ID]; parts.more {
			out[i].LocalStorageActive = &ok
			if ok {
				out[i].DiskTotal, out[i].DiskAllocated = &own.Total, &own.Allocated
			}
		}
	}
	return out, f.pending(ctx, len(hosts), func(i int) (string, *cs.Pending) { return string(hosts[i].ID), &out[i].Pending })
}

// capacityOut shows how much of a host is promised: of what is there, and of what may be promised, overcommit included.
func capacityOut(out *cs.Host, h host.Host) {
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
	return strconv.FormatFloat(math.Round(float64(part)*10000/float64(whole))/100, 'f', -1, 64) + "%"
}
