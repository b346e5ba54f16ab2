package compute

import (
	"context"
	"slices"

	"github.com/virga-cloud/virga/internal/auth"
	"github.com/virga-cloud/virga/internal/db"
	"github.com/virga-cloud/virga/internal/event"
	"github.com/virga-cloud/virga/internal/fault"
	"github.com/virga-cloud/virga/internal/host"
	"github.com/virga-cloud/virga/internal/hypervisor"
	"github.com/virga-cloud/virga/internal/inquest"
	"github.com/virga-cloud/virga/internal/op"
	"github.com/virga-cloud/virga/internal/pool"
	"github.com/virga-cloud/virga/internal/project"
	"github.com/virga-cloud/virga/internal/volume"
	"github.com/virga-cloud/virga/internal/zone"
	"github.com/virga-cloud/virga/uid"
)

// StartIn says what machine to start, and where an admin wants it. Zero fields don't restrict.
type StartIn struct {
	ID      uid.VM
	Host    uid.Host
	Pod     uid.Pod
	Cluster uid.Cluster
}

// Start begins to start a stopped machine.
func (s *Service) Start(ctx context.Context, in StartIn) (op.ID, error) {
	job, _, err := s.start.Start(ctx, Request(ctx, in.ID, "startVirtualMachine"),
		job{VM: in.ID, Wish: wish{Host: in.Host, Pod: in.Pod, Cluster: in.Cluster}})
	return job, err
}

// Stop begins to stop a running machine; forced cuts the power.
func (s *Service) Stop(ctx context.Context, id uid.VM, forced bool) (op.ID, error) {
	job, _, err := s.stop.Start(ctx, Request(ctx, id, "stopVirtualMachine"), job{VM: id, Forced: forced})
	return job, err
}

// Reboot begins to reboot a running machine; forced cuts the power in between.
func (s *Service) Reboot(ctx context.Context, id uid.VM, forced bool) (op.ID, error) {
	runner := s.reboot
	if forced {
		runner = s.forceReboot
	}
	job, _, err := runner.Start(ctx, Request(ctx, id, "rebootVirtualMachine"), job{VM: id, Forced: forced})
	return job, err
}

func (s *Service) startPlan() *op.Plan[job] {
	return op.New[job]("vm.start").Refuses().
		Accept(func(ctx context.Context, tx db.Tx, q *op.Request, j *job) error {
			vm, err := s.accept(ctx, tx, q, j, Starting, event.VMStart, "starting")
			if err != nil {
				return err
			}
			if vm.Account != q.Caller.Account { // who calls is enabled
				if err := project.MayRun(ctx, tx, vm.Account); err != nil {
					return err
				}
			}
			if err := zone.Open(ctx, tx, vm.Zone); err != nil {
				return err
			}
			if err := j.Wish.check(ctx, tx, vm.Zone); err != nil {
				return err
			}
			return setState(ctx, tx, j.VM, Starting)
		}, s.asItWas).
		Tx("place", s.place, s.unplace).
		Do("disks", s.makeDisks, s.dropNew).
		Wait("network", s.announced).
		Do("start", s.powerOn, s.powerOff).
		Tx("finish", s.started, nil)
}

func (s *Service) stopPlan() *op.Plan[job] {
	return op.New[job]("vm.stop").Refuses().
		Accept(func(ctx context.Context, tx db.Tx, q *op.Request, j *job) error {
			if _, err := s.accept(ctx, tx, q, j, Stopping, event.VMStop, "stopping"); err != nil {
				return err
			}
			return setState(ctx, tx, j.VM, Stopping)
		}, s.asItWas).
		Do("stop", s.turnOff, s.turnOn).
		Tx("finish", func(ctx context.Context, tx db.Tx, j *job) error { return s.stopped(ctx, tx, j, Stopped) }, nil)
}

func (s *Service) rebootPlan() *op.Plan[job] {
	return op.New[job]("vm.reboot").Refuses().
		Accept(s.beginReboot, nil).
		Do("reboot", s.restart, nil)
}

// forceRebootPlan stops and starts: to a guest that hangs a reboot means nothing. The machine keeps its room in between.
// One that can't be stopped is left running; one that was stopped and can't be started is stopped for good, since a later
// start, perhaps on another host, is what helps it.
func (s *Service) forceRebootPlan() *op.Plan[job] {
	return op.New[job]("vm.reboot.forced").Refuses().
		Accept(s.beginReboot, s.asItIs).
		Do("stop", s.turnOffForNow, s.turnOn).
		Do("start", s.powerOn, s.powerOff)
}

func (s *Service) beginReboot(ctx context.Context, tx db.Tx, q *op.Request, j *job) error {
	_, err := s.accept(ctx, tx, q, j, Running, event.VMReboot, "rebooting")
	return err
}

// turnOffForNow stops the machine and notes that it did, for the undos: what a step changes in the job is only kept once it
// has succeeded.
func (s *Service) turnOffForNow(ctx context.Context, j *job) error {
	j.Off = true
	return s.turnOff(ctx, j)
}

// asItIs records what a forced reboot that failed has left.
func (s *Service) asItIs(ctx context.Context, tx db.Tx, j *job) error {
	if j.Off {
		return s.stopped(ctx, tx, j, Stopped)
	}
	return s.asItWas(ctx, tx, j)
}

// asItWas gives the machine the state back that it had before the operation.
func (s *Service) asItWas(ctx context.Context, tx db.Tx, j *job) error {
	return setState(ctx, tx, j.VM, j.Was)
}

func (s *Service) unplace(ctx context.Context, tx db.Tx, j *job) error {
	vm, err := Locked(ctx, tx, auth.Scope{All: true}, j.VM)
	if err != nil {
		return err
	}
	if err := host.Release(ctx, tx, vm.Host, vm.need()); err != nil {
		return err
	}
	volumes, err := volume.Of(ctx, tx, []uid.VM{vm.ID})
	if err != nil {
		return err
	}
	for _, v := range volumes[vm.ID] {
		if !slices.Contains(j.New, v.ID) {
			continue
		}
		if err := pool.Release(ctx, tx, v.Pool, v.Size); err != nil {
			return err
		}
		if err := volume.SetPlaced(ctx, tx, v.ID, volume.Allocated, ""); err != nil {
			return err
		}
	}
	return setHost(ctx, tx, vm.ID, "")
}

// makeDisks makes the disks of the volumes that place chose pools for.
func (s *Service) makeDisks(ctx context.Context, j *job) error {
	vm, driver, err := s.knowDriven(ctx, j.VM)
	if err != nil {
		return err
	}
	for _, d := range vm.disks {
		if !slices.Contains(j.New, d.ID) {
			continue
		}
		if err := driver.MakeDisk(ctx, j.Host, d.made()); err != nil {
			return inquest.UnlessDown(ctx, s.db, j.Host, err)
		}
	}
	return nil
}

func (s *Service) dropNew(ctx context.Context, j *job) error {
	made := func(v volume.Volume) bool { return slices.Contains(j.New, v.ID) }
	err := s.dropDisks(ctx, j.VM, j.Host, made)
	if !fault.Is(err, fault.Unavailable) {
		return err
	}
	if err := inquest.OrEnded(ctx, s.db, j.Host, j.VM, err); err != nil {
		return err
	}
	return s.volumes.DropOf(ctx, j.VM, made)
}

// dropDisks removes the disks of some of a machine's volumes.
func (s *Service) dropDisks(ctx context.Context, id uid.VM, on uid.Host, which func(volume.Volume) bool) error {
	vm, driver, err := s.knowDriven(ctx, id)
	if err != nil {
		return err
	}
	for _, d := range vm.disks {
		if d.Pool == "" || !which(d.Volume) {
			continue
		}
		if err := driver.DropDisk(ctx, on, d.ref()); err != nil {
			return again(err)
		}
	}
	return nil
}

// powerOn starts the machine on the host that place chose; powerOff is its undo.
func (s *Service) powerOn(ctx context.Context, j *job) error {
	vm, driver, err := s.knowDriven(ctx, j.VM)
	if err != nil {
		return err
	}
	m, err := s.tell(ctx, vm)
	if err != nil {
		return err
	}
	return inquest.UnlessDown(ctx, s.db, j.Host, driver.Start(ctx, j.Host, m))
}

func (s *Service) powerOff(ctx context.Context, j *job) error {
	driver, err := s.driven(ctx, j.VM)
	if err != nil {
		return err
	}
	return inquest.OrEnded(ctx, s.db, j.Host, j.VM, driver.Stop(ctx, j.Host, j.VM, true))
}

// turnOff stops a machine that runs; turnOn is its undo: it starts the machine again where it ran, unless the host does not
// answer, and then nobody knows and the host's next report tells. A machine that is to stay off is left so.
func (s *Service) turnOff(ctx context.Context, j *job) error {
	if j.Host == "" {
		return nil
	}
	driver, err := s.driven(ctx, j.VM)
	if err != nil {
		return err
	}
	return again(driver.Stop(ctx, j.Host, j.VM, j.Forced))
}

func (s *Service) turnOn(ctx context.Context, j *job) error {
	if j.Host == "" || j.Off {
		return nil
	}
	err := s.powerOn(ctx, j)
	if fault.Is(err, fault.Conflict) { // it has never been off, and its user data were changed since it was started
		if runs, asked := s.runs(ctx, j); asked == nil && runs {
			return nil
		}
	}
	if fault.Is(err, fault.Unavailable) {
		if _, probe := s.probe(ctx, j); probe != nil {
			return nil //nolint:nilerr // see above
		}
	}
	return err
}

// runs asks the machine's host whether the machine runs there.
func (s *Service) runs(ctx context.Context, j *job) (bool, error) {
	driver, err := s.driven(ctx, j.VM)
	if err != nil {
		return false, err
	}
	return hypervisor.Runs(ctx, driver, j.Host, j.VM)
}

func (s *Service) probe(ctx context.Context, j *job) (hypervisor.Report, error) {
	vm, err := Find(ctx, s.db.Read(), j.VM)
	if err != nil {
		return hypervisor.Report{}, err
	}
	driver, err := s.driver(vm)
	if err != nil {
		return hypervisor.Report{}, err
	}
	return driver.Probe(ctx, j.Host)
}

// restart reboots the guest.
func (s *Service) restart(ctx context.Context, j *job) error {
	driver, err := s.driven(ctx, j.VM)
	if err != nil {
		return err
	}
	return again(driver.Reboot(ctx, j.Host, j.VM))
}

// started records that the machine runs and its disks are there.
func (s *Service) started(ctx context.Context, tx db.Tx, j *job) error {
	for _, v := range j.New {
		if err := volume.SetState(ctx, tx, v, volume.Ready); err != nil {
			return err
		}
	}
	return setState(ctx, tx, j.VM, Running)
}

// stopped records that the machine does not run any more, and gives its room back.
func (s *Service) stopped(ctx context.Context, tx db.Tx, j *job, to State) error {
	vm, err := Locked(ctx, tx, auth.Scope{All: true}, j.VM)
	if err != nil {
		return err
	}
	if vm.Host != "" {
		if err := host.Release(ctx, tx, vm.Host, vm.need()); err != nil {
			return err
		}
		if err := setHost(ctx, tx, vm.ID, ""); err != nil {
			return err
		}
	}
	return setState(ctx, tx, vm.ID, to)
}
