package volume

import (
	"context"
	"fmt"
	"strings"

	"github.com/virga-cloud/virga/internal/db"
	"github.com/virga-cloud/virga/internal/fault"
	"github.com/virga-cloud/virga/internal/host"
	"github.com/virga-cloud/virga/internal/hypervisor"
	"github.com/virga-cloud/virga/internal/op"
	"github.com/virga-cloud/virga/internal/pool"
	"github.com/virga-cloud/virga/uid"
)

// Holder is what is to be known of a machine by who works on one of its disks.
type Holder struct {
	Name    string
	State   string
	Host    uid.Host // where it runs; "" for nowhere
	Settled bool     // it is neither on its way to another state nor on its way out
	// Snapshots are the names of the machine's snapshots, which are in its disks.
	Snapshots []string
}

// Unkept refuses what can't be done to a disk while its machine has snapshots, and tells before what they must go.
func (h Holder) Unkept(before string) error {
	n := len(h.Snapshots)
	if n == 0 {
		return nil
	}
	const few = 5
	named := strings.Join(h.Snapshots[:min(n, few)], ", ")
	if n > few {
		named += fmt.Sprintf(" and %d more", n-few)
	}
	return fault.Conflictf("virtual machine %q has VM snapshots, which are in its disks as these are: %s; delete them with deleteVMSnapshot "+
		"before %s", h.Name, named, before)
}

// Holders gives a machine that has volumes.
type Holders func(ctx context.Context, q db.Tx, id uid.VM) (Holder, error)

// HeldBy says who knows the machines. It is set once, before the first operation on a volume.
func (s *Service) HeldBy(h Holders) { s.holders = h }

// Holder gives the machine that has a volume; nothing but Settled for none.
func (s *Service) Holder(ctx context.Context, q db.Tx, v Volume) (Holder, error) {
	if v.VM == "" {
		return Holder{Settled: true}, nil
	}
	return s.holders(ctx, q, v.VM)
}

// Key is the key of operations on a volume's disk: those of the machine that has it take turns with the machine's others, so that it
// neither starts nor ends nor moves meanwhile.
func Key(id uid.Volume, holder uid.VM) op.Key {
	if holder != "" {
		return op.On("vm", holder)
	}
	return op.On("volume", id)
}

// Work locks a volume that an operation with a [Key] is to begin on, and refuses one that has gone to another machine since, or whose
// machine is on its way. doing is what is refused: "resized".
func (s *Service) Work(ctx context.Context, tx db.Tx, q *op.Request, id uid.Volume, doing string) (Volume, Holder, error) {
	v, err := Locked(ctx, tx, q.Caller.Reach(), id)
	switch {
	case err != nil:
		return v, Holder{}, err
	case Key(v.ID, v.VM) != q.Thing:
		return v, Holder{}, fault.Conflictf("volume %q is being attached or detached; try again", v.Name)
	case v.State != Ready && v.State != Allocated:
		return v, Holder{}, fault.Conflictf("volume %q is %s and can't be %s", v.Name, v.State, doing)
	}
	h, err := s.Holder(ctx, tx, v)
	if err == nil && !h.Settled {
		err = fault.Conflictf("virtual machine %q is %s; its volumes can be %s while it is Running or Stopped", h.Name, h.State, doing)
	}
	return v, h, err
}

// Reached is a volume's disk with the host through which it is reached, and what drives that.
type Reached struct {
	Driver hypervisor.Driver
	Host   uid.Host
	Kind   string // the hypervisor
	Ref    hypervisor.DiskRef
}

// Reach finds a volume's disk: through the host where its machine runs, or any that reaches its pool.
func (s *Service) Reach(ctx context.Context, v Volume) (d Reached, err error) {
	q := s.DB.Read()
	h, err := s.Holder(ctx, q, v)
	if err != nil {
		return d, err
	}
	if d.Host = h.Host; d.Host == "" {
		d.Host, d.Kind, err = Through(ctx, q, v.Pool)
	} else {
		var on host.Host
		on, err = host.Find(ctx, q, d.Host)
		d.Kind = on.Hypervisor
	}
	if err != nil {
		return d, Again(err)
	}
	pools, err := pool.ByID(ctx, q, []uid.Pool{v.Pool})
	if err != nil {
		return d, err
	}
	d.Ref = hypervisor.DiskRef{Volume: v.ID, Pool: v.Pool, PoolURL: pools[v.Pool].URL}
	d.Driver, err = s.Hosts.Driver(d.Kind)
	return d, Again(err)
}

// Again makes a host that does not answer worth another try.
func Again(err error) error {
	if fault.Is(err, fault.Unavailable) {
		return op.Retry(err)
	}
	return err
}
