package sim

import (
	"github.com/virga-cloud/virga/internal/hypervisor"
	"github.com/virga-cloud/virga/uid"
)

func (t *tx) putHost(id uid.Host, c hypervisor.Capacity) error {
	_, err := t.exec("insert or replace into host (id, zone, pod, cluster, cores, mhz, mb) values (?, ?, ?, ?, ?, ?, ?)",
		string(id), string(c.Zone), string(c.Pod), string(c.Cluster), c.CPUCores, c.CPUSpeedMHz, c.MemoryMB)
	return err
}

func (p *prepared) host(id uid.Host) (c hypervisor.Capacity, err error) {
	found, err := p.one([]any{&c.Zone, &c.Pod, &c.Cluster, &c.CPUCores, &c.CPUSpeedMHz, &c.MemoryMB},
		"select zone, pod, cluster, cores, mhz, mb from host where id = ?", string(id))
	if err == nil && !found {
		err = unknown(id)
	}
	return c, err
}
