package zone

import (
	"context"
	"time"

	"github.com/virga-cloud/virga/internal/db"
	"github.com/virga-cloud/virga/internal/fault"
	"github.com/virga-cloud/virga/uid"
)

// Allocation says whether new things may be placed somewhere.
type Allocation string

// The allocation states.
const (
	Enabled  Allocation = "Enabled"
	Disabled Allocation = "Disabled"
)

// NetworkType is a zone's networking model.
type NetworkType string

// The networking models.
const (
	Advanced NetworkType = "Advanced"
	Basic    NetworkType = "Basic"
)

// Zone is a data centre.
type Zone struct {
	ID             uid.Zone `bun:",pk"`
	Name           string
	NetworkType    NetworkType
	SecurityGroups bool
	Allocation     Allocation `bun:"allocation_state"`
	DNS1           string     `bun:"dns1"`
	DNS2           string     `bun:"dns2"`
	InternalDNS1   string     `bun:"internal_dns1"`
	InternalDNS2   string     `bun:"internal_dns2"`
	GuestCIDR      string     `bun:"guest_cidr"`
	NetworkDomain  string
	LocalStorage   bool
	Created        time.Time
	Removed        time.Time `bun:",nullzero"`
}

// Pod is a rack: a range of management addresses for the hosts in it.
type Pod struct {
	ID         uid.Pod  `bun:",pk"`
	Zone       uid.Zone `bun:"zone_id"`
	Name       string
	Gateway    string
	Netmask    string
	StartIP    string     `bun:"start_ip"`
	EndIP      string     `bun:"end_ip"`
	Allocation Allocation `bun:"allocation_state"`
	Created    time.Time
	Removed    time.Time `bun:",nullzero"`
}

// Cluster is a set of hosts of one hypervisor that share primary storage.
type Cluster struct {
	ID               uid.Cluster `bun:",pk"`
	Zone             uid.Zone    `bun:"zone_id"`
	Pod              uid.Pod     `bun:"pod_id"`
	Name             string
	Hypervisor       string
	Type             string     `bun:"cluster_type"`
	Allocation       Allocation `bun:"allocation_state"`
	Managed          string     `bun:"managed_state"`
	CPUOvercommit    float64    `bun:"cpu_overcommit"`
	MemoryOvercommit float64    `bun:"memory_overcommit"`
	Created          time.Time
	Removed          time.Time `bun:",nullzero"`
}

// Service keeps zones, pods and clusters.
type Service struct{ db *db.DB }

// New makes a service.
func New(d *db.DB) *Service { return &Service{d} }

// CreateZone adds a zone; its id and times are filled in.
func (s *Service) CreateZone(ctx context.Context, z Zone) (Zone, error) {
	err := s.create(ctx, "zone", z.Name, func(now time.Time) any {
		z.ID, z.Created = uid.New[uid.Zone](), now
		return &zoneRow{Zone: z}
	})
	return z, err
}

// CreatePod adds a pod; its id and times are filled in.
func (s *Service) CreatePod(ctx context.Context, p Pod) (Pod, error) {
	err := s.create(ctx, "pod", p.Name, func(now time.Time) any {
		p.ID, p.Created = uid.New[uid.Pod](), now
		return &podRow{Pod: p}
	})
	return p, err
}

// CreateCluster adds a cluster; its id and times are filled in.
func (s *Service) CreateCluster(ctx context.Context, c Cluster) (Cluster, error) {
	err := s.create(ctx, "cluster", c.Name, func(now time.Time) any {
		c.ID, c.Created = uid.New[uid.Cluster](), now
		return &clusterRow{Cluster: c}
	})
	return c, err
}

func (s *Service) create(ctx context.Context, kind, name string, row func(now time.Time) any) error {
	err := s.db.Write(ctx, func(ctx context.Context, tx db.Tx) error { return insert(ctx, tx, row(tx.Now)) })
	if db.IsUnique(err) {
		return fault.Conflictf("there is a %s called %q already", kind, name)
	}
	return err
}
