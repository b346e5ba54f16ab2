package zone

import (
	"context"
	"strings"
	"time"

	"github.com/virga-cloud/virga/internal/db"
	"github.com/virga-cloud/virga/internal/event"
	"github.com/virga-cloud/virga/internal/fault"
	"github.com/virga-cloud/virga/internal/once"
	"github.com/virga-cloud/virga/internal/setting"
	"github.com/virga-cloud/virga/uid"
)

// What a cluster may be like.
const (
	CloudManaged = "CloudManaged" // the only type: its hosts are ours to look after
	Managed      = "Managed"
	Unmanaged    = "Unmanaged" // its hosts are left alone
)

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

// hypervisors are those that CloudStack knows, as it spells them. Which of them this cloud can drive is its drivers' affair.
var hypervisors = []string{"Simulator", "KVM", "XenServer", "VMware", "Hyperv", "LXC", "Ovm", "Ovm3", "BareMetal"}

// Hypervisor spells a hypervisor's name as it is known.
func Hypervisor(name string) (string, error) {
	for _, known := range hypervisors {
		if strings.EqualFold(known, name) {
			return known, nil
		}
	}
	return "", fault.Invalidf("there is no hypervisor %q; want one of %s", name, strings.Join(hypervisors, ", "))
}

// hypervisor spells the name of one that new clusters can have.
func (s *Service) hypervisor(name string) (string, error) {
	known, err := Hypervisor(name)
	if err != nil {
		return "", err
	}
	list := setting.Hypervisors.Of(s.settings)
	for one := range strings.SplitSeq(list, ",") {
		if strings.EqualFold(strings.TrimSpace(one), known) {
			return known, nil
		}
	}
	return "", fault.Invalidf("hypervisor %s is not one of those of new clusters, which are %s: see the setting hypervisor.list", known, list)
}

// CreateCluster adds a cluster; its id and times are filled in.
func (s *Service) CreateCluster(ctx context.Context, c Cluster) (Cluster, error) {
	err := s.db.Write(ctx, func(ctx context.Context, tx db.Tx) (err error) {
		if c, err = s.AddCluster(ctx, tx, c); err != nil {
			return err
		}
		return once.Record(ctx, tx, string(c.ID), "")
	})
	return c, err
}

// AddCluster is CreateCluster in the caller's transaction. Ratios of 0 are the settings'.
func (s *Service) AddCluster(ctx context.Context, tx db.Tx, c Cluster) (_ Cluster, err error) {
	p, err := LockPod(ctx, tx, c.Pod)
	if err != nil {
		return Cluster{}, err
	}
	if c.Zone == "" {
		c.Zone = p.Zone
	}
	c.Allocation = orEnabled(c.Allocation)
	if c.Type == "" {
		c.Type = CloudManaged
	}
	if c.Managed == "" {
		c.Managed = Managed
	}
	if c.CPUOvercommit == 0 {
		c.CPUOvercommit = setting.CPUOvercommit.Of(s.settings, setting.InZone(c.Zone))
	}
	if c.MemoryOvercommit == 0 {
		c.MemoryOvercommit = setting.MemoryOvercommit.Of(s.settings, setting.InZone(c.Zone))
	}
	if c.Hypervisor, err = s.hypervisor(c.Hypervisor); err != nil {
		return Cluster{}, err
	}
	if err := c.check(); err != nil {
		return Cluster{}, err
	}
	if p.Zone != c.Zone {
		return Cluster{}, fault.Invalidf("pod %q is not in the zone with id %s", p.Name, c.Zone)
	}
	c.ID, c.Created = uid.New[uid.Cluster](), tx.Now
	if err := insert(ctx, tx, &clusterRow{Cluster: c}); err != nil {
		return Cluster{}, named(err, "cluster", c.Name)
	}
	return c, written(ctx, tx, event.ClusterCreate, "added", c.Name, string(c.ID))
}

func (c Cluster) check() error {
	switch {
	case strings.TrimSpace(c.Name) == "":
		return fault.Invalidf("a cluster needs a name")
	case c.Type != CloudManaged:
		return fault.Invalidf("clustertype %q is for VMware only, whose vCenter manages its hosts; want %s", c.Type, CloudManaged)
	case c.Managed != Managed && c.Managed != Unmanaged:
		return fault.Invalidf("managedstate is %q; want %s or %s", c.Managed, Managed, Unmanaged)
	}
	for _, r := range []struct {
		name  string
		ratio float64
	}{{"cpuovercommitratio", c.CPUOvercommit}, {"memoryovercommitratio", c.MemoryOvercommit}} {
		if !(r.ratio > 0 && r.ratio <= maxRatio) { // in this form NaN is refused, too
			return fault.Invalidf("%s is %v; want a number above 0 and at most %v", r.name, r.ratio, maxRatio)
		}
	}
	return nil
}

// maxRatio is the greatest overcommit: sums over 25,000 hosts must stay far from overflow.
const maxRatio = 1000

// ClusterChange is what to change of a cluster; nil fields stay.
type ClusterChange struct {
	Name, Hypervisor, Type, Managed *string
	Allocation                      *Allocation
	CPUOvercommit, MemoryOvercommit *float64
}

// UpdateCluster changes a cluster in the caller's transaction and gives it as it was before and is now. What follows for the
// hosts in it is their service's.
func UpdateCluster(ctx context.Context, tx db.Tx, id uid.Cluster, c ClusterChange) (before, now Cluster, err error) {
	if before, err = LockCluster(ctx, tx, id); err != nil {
		return before, now, err
	}
	now = before
	set(&now.Name, c.Name)
	set(&now.Type, c.Type)
	set(&now.Managed, c.Managed)
	set(&now.Allocation, c.Allocation)
	set(&now.CPUOvercommit, c.CPUOvercommit)
	set(&now.MemoryOvercommit, c.MemoryOvercommit)
	if c.Hypervisor != nil {
		if now.Hypervisor, err = Hypervisor(*c.Hypervisor); err != nil {
			return before, now, err
		}
	}
	if err := now.check(); err != nil {
		return before, now, err
	}
	if err := update(ctx, tx, &clusterRow{Cluster: now}); err != nil {
		return before, now, named(err, "cluster", now.Name)
	}
	return before, now, written(ctx, tx, event.ClusterEdit, "changed", now.Name, string(id))
}

// DeleteCluster removes a cluster in which there is nothing.
func (s *Service) DeleteCluster(ctx context.Context, id uid.Cluster) error {
	return s.db.Write(ctx, func(ctx context.Context, tx db.Tx) error {
		c, err := LockCluster(ctx, tx, id)
		if err != nil {
			return err
		}
		if err := s.unused(ctx, tx, "cluster", c.Name, Place{Cluster: id}); err != nil {
			return err
		}
		if err := setting.Forget(ctx, tx, setting.InCluster(id)); err != nil {
			return err
		}
		if err := remove(ctx, tx, "clusters", string(id)); err != nil {
			return err
		}
		return written(ctx, tx, event.ClusterDelete, "deleted", c.Name, string(id))
	})
}

// TakeBackCluster removes a cluster that was made for something which then did not come about.
func TakeBackCluster(ctx context.Context, tx db.Tx, id uid.Cluster) error {
	c, err := LockCluster(ctx, tx, id)
	if err != nil {
		return err
	}
	if err := remove(ctx, tx, "clusters", string(id)); err != nil {
		return err
	}
	return written(ctx, tx, event.ClusterDelete, "deleted", c.Name, string(id))
}
