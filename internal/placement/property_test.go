package placement

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/virga-cloud/virga/internal/db"
	"github.com/virga-cloud/virga/internal/db/dbtest"
	"github.com/virga-cloud/virga/internal/fault"
	"github.com/virga-cloud/virga/internal/host"
	"github.com/virga-cloud/virga/internal/pool"
	"github.com/virga-cloud/virga/internal/zone"
	"github.com/virga-cloud/virga/uid"
)

// world draws data centres and wants in which only some sorts of trouble occur: with all of them at once, hardly a host would come
// as far as the last filters.
type world struct {
	*rapid.T
	*plant
	trouble map[string]bool
}

// one draws the first value, or any where that sort of trouble occurs.
func one[V any](w world, sort string, values ...V) V {
	if _, drawn := w.trouble[sort]; !drawn {
		w.trouble[sort] = rapid.IntRange(0, 3).Draw(w.T, sort+"?") == 0
	}
	if !w.trouble[sort] {
		return values[0]
	}
	return rapid.SampledFrom(append(values, values[0])).Draw(w.T, sort)
}

// part draws how much of a total is used.
func (w world) part(sort string, total int64) int64 {
	return total * one(w, sort, 0, 50, 60, 70, rapid.Int64Range(0, 100).Draw(w.T, "percent")) / 100
}

func anyWorld(t *rapid.T) world {
	w := world{t, &plant{}, map[string]bool{}}
	for range 2 {
		z := w.zone()
		for range rapid.IntRange(1, 2).Draw(t, "pods") {
			pod := w.pod(z)
			pod.Allocation = one(w, "pod", zone.Enabled, zone.Disabled)
			for range rapid.IntRange(1, 2).Draw(t, "clusters") {
				w.fill(w.cluster(pod))
			}
		}
		if one(w, "zone-wide pool", false, true) {
			w.drawPool(pool.Pool{Zone: z.ID, Scope: "ZONE", Hypervisor: one(w, "pool hypervisor", "", "simulator", "KVM", "Any")})
		}
	}
	return w
}

// fill draws a cluster's own.
func (w world) fill(c *zone.Cluster) {
	c.Allocation = one(w, "cluster", zone.Enabled, zone.Disabled)
	c.Managed = one(w, "managed", "Managed", "Unmanaged")
	for range rapid.IntRange(1, 3).Draw(w.T, "hosts") {
		h := w.host(c)
		h.State, h.ResourceState = one(w, "state", host.Up, host.Down, host.Alert), one(w, "resource state", host.Enabled, host.Maintenance, host.Disabled)
		h.Tags, h.Hypervisor = one(w, "host tags", "a,b", "", "b", "ab", "b,a,c"), one(w, "hypervisor", "Simulator", "KVM")
		h.Capabilities = one(w, "capabilities", "kvm,uefi", "", "uefi", "uefix,vlan")
		h.CPUTotal, h.MemoryTotal = rapid.Int64Range(400, 1000).Draw(w.T, "cpu"), rapid.Int64Range(400, 1000).Draw(w.T, "memory")
		h.CPUUsed, h.MemoryUsed = w.part("cpu used", h.CPUTotal), w.part("memory used", h.MemoryTotal)
		if one(w, "local pool", false, true) {
			w.drawPool(pool.Pool{Zone: h.Zone, Pod: h.Pod, Cluster: h.Cluster, Host: h.ID, Scope: "HOST"})
		}
	}
	for range one(w, "shared pools", 1, 0, 2) {
		w.drawPool(pool.Pool{Zone: c.Zone, Pod: c.Pod, Cluster: c.ID, Scope: "CLUSTER"})
	}
}

func (w world) drawPool(s pool.Pool) {
	s.State, s.Tags = one(w, "pool state", "Up", "Maintenance"), one(w, "pool tags", "a,b", "", "a", "ab")
	s.BytesTotal = rapid.Int64Range(50, 100).Draw(w.T, "pool GB") * gb
	s.BytesUsed = w.part("pool used", s.BytesTotal/gb) * gb
	w.pool(s)
}

func (w world) want() Want {
	tags := func(name string) []string { return Tags(one(w, name, "", "a", "b", "b,a")) }
	out := Want{
		VM: uid.New[uid.VM](), Zone: "zone-001", Hypervisor: one(w, "hypervisor", "Simulator", "simulator", "KVM"), HostTags: tags("host tags"), UEFI: one(w, "UEFI", false, true),
		Need: host.Need{CPU: rapid.Int64Range(1, 400).Draw(w.T, "need CPU"), Memory: rapid.Int64Range(1, 400).Draw(w.T, "need memory")},
	}
	for range rapid.IntRange(0, 3).Draw(w.T, "disks") {
		out.Disks = append(out.Disks, Disk{
			Bytes: rapid.Int64Range(1, 30).Draw(w.T, "GB") * gb, Local: one(w, "local pool", false, true), Tags: tags("pool tags"),
		})
	}
	index := func(n int, sort string) int { return one(w, sort, 1000, rapid.IntRange(0, n).Draw(w.T, "which "+sort)) }
	if i := index(len(w.hosts), "wish"); i < len(w.hosts) {
		out.Host = w.hosts[i].ID
	}
	if i := index(len(w.pods), "wished pod"); i < len(w.pods) {
		out.Pod = w.pods[i].ID
	}
	if i := index(len(w.clusters), "wished cluster"); i < len(w.clusters) {
		out.Cluster = w.clusters[i].ID
	}
	if i := index(len(w.hosts), "prefer"); i < len(w.hosts) {
		out.Prefer = w.hosts[i].ID
	}
	if i := index(len(w.pools), "made"); i < len(w.pools) {
		out.Made = append(out.Made, w.pools[i].ID)
	}
	return out
}

// considers tells whether a host comes into question, by the plain reading of the rules.
func (w Want) considers(h host.Host) bool {
	return h.Zone == w.Zone && (w.Host == "" || w.Host == h.ID) && (w.Pod == "" || w.Pod == h.Pod) && (w.Cluster == "" || w.Cluster == h.Cluster)
}

// why is the name of the first filter that drops a host, by the plain reading of the rules; "" for none.
func (p *plant) why(w Want, h host.Host) string {
	c := p.clusters[slices.IndexFunc(p.clusters, func(c zone.Cluster) bool { return c.ID == h.Cluster })]
	pod := p.pods[slices.IndexFunc(p.pods, func(x zone.Pod) bool { return x.ID == h.Pod })]
	var cpuUsed, cpuTotal, memoryUsed, memoryTotal int64
	for _, x := range p.hosts {
		if x.Cluster == h.Cluster && x.State == host.Up && x.ResourceState == host.Enabled {
			cpuUsed, cpuTotal, memoryUsed, memoryTotal = cpuUsed+x.CPUUsed, cpuTotal+x.CPUTotal, memoryUsed+x.MemoryUsed, memoryTotal+x.MemoryTotal
		}
	}
	reaches := func(s pool.Pool) bool {
		switch s.Scope {
		case "ZONE":
			return s.Zone == h.Zone && (s.Hypervisor == "" || strings.EqualFold(s.Hypervisor, "any") || strings.EqualFold(s.Hypervisor, h.Hypervisor))
		case "CLUSTER":
			return s.Cluster == h.Cluster
		default:
			return s.Host == h.ID
		}
	}
	for _, made := range w.Made {
		for _, s := range p.pools {
			if s.ID == made && !reaches(s) && (s.Scope != "ZONE" || s.Zone != h.Zone) {
				if !strings.EqualFold(h.Hypervisor, w.Hypervisor) {
					return "hypervisor"
				}
				return "disks"
			}
		}
	}
	hasAll := func(have string, want []string) bool {
		return !slices.ContainsFunc(want, func(tag string) bool { return !slices.Contains(strings.Split(have, ","), tag) })
	}
	switch {
	case !strings.EqualFold(h.Hypervisor, w.Hypervisor):
		return "hypervisor"
	case !hasAll(h.Tags, w.HostTags):
		return "hosttags"
	case w.UEFI && !h.StartsUEFI():
		return "firmware"
	case pod.Allocation != zone.Enabled:
		return "pod"
	case c.Allocation != zone.Enabled:
		return "cluster"
	case c.Managed != "Managed":
		return "managed"
	case h.ResourceState != host.Enabled:
		return "resourcestate"
	case h.State != host.Up:
		return "state"
	case h.MemoryTotal-h.MemoryUsed < w.Need.Memory:
		return "memory"
	case h.CPUTotal-h.CPUUsed < w.Need.CPU:
		return "cpu"
	case 100*(memoryUsed+w.Need.Memory) > 85*memoryTotal:
		return "memorythreshold"
	case 100*(cpuUsed+w.Need.CPU) > 85*cpuTotal:
		return "cputhreshold"
	}
	for _, d := range w.Disks {
		if !slices.ContainsFunc(p.pools, func(s pool.Pool) bool {
			return s.State == "Up" && reaches(s) && (s.Scope == "HOST") == d.Local && hasAll(s.Tags, d.Tags) && 100*(s.BytesUsed+d.Bytes) <= 85*s.BytesTotal
		}) {
			return "storage"
		}
	}
	return ""
}

var errRollback = errors.New("roll back")

// The fast way to candidates keeps exactly the hosts that no rule drops, the explanation names for each other host the first
// rule that it breaks, and a dry run promises what a placement then does. All three are held against the rules as a test
// reads them, over random plants.
func TestCandidatesExplanationsAndRankingsAgree(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		ctx := context.Background()
		rapid.Check(t, func(t *rapid.T) {
			p := anyWorld(t)
			p.build(t, d)
			w := p.want()
			s := New(nil)
			l, err := s.look(ctx, d.Read(), w, true)
			if err != nil {
				t.Fatal(err)
			}
			kept, err := l.candidates(ctx, d.Read(), "", 1000)
			if err != nil {
				t.Fatal(err)
			}
			dropped, err := l.each(ctx, d.Read(), 1000)
			if err != nil {
				t.Fatal(err)
			}
			r, err := s.Rank(ctx, d.Read(), w)
			if err != nil {
				t.Fatal(err)
			}
			considered := 0
			for _, h := range p.hosts {
				if !w.considers(h) {
					continue
				}
				considered++
				want, got := p.why(w, h), "(nothing is said)"
				if slices.ContainsFunc(kept, func(c candidate) bool { return c.ID == h.ID }) {
					got = ""
				}
				for _, x := range dropped {
					if x.ID == h.ID {
						got += l.filters[x.Dropped].name
					}
				}
				got = strings.TrimPrefix(got, "(nothing is said)")
				if got != want {
					t.Fatalf("host %s: %q, want %q", h.ID, got, want)
				}
			}
			if len(kept)+len(dropped) != considered || r.Considered != considered || r.Suitable > len(kept) {
				t.Fatalf("%d hosts come into question; %d are kept, %d dropped; the ranking has %d, %d suitable", considered, len(kept), len(dropped),
					r.Considered, r.Suitable)
			}
			var place Place
			err = d.Write(ctx, func(ctx context.Context, tx db.Tx) error {
				if place, err = s.Find(ctx, tx, w); err != nil {
					return err
				}
				return errRollback
			})
			switch {
			case errors.Is(err, errRollback):
				if len(r.Hosts) == 0 || r.Hosts[0].ID != place.Host || !slices.Equal(r.Hosts[0].Pools, place.Pools) {
					t.Fatalf("placed at %+v; the ranking said %+v", place, r.Hosts)
				}
			case fault.Is(err, fault.Full):
				if f, _ := errors.AsType[*fault.Error](err); len(r.Hosts) > 0 || f.Text != r.Text {
					t.Fatalf("refused: %v; the ranking said %q, %+v", f.Text, r.Text, r.Hosts)
				}
			default:
				t.Fatal(err)
			}
		})
	})
}
