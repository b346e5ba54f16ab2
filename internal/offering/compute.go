package offering

import (
	"context"
	"fmt"
	"time"

	"github.com/virga-cloud/virga/internal/db"
	"github.com/virga-cloud/virga/internal/event"
	"github.com/virga-cloud/virga/internal/fault"
	"github.com/virga-cloud/virga/internal/once"
	"github.com/virga-cloud/virga/uid"
)

// Compute is a service offering: what a machine gets. What Customized ones leave open, the user says at deployment (see [Size]);
// the fields for it are 0.
type Compute struct {
	ID          uid.ServiceOffering `bun:",pk"`
	Name        string
	DisplayText string
	CPUNumber   int   `bun:"cpu_number"`
	CPUSpeed    int   `bun:"cpu_speed"` // MHz per core
	MemoryMB    int   `bun:"memory_mb"`
	RootGB      int64 `bun:"root_gb"` // 0: the template's size
	Customized  bool
	MinCPU      int    `bun:"min_cpu"` // of customized ones, as the next three; 0: no bound
	MaxCPU      int    `bun:"max_cpu"`
	MinMemoryMB int    `bun:"min_memory_mb"`
	MaxMemoryMB int    `bun:"max_memory_mb"`
	OfferHA     bool   `bun:"offer_ha"`
	LimitCPU    bool   `bun:"limit_cpu"`
	Volatile    bool   // a reboot gives a fresh root disk
	IsSystem    bool   // for the cloud's own machines
	SystemType  string // which of them
	IsDefault   bool   // what those of SystemType are made from
	StorageType StorageType
	HostTags    string // with commas between them, as StorageTags
	StorageTags string
	NetworkRate int      // Mbit/s; 0: the setting's
	Planner     string   `bun:"deployment_planner"`  // "" for what the setting vm.allocation.algorithm says
	Limits      IOLimits `bun:"io_limits,type:text"` // of its machines' root disks
	Details     Details
	SortKey     int
	Scope
	State   State
	Created time.Time
	Removed time.Time `bun:",nullzero"`
}

// The kinds of the cloud's own machines.
const (
	DomainRouter         = "domainrouter"
	ConsoleProxy         = "consoleproxy"
	SecondaryStorage     = "secondarystoragevm"
	InternalLoadBalancer = "internalloadbalancervm"
)

// The bounds of what one machine may have: more than hosts have, and little enough that sums over all machines don't overflow.
const (
	maxCPUs     = 1024
	maxMHz      = 100_000
	minMemoryMB = 32
	maxMemoryMB = 64 << 20
)

// CreateCompute adds a service offering. Its id and times are filled in, and what it leaves out: the display text, the state
// (Active) and the storage type (shared).
func (s *Service) CreateCompute(ctx context.Context, o Compute) (Compute, error) {
	if err := o.complete(); err != nil {
		return Compute{}, err
	}
	err := s.db.Write(ctx, func(ctx context.Context, tx db.Tx) error {
		o.ID, o.Created = uid.New[uid.ServiceOffering](), tx.Now
		if err := insert(ctx, tx, &computeRow{Compute: o}); err != nil {
			return err
		}
		return made(ctx, tx, string(o.ID), o.Scope, event.ServiceOfferingCreate, "created service offering", o.Name)
	})
	return o, err
}

// complete fills in what a service offering leaves out and checks it.
func (o *Compute) complete() error {
	o.HostTags, o.StorageTags = tags(o.HostTags), tags(o.StorageTags)
	o.restrict()
	if o.Details == nil {
		o.Details = Details{}
	}
	if o.DisplayText == "" {
		o.DisplayText = o.Name
	}
	if o.State == "" {
		o.State = Active
	}
	if err := o.StorageType.complete(); err != nil {
		return err
	}
	if err := o.checkSystem(); err != nil {
		return err
	}
	if err := completeLimits(&o.Limits); err != nil {
		return err
	}
	if err := o.plan(); err != nil {
		return err
	}
	if err := between("rootdisksize", int(o.RootGB), 0, MaxDiskGB); err != nil {
		return err
	}
	if o.NetworkRate < 0 {
		return fault.Invalidf("networkrate %d is no rate: want Mbit/s, 1 or more", o.NetworkRate)
	}
	if o.Customized {
		return o.checkCustomized()
	}
	if o.MinCPU != 0 || o.MaxCPU != 0 || o.MinMemoryMB != 0 || o.MaxMemoryMB != 0 {
		return fault.Invalidf("mincpunumber, maxcpunumber, minmemory and maxmemory are for customized offerings; leave them out, or leave out " +
			"cpunumber and memory")
	}
	for _, b := range []bound{
		{"cpunumber", o.CPUNumber, 1, maxCPUs}, {"cpuspeed", o.CPUSpeed, 1, maxMHz}, {"memory", o.MemoryMB, minMemoryMB, maxMemoryMB},
	} {
		if err := between(b.name, b.value, b.low, b.high); err != nil {
			return err
		}
	}
	return nil
}

func (o *Compute) plan() (err error) {
	o.Planner, err = planner(o.Planner)
	return err
}

func (o *Compute) checkSystem() error {
	switch {
	case !o.IsSystem && (o.SystemType != "" || o.IsDefault):
		return fault.Invalidf("systemvmtype %q is for system offerings: give issystem=true, too", o.SystemType)
	case o.IsSystem && o.Customized:
		return fault.Invalidf("a system offering is not customized: give cpunumber, cpuspeed and memory")
	case o.IsSystem && o.SystemType == "":
		o.SystemType = DomainRouter
	}
	if o.NetworkRate != 0 && o.IsSystem && o.SystemType != DomainRouter {
		return fault.Invalidf("networkrate is for users' machines and routers; a %s has none", o.SystemType)
	}
	return nil
}

// checkCustomized checks an offering whose users choose: freely, or the number of CPUs and the memory within bounds.
func (o *Compute) checkCustomized() error {
	if o.CPUNumber != 0 || o.MemoryMB != 0 {
		return fault.Invalidf("users of a customized offering choose CPUs and memory: leave out cpunumber and memory, or customized")
	}
	if o.CPUSpeed == 0 && o.MinCPU == 0 && o.MaxCPU == 0 && o.MinMemoryMB == 0 && o.MaxMemoryMB == 0 {
		return nil
	}
	for _, b := range []bound{
		{"cpuspeed", o.CPUSpeed, 1, maxMHz}, {"mincpunumber", o.MinCPU, 1, maxCPUs}, {"maxcpunumber", o.MaxCPU, o.MinCPU, maxCPUs},
		{"minmemory", o.MinMemoryMB, minMemoryMB, maxMemoryMB}, {"maxmemory", o.MaxMemoryMB, o.MinMemoryMB, maxMemoryMB},
	} {
		if err := between(b.name, b.value, b.low, b.high); err != nil {
			return fault.Invalidf("a customized offering leaves everything open, or gives cpuspeed, mincpunumber, maxcpunumber, minmemory "+
				"and maxmemory: %v", err)
		}
	}
	return nil
}

// Change says what to change of an offering. Nil fields stay as they are.
type Change struct {
	Name        *string
	DisplayText *string
	SortKey     *int
	State       *State
	HostTags    *string // of service offerings
	StorageTags *string
	Hidden      *bool // of disk offerings, as the next
	Limits      IOChange
	Domains     *[]uid.Domain // empty for everybody
	Zones       *[]uid.Zone   // empty for everywhere
}

// UpdateCompute changes a service offering. Machines keep what they have.
func (s *Service) UpdateCompute(ctx context.Context, id uid.ServiceOffering, c Change) (Compute, error) {
	var o Compute
	err := s.db.Write(ctx, func(ctx context.Context, tx db.Tx) error {
		var row computeRow
		if err := findLocked(ctx, tx, id, &row); err != nil {
			return err
		}
		c.apply(common{&row.Name, &row.DisplayText, &row.SortKey, &row.State, &row.StorageTags, &row.Scope})
		if c.HostTags != nil {
			row.HostTags = tags(*c.HostTags)
		}
		o = row.Compute
		return save(ctx, tx, &row, changed{event.ServiceOfferingEdit, "service offering", o.Name, string(id), c, o.Scope})
	})
	return o, err
}

// DeleteCompute removes a service offering: nothing new is made from it, and what was goes on.
func (s *Service) DeleteCompute(ctx context.Context, id uid.ServiceOffering) error {
	return s.db.Write(ctx, func(ctx context.Context, tx db.Tx) error {
		var row computeRow
		if err := findLocked(ctx, tx, id, &row); err != nil {
			return err
		}
		if row.IsDefault {
			return fault.Conflictf("service offering %q is what the cloud makes its own machines of kind %s from; it can't be deleted",
				row.Name, row.SystemType)
		}
		if err := remove(ctx, tx, "service_offerings", string(id)); err != nil {
			return err
		}
		return announce(ctx, tx, event.ServiceOfferingDelete, "deleted service offering", row.Name, string(id))
	})
}

// Deployable gives the service offering that the caller in ctx may make a machine from in a zone.
func Deployable(ctx context.Context, q db.Tx, id uid.ServiceOffering, zone uid.Zone) (Compute, error) {
	o, err := FindCompute(ctx, q, id)
	if err != nil {
		return Compute{}, err
	}
	if err := o.offered(ctx, q, id, zone); err != nil {
		return Compute{}, err
	}
	switch {
	case o.IsSystem:
		return Compute{}, fault.Invalidf("service offering %q is for the cloud's own machines", o.Name)
	case o.State != Active:
		return Compute{}, fault.Conflictf("service offering %q is %s: it is not for new machines", o.Name, o.State)
	}
	return o, nil
}

// ChangesTo tells whether a machine of this offering can be given another one, and if not, why. Its root disk stays where it is,
// so the other one must ask no more of storage.
func (o Compute) ChangesTo(to Compute) error {
	switch {
	case o.ID == to.ID && !o.Customized:
		return fault.Conflictf("the machine has service offering %q already", to.Name)
	case o.IsSystem != to.IsSystem:
		return fault.Invalidf("service offerings %q and %q are not both for users' machines", o.Name, to.Name)
	case o.StorageType != to.StorageType:
		return fault.Invalidf("service offering %q is for %s storage, and the machine's root disk is on %s storage", to.Name, to.StorageType,
			o.StorageType)
	case to.StorageTags != "" && to.StorageTags != o.StorageTags:
		return fault.Invalidf("service offering %q is for storage with the tags %q, and the machine's root disk was made on storage with %q",
			to.Name, to.StorageTags, o.StorageTags)
	}
	return nil
}

// made says for whom a new offering is, and announces it.
func made(ctx context.Context, tx db.Tx, id string, of Scope, kind event.Kind, what, name string) error {
	if err := setScope(ctx, tx, id, of); err != nil {
		return err
	}
	if err := announce(ctx, tx, kind, what, name, id); err != nil {
		return err
	}
	return once.Record(ctx, tx, id, "")
}

func announce(ctx context.Context, tx db.Tx, kind event.Kind, what, name, id string) error {
	_, err := event.Write(ctx, tx, event.Event{Type: kind, Description: fmt.Sprintf("%s %s (%s)", what, name, id), ResourceID: id})
	return err
}
