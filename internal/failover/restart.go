package failover

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/virga-cloud/virga/internal/alert"
	"github.com/virga-cloud/virga/internal/auth"
	"github.com/virga-cloud/virga/internal/compute"
	"github.com/virga-cloud/virga/internal/db"
	"github.com/virga-cloud/virga/internal/fault"
	"github.com/virga-cloud/virga/internal/op"
	"github.com/virga-cloud/virga/uid"
)

// pending is a machine that has ended by itself and is to run again.
type pending struct {
	VM    uid.VM `bun:"vm_id,pk"`
	Since time.Time
	Tries int
	Due   time.Time // when it is tried next
	Job   op.ID     `bun:"job_id"` // of the last try
}

// Note notes that a machine has ended by itself, to be run again if it is highly available.
func Note(ctx context.Context, tx db.Tx, vm compute.VM) error {
	if !vm.HAEnabled {
		return nil
	}
	return put(ctx, tx, pending{VM: vm.ID, Since: tx.Now, Due: tx.Now})
}

// restart starts machines that are to run again, where there is room for them, or looks how that went.
func (s *Service) restart(ctx context.Context) error {
	waiting, err := due(ctx, s.db.Read(), s.db.Now())
	if err != nil || len(waiting) == 0 {
		return err
	}
	ids := make([]uid.VM, len(waiting))
	for i, p := range waiting {
		ids[i] = p.VM
	}
	vms, err := compute.ByID(ctx, s.db.Read(), ids)
	if err != nil {
		return err
	}
	var failed []error
	for _, p := range waiting {
		if err := s.restartOne(ctx, p, vms[p.VM]); err != nil {
			failed = append(failed, fmt.Errorf("start machine %s again: %w", p.VM, err))
		}
	}
	return errors.Join(failed...)
}

func (s *Service) restartOne(ctx context.Context, p pending, vm compute.VM) error {
	switch {
	case vm.State == compute.Starting, vm.State == compute.Stopping:
		return nil
	case vm.State != compute.Stopped, !vm.HAEnabled, !vm.Removed.IsZero(): // it runs, or somebody has decided otherwise
		return s.db.Write(ctx, func(ctx context.Context, tx db.Tx) error {
			if was, err := drop(ctx, tx, p); err != nil || !was {
				return err
			}
			return alert.Resolve(ctx, tx, alert.Machine, string(p.VM))
		})
	}
	why, err := s.outcome(ctx, p)
	if err != nil {
		return err
	}
	// Another server's round may be at it. What a second try would tell is that something is being done with the machine.
	turn := false
	p.Tries++
	p.Due = s.db.Now().Add(min(firstPause<<min(p.Tries-1, 10), lastPause))
	err = s.db.Write(ctx, func(ctx context.Context, tx db.Tx) (err error) {
		turn, err = takeTurn(ctx, tx, p)
		return err
	})
	if err != nil || !turn {
		return err
	}
	p.Job, err = s.machines.Start(ctx, compute.StartIn{ID: p.VM})
	switch {
	case fault.Is(err, fault.Conflict) && p.Tries == 1: // the job that saw it end may not have ended itself yet
		p.Due = s.db.Now().Add(busyPause)
	case fault.Is(err, fault.Conflict): // something is being done with it, or its owner may not run anything
		why = errors.Join(why, err)
	case err != nil:
		return err
	}
	return s.db.Write(ctx, func(ctx context.Context, tx db.Tx) error {
		still, err := setTry(ctx, tx, p)
		if err != nil || !still || why == nil {
			return err
		}
		return alert.Raise(ctx, tx, alert.Machine, string(p.VM), "machine %s has ended by itself and can't be started again: %v",
			vm.InstanceName, why)
	})
}

// outcome is what came of the last try to start a machine that is stopped; nil where there was none, or it went well.
func (s *Service) outcome(ctx context.Context, p pending) (why, err error) {
	if p.Job == "" {
		return nil, nil
	}
	r, err := op.Find(ctx, s.db.Read(), auth.Scope{All: true}, p.Job)
	if fault.Is(err, fault.NotFound) { // it was long ago
		return nil, nil
	}
	if err != nil || r.State != op.Failed {
		return nil, err
	}
	return r.Err(), nil
}
