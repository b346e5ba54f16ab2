package plant

import (
	"context"
	"slices"
	"strings"

	cs "github.com/virga-cloud/virga/api/cloudstack"
	"github.com/virga-cloud/virga/internal/facade/cloudstack/look"
	"github.com/virga-cloud/virga/internal/facade/cloudstack/wire"
	"github.com/virga-cloud/virga/internal/fault"
	"github.com/virga-cloud/virga/internal/host"
	"github.com/virga-cloud/virga/internal/image"
	"github.com/virga-cloud/virga/internal/meter"
	"github.com/virga-cloud/virga/internal/pool"
	"github.com/virga-cloud/virga/internal/zone"
	"github.com/virga-cloud/virga/uid"
)

// hostParts says how much to show of hosts.
type hostParts struct{ capacity, events, stats, more bool }

var wholeHosts = hostParts{capacity: true, events: true, stats: true, more: true}

// hostPartsOf reads the details parameter of listHosts. What is not shown is not looked up, either.
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
		case "stats":
			p.stats = true
		case "all", "min":
		default:
			return p, fault.Invalidf("details has %q; want any of all, capacity, events, stats and min", d)
		}
	}
	return p, nil
}

func (t Translator) hostsOut(ctx context.Context, hosts []host.Host) ([]cs.Host, error) {
	return t.hostsWith(ctx, hosts, wholeHosts)
}

func (t Translator) hostsWith(ctx context.Context, hosts []host.Host, parts hostParts) ([]cs.Host, error) {
	return look.InParts(hosts, func(some []host.Host) ([]cs.Host, error) { return t.someHostsOut(ctx, some, parts) })
}

func (t Translator) someHostsOut(ctx context.Context, hosts []host.Host, parts hostParts) ([]cs.Host, error) {
	l := look.In(t.DB.Read())
	zones := look.Related(ctx, l, len(hosts), func(i int) uid.Zone { return hosts[i].Zone }, zone.Names)
	pods := look.Related(ctx, l, len(hosts), func(i int) uid.Pod { return hosts[i].Pod }, zone.PodNames)
	clusters := look.Related(ctx, l, len(hosts), func(i int) uid.Cluster { return hosts[i].Cluster }, zone.ClustersByID)
	categories := look.Related(ctx, l, len(hosts), func(i int) uid.OSCategory { return hosts[i].OSCategory }, image.OSCategoryNames)
	var local map[uid.Host]pool.Local
	if parts.more {
		local = look.Related(ctx, l, len(hosts), func(i int) uid.Host { return hosts[i].ID }, pool.LocalOf)
	}
	var stats map[uid.Host]meter.Host
	if parts.stats {
		stats = look.Related(ctx, l, len(hosts), func(i int) uid.Host { return hosts[i].ID }, t.Meter.OfHosts)
	}
	if l.Err != nil {
		return nil, l.Err
	}
	out := make([]cs.Host, len(hosts))
	for i, h := range hosts {
		c := clusters[h.Cluster]
		out[i] = wire.Host(h, parts.capacity)
		out[i].ZoneName, out[i].PodName, out[i].OSCategoryName = zones[h.Zone], pods[h.Pod], categories[h.OSCategory]
		out[i].ClusterName, out[i].ClusterType = c.Name, c.Type
		if parts.events {
			out[i].Events = strings.Join(h.State.Events(), "; ")
		}
		if busy, measured := stats[h.ID]; measured && h.State == host.Up {
			out[i].HostStats = wire.HostStats(busy)
		}
		if own, ok := local[h.ID]; parts.more {
			out[i].LocalStorageActive = &ok
			if ok {
				out[i].DiskTotal, out[i].DiskAllocated = &own.Total, &own.Allocated
			}
		}
	}
	return out, t.Owned.Pending(ctx, len(hosts), func(i int) (string, *cs.Pending) { return string(hosts[i].ID), &out[i].Pending })
}
