package host

import (
	"context"
	"errors"

	"github.com/virga-cloud/virga/internal/db"
	"github.com/virga-cloud/virga/internal/fault"
	"github.com/virga-cloud/virga/internal/hypervisor"
	"github.com/virga-cloud/virga/internal/zone"
	"github.com/virga-cloud/virga/uid"
)

// AddIn says what hosts to add to a cluster.
type AddIn struct {
	Zone       uid.Zone
	Pod        uid.Pod
	Cluster    uid.Cluster
	Hypervisor string
	Names      []string
	Addresses  []string // one for each name
	Capacity   hypervisor.Capacity
	// CPUOvercommit and MemoryOvercommit are the cluster's factors.
	CPUOvercommit, MemoryOvercommit float64
}

// bulkEnroller is a driver that enrols many hosts at a time.
type bulkEnroller interface {
	EnrollMany(ctx context.Context, hosts []uid.Host, c hypervisor.Capacity) error
}

// Add makes many hosts known to their driver and adds them, if all answer. It is for whoever builds a cloud before it runs; a
// host at a time, and safe against every accident, is [Service.Join].
func (s *Service) Add(ctx context.Context, in AddIn) (hosts []Host, err error) {
	driver, err := s.drivers.Find(in.Hypervisor)
	if err != nil {
		return nil, err
	}
	pod, err := zone.FindPod(ctx, s.db.Read(), in.Pod)
	if err != nil {
		return nil, err
	}
	in.Capacity.Zone, in.Capacity.Pod, in.Capacity.Cluster = in.Zone, in.Pod, in.Cluster
	ids := make([]uid.Host, len(in.Names))
	for i, name := range in.Names {
		ids[i] = uid.New[uid.Host]()
		h := Host{
			ID: ids[i], Zone: in.Zone, Pod: in.Pod, Cluster: in.Cluster, Name: name, Type: "Routing", Hypervisor: in.Hypervisor,
			IPAddress: in.Addresses[i], State: Up, ResourceState: Enabled,
		}
		if n, ok := pod.Address(h.IPAddress); ok {
			h.PodIP = n
		}
		hosts = append(hosts, h)
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, forgetAll(context.WithoutCancel(ctx), driver, ids))
			hosts = nil
		}
	}()
	if err := enroll(ctx, driver, ids, in.Capacity); err != nil {
		return nil, err
	}
	for i := range hosts {
		r, err := driver.Probe(ctx, hosts[i].ID)
		if err != nil {
			return nil, err
		}
		hosts[i].learn(reported(r), in.CPUOvercommit, in.MemoryOvercommit)
	}
	err = s.db.Write(ctx, func(ctx context.Context, tx db.Tx) error { return insertHosts(ctx, tx, hosts) })
	if db.IsUnique(err) {
		err = fault.Conflictf("a host of one of these names or addresses is there already: %v", in.Names)
	}
	return hosts, err
}

func enroll(ctx context.Context, driver hypervisor.Driver, ids []uid.Host, c hypervisor.Capacity) error {
	if many, ok := driver.(bulkEnroller); ok {
		return many.EnrollMany(ctx, ids, c)
	}
	one, ok := driver.(hypervisor.Enroller)
	if !ok {
		return nil // its hosts enrol themselves
	}
	for _, id := range ids {
		if err := one.Enroll(ctx, id, c); err != nil {
			return err
		}
	}
	return nil
}

// forgetAll takes back what was enrolled.
func forgetAll(ctx context.Context, driver hypervisor.Driver, ids []uid.Host) (err error) {
	if one, ok := driver.(hypervisor.Enroller); ok {
		for _, id := range ids {
			err = errors.Join(err, one.Forget(ctx, id))
		}
	}
	return err
}
