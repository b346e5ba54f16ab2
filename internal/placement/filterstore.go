package placement

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/virga-cloud/virga/internal/db"
	"github.com/virga-cloud/virga/internal/host"
	"github.com/virga-cloud/virga/internal/network"
	"github.com/virga-cloud/virga/internal/setting"
	"github.com/virga-cloud/virga/uid"
)

// filter is one thing that a host must have.
type filter struct {
	name string
	// keep holds for the hosts that have it. It is about hosts as h, and all that says who is kept: candidates, refusals and
	// rankings are made from it.
	keep clause
	// counted tells that PostgreSQL knows how many hosts have it, or has them in an index.
	counted bool
	// free is how much of it a host has, where it is an amount.
	free clause
	// why says to an admin what is the matter with a host that is not kept, or with some.
	why func(lost) string
	// sum says it to users: hosts are "without enough memory".
	sum string
}

// clause is a piece of SQL with the values of its question marks.
type clause struct {
	sql  string
	args []any
}

func is(sql string, args ...any) clause { return clause{sql, args} }

func (c clause) join(others ...clause) clause {
	for _, o := range others {
		c.sql, c.args = c.sql+o.sql, slices.Concat(c.args, o.args)
	}
	return c
}

// look is one search for a place: what is wanted, and the filters for it.
type look struct {
	Want
	settings  *setting.Settings
	algorithm string
	postgres  bool
	clusters  []cluster // of the zone
	filters   []filter
	poolPart  clause // how much of pool p may be given away
}

// look begins a search; now asks for thresholds by the newest sums.
func (s *Service) look(ctx context.Context, q db.Tx, w Want, now bool) (*look, error) {
	l := &look{Want: w, settings: s.settings, algorithm: planners[w.Planner], postgres: q.Postgres}
	if l.algorithm == "" {
		l.algorithm = setting.AllocationAlgorithm.Of(s.settings)
	}
	l.poolPart = l.poolThreshold()
	all, err := s.clusters(ctx, q, now)
	if err != nil {
		return nil, err
	}
	for _, c := range all {
		if c.Zone == w.Zone {
			l.clusters = append(l.clusters, c)
		}
	}
	l.filters, err = l.list(ctx, q)
	return l, err
}

// among are the hosts that come into question at all.
func (l *look) among() clause {
	c := is("h.zone_id = ? and h.removed is null and h.type = 'Routing'", l.Zone)
	if l.Host != "" {
		c = c.join(is(" and h.id = ?", l.Host))
	}
	if l.Avoid != "" {
		c = c.join(is(" and h.id <> ?", l.Avoid))
	}
	if l.Cluster != "" {
		c = c.join(is(" and h.cluster_id = ?", l.Cluster))
	}
	if l.Pod != "" {
		c = c.join(is(" and h.pod_id = ?", l.Pod))
	}
	return c
}

// list makes the filters, in the order in which a host's reason is looked for. The first ones are about what can't change.
func (l *look) list(ctx context.Context, q db.Tx) ([]filter, error) {
	all := []filter{{
		name: "hypervisor", sum: "of another hypervisor",
		keep: is("lower(h.hypervisor) = ?", strings.ToLower(l.Hypervisor)),
		why:  func(lost) string { return "of another hypervisor than " + l.Hypervisor },
	}}
	reach, err := l.reachMade(ctx, q)
	if err != nil {
		return nil, err
	}
	all = append(all, reach...)
	for _, tag := range l.HostTags {
		all = append(all, filter{
			name: "hosttags", sum: "not of the kind that the service offering asks for",
			keep: l.tagged("h.tags", tag),
			why:  func(lost) string { return fmt.Sprintf("without host tag %q", tag) },
		})
	}
	if l.UEFI {
		all = append(all, filter{
			name: "firmware", sum: "without UEFI, by which the machine is started",
			keep: is("(lower(h.hypervisor) = 'simulator' or ").join(l.tagged("h.capabilities", host.UEFI), is(")")),
			why:  func(lost) string { return "without firmware for UEFI" },
		})
	}
	all = append(all, places()...)
	for _, n := range l.Addresses {
		all = append(all, l.address(n))
	}
	all = append(all, l.room()...)
	for _, k := range kinds(l.Disks) {
		all = append(all, l.storage(k))
	}
	return all, nil
}

// places are the filters about what operators, and accidents, have taken out of use. What is asked of other tables is asked for
// each host by its key (not exists, PostgreSQL would turn into a look through the whole table).
func places() []filter {
	const notInUse = "not in use"
	say := func(text string) func(lost) string { return func(lost) string { return text } }
	return []filter{{
		name: "pod", sum: notInUse, why: say("in a disabled pod"),
		keep: is("(select x.allocation_state from pods x where x.id = h.pod_id) = 'Enabled'"),
	}, {
		name: "cluster", sum: notInUse, why: say("in a disabled cluster"),
		keep: is("(select x.allocation_state from clusters x where x.id = h.cluster_id) = 'Enabled'"),
	}, {
		name: "managed", sum: notInUse, why: say("in an unmanaged cluster"),
		keep: is("(select x.managed_state from clusters x where x.id = h.cluster_id) = 'Managed'"),
	}, {
		name: "resourcestate", sum: notInUse, keep: is("h.resource_state = 'Enabled'"), counted: true,
		why: func(l lost) string {
			switch l.ResourceState {
			case host.Maintenance:
				return "in maintenance"
			case host.PrepareForMaintenance, host.ErrorInMaintenance:
				return "on the way into maintenance"
			case host.Disabled:
				return "disabled"
			default:
				return fmt.Sprintf("in resource state %s", l.ResourceState)
			}
		},
	}, {
		name: "state", sum: "not answering", keep: is("h.state = 'Up'"), counted: true,
		why: func(l lost) string { return fmt.Sprintf("not answering (%s)", l.State) },
	}}
}

// address is the filter about an address in a network whose addresses belong to pods: a free one, or one that the machine has. What
// is asked for is a value: see places.
func (l *look) address(n uid.Network) filter {
	return filter{
		name: "address", sum: "in pods without a free guest address",
		keep: is("coalesce((select a.ip from public_ips a where a.free_for = ? || h.pod_id and a.state = 'Free' limit 1), "+
			"(select a.ip from public_ips a where a.vm_id = ? and a.network_id = ? and exists "+
			"(select 1 from ip_ranges r where r.id = a.range_id and r.pod_id = h.pod_id) limit 1)) is not null", network.OfPods(n), l.VM, n),
		why: func(lost) string { return "in a pod of which all guest addresses are in use" },
	}
}

// room are the filters about what is free.
func (l *look) room() []filter {
	all := []filter{{
		name: "memory", sum: "without enough memory",
		keep: is("h.memory_used + ? <= h.memory_total", l.Need.Memory), free: is("h.memory_total - h.memory_used"),
		why: func(x lost) string {
			return fmt.Sprintf("not enough memory (need %d MB, %s free)", l.Need.Memory, x.free(1))
		},
	}, {
		name: "cpu", sum: "without enough CPU",
		keep: is("h.cpu_used + ? <= h.cpu_total", l.Need.CPU), free: is("h.cpu_total - h.cpu_used"),
		why: func(x lost) string {
			return fmt.Sprintf("not enough CPU (need %d MHz, %s free)", l.Need.CPU, x.free(1))
		},
	}}
	cpu, memory := l.full(l.clusters)
	if len(memory) > 0 {
		all = append(all, l.threshold("memory", memory, func(c cluster) string {
			return fmt.Sprintf("%d of %d MB of memory are given away and at most %d may be", c.MemoryUsed, c.MemoryTotal, c.mostMemory)
		}, setting.MemoryDisableThreshold))
	}
	if len(cpu) > 0 {
		all = append(all, l.threshold("cpu", cpu, func(c cluster) string {
			return fmt.Sprintf("%d of %d MHz of CPU are given away and at most %d may be", c.CPUUsed, c.CPUTotal, c.mostCPU)
		}, setting.CPUDisableThreshold))
	}
	return all
}

// threshold is the filter about how much of a cluster may be given away.
func (l *look) threshold(what string, full []cluster, figures func(cluster) string, key setting.Key[float64]) filter {
	return filter{
		name: what + "threshold", sum: "kept in reserve", keep: l.notIn("h.cluster_id", full),
		why: func(x lost) string {
			for _, c := range full {
				if c.ID == x.Cluster {
					return fmt.Sprintf("in a cluster of which %s (%s)", figures(c), key.Name)
				}
			}
			return fmt.Sprintf("in a cluster that would pass its %s threshold (%s)", what, key.Name)
		},
	}
}

// storage is the filter about the pools for one kind of disk.
func (l *look) storage(k wanted) filter {
	return filter{
		name: "storage", sum: "without enough primary storage",
		keep: l.mostRoom(k.kind).join(is(" >= ?", k.most)), free: l.mostRoom(k.kind),
		why: func(x lost) string {
			if x.Least < 0 {
				return fmt.Sprintf("no primary storage for %s", k)
			}
			return fmt.Sprintf("not enough primary storage (need %s, %s GB free up to %s)", k, x.free(gb), setting.StorageDisableThreshold.Name)
		},
	}
}

// tagged holds where a column of tags, with commas between them, has one.
func (l *look) tagged(column, tag string) clause {
	find := "instr"
	if l.postgres {
		find = "strpos"
	}
	return is(find+"(',' || "+column+" || ',', ?) > 0", ","+tag+",")
}

// notIn holds where a column has none of some values, however many there are.
func (l *look) notIn(column string, clusters []cluster) clause {
	ids := make([]uid.Cluster, len(clusters))
	for i, c := range clusters {
		ids[i] = c.ID
	}
	return is(column+" not in "+l.elements(), asJSON(ids))
}

// elements are those of a list that is given as JSON.
func (l *look) elements() string {
	if l.postgres {
		return "(select jsonb_array_elements_text(cast(? as jsonb)))"
	}
	return "(select value from json_each(?))"
}

// asJSON writes ids, or numbers by id, which never fails.
func asJSON(v any) string {
	text, err := json.Marshal(v)
	if err != nil {
		panic(fmt.Sprintf("placement: %v", err))
	}
	return string(text)
}
