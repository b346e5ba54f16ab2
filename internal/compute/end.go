package compute

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/virga-cloud/virga/internal/account"
	"github.com/virga-cloud/virga/internal/auth"
	"github.com/virga-cloud/virga/internal/db"
	"github.com/virga-cloud/virga/internal/event"
	"github.com/virga-cloud/virga/internal/fault"
	"github.com/virga-cloud/virga/internal/network"
	"github.com/virga-cloud/virga/internal/op"
	"github.com/virga-cloud/virga/internal/pool"
	"github.com/virga-cloud/virga/internal/volume"
	"github.com/virga-cloud/virga/uid"
)

// Destroy begins to destroy a machine: it is stopped and waits, for as long as the operator lets it, to be recovered or
// expunged. With expunge, which is the admins', it is gone for good at once.
func (s *Service) Destroy(ctx context.Context, id uid.VM, expunge bool) (op.ID, error) {
	runner := s.destroy
	if expunge {
		if err := mayExpunge(ctx); err != nil {
			return "", err
		}
		runner = s.wipe
	}
	job, _, err := runner.Start(ctx, request(ctx, id, "destroyVirtualMachine"), job{VM: id, Expunge: expunge})
	return job, err
}

// Expunge begins to remove a machine for good: one that was destroyed, is stopped, or has failed.
func (s *Service) Expunge(ctx context.Context, id uid.VM) (op.ID, error) {
	if err := mayExpunge(ctx); err != nil {
		return "", err
	}
	job, _, err := s.expunge.Start(ctx, request(ctx, id, "expungeVirtualMachine"), job{VM: id})
	return job, err
}

func mayExpunge(ctx context.Context) error {
	if c := auth.From(ctx); c.IsNobody() || c.Type == auth.User {
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
	if vm.Host == "" {
		return nil
	}
	return setState(ctx, tx, vm.ID, Stopping)
}

// destroyed records that the machine is destroyed: its room on the host and its share of the account's limits are free.
func (s *Service) destroyed(ctx context.Context, tx db.Tx, j *job) error {
	if err := s.stopped(ctx, tx, j, Destroyed); err != nil {
		return err
	}
	vm, err := findLocked(ctx, tx, auth.Scope{All: true}, j.VM)
	if err != nil {
		return err
	}
	if err := setDestroyed(ctx, tx, vm.ID, tx.Now); err != nil {
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
	if vm.State != Destroyed { // it still counts
		if err := account.Give(ctx, tx, vm.Account, vm.use()); err != nil {
			return err
		}
	}
	return setState(ctx, tx, vm.ID, Expunging)
}

func isRoot(v volume.Volume) bool { return v.Type == volume.Root }

// dropRoot removes the machine's root disk. Data disks outlive their machine, as users expect of them.
func (s *Service) dropRoot(ctx context.Context, j *job) error {
	on, err := anyHost(ctx, s.db.Read(), j.VM)
	if err != nil || on == "" {
		return err
	}
	return s.dropDisks(ctx, j.VM, on, isRoot)
}

// expunged frees all that the machine still had.
func (s *Service) expunged(ctx context.Context, tx db.Tx, j *job) error {
	vm, err := findLocked(ctx, tx, auth.Scope{All: true}, j.VM)
	if err != nil {
		return err
	}
	if err := network.Detach(ctx, tx, vm.ID); err != nil {
		return err
	}
	volumes, err := volume.Of(ctx, tx, []uid.VM{vm.ID})
	if err != nil {
		return err
	}
	use := account.Use{}
	for _, v := range volumes[vm.ID] {
		if !isRoot(v) {
			if err := volume.Detach(ctx, tx, v.ID); err != nil {
				return err
			}
			continue
		}
		if v.Pool != "" {
			if err := pool.Release(ctx, tx, v.Pool, v.Size); err != nil {
				return err
			}
		}
		if err := volume.Remove(ctx, tx, v.ID); err != nil {
			return err
		}
		use[account.Volumes]++
		use[account.PrimaryGB] += volume.Gigabytes(v.Size)
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
