package compute

import (
	"context"
	"errors"
	"slices"
	"strings"

	"github.com/virga-cloud/virga/internal/auth"
	"github.com/virga-cloud/virga/internal/db"
	"github.com/virga-cloud/virga/internal/fault"
	"github.com/virga-cloud/virga/internal/host"
	"github.com/virga-cloud/virga/internal/hypervisor"
	"github.com/virga-cloud/virga/internal/inquest"
	"github.com/virga-cloud/virga/internal/offering"
	"github.com/virga-cloud/virga/internal/placement"
	"github.com/virga-cloud/virga/internal/pool"
	"github.com/virga-cloud/virga/internal/volume"
	"github.com/virga-cloud/virga/uid"
)

// placeDisk chooses a pool for a disk that is still to be made. Machines whose own disks are still to be made leave that to
// their start. What the request has looked at may have changed while other operations on the machine had their turn.
func (s *Service) placeDisk(ctx context.Context, tx db.Tx, a *attachment) error {
	vm, err := Locked(ctx, tx, auth.Scope{All: true}, a.VM)
	if err != nil {
		return err
	}
	if err := s.changeable(vm, "attached to"); err != nil {
		return err
	}
	v, err := volume.Locked(ctx, tx, auth.Scope{All: true}, a.Volume)
	if err != nil {
		return err
	}
	if a.Host = vm.Host; a.Host == "" {
		if a.Host, err = anyHost(ctx, tx, vm.ID); err != nil || a.Host == "" {
			return err
		}
	}
	h, err := host.Find(ctx, tx, a.Host)
	if err != nil {
		return err
	}
	if v.Pool != "" {
		return reaches(ctx, tx, h, vm, v)
	}
	a.Made = true
	p, err := s.poolFor(ctx, tx, h, v)
	if err != nil {
		return err
	}
	return volume.SetPlaced(ctx, tx, v.ID, volume.Attaching, p)
}

// reaches refuses a volume that lies where the machine's host does not reach it.
func reaches(ctx context.Context, tx db.Tx, h host.Host, vm VM, v volume.Volume) error {
	pools, err := pool.ByID(ctx, tx, []uid.Pool{v.Pool})
	if err != nil {
		return err
	}
	p := pools[v.Pool]
	there := p.Cluster == h.Cluster
	switch p.Scope {
	case pool.HostOnly:
		there = p.Host == h.ID
	case pool.ZoneWide:
		there = p.Zone == h.Zone && (p.Hypervisor == "" || strings.EqualFold(p.Hypervisor, "any") || strings.EqualFold(p.Hypervisor, h.Hypervisor))
	}
	if there {
		return nil
	}
	return fault.Conflictf("volume %q lies in primary storage that virtual machine %q can't reach where it is; attach it to a machine "+
		"in the place where it was used", v.Name, vm.Name)
}

// poolFor takes room for a volume's disk in a pool that a host reaches, and that is as the volume's offering wants it.
func (s *Service) poolFor(ctx context.Context, tx db.Tx, h host.Host, v volume.Volume) (uid.Pool, error) {
	offerings, err := offering.DisksByID(ctx, tx, []uid.DiskOffering{v.DiskOffering})
	if err != nil {
		return "", err
	}
	off := offerings[v.DiskOffering]
	want := placement.Disk{Bytes: v.Size, Local: off.StorageType == offering.LocalStorage, Tags: placement.Tags(off.Tags)}
	pools, err := s.placement.Pools(ctx, tx, h, []placement.Disk{want})
	if why := (*fault.Error)(nil); fault.Is(err, fault.Full) && errors.As(err, &why) {
		return "", fault.Fullf("no primary storage that the virtual machine reaches, and that disk offering %q is for, has room for volume %q "+
			"(%d GB)", off.Name, v.Name, volume.Gigabytes(v.Size)).WithDetail("%s", why.Detail)
	}
	if err != nil {
		return "", err
	}
	return pools[0], nil
}

func (s *Service) unplaceDisk(ctx context.Context, tx db.Tx, a *attachment) error {
	if !a.Made {
		return nil
	}
	return volume.Unplace(ctx, tx, a.Volume, volume.Attaching)
}

func (s *Service) makeDisk(ctx context.Context, a *attachment) error {
	if !a.Made {
		return nil
	}
	vm, d, driver, err := s.driveDisk(ctx, a)
	if err != nil || d == nil {
		return err
	}
	return again(driver.MakeDisk(ctx, on(vm, a), d.made()))
}

func (s *Service) dropDisk(ctx context.Context, a *attachment) error {
	if !a.Made {
		return nil
	}
	vm, d, driver, err := s.driveDisk(ctx, a)
	if err != nil || d == nil {
		return err
	}
	err = driver.DropDisk(ctx, on(vm, a), d.ref())
	if !fault.Is(err, fault.Unavailable) || vm.Host == "" {
		return again(err)
	}
	if err := inquest.OrEnded(ctx, s.db, vm.Host, vm.ID, err); err != nil {
		return err
	}
	return s.volumes.DropOf(ctx, vm.ID, func(v volume.Volume) bool { return v.ID == a.Volume })
}

// plug gives a machine that runs the disk; unplug takes it away. Each is the other's undo. Machines that don't run get, at their
// start, the disks that are theirs then.
func (s *Service) plug(ctx context.Context, a *attachment) error {
	vm, d, driver, err := s.driveDisk(ctx, a)
	if err != nil || d == nil || d.Pool == "" || vm.Host == "" {
		return err
	}
	plugger, ok := driver.(hypervisor.Plugger)
	if !ok {
		return fault.Conflictf("%s can't give disks to machines that run", vm.Hypervisor)
	}
	return again(plugger.Plug(ctx, vm.Host, vm.ID, d.attachment()))
}

func (s *Service) unplug(ctx context.Context, a *attachment) error {
	vm, d, driver, err := s.driveDisk(ctx, a)
	if err != nil || d == nil || d.Pool == "" || vm.Host == "" {
		return err
	}
	plugger, ok := driver.(hypervisor.Plugger)
	if !ok {
		return fault.Conflictf("%s can't take disks from machines that run", vm.Hypervisor)
	}
	return again(plugger.Unplug(ctx, vm.Host, vm.ID, d.ref()))
}

// driveDisk gives what a step needs. The disk is nil when the volume is not the machine's any more, since an operation before
// this one has taken it away: there is nothing to do then.
func (s *Service) driveDisk(ctx context.Context, a *attachment) (known, *disk, hypervisor.Driver, error) {
	vm, driver, err := s.knowDriven(ctx, a.VM)
	if err != nil {
		return known{}, nil, nil, err
	}
	i := slices.IndexFunc(vm.disks, func(d disk) bool { return d.ID == a.Volume })
	if i < 0 {
		return vm, nil, nil, nil
	}
	return vm, &vm.disks[i], driver, nil
}

// on is the host through which the disk is reached: where the machine runs, or where it was when the job chose.
func on(vm known, a *attachment) uid.Host {
	if vm.Host != "" {
		return vm.Host
	}
	return a.Host
}

// attached records that the disk is the machine's.
func attached(ctx context.Context, tx db.Tx, a *attachment) error {
	v, err := volume.Locked(ctx, tx, auth.Scope{All: true}, a.Volume)
	if err != nil {
		return err
	}
	if v.Pool == "" {
		return volume.SetState(ctx, tx, v.ID, volume.Allocated)
	}
	return volume.SetState(ctx, tx, v.ID, volume.Ready)
}
