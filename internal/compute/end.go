package compute

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/virga-cloud/virga/internal/account"
	"github.com/virga-cloud/virga/internal/auth"
	"github.com/virga-cloud/virga/internal/db"
	"github.com/virga-cloud/virga/internal/event"
	"github.com/virga-cloud/virga/internal/fault"
	"github.com/virga-cloud/virga/internal/limit"
	"github.com/virga-cloud/virga/internal/network"
	"github.com/virga-cloud/virga/internal/op"
	"github.com/virga-cloud/virga/internal/pool"
	"github.com/virga-cloud/virga/internal/rule"
	"github.com/virga-cloud/virga/internal/secgroup"
	"github.com/virga-cloud/virga/internal/vmsnapshot"
	"github.com/virga-cloud/virga/internal/volume"
	"github.com/virga-cloud/virga/uid"
)

// Destroy begins to destroy a machine: it is stopped and waits, for as long as the operator lets it, to be recovered or
// expunged. With expunge, which is the admins', it is gone for good at once. Data disks outlive their machine, as users expect of
// them, but for those that are named to go with it.
func (s *Service) Destroy(ctx context.Context, id uid.VM, expunge bool, with ...uid.Volume) (op.ID, error) {
	runner := s.destroy
	has, err := vmsnapshot.Of(ctx, s.db.Read(), id)
	if err != nil {
		return "", err
	}
	if len(with) > 0 || len(has) > 0 {
		runner = s.destroyWith
	}
	if expunge {
		if err := s.mayExpunge(ctx); err != nil {
			return "", err
		}
		runner = s.wipe
	}
	job, _, err := runner.Start(ctx, Request(ctx, id, "destroyVirtualMachine"), job{VM: id, Expunge: expunge, With: with})
	return job, err
}

// Expunge begins to remove a machine for good: one that was destroyed, is stopped, or has failed.
func (s *Service) Expunge(ctx context.Context, id uid.VM) (op.ID, error) {
	if err := s.mayExpunge(ctx); err != nil {
		return "", err
	}
	job, _, err := s.expunge.Start(ctx, Request(ctx, id, "expungeVirtualMachine"), job{VM: id})
	return job, err
}

// WipeOut begins to remove a machine for good, whether it was destroyed before or not. Data disks outlive it.
func (s *Service) WipeOut(ctx context.Context, id uid.VM) (op.ID, error) {
	found, err := ByID(ctx, s.db.Read(), []uid.VM{id})
	if err == nil && (found[id].State == Destroyed || found[id].State == Failed) {
		return s.Expunge(ctx, id)
	}
	if err != nil {
		return "", err
	}
	return s.Destroy(ctx, id, true)
}

func (s *Service) mayExpunge(ctx context.Context) error {
	if !s.trusted(ctx) {
		return fault.Deniedf("only administrators may expunge a virtual machine; destroy it without expunge, and it is expunged later")
	}
	return nil
}

// destroyPlan stops and destroys; the machine can be recovered.
func (s *Service) destroyPlan() *op.Plan[job] {
	return op.New[job]("vm.destroy").Refuses().
		Accept(s.beginDestroy, s.asItWas).
		Do("stop", s.turnOff, s.turnOn).
		Tx("destroyed", s.destroyed, nil)
}

// destroyWithPlan is destroyPlan for a machine that takes data disks along, or has snapshots, which can't be recovered.
func (s *Service) destroyWithPlan() *op.Plan[job] {
	return op.New[job]("vm.destroy.volumes").Refuses().
		Accept(s.beginDestroy, s.asItWas).
		Do("stop", s.turnOff, s.turnOn).
		Tx("destroyed", s.destroyed, nil).
		NoWayBack().
		Do("drop", s.dropWith, nil).
		Tx("dropped", s.droppedWith, nil)
}

// wipePlan stops, destroys and expunges. Once the machine is destroyed there is no way back.
func (s *Service) wipePlan() *op.Plan[job] {
	return op.New[job]("vm.wipe").Refuses().
		Accept(s.beginDestroy, s.asItWas).
		Do("stop", s.turnOff, s.turnOn).
		Tx("destroyed", s.destroyed, nil).
		NoWayBack().
		Do("drop", s.dropRoot, nil).
		Tx("expunged", s.expunged, nil)
}

func (s *Service) expungePlan() *op.Plan[job] {
	return op.New[job]("vm.expunge").Refuses().
		Accept(s.beginExpunge, s.asItWas).
		NoWayBack().
		Do("drop", s.dropRoot, nil).
		Tx("expunged", s.expunged, nil)
}

func (s *Service) beginDestroy(ctx context.Context, tx db.Tx, q *op.Request, j *job) error {
	vm, err := s.accept(ctx, tx, q, j, Destroyed, event.VMDestroy, "destroying")
	if err != nil {
		return err
	}
	if err := s.claimWith(ctx, tx, j); err != nil || vm.Host == "" {
		return err
	}
	return setState(ctx, tx, vm.ID, Stopping)
}

// claimWith checks the data disks that are to go with their machine. They stay as they are until there is no way back.
func (s *Service) claimWith(ctx context.Context, tx db.Tx, j *job) error {
	if len(j.With) == 0 {
		return nil
	}
	of, err := volume.Of(ctx, tx, []uid.VM{j.VM})
	if err != nil {
		return err
	}
	for _, id := range j.With {
		i := slices.IndexFunc(of[j.VM], func(v volume.Volume) bool { return v.ID == id })
		switch {
		case i < 0:
			return fault.Invalidf("volume %s in volumeids is not attached to the virtual machine", id)
		case isRoot(of[j.VM][i]):
			return fault.Invalidf("volume %s in volumeids is the root disk, which goes with the virtual machine anyway; leave it out", id)
		}
	}
	return nil
}

// destroyed records that the machine is destroyed: its room on the host and its share of the account's limits are free.
func (s *Service) destroyed(ctx context.Context, tx db.Tx, j *job) error {
	if err := s.stopped(ctx, tx, j, Destroyed); err != nil {
		return err
	}
	vm, err := Locked(ctx, tx, auth.Scope{All: true}, j.VM)
	if err != nil {
		return err
	}
	if err := setDestroyed(ctx, tx, vm.ID, tx.Now); err != nil {
		return err
	}
	if err := rule.LeaveMachine(ctx, tx, vm.ID); err != nil {
		return err
	}
	if err := network.TouchOf(ctx, tx, vm.ID); err != nil {
		return err
	}
	if err := secgroup.Moved(ctx, tx, vm.ID); err != nil {
		return err
	}
	if j.Expunge {
		if err := setState(ctx, tx, vm.ID, Expunging); err != nil {
			return err
		}
	}
	return account.Give(ctx, tx, vm.Account, vm.use())
}

func (s *Service) beginExpunge(ctx context.Context, tx db.Tx, q *op.Request, j *job) error {
	vm, err := s.accept(ctx, tx, q, j, Expunging, event.VMExpunge, "expunging")
	if err != nil {
		return err
	}
	if err := rule.LeaveMachine(ctx, tx, vm.ID); err != nil { // there is no way back
		return err
	}
	if vm.State != Destroyed { // it still counts
		if err := account.Give(ctx, tx, vm.Account, vm.use()); err != nil {
			return err
		}
	}
	return setState(ctx, tx, vm.ID, Expunging)
}

func isRoot(v volume.Volume) bool { return v.Type == volume.Root }

// goes tells whether a volume ends with its machine.
func (j *job) goes(v volume.Volume) bool { return isRoot(v) || slices.Contains(j.With, v.ID) }

// dropRoot removes the machine's root disk and the data disks that go with it, and its snapshots from those that stay.
func (s *Service) dropRoot(ctx context.Context, j *job) error {
	on, err := anyHost(ctx, s.db.Read(), j.VM)
	if err != nil || on == "" {
		return err
	}
	if err := s.dropKept(ctx, j.VM, on); err != nil {
		return err
	}
	return s.dropDisks(ctx, j.VM, on, j.goes)
}

// dropKept removes the machine's snapshots from its disks.
func (s *Service) dropKept(ctx context.Context, id uid.VM, on uid.Host) error {
	driver, err := s.driven(ctx, id)
	if err != nil {
		return err
	}
	return vmsnapshot.Drop(ctx, s.db.Read(), driver, on, id)
}

// dropWith removes only the data disks that go with the machine, and its snapshots.
func (s *Service) dropWith(ctx context.Context, j *job) error {
	on, err := anyHost(ctx, s.db.Read(), j.VM)
	if err != nil || on == "" {
		return err
	}
	if err := s.dropKept(ctx, j.VM, on); err != nil {
		return err
	}
	return s.dropDisks(ctx, j.VM, on, func(v volume.Volume) bool { return slices.Contains(j.With, v.ID) })
}

// droppedWith records that the data disks which went with the machine are gone, and its snapshots.
func (s *Service) droppedWith(ctx context.Context, tx db.Tx, j *job) error {
	vm, err := Locked(ctx, tx, auth.Scope{All: true}, j.VM)
	if err != nil {
		return err
	}
	if err := vmsnapshot.Forget(ctx, tx, vm.ID); err != nil {
		return err
	}
	use, err := dropped(ctx, tx, vm.ID, func(v volume.Volume) bool { return slices.Contains(j.With, v.ID) })
	if err != nil {
		return err
	}
	return account.Give(ctx, tx, vm.Account, use)
}

// dropped removes the rows of those of a machine's volumes whose disks are gone, and tells what they counted for.
func dropped(ctx context.Context, tx db.Tx, id uid.VM, which func(volume.Volume) bool) (limit.Use, error) {
	volumes, err := volume.Of(ctx, tx, []uid.VM{id})
	if err != nil {
		return nil, err
	}
	use := limit.Use{}
	for _, v := range volumes[id] {
		if !which(v) {
			continue
		}
		if v.Pool != "" {
			if err := pool.Release(ctx, tx, v.Pool, v.Size); err != nil {
				return nil, err
			}
		}
		if err := volume.Remove(ctx, tx, v.ID); err != nil {
			return nil, err
		}
		use[limit.Volumes]++
		use[limit.PrimaryGB] += volume.Gigabytes(v.Size)
	}
	return use, nil
}

// expunged frees all that the machine still had.
func (s *Service) expunged(ctx context.Context, tx db.Tx, j *job) error {
	vm, err := Locked(ctx, tx, auth.Scope{All: true}, j.VM)
	if err != nil {
		return err
	}
	if err := secgroup.Leave(ctx, tx, vm.ID); err != nil {
		return err
	}
	if err := network.Detach(ctx, tx, vm.ID); err != nil {
		return err
	}
	if err := vmsnapshot.Forget(ctx, tx, vm.ID); err != nil {
		return err
	}
	use, err := dropped(ctx, tx, vm.ID, j.goes)
	if err != nil {
		return err
	}
	volumes, err := volume.Of(ctx, tx, []uid.VM{vm.ID})
	if err != nil {
		return err
	}
	for _, v := range volumes[vm.ID] {
		if err := volume.Detach(ctx, tx, v.ID); err != nil {
			return err
		}
	}
	if err := setRemoved(ctx, tx, vm.ID, Expunging); err != nil {
		return err
	}
	return account.Give(ctx, tx, vm.Account, use)
}

// expungeBatch bounds how many machines one round of the keeper begins to expunge.
const expungeBatch = 200

// ExpungeOld begins to expunge the machines that were destroyed longer than delay ago. It is a keeper's work: one machine that
// can't be expunged does not keep the others.
func (s *Service) ExpungeOld(ctx context.Context, delay time.Duration) error {
	ids, err := destroyedBefore(ctx, s.db.Read(), s.db.Now().Add(-delay), expungeBatch)
	if err != nil {
		return err
	}
	ctx = auth.With(ctx, auth.System())
	var failed []error
	for _, id := range ids {
		if ctx.Err() != nil {
			break
		}
		// One that a job began to work on, or that was recovered, in between is not to blame.
		if _, err := s.Expunge(ctx, id); err != nil && !fault.Is(err, fault.Conflict) {
			failed = append(failed, fmt.Errorf("expunge machine %s: %w", id, err))
		}
	}
	return errors.Join(failed...)
}
