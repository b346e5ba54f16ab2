package host

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/virga-cloud/virga/internal/db"
	"github.com/virga-cloud/virga/internal/fault"
	"github.com/virga-cloud/virga/internal/hypervisor"
	"github.com/virga-cloud/virga/internal/op"
	"github.com/virga-cloud/virga/internal/setting"
	"github.com/virga-cloud/virga/uid"
)

// State is whether a host answers.
type State string

// The states. Removed is a host that is on its way out.
const (
	Up           State = "Up"
	Connecting   State = "Connecting"
	Alert        State = "Alert"
	Disconnected State = "Disconnected"
	Down         State = "Down"
	Removed      State = "Removed"
)

// ResourceState is whether operators let a host be used.
type ResourceState string

// The resource states that this version sets. Creating is a host that is being added.
const (
	Creating    ResourceState = "Creating"
	Enabled     ResourceState = "Enabled"
	Disabled    ResourceState = "Disabled"
	Maintenance ResourceState = "Maintenance"

	PrepareForMaintenance ResourceState = "PrepareForMaintenance" // its machines are being moved away
	ErrorInMaintenance    ResourceState = "ErrorInMaintenance"    // some of them can't be
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
	URL           string         `bun:"url"` // how it was named when it was added
	IPAddress     string         `bun:"ip_address"`
	PodIP         int64          `bun:"pod_ip,nullzero"` // that address as a number, where it is one of the pod's range
	OSCategory    uid.OSCategory `bun:"os_category_id"`  // what it is preferred for
	State         State
	ResourceState ResourceState
	CPUCores      int   `bun:"cpu_cores"`
	CPUSpeed      int   `bun:"cpu_speed"` // MHz per core
	MemoryMB      int64 `bun:"memory_mb"`
	CPUTotal      int64 `bun:"cpu_total"`    // MHz, overcommit applied
	CPUUsed       int64 `bun:"cpu_used"`     // MHz reserved
	MemoryTotal   int64 `bun:"memory_total"` // MB, overcommit applied
	MemoryUsed    int64 `bun:"memory_used"`  // MB reserved
	Tags          string
	Version       string    // of its hypervisor
	AgentVersion  string    // where it has an agent
	Capabilities  string    // that its agent proved, with commas between
	LastSeen      time.Time `bun:",nullzero"`
	Lost          time.Time `bun:",nullzero"` // since when it does not answer
	Unsure        int64     // counts up whenever what runs on it may have changed without our knowing; 0 once that was looked at
	Created       time.Time
	Removed       time.Time `bun:",nullzero"`
}

// Fits tells whether a machine that needs so much could be started on the host now.
func (h Host) Fits(n Need) bool {
	return h.State == Up && h.ResourceState == Enabled && h.HasRoom(n)
}

// UEFI is the capability of hosts that can start machines by UEFI.
const UEFI = "uefi"

// StartsUEFI tells whether machines can be started by UEFI on the host: its agent has proved it, or it only makes believe.
func (h Host) StartsUEFI() bool {
	return h.Hypervisor == "Simulator" || slices.Contains(strings.Split(h.Capabilities, ","), UEFI)
}

// HasRoom tells whether so much of the host is free.
func (h Host) HasRoom(n Need) bool {
	return h.CPUTotal-h.CPUUsed >= n.CPU && h.MemoryTotal-h.MemoryUsed >= n.Memory
}

// Events are what may happen next to a host in this state, in CloudStack's words.
func (s State) Events() []string {
	switch s {
	case Up, Connecting:
		return []string{"AgentConnected", "AgentDisconnected", "HostDown", "Ping"}
	case Alert, Down, Disconnected:
		return []string{"AgentConnected", "Ping", "Remove"}
	case Removed:
		return nil
	}
	return nil
}

// Service keeps hosts.
type Service struct {
	db       *db.DB
	engine   *op.Engine
	drivers  hypervisor.Drivers
	clusters Clusters
	local    LocalStorage
	machines Machines
	settings *setting.Settings
	clear    Clear
	leave    Leave

	add       *op.Runner[joining]
	remove    *op.Runner[leaving]
	reconnect *op.Runner[probing]

	maintain       *op.Runner[service]
	endMaintenance *op.Runner[service]
}

// Parts are what the service works with. The first three are required.
type Parts struct {
	DB       *db.DB
	Engine   *op.Engine
	Drivers  hypervisor.Drivers
	Clusters Clusters     // nil: hosts are added to clusters that are there
	Local    LocalStorage // nil: hosts have no storage of their own
	Machines Machines     // nil: a refusal says that there are machines, and not which
	Settings *setting.Settings
}

// New makes a service over the drivers that there are, and registers its plans with the engine.
func New(p Parts) *Service {
	s := &Service{db: p.DB, engine: p.Engine, drivers: p.Drivers, clusters: p.Clusters, local: p.Local, machines: p.Machines,
		settings: p.Settings}
	s.add = op.Register(p.Engine, s.addPlan())
	s.remove = op.Register(p.Engine, s.deletePlan())
	s.reconnect = op.Register(p.Engine, s.reconnectPlan())
	s.maintain = op.Register(p.Engine, s.maintainPlan())
	s.endMaintenance = op.Register(p.Engine, s.endMaintenancePlan())
	return s
}

// Driver gives the driver for a host's hypervisor.
func (s *Service) Driver(name string) (hypervisor.Driver, error) { return s.drivers.Find(name) }

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

// Tags makes one text of tags, as they are kept: each once, with commas between them.
func Tags(tags []string) string {
	var out []string
	for _, t := range tags {
		for part := range strings.SplitSeq(t, ",") {
			if part = strings.TrimSpace(part); part != "" && !slices.Contains(out, part) {
				out = append(out, part)
			}
		}
	}
	return strings.Join(out, ",")
}
