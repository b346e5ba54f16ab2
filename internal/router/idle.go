package router

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/virga-cloud/virga/internal/auth"
	"github.com/virga-cloud/virga/internal/db"
	"github.com/virga-cloud/virga/internal/event"
	"github.com/virga-cloud/virga/internal/fault"
	"github.com/virga-cloud/virga/internal/op"
	"github.com/virga-cloud/virga/uid"
)

// InUse gives those of some networks in which a machine has its place on a host.
type InUse func(ctx context.Context, q db.Tx, networks []uid.Network) ([]uid.Network, error)

// Retire removes the routers of networks in which no machine has run for as long as wait says, unless their offering keeps them.
// The next machine that starts there gets another one. It is a keeper's.
func (s *Service) Retire(ctx context.Context, wait time.Duration) error {
	ctx = auth.With(ctx, auth.System())
	var failed []error
	for after := uid.Router(""); ; {
		some, err := fleeting(ctx, s.db.Read(), after, batch)
		if err != nil || len(some) == 0 {
			return errors.Join(append(failed, err)...)
		}
		after = some[len(some)-1].ID
		old, err := s.watchIdle(ctx, some, wait)
		if err != nil {
			return err
		}
		for _, r := range old {
			if _, err := s.RetireOne(ctx, r.ID); err != nil && !fault.Is(err, fault.Conflict) {
				failed = append(failed, fmt.Errorf("retire router %s: %w", r.Name, err))
			}
		}
	}
}

// RetireOne begins to remove a router that has nothing to do.
func (s *Service) RetireOne(ctx context.Context, id uid.Router) (op.ID, error) {
	return s.begin(ctx, s.retire, id, "destroyRouter")
}

// watchIdle notes since when routers have nothing to do, and gives those that have had nothing for long enough.
func (s *Service) watchIdle(ctx context.Context, some []Router, wait time.Duration) (old []Router, err error) {
	networks := make([]uid.Network, len(some))
	for i, r := range some {
		networks[i] = r.Network
	}
	used, err := s.inUse(ctx, s.db.Read(), networks)
	if err != nil {
		return nil, err
	}
	var idle, busy []uid.Router
	for _, r := range some {
		switch {
		case slices.Contains(used, r.Network) && !r.Idle.IsZero():
			busy = append(busy, r.ID)
		case slices.Contains(used, r.Network):
		case r.Idle.IsZero():
			idle = append(idle, r.ID)
		case s.db.Now().Sub(r.Idle) >= wait:
			old = append(old, r)
		}
	}
	if len(idle)+len(busy) == 0 {
		return old, nil
	}
	return old, s.db.Write(ctx, func(ctx context.Context, tx db.Tx) error { return setIdle(ctx, tx, idle, busy) })
}

// retirePlan is destroyPlan for a router that has nothing to do. A machine may come to its network at any time: one that was placed
// before the second look is seen there, and one that is placed after it finds the router stopping, waits, and has another one made.
func (s *Service) retirePlan() *op.Plan[job] {
	return op.New[job]("router.retire").Refuses().
		Accept(func(ctx context.Context, tx db.Tx, q *op.Request, j *job) error {
			if _, err := s.accept(ctx, tx, q, j, event.RouterDestroy, "removing", Running, Starting); err != nil {
				return err
			}
			return setState(ctx, tx, j.Router, Stopping)
		}, s.asItWas).
		Tx("look", func(ctx context.Context, tx db.Tx, j *job) error {
			used, err := s.inUse(ctx, tx, []uid.Network{j.Network})
			if err == nil && len(used) > 0 {
				err = fault.Conflictf("a machine has come to the router's network")
			}
			return err
		}, nil).
		Do("drop", s.dropIt, nil).
		Tx("remove", func(ctx context.Context, tx db.Tx, j *job) error { return setRemoved(ctx, tx, j.Router) }, nil)
}
