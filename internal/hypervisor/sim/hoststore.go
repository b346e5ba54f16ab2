package sim

import (
	"encoding/json"

	"github.com/virga-cloud/virga/internal/hypervisor"
	"github.com/virga-cloud/virga/uid"
)

func (t *tx) putHost(id uid.Host, c hypervisor.Capacity) error {
	_, err := t.exec(`insert into host (id, zone, pod, cluster, cores, mhz, mb) values (?, ?, ?, ?, ?, ?, ?)
		on conflict (id) do update set zone = excluded.zone, pod = excluded.pod, cluster = excluded.cluster, cores = excluded.cores,
			mhz = excluded.mhz, mb = excluded.mb`,
		string(id), string(c.Zone), string(c.Pod), string(c.Cluster), c.CPUCores, c.CPUSpeedMHz, c.MemoryMB)
	if err == nil {
		t.hosts[id] = c
	}
	return err
}

func (t *tx) host(id uid.Host) (hypervisor.Capacity, error) {
	if c, ok := t.hosts[id]; ok {
		return c, nil
	}
	c, err := t.prepared.host(id)
	if err == nil {
		t.hosts[id] = c
	}
	return c, err
}

func (p *prepared) host(id uid.Host) (c hypervisor.Capacity, err error) {
	found, err := p.one([]any{&c.Zone, &c.Pod, &c.Cluster, &c.CPUCores, &c.CPUSpeedMHz, &c.MemoryMB},
		"select zone, pod, cluster, cores, mhz, mb from host where id = ?", string(id))
	if err == nil && !found {
		err = unknown(id)
	}
	return c, err
}

// asked is host, and whether it is in trouble or there is any rule: one query for what every host is asked every few seconds.
func (p *prepared) asked(id uid.Host) (c hypervisor.Capacity, scripted bool, err error) {
	found, err := p.one([]any{&c.Zone, &c.Pod, &c.Cluster, &c.CPUCores, &c.CPUSpeedMHz, &c.MemoryMB, &scripted},
		"select zone, pod, cluster, cores, mhz, mb, silent or sign > 0 or exists (select 1 from rule) from host where id = ?", string(id))
	if err == nil && !found {
		err = unknown(id)
	}
	return c, scripted, err
}

// places is where hosts are, those that are there and answer.
func (p *prepared) places(hosts []uid.Host) (map[uid.Host]hypervisor.Capacity, error) {
	ids, err := json.Marshal(hosts)
	if err != nil {
		return nil, err
	}
	found := make(map[uid.Host]hypervisor.Capacity, len(hosts))
	err = p.each(func(scan func(...any) error) error {
		var id uid.Host
		var c hypervisor.Capacity
		err := scan(&id, &c.Zone, &c.Pod, &c.Cluster)
		found[id] = c
		return err
	}, "select id, zone, pod, cluster from host where not silent and id in (select value from json_each(?))", string(ids))
	return found, err
}

func (t *tx) dropHost(id uid.Host) error {
	delete(t.hosts, id)
	_, err := t.exec("delete from host where id = ?", string(id))
	return err
}

// usedIn is the sum of the disks in a pool.
func (p *prepared) usedIn(pool uid.Pool) (bytes int64, err error) {
	_, err = p.one([]any{&bytes}, "select coalesce(sum(bytes), 0) from disk where pool = ?", string(pool))
	return bytes, err
}

func (p *prepared) allHosts() (hosts []uid.Host, err error) {
	err = p.each(func(scan func(...any) error) error {
		var id uid.Host
		err := scan(&id)
		hosts = append(hosts, id)
		return err
	}, "select id from host order by id")
	return hosts, err
}
