package compute

import (
	"context"

	"github.com/virga-cloud/virga/internal/account"
	"github.com/virga-cloud/virga/internal/auth"
	"github.com/virga-cloud/virga/internal/db"
	"github.com/virga-cloud/virga/internal/event"
	"github.com/virga-cloud/virga/internal/fault"
	"github.com/virga-cloud/virga/internal/hypervisor"
	"github.com/virga-cloud/virga/internal/op"
	"github.com/virga-cloud/virga/internal/volume"
	"github.com/virga-cloud/virga/uid"
)

// attachment is the state of giving a machine a volume, or of taking one away. The operations are the machine's, so that they
// take turns with its others; that two machines don't get one volume is the volume's row's care: it belongs to the machine from
// the request on, and is no part of it while it is Attaching.
type attachment struct {
	VM      uid.VM       `json:"vm"`
	Volume  uid.Volume   `json:"volume"`
	Device  int          `json:"device,omitempty"`
	Was     volume.State `json:"was,omitempty"`     // the volume's state before
	Created bool         `json:"created,omitempty"` // by the same job
	Host    uid.Host     `json:"host,omitempty"`    // through which the disk is made
	Made    bool         `json:"made,omitempty"`    // the disk is made by the job

	in *volume.CreateIn // for Accept only
}

// anyDevice has the machine choose.
const anyDevice = -1

// Devices that data disks don't get: the root disk's, and the CD drive's.
const (
	rootDevice = 0
	cdDevice   = 3
	lastDevice = 15
)

// Attach begins to give a machine a data volume of its account, at a device or, with nil, at its next free one. A machine that
// runs gets it at once if its hypervisor can do that.
func (s *Service) Attach(ctx context.Context, id uid.Volume, vm uid.VM, device *int64) (op.ID, error) {
	a := attachment{VM: vm, Volume: id, Device: anyDevice}
	if device != nil {
		if *device < rootDevice || *device > lastDevice || *device == rootDevice || *device == cdDevice {
			return "", fault.Invalidf("deviceid %d is not one for data disks: want 1 to %d, but not %d, which is the CD drive's",
				*device, lastDevice, cdDevice)
		}
		a.Device = int(*device)
	}
	job, _, err := s.attachVolume.Start(ctx, volumeRequest(ctx, a, "attachVolume"), a)
	return job, err
}

// CreateVolume begins to make a data volume and to attach it to a machine.
func (s *Service) CreateVolume(ctx context.Context, in volume.CreateIn, vm uid.VM) (uid.Volume, op.ID, error) {
	a := attachment{VM: vm, Volume: uid.New[uid.Volume](), Device: anyDevice, Created: true, in: &in}
	job, _, err := s.createVolume.Start(ctx, volumeRequest(ctx, a, "createVolume"), a)
	return a.Volume, job, err
}

// Detach begins to take a data volume from its machine.
func (s *Service) Detach(ctx context.Context, id uid.Volume) (op.ID, error) {
	vm, err := s.holder(ctx, id)
	if err != nil {
		return "", err
	}
	a := attachment{VM: vm, Volume: id}
	job, _, err := s.detachVolume.Start(ctx, volumeRequest(ctx, a, "detachVolume"), a)
	return job, err
}

// DetachDevice is Detach for the volume that is at a device of a machine.
func (s *Service) DetachDevice(ctx context.Context, vm uid.VM, device int64) (op.ID, error) {
	id, err := s.at(ctx, vm, device)
	if err != nil {
		return "", err
	}
	return s.Detach(ctx, id)
}

// holder gives the machine that has a volume.
func (s *Service) holder(ctx context.Context, id uid.Volume) (uid.VM, error) {
	found, _, err := s.volumes.List(ctx, volume.Filter{Scope: auth.From(ctx).Reach(), IDs: []uid.Volume{id}})
	switch {
	case err != nil:
		return "", err
	case len(found) == 0:
		return "", fault.Missing(id)
	case found[0].VM == "":
		return "", fault.Conflictf("volume %q is not attached to a virtual machine", found[0].Name)
	}
	return found[0].VM, nil
}

// at gives the volume at a device of a machine.
func (s *Service) at(ctx context.Context, id uid.VM, device int64) (uid.Volume, error) {
	found, _, err := s.List(ctx, Filter{Scope: auth.From(ctx).Reach(), IDs: []uid.VM{id}})
	if err != nil {
		return "", err
	}
	if len(found) == 0 {
		return "", fault.Missing(id)
	}
	volumes, err := volume.Of(ctx, s.db.Read(), []uid.VM{id})
	if err != nil {
		return "", err
	}
	for _, v := range volumes[id] {
		if int64(*v.Device) == device {
			return v.ID, nil
		}
	}
	return "", fault.NotFoundf("virtual machine %q has no disk at device %d", found[0].Name, device)
}

func volumeRequest(ctx context.Context, a attachment, command string) op.Request {
	return op.Request{
		Thing: thing(a.VM), Caller: auth.From(ctx), Command: command, SubjectKind: "Volume", SubjectID: string(a.Volume),
	}
}

func (s *Service) attachPlan() *op.Plan[attachment] {
	return s.attaching("volume.attach", func(ctx context.Context, tx db.Tx, q *op.Request, a *attachment) error {
		vm, err := Locked(ctx, tx, q.Caller.Reach(), a.VM)
		if err != nil {
			return err
		}
		v, err := volume.Locked(ctx, tx, q.Caller.Reach(), a.Volume)
		if err != nil {
			return err
		}
		if err := s.take(ctx, tx, a, vm, v); err != nil {
			return err
		}
		return volume.Announce(ctx, tx, q, v, event.VolumeAttach, "attaching")
	})
}

func (s *Service) createVolumePlan() *op.Plan[attachment] {
	return s.attaching("volume.create.attached", func(ctx context.Context, tx db.Tx, q *op.Request, a *attachment) error {
		vm, err := Locked(ctx, tx, q.Caller.Reach(), a.VM)
		if err != nil {
			return err
		}
		if a.in.Zone == "" {
			a.in.Zone = vm.Zone
		}
		v, err := s.volumes.Draft(ctx, tx, a.Volume, *a.in)
		if err != nil {
			return err
		}
		if err := volume.Insert(ctx, tx, []volume.Volume{v}); err != nil {
			return err
		}
		if err := s.take(ctx, tx, a, vm, v); err != nil {
			return err
		}
		if err := volume.Announce(ctx, tx, q, v, event.VolumeCreate, "creating"); err != nil {
			return err
		}
		return account.Take(ctx, tx, v.Account, v.Use())
	})
}

// attaching is the plan of attaching, however it begins.
func (s *Service) attaching(name string, begin op.AcceptFunc[attachment]) *op.Plan[attachment] {
	return op.New[attachment](name).
		Accept(begin, s.letGo).
		Tx("place", s.placeDisk, s.unplaceDisk).
		Do("disk", s.makeDisk, s.dropDisk).
		Do("plug", s.plug, s.onceEnded(s.unplug)).
		Tx("finish", attached, nil)
}

func (s *Service) detachPlan() *op.Plan[attachment] {
	return op.New[attachment]("volume.detach").
		Accept(s.beginDetach, func(ctx context.Context, tx db.Tx, a *attachment) error { return volume.Kept(ctx, tx, a.Volume, a.Was) }).
		Do("unplug", s.unplug, s.onceEnded(s.plug)).
		Tx("finish", func(ctx context.Context, tx db.Tx, a *attachment) error {
			return volume.Detached(ctx, tx, a.Volume, a.Was)
		}, nil)
}

// take makes a volume the machine's, at a device of it. Both are locked.
func (s *Service) take(ctx context.Context, tx db.Tx, a *attachment, vm VM, v volume.Volume) error {
	switch {
	case v.Account != vm.Account:
		return fault.Deniedf("volume %q belongs to another account than virtual machine %q", v.Name, vm.Name)
	case v.Zone != vm.Zone:
		return fault.Invalidf("volume %q is in another zone than virtual machine %q", v.Name, vm.Name)
	case v.Type != volume.Data:
		return fault.Invalidf("volume %q is a root disk; only data disks can be attached", v.Name)
	case v.VM == vm.ID:
		return fault.Conflictf("volume %q is attached to virtual machine %q already", v.Name, vm.Name)
	case v.VM != "":
		return fault.Conflictf("volume %q is attached to another virtual machine; detach it there first", v.Name)
	case v.State != volume.Ready && v.State != volume.Allocated:
		return fault.Conflictf("volume %q is %s and can't be attached", v.Name, v.State)
	}
	if err := s.changeable(vm, "attached to"); err != nil {
		return err
	}
	if err := unkept(ctx, tx, vm, "a disk is attached to it"); err != nil {
		return err
	}
	of, err := volume.Of(ctx, tx, []uid.VM{vm.ID})
	if err != nil {
		return err
	}
	if a.Device, err = freeDevice(of[vm.ID], vm, a.Device); err != nil {
		return err
	}
	a.Was = v.State
	return volume.Attach(ctx, tx, v.ID, vm.ID, a.Device, volume.Attaching)
}

// changeable refuses to give disks to, or take them from, a machine that is in between, or runs where that is impossible.
func (s *Service) changeable(vm VM, doing string) error {
	switch vm.State {
	case Stopped:
		return nil
	case Running:
		driver, err := s.driver(vm)
		if err != nil {
			return err
		}
		if _, ok := driver.(hypervisor.Plugger); !ok {
			return fault.Conflictf("virtual machine %q runs, and disks can't be %s machines on %s then; stop it first", vm.Name, doing, vm.Hypervisor)
		}
		return nil
	default:
		return fault.Conflictf("virtual machine %q is %s; disks can be %s it while it is Running or Stopped", vm.Name, vm.State, doing)
	}
}

// freeDevice is the wanted device if it is free, or the first one that is.
func freeDevice(has []volume.Volume, vm VM, wanted int) (int, error) {
	taken := map[int]bool{rootDevice: true, cdDevice: true}
	for _, v := range has {
		taken[*v.Device] = true
	}
	if wanted != anyDevice {
		if taken[wanted] {
			return 0, fault.Conflictf("virtual machine %q has a disk at device %d already", vm.Name, wanted)
		}
		return wanted, nil
	}
	for device := 1; device <= lastDevice; device++ {
		if !taken[device] {
			return device, nil
		}
	}
	return 0, fault.Conflictf("virtual machine %q has %d data disks already, which is as many as fit", vm.Name, lastDevice-1)
}

// letGo takes the volume back from the machine, or removes it if the job has created it.
func (s *Service) letGo(ctx context.Context, tx db.Tx, a *attachment) error {
	if err := volume.SetState(ctx, tx, a.Volume, a.Was); err != nil {
		return err
	}
	if err := volume.DetachFrom(ctx, tx, a.Volume, a.VM); err != nil {
		return err
	}
	if a.Created {
		return volume.Discard(ctx, tx, a.Volume)
	}
	return nil
}

func (s *Service) beginDetach(ctx context.Context, tx db.Tx, q *op.Request, a *attachment) error {
	vm, err := Locked(ctx, tx, q.Caller.Reach(), a.VM)
	if err != nil {
		return err
	}
	v, err := volume.Locked(ctx, tx, q.Caller.Reach(), a.Volume)
	switch {
	case err != nil:
		return err
	case v.VM != vm.ID:
		return fault.Conflictf("volume %q is not attached to virtual machine %q any more", v.Name, vm.Name)
	case v.Type == volume.Root:
		return fault.Invalidf("volume %q is the root disk of virtual machine %q; only data disks can be detached", v.Name, vm.Name)
	case v.State != volume.Ready && v.State != volume.Allocated:
		return fault.Conflictf("volume %q is %s and can't be detached", v.Name, v.State)
	case vm.State != Destroyed:
		if err := s.changeable(vm, "detached from"); err != nil {
			return err
		}
	}
	if err := unkept(ctx, tx, vm, "a disk is detached from it"); err != nil {
		return err
	}
	// While it is Detaching no second job detaches it, and none attaches it again.
	a.Device, a.Was = *v.Device, v.State
	if err := volume.SetState(ctx, tx, v.ID, volume.Detaching); err != nil {
		return err
	}
	return volume.Announce(ctx, tx, q, v, event.VolumeDetach, "detaching")
}
