package placement

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/virga-cloud/virga/internal/db"
	"github.com/virga-cloud/virga/internal/host"
	"github.com/virga-cloud/virga/internal/pool"
	"github.com/virga-cloud/virga/internal/zone"
	"github.com/virga-cloud/virga/uid"
)

// plant is a data centre as a test wants it.
type plant struct {
	zones    []zone.Zone
	pods     []zone.Pod
	clusters []zone.Cluster
	hosts    []host.Host
	pools    []pool.Pool
}

// newPlant is a zone with a pod, a cluster, hosts of 1000 MHz and 1000 MB, and a pool of 1000 GB that they share.
func newPlant(hosts int) *plant {
	p := &plant{}
	z := p.zone()
	c := p.cluster(p.pod(z))
	for range hosts {
		p.host(c)
	}
	p.pool(pool.Pool{Zone: z.ID, Pod: c.Pod, Cluster: c.ID, Scope: "CLUSTER"})
	return p
}

// The things of a plant have ids that count from 1, so that a failure is easy to read.
func id[T ~string](kind string, n int) T { return T(fmt.Sprintf("%s-%03d", kind, n)) }

func (p *plant) zone() *zone.Zone {
	p.zones = append(p.zones, zone.Zone{ID: id[uid.Zone]("zone", len(p.zones)+1), Name: fmt.Sprint("z", len(p.zones)+1), NetworkType: zone.Advanced, Allocation: zone.Enabled})
	return &p.zones[len(p.zones)-1]
}

func (p *plant) pod(z *zone.Zone) *zone.Pod {
	n := len(p.pods) + 1
	p.pods = append(p.pods, zone.Pod{ID: id[uid.Pod]("pod", n), Zone: z.ID, Name: fmt.Sprint("p", n), Allocation: zone.Enabled})
	return &p.pods[n-1]
}

func (p *plant) cluster(in *zone.Pod) *zone.Cluster {
	n := len(p.clusters) + 1
	p.clusters = append(p.clusters, zone.Cluster{
		ID: id[uid.Cluster]("cluster", n), Zone: in.Zone, Pod: in.ID, Name: fmt.Sprint("c", n), Hypervisor: "Simulator", Type: "CloudManaged",
		Allocation: zone.Enabled, Managed: "Managed", CPUOvercommit: 1, MemoryOvercommit: 1,
	})
	return &p.clusters[n-1]
}

func (p *plant) host(c *zone.Cluster) *host.Host {
	n := len(p.hosts) + 1
	p.hosts = append(p.hosts, host.Host{
		ID: id[uid.Host]("host", n), Zone: c.Zone, Pod: c.Pod, Cluster: c.ID, Name: fmt.Sprint("h", n), Type: "Routing", Hypervisor: "Simulator",
		State: host.Up, ResourceState: host.Enabled, CPUTotal: 1000, MemoryTotal: 1000,
	})
	return &p.hosts[n-1]
}

// pool adds a pool: Up, and of 1000 GB unless said otherwise.
func (p *plant) pool(one pool.Pool) *pool.Pool {
	n := len(p.pools) + 1
	one.ID, one.Name, one.Type, one.URL = id[uid.Pool]("pool", n), fmt.Sprint("s", n), "Filesystem", fmt.Sprint("file:///", n)
	if one.State == "" {
		one.State = "Up"
	}
	if one.BytesTotal == 0 {
		one.BytesTotal = 1000 * gb
	}
	p.pools = append(p.pools, one)
	return &p.pools[n-1]
}

// build makes the plant the only one in the database.
func (p *plant) build(t interface{ Fatal(...any) }, d *db.DB) {
	err := d.Write(context.Background(), func(ctx context.Context, tx db.Tx) error {
		for table := range strings.FieldsSeq("storage_pools hosts clusters pods zones") {
			if _, err := tx.NewRaw("delete from " + table).Exec(ctx); err != nil {
				return err
			}
		}
		do := func(query string, args ...any) error {
			_, err := tx.NewRaw(query, args...).Exec(ctx)
			return err
		}
		for _, z := range p.zones {
			if err := do("insert into zones (id, name, network_type, allocation_state, created) values (?, ?, 'Advanced', ?, ?)",
				z.ID, z.Name, z.Allocation, tx.Now); err != nil {
				return err
			}
		}
		for _, x := range p.pods {
			if err := do(`insert into pods (id, zone_id, name, gateway, netmask, start_ip, end_ip, allocation_state, created)
				values (?, ?, ?, '', '', '', '', ?, ?)`, x.ID, x.Zone, x.Name, x.Allocation, tx.Now); err != nil {
				return err
			}
		}
		for _, c := range p.clusters {
			if err := do(`insert into clusters (id, zone_id, pod_id, name, hypervisor, cluster_type, allocation_state, managed_state, created)
				values (?, ?, ?, ?, ?, 'CloudManaged', ?, ?, ?)`, c.ID, c.Zone, c.Pod, c.Name, c.Hypervisor, c.Allocation, c.Managed, tx.Now); err != nil {
				return err
			}
		}
		for _, h := range p.hosts {
			if err := do(`insert into hosts (id, zone_id, pod_id, cluster_id, name, type, hypervisor, ip_address, state, resource_state, cpu_cores,
				cpu_speed, cpu_total, cpu_used, memory_total, memory_used, tags, capabilities, created)
				values (?, ?, ?, ?, ?, ?, ?, '', ?, ?, 1, 1, ?, ?, ?, ?, ?, ?, ?)`,
				h.ID, h.Zone, h.Pod, h.Cluster, h.Name, h.Type, h.Hypervisor, h.State, h.ResourceState, h.CPUTotal, h.CPUUsed, h.MemoryTotal,
				h.MemoryUsed, h.Tags, h.Capabilities, tx.Now); err != nil {
				return err
			}
		}
		null := func(id string) any {
			if id == "" {
				return nil
			}
			return id
		}
		for _, s := range p.pools {
			if err := do(`insert into storage_pools (id, zone_id, pod_id, cluster_id, host_id, name, hypervisor, url, type, scope, state, bytes_total,
				bytes_used, tags, created) values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`, s.ID, s.Zone, null(string(s.Pod)),
				null(string(s.Cluster)), null(string(s.Host)), s.Name, s.Hypervisor, s.URL, s.Type, s.Scope, s.State, s.BytesTotal, s.BytesUsed,
				s.Tags, tx.Now); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

// small is a machine that fits on a host of a new plant.
func small() Want {
	return Want{
		VM: uid.New[uid.VM](), Zone: "zone-001", Hypervisor: "Simulator", Need: host.Need{CPU: 100, Memory: 100}, Disks: []Disk{{Bytes: 10 * gb}},
	}
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
