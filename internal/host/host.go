package host

import (
	"context"
	"time"

	"github.com/virga-cloud/virga/internal/db"
	"github.com/virga-cloud/virga/internal/fault"
	"github.com/virga-cloud/virga/internal/hypervisor"
	"github.com/virga-cloud/virga/uid"
)

// State is whether a host answers.
type State string

// The states.
const (
	Up           State = "Up"
	Connecting   State = "Connecting"
	Alert        State = "Alert"
	Disconnected State = "Disconnected"
	Down         State = "Down"
)

// ResourceState is whether operators let a host be used.
type ResourceState string

// The resource states that this version sets.
const (
	Enabled     ResourceState = "Enabled"
	Disabled    ResourceState = "Disabled"
	Maintenance ResourceState = "Maintenance"
)

// Host is a machine that runs machines.
type Host struct {
	ID            uid.Host    `bun:",pk"`
	Zone          uid.Zone    `bun:"zone_id"`
	Pod           uid.Pod     `bun:"pod_id"`
	Cluster       uid.Cluster `bun:"cluster_id"`
	Name          string
	Type          string
	Hypervisor    string
	IPAddress     string `bun:"ip_address"`
	State         State
	ResourceState ResourceState
	CPUCores      int   `bun:"cpu_cores"`
	CPUSpeed      int   `bun:"cpu_speed"`    // MHz per core
	CPUTotal      int64 `bun:"cpu_total"`    // MHz, overcommit applied
	CPUUsed       int64 `bun:"cpu_used"`     // MHz reserved
	MemoryTotal   int64 `bun:"memory_total"` // MB, overcommit applied
	MemoryUsed    int64 `bun:"memory_used"`  // MB reserved
	Tags          string
	Version       string
	LastSeen      time.Time `bun:",nullzero"`
	Created       time.Time
	Removed       time.Time `bun:",nullzero"`
}

// Service keeps hosts.
type Service struct {
	db      *db.DB
	drivers hypervisor.Drivers
}

// New makes a service over the drivers that there are.
func New(d *db.DB, drivers hypervisor.Drivers) *Service { return &Service{d, drivers} }

// Driver gives the driver for a host's hypervisor.
func (s *Service) Driver(name string) (hypervisor.Driver, error) { return s.drivers.Find(name) }

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

// Add makes hosts known to their driver and adds those that answer. A host that does not answer is refused.
func (s *Service) Add(ctx context.Context, in AddIn) ([]Host, error) {
	driver, err := s.drivers.Find(in.Hypervisor)
	if err != nil {
		return nil, err
	}
	in.Capacity.Zone, in.Capacity.Pod, in.Capacity.Cluster = in.Zone, in.Pod, in.Cluster
	hosts := make([]Host, len(in.Names))
	ids := make([]uid.Host, len(in.Names))
	for i, name := range in.Names {
		ids[i] = uid.New[uid.Host]()
		hosts[i] = Host{
			ID: ids[i], Zone: in.Zone, Pod: in.Pod, Cluster: in.Cluster, Name: name, Type: "Routing", Hypervisor: in.Hypervisor,
			IPAddress: in.Addresses[i], State: Up, ResourceState: Enabled,
		}
	}
	if err := enroll(ctx, driver, ids, in.Capacity); err != nil {
		return nil, err
	}
	for i := range hosts {
		r, err := driver.Probe(ctx, hosts[i].ID)
		if err != nil {
			return nil, err
		}
		hosts[i].learn(r, in)
	}
	err = s.db.Write(ctx, func(ctx context.Context, tx db.Tx) error { return insertHosts(ctx, tx, hosts) })
	if db.IsUnique(err) {
		err = fault.Conflictf("a host of one of these names is in the zone already: %v", in.Names)
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

// learn takes over what the host itself reports.
func (h *Host) learn(r hypervisor.Report, in AddIn) {
	h.CPUCores, h.CPUSpeed, h.Version = r.CPUCores, r.CPUSpeedMHz, r.Version
	h.CPUTotal = int64(float64(r.CPUCores*r.CPUSpeedMHz) * max(in.CPUOvercommit, 1))
	h.MemoryTotal = int64(float64(r.MemoryMB) * max(in.MemoryOvercommit, 1))
}

// Script makes hosts of one hypervisor fail on demand; refused where its driver is no simulator.
func (s *Service) Script(ctx context.Context, r hypervisor.Rule) error {
	for _, name := range s.drivers.Names() {
		d, err := s.drivers.Find(name)
		if err != nil {
			return err
		}
		if scripter, ok := d.(hypervisor.Scripter); ok {
			return scripter.Script(ctx, r)
		}
	}
	return fault.Invalidf("no simulated hosts here: only a simulator can be told to fail")
}
