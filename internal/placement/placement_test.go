package placement

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/virga-cloud/virga/internal/db"
	"github.com/virga-cloud/virga/internal/db/dbtest"
	"github.com/virga-cloud/virga/internal/fault"
	"github.com/virga-cloud/virga/internal/host"
	"github.com/virga-cloud/virga/internal/pool"
	"github.com/virga-cloud/virga/internal/setting"
	"github.com/virga-cloud/virga/internal/zone"
	"github.com/virga-cloud/virga/uid"
)

// whole lets all of a cloud be given away.
func whole(d *db.DB, more ...setting.Initial) *setting.Settings {
	return setting.New(d, nil, append(more, setting.CPUDisableThreshold.Initially(1), setting.MemoryDisableThreshold.Initially(1),
		setting.StorageDisableThreshold.Initially(1))...)
}

func find(ctx context.Context, d *db.DB, s *Service, w Want) (p Place, err error) {
	err = d.Write(ctx, func(ctx context.Context, tx db.Tx) error {
		p, err = s.Find(ctx, tx, w)
		return err
	})
	return p, err
}

// A refusal tells an admin what is the matter, in sum and per host with figures, and a user the sum of it.
func TestRefusalsExplainThemselves(t *testing.T) {
	t.Parallel()
	const user = "no host has room for this machine (100 MHz, 100 MB): "
	for name, c := range map[string]struct {
		plant  func(p *plant)
		want   func(w *Want)
		text   string
		detail string
	}{
		"memory and maintenance": {
			plant: func(p *plant) {
				p.hosts[0].MemoryUsed, p.hosts[1].MemoryUsed, p.hosts[2].ResourceState = 950, 910, host.Maintenance
			},
			text: "hosts are not in use or without enough memory",
			detail: "3 hosts: 2 not enough memory (need 100 MB, 50 to 90 free), 1 in maintenance; h1: not enough memory (need 100 MB, 50 free); " +
				"h2: not enough memory (need 100 MB, 90 free); h3: in maintenance",
		},
		"no such hosts": {
			want: func(w *Want) { w.Pod = "pod-009" },
			text: "there is no host where it may go",
		},
		"hypervisor, CPU, state": {
			plant: func(p *plant) {
				p.hosts[0].Hypervisor, p.hosts[1].CPUUsed, p.hosts[2].State = "KVM", 999, host.Down
			},
			text: "hosts are not answering or of another hypervisor or without enough CPU",
			detail: "3 hosts: 1 of another hypervisor than Simulator, 1 not answering (Down), 1 not enough CPU (need 100 MHz, 1 free); " +
				"h1: of another hypervisor than Simulator; h2: not enough CPU (need 100 MHz, 1 free); h3: not answering (Down)",
		},
		"host tags": {
			plant: func(p *plant) { p.hosts[0].Tags, p.hosts[1].Tags = "gpu", "gpu,old" },
			want:  func(w *Want) { w.HostTags = []string{"gpu", "new"} },
			text:  "hosts are not of the kind that the service offering asks for",
			detail: `3 hosts: 2 without host tag "new", 1 without host tag "gpu"; h1: without host tag "new"; h2: without host tag "new"; ` +
				`h3: without host tag "gpu"`,
		},
		"firmware": {
			plant: func(p *plant) {
				for i := range p.hosts {
					p.hosts[i].Hypervisor = "KVM"
				}
				p.hosts[0].Capabilities, p.hosts[1].Capabilities, p.hosts[1].ResourceState = "kvm,vlan", "kvm,uefi", host.Maintenance
			},
			want: func(w *Want) { w.Hypervisor, w.UEFI = "KVM", true },
			text: "hosts are not in use or without UEFI, by which the machine is started",
			detail: "3 hosts: 2 without firmware for UEFI, 1 in maintenance; h1: without firmware for UEFI; h2: in maintenance; " +
				"h3: without firmware for UEFI",
		},
		"places": {
			plant: func(p *plant) { p.clusters[0].Allocation = zone.Disabled },
			want:  func(w *Want) { w.Host = "host-002" },
			text:  "hosts are not in use", detail: "1 host: 1 in a disabled cluster; h2: in a disabled cluster",
		},
		"threshold": {
			plant: func(p *plant) {
				for i := range p.hosts {
					p.hosts[i].MemoryUsed = 820
				}
			},
			want: func(w *Want) { w.Host = "host-001" },
			text: "hosts are kept in reserve",
			detail: "1 host: 1 in a cluster that would pass its memory threshold (cluster.memory.allocated.capacity.disablethreshold); h1: in a cluster of " +
				"which 2460 of 3000 MB of memory are given away and at most 2550 may be (cluster.memory.allocated.capacity.disablethreshold)",
		},
		"no pool of that kind": {
			want: func(w *Want) {
				w.Host, w.Disks = "host-001", []Disk{{Bytes: 5 * gb, Local: true, Tags: []string{"ssd"}}}
			},
			text:   "hosts are without enough primary storage",
			detail: "1 host: 1 no primary storage for 5 GB, local, tags ssd; h1: no primary storage for 5 GB, local, tags ssd",
		},
		"no room in pools": {
			plant: func(p *plant) { p.pools[0].BytesUsed = 848 * gb },
			want:  func(w *Want) { w.Host = "host-001" },
			text:  "hosts are without enough primary storage",
			detail: "1 host: 1 not enough primary storage (need 10 GB, shared, 2 GB free up to pool.storage.allocated.capacity.disablethreshold); " +
				"h1: not enough primary storage (need 10 GB, shared, 2 GB free up to pool.storage.allocated.capacity.disablethreshold)",
		},
		"no room for all disks": {
			plant:  func(p *plant) { p.pools[0].BytesUsed = 838 * gb },
			want:   func(w *Want) { w.Host, w.Disks = "host-001", []Disk{{Bytes: 10 * gb}, {Bytes: 10 * gb}} },
			text:   "hosts are without enough primary storage",
			detail: "1 host: 1 not enough primary storage for all disks together",
		},
		"disks elsewhere": {
			plant: func(p *plant) {
				p.pool(pool.Pool{Zone: "zone-001", Pod: "pod-001", Cluster: "cluster-001", Host: "host-001", Scope: "HOST"})
			},
			want:   func(w *Want) { w.Host, w.Made = "host-002", []uid.Pool{"pool-002"} },
			text:   "hosts are out of reach of its disks",
			detail: "1 host: 1 out of reach of storage pool s2, where the machine has a disk; h2: out of reach of storage pool s2, where the machine has a disk",
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d := dbtest.Open(t, dbtest.SQLite(t))
			p, w := newPlant(3), small()
			if c.plant != nil {
				c.plant(p)
			}
			if c.want != nil {
				c.want(&w)
			}
			p.build(t, d)
			_, err := find(t.Context(), d, New(nil), w)
			f, ok := errors.AsType[*fault.Error](err)
			if !ok || f.Kind != fault.Full {
				t.Fatal(err)
			}
			if f.Text != user+c.text || f.Detail != c.detail {
				t.Errorf("text   %s\ndetail %s\nwant   %s\n       %s", f.Text, f.Detail, user+c.text, c.detail)
			}
		})
	}
}

// A refusal in a big cloud names some hosts and counts the rest.
func TestRefusalsAreBounded(t *testing.T) {
	t.Parallel()
	d := dbtest.Open(t, dbtest.SQLite(t))
	p := newPlant(30)
	for i := range p.hosts {
		p.hosts[i].State = host.Alert
	}
	p.build(t, d)
	_, err := find(t.Context(), d, New(nil), small())
	f, ok := errors.AsType[*fault.Error](err)
	if !ok || strings.Count(f.Detail, ";") != inText+1 || !strings.HasPrefix(f.Detail, "30 hosts: 30 not answering (Alert); h1: ") ||
		!strings.HasSuffix(f.Detail, "; and 10 more") {
		t.Error(err, f.Detail)
	}
}

// Each algorithm has its own order, and where the machine ran last comes first in all.
func TestAlgorithms(t *testing.T) {
	t.Parallel()
	d := dbtest.Open(t, dbtest.SQLite(t))
	p := newPlant(4)
	p.hosts[0].CPUUsed, p.hosts[1].MemoryUsed, p.hosts[2].MemoryUsed, p.hosts[2].MemoryTotal = 300, 200, 300, 10_000
	p.build(t, d)
	order := func(algorithm string, w Want) string {
		t.Helper()
		r, err := New(whole(d, setting.AllocationAlgorithm.Initially(algorithm))).Rank(t.Context(), d.Read(), w)
		must(t, err)
		var names []string
		for _, h := range r.Hosts {
			names = append(names, h.Name)
		}
		return strings.Join(names, " ")
	}
	w := small()
	w.Mine = func(context.Context, db.Tx, []uid.Host) (map[uid.Host]int, error) {
		return map[uid.Host]int{"host-001": 1, "host-003": 3, "host-004": 2}, nil
	}
	for algorithm, want := range map[string]string{"firstfit": "h1 h2 h3 h4", "firstfitleastconsumed": "h4 h3 h2 h1", "userdispersing": "h2 h1 h4 h3"} {
		if got := order(algorithm, w); got != want {
			t.Errorf("%s: %s, want %s", algorithm, got, want)
		}
	}
	first := map[string]int{}
	for range 100 {
		w.VM = uid.New[uid.VM]()
		name, _, _ := strings.Cut(order("random", w), " ")
		first[name]++
	}
	for _, name := range []string{"h1", "h2", "h3", "h4"} {
		if first[name] < 5 {
			t.Errorf("random: of 100 machines %v are placed on each host", first)
		}
	}
	w.Prefer = "host-003"
	for algorithm := range algorithms {
		if got := order(algorithm, w); !strings.HasPrefix(got, "h3 ") {
			t.Errorf("%s: %s, want the last host first", algorithm, got)
		}
	}
	if want := slices.Sorted(slices.Values(setting.AllocationAlgorithm.Choices)); !slices.Equal(slices.Sorted(maps.Keys(algorithms)), want) {
		t.Errorf("there are algorithms %v and settings %v", slices.Sorted(maps.Keys(algorithms)), want)
	}
}

// A zone's, a cluster's and a pool's own thresholds count before the cloud's.
func TestThresholdsHaveScopes(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		p := newPlant(1)
		p.hosts[0].MemoryUsed = 500
		p.pools[0].BytesUsed = 500 * gb
		p.build(t, d)
		settings := setting.New(d, nil)
		for _, scope := range []setting.Scope{setting.OfZone, setting.OfCluster, setting.OfPool} {
			settings.Know(scope, func(context.Context, db.Tx, string) (bool, error) { return true, nil })
		}
		s := New(settings)
		suitable := func(step string, want int) {
			t.Helper()
			r, err := s.Rank(t.Context(), d.Read(), small())
			must(t, err)
			if r.Suitable != want {
				t.Errorf("%s: %d hosts would do, want %d: %s", step, r.Suitable, want, r.Detail)
			}
		}
		set := func(key *setting.Setting, at setting.Place, value string) {
			t.Helper()
			must(t, d.Write(t.Context(), func(ctx context.Context, tx db.Tx) error {
				_, err := tx.NewRaw("delete from settings where name = ? and scope = ?", key.Name, at.Scope).Exec(ctx)
				if err == nil {
					_, err = tx.NewRaw("insert into settings (name, scope, scope_id, value, updated) values (?, ?, ?, ?, ?)",
						key.Name, at.Scope, at.ID, value, tx.Now).Exec(ctx)
				}
				return err
			}))
			must(t, settings.Load(t.Context()))
		}
		cluster, in, of := setting.InCluster("cluster-001"), setting.InZone("zone-001"), setting.InPool("pool-001")
		suitable("as it comes", 1)
		set(setting.MemoryDisableThreshold.Setting, in, "0.55")
		suitable("memory of the zone", 0)
		set(setting.MemoryDisableThreshold.Setting, cluster, "0.6")
		suitable("memory of the cluster", 1)
		set(setting.CPUDisableThreshold.Setting, cluster, "0.05")
		suitable("CPU of the cluster", 0)
		set(setting.CPUDisableThreshold.Setting, cluster, "0.1")
		suitable("CPU of the cluster, enough", 1)
		set(setting.StorageDisableThreshold.Setting, in, "0.5")
		suitable("storage of the zone", 0)
		set(setting.StorageDisableThreshold.Setting, of, "0.51")
		suitable("storage of the pool", 1)
	})
}

// Disks go to the emptiest pool of their kind that the host reaches, and each counts for the next one.
func TestPools(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		p := newPlant(1)
		p.pools[0].BytesTotal = 100 * gb
		for _, s := range []pool.Pool{
			{Zone: "zone-001", Scope: "ZONE", Hypervisor: "Simulator", BytesTotal: 90 * gb},
			{Zone: "zone-001", Scope: "ZONE", Hypervisor: "KVM"},
			{Zone: "zone-001", Pod: "pod-001", Cluster: "cluster-001", Host: "host-001", Scope: "HOST", BytesTotal: 50 * gb, Tags: "ssd,fast"},
			{Zone: "zone-001", Pod: "pod-001", Cluster: "cluster-001", Scope: "CLUSTER", State: "Maintenance"},
			{Zone: "zone-001", Pod: "pod-001", Cluster: "cluster-001", Scope: "CLUSTER", Tags: "ssd", BytesTotal: 20 * gb},
		} {
			p.pool(s)
		}
		p.build(t, d)
		s, w := New(whole(d)), small()
		w.Disks = []Disk{
			{Bytes: 30 * gb}, {Bytes: 30 * gb}, {Bytes: 10 * gb, Local: true, Tags: []string{"fast"}}, {Bytes: 5 * gb, Tags: []string{"ssd"}},
		}
		place, err := find(t.Context(), d, s, w)
		must(t, err)
		if want := []uid.Pool{"pool-001", "pool-002", "pool-004", "pool-006"}; !slices.Equal(place.Pools, want) {
			t.Errorf("pools %v, want %v", place.Pools, want)
		}
		// One more disk, where the machine is.
		var on host.Host
		more := func(disks ...Disk) (pools []uid.Pool, err error) {
			err = d.Write(t.Context(), func(ctx context.Context, tx db.Tx) error {
				if on, err = host.Find(ctx, tx, "host-001"); err == nil {
					pools, err = s.Pools(ctx, tx, on, disks)
				}
				return err
			})
			return pools, err
		}
		pools, err := more(Disk{Bytes: 65 * gb})
		if err != nil || !slices.Equal(pools, []uid.Pool{"pool-001"}) {
			t.Errorf("a bigger disk: %v, %v", pools, err)
		}
		if _, err := more(Disk{Bytes: 30 * gb}, Disk{Bytes: 50 * gb}); !fault.Is(err, fault.Full) {
			t.Errorf("two disks where one has room: %v", err)
		}
		used := map[uid.Pool]int64{}
		all, err := pool.ByID(t.Context(), d.Read(), []uid.Pool{"pool-001", "pool-002", "pool-004", "pool-006"})
		must(t, err)
		for id, s := range all {
			used[id] = s.BytesUsed / gb
		}
		if want := map[uid.Pool]int64{"pool-001": 95, "pool-002": 30, "pool-004": 10, "pool-006": 5}; !maps.Equal(used, want) {
			t.Errorf("GB in use: %v, want %v", used, want)
		}
	})
}

// Many placements at the same time fill a plant to the last machine, no host and no pool above what it has, and those that
// ask for a tag only where it is.
func TestPlacementsAtTheSameTime(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		const hosts, perHost, tagged = 6, 10, 20
		p := newPlant(hosts)
		p.pools[0].BytesTotal = (hosts*perHost - 5) * 10 * gb // five machines are too many for it: they go to the other
		p.pool(pool.Pool{Zone: "zone-001", Scope: "ZONE", Hypervisor: "Simulator", BytesTotal: 5 * 10 * gb})
		for i := range p.hosts[:tagged/perHost] {
			p.hosts[i].Tags = "gpu"
		}
		p.build(t, d)
		s := New(whole(d))
		var all sync.WaitGroup
		var mu sync.Mutex
		on, gpu, full := map[uid.Host]int{}, 0, 0
		place := func(n int, tags ...string) {
			for range n {
				all.Go(func() {
					w := small()
					w.HostTags = tags
					got, err := find(context.Background(), d, s, w)
					mu.Lock()
					defer mu.Unlock()
					switch {
					case err == nil:
						on[got.Host]++
						if len(tags) > 0 && got.Host > id[uid.Host]("host", tagged/perHost) {
							t.Errorf("a machine that wants a tag is on %s", got.Host)
						}
						gpu += len(tags)
					case fault.Is(err, fault.Full):
						full++
					default:
						t.Error(err)
					}
				})
			}
		}
		place(tagged+5, "gpu") // so that these are sure to find theirs
		all.Wait()
		place(hosts*perHost, nil...)
		all.Wait()
		if gpu != tagged || full != tagged+5 {
			t.Errorf("%d with a tag placed, %d refused; want %d and %d", gpu, full, tagged, tagged+5)
		}
		for i := range hosts {
			if h := id[uid.Host]("host", i+1); on[h] != perHost {
				t.Errorf("%d machines on %s, want %d", on[h], h, perHost)
			}
		}
		pools, err := pool.ByID(t.Context(), d.Read(), []uid.Pool{"pool-001", "pool-002"})
		must(t, err)
		for _, s := range pools {
			if s.BytesUsed != s.BytesTotal {
				t.Errorf("pool %s has %d of %d GB in use", s.Name, s.BytesUsed/gb, s.BytesTotal/gb)
			}
		}
	})
}

// Sums of a big plant are kept for a while, of a small one never.
func TestSumsServeForAWhile(t *testing.T) {
	t.Parallel()
	d := dbtest.Open(t, dbtest.SQLite(t))
	for hosts, want := range map[int]int64{fewHosts: 500, 8 * fewHosts: 0} {
		p := newPlant(hosts)
		p.build(t, d)
		s := New(nil)
		q := d.Read()
		_, err := s.clusters(t.Context(), q, false)
		must(t, err)
		p.hosts[0].MemoryUsed = 500
		p.build(t, d)
		later, err := s.clusters(t.Context(), q, false) // at the same moment, by its clock
		must(t, err)
		now, err := s.clusters(t.Context(), q, true)
		must(t, err)
		if later[0].MemoryUsed != want || now[0].MemoryUsed != 500 {
			t.Errorf("%d hosts: %d MB a little later, want %d; %d when asked for the newest", hosts, later[0].MemoryUsed, want, now[0].MemoryUsed)
		}
	}
}

// However PostgreSQL plans, what a placement reads does not grow with the number of hosts: it stops at the first that it tries.
func TestFewHostsAreLookedAt(t *testing.T) {
	t.Parallel()
	d := dbtest.Open(t, dbtest.Postgres(t))
	p := newPlant(2000)
	p.build(t, d)
	for n := range 20 { // as after many deployments: the hosts lie far apart in their table, and not in the order of their load
		_, err := d.Read().NewRaw("update hosts set memory_used = (? + ascii(md5(id || ?)) * 7) % 800", n, n).Exec(t.Context())
		must(t, err)
	}
	_, err := d.Read().NewRaw("analyze").Exec(t.Context())
	must(t, err)
	w := small()
	w.Disks = []Disk{{Bytes: 1 << 30}}
	l, err := New(nil).look(t.Context(), d.Read(), w, true)
	must(t, err)
	query := l.offersQuery("")
	var lines []string
	must(t, d.Read().NewRaw("explain (analyze, timing off) "+query.sql, query.args...).Scan(t.Context(), &lines))
	if plan := strings.Join(lines, "\n"); !strings.Contains(plan, "using hosts_load") || strings.Contains(plan, "on hosts h_2  (") && strings.Contains(plan, "rows=2000 loops") {
		t.Errorf("all hosts are looked at:\n%s", plan)
	}
}

// The page about placement names each filter, algorithm and setting that there is.
func TestThePageIsComplete(t *testing.T) {
	t.Parallel()
	page, err := os.ReadFile("../../docs/placement.md")
	must(t, err)
	d := dbtest.Open(t, dbtest.SQLite(t))
	p, w := newPlant(1), small()
	p.hosts[0].MemoryUsed, p.hosts[0].CPUUsed = 900, 900 // for both thresholds
	p.build(t, d)
	w.HostTags, w.Made = []string{"gpu"}, []uid.Pool{"pool-001"}
	l, err := New(nil).look(t.Context(), d.Read(), w, true)
	must(t, err)
	names := slices.Collect(maps.Keys(algorithms))
	for _, f := range l.filters {
		names = append(names, f.name)
	}
	for _, k := range []*setting.Setting{
		setting.AllocationAlgorithm.Setting, setting.CPUDisableThreshold.Setting, setting.MemoryDisableThreshold.Setting,
		setting.StorageDisableThreshold.Setting,
	} {
		names = append(names, k.Name)
	}
	if len(names) != 13+4+4 {
		t.Errorf("%d names: %v", len(names), names)
	}
	for _, name := range names {
		if !strings.Contains(string(page), "`"+name+"`") {
			t.Errorf("docs/placement.md does not name %s", name)
		}
	}
}

// BenchmarkCandidates tells how long it takes to find candidates among 25,000 hosts: where most have room, where hardly one
// has, and where few have the tag that is asked for; and how long a refusal takes.
func BenchmarkCandidates(b *testing.B) {
	engines := map[string]func(testing.TB) string{"sqlite": dbtest.SQLite, "postgres": dbtest.Postgres}
	for _, engine := range []string{"sqlite", "postgres"} {
		b.Run(engine, func(b *testing.B) {
			d := dbtest.Open(b, engines[engine](b))
			big(b, d, 25_000)
			for _, c := range []struct {
				name string
				want func(w *Want)
			}{
				{"room", func(*Want) {}},
				{"last", func(w *Want) { w.Prefer = "host-12345" }},
				{"tagged", func(w *Want) { w.HostTags = []string{"gpu"} }},
				{"large", func(w *Want) { w.Need.Memory = 900 }},
			} {
				w := small()
				c.want(&w)
				s := New(nil)
				b.Run(c.name, func(b *testing.B) {
					for b.Loop() {
						l, err := s.look(b.Context(), d.Read(), w, false)
						must(b, err)
						for _, only := range l.stages() {
							hosts, err := l.candidates(b.Context(), d.Read(), only, tries)
							must(b, err)
							if len(hosts) == 0 {
								b.Fatal("there are none")
							}
							if only != "" {
								break
							}
						}
					}
				})
			}
			b.Run("refusal", func(b *testing.B) {
				w := small()
				w.Need.Memory = 5000
				for b.Loop() {
					if err := New(nil).refuse(b.Context(), d.Read(), w); !fault.Is(err, fault.Full) {
						b.Fatal(err)
					}
				}
			})
		})
	}
}

// big makes a plant of clusters of 25 hosts that are used unevenly; one in a thousand has a tag, and as many are empty.
func big(b *testing.B, d *db.DB, hosts int) {
	p := &plant{}
	z := p.zone()
	pod := p.pod(z)
	pod = &zone.Pod{ID: pod.ID, Zone: pod.Zone}
	for i := 0; i < hosts; {
		c := p.cluster(pod)
		c = &zone.Cluster{ID: c.ID, Zone: c.Zone, Pod: c.Pod}
		p.pool(pool.Pool{Zone: c.Zone, Pod: c.Pod, Cluster: c.ID, Scope: "CLUSTER"})
		for range 25 {
			h := p.host(c)
			h.ID, h.Name = uid.Host(fmt.Sprintf("host-%05d", i)), fmt.Sprint("h", i)
			h.MemoryUsed, h.CPUUsed = int64(i%7*100+i%13), int64(i%5*100)
			if i%1000 == 999 {
				h.Tags = "gpu"
			}
			if i%1000 == 500 {
				h.MemoryUsed, h.CPUUsed = 0, 0
			}
			i++
		}
	}
	p.build(b, d)
	if d.Postgres {
		must(b, d.Write(b.Context(), func(ctx context.Context, tx db.Tx) error {
			_, err := tx.NewRaw("analyze").Exec(ctx)
			return err
		}))
	}
}
