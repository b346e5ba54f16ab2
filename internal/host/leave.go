package host

import (
	"context"
	"fmt"
	"strings"

	"github.com/virga-cloud/virga/internal/auth"
	"github.com/virga-cloud/virga/internal/db"
	"github.com/virga-cloud/virga/internal/event"
	"github.com/virga-cloud/virga/internal/fault"
	"github.com/virga-cloud/virga/internal/op"
	"github.com/virga-cloud/virga/uid"
)

// DeleteIn says how to delete a host.
type DeleteIn struct {
	Forced       bool // an enabled one, too; machines on it are stopped by force
	DestroyLocal bool // volumes in its own storage are destroyed, machines whose root disk is among them with it
}

// leaving is the state of deleting a host.
type leaving struct {
	Host uid.Host `json:"host"`
	User uid.User `json:"user"`

	in DeleteIn // for Accept only
}

// Delete removes a host that is disabled or in maintenance, and its own storage. Machines on it and volumes in its storage are in
// the way, unless it is asked for them to go; of these it is cleared before it is removed, and stays disabled if that fails. It
// returns when the host is gone.
func (s *Service) Delete(ctx context.Context, id uid.Host, in DeleteIn) error {
	if s.clear != nil && (in.Forced || in.DestroyLocal) {
		if err := s.close(ctx, id, in); err != nil {
			return err
		}
		if err := s.clear(ctx, id, in.DestroyLocal); err != nil {
			return err
		}
	}
	job, err := s.BeginDelete(ctx, id, in)
	if err != nil {
		return err
	}
	return s.end(ctx, job)
}

// close sees to it that nothing new comes to a host that is to be cleared, if it may be.
func (s *Service) close(ctx context.Context, id uid.Host, in DeleteIn) error {
	return s.db.Write(ctx, func(ctx context.Context, tx db.Tx) error {
		h, err := lock(ctx, tx, id)
		if err != nil {
			return err
		}
		if !in.Forced && (h.CPUUsed > 0 || h.MemoryUsed > 0) {
			return s.busy(ctx, tx, h)
		}
		if err := in.mayClose(h); err != nil || h.ResourceState != Enabled {
			return err
		}
		h.ResourceState = Disabled
		return saveHost(ctx, tx, h)
	})
}

func (in DeleteIn) mayClose(h Host) error {
	if in.Forced || h.ResourceState == Disabled || h.ResourceState == Maintenance {
		return nil
	}
	return fault.Conflictf("host %q is %s; disable it or put it into maintenance first, or say forced=true", h.Name, h.ResourceState)
}

// BeginDelete is Delete of a host that is clear, for who does not wait.
func (s *Service) BeginDelete(ctx context.Context, id uid.Host, in DeleteIn) (op.ID, error) {
	caller := auth.From(ctx)
	job, _, err := s.remove.Start(ctx, op.Request{
		Thing: op.On("host", id), Caller: caller, Command: "deleteHost", SubjectKind: "Host", SubjectID: string(id),
	}, leaving{Host: id, User: caller.User, in: in})
	return job, err
}

func (s *Service) deletePlan() *op.Plan[leaving] {
	return op.New[leaving]("host.delete").Refuses().
		Accept(s.beginLeave, nil).
		NoWayBack().
		Do("forget", s.forgetOld, nil).
		Tx("remove", s.left, nil)
}

func (s *Service) beginLeave(ctx context.Context, tx db.Tx, _ *op.Request, l *leaving) error {
	h, err := lock(ctx, tx, l.Host)
	if err != nil {
		return err
	}
	if h.CPUUsed > 0 || h.MemoryUsed > 0 {
		return s.busy(ctx, tx, h)
	}
	if err := l.in.mayClose(h); err != nil {
		return err
	}
	if s.local != nil {
		if err := s.local.DropLocal(ctx, tx, h); fault.Is(err, fault.Conflict) && !l.in.DestroyLocal {
			return fault.Conflictf("%s, or say forcedestroylocalstorage=true", err)
		} else if err != nil {
			return err
		}
	}
	h.State = Removed // nothing is placed there any more
	return saveHost(ctx, tx, h)
}

// busy says which machines are on a host.
func (s *Service) busy(ctx context.Context, tx db.Tx, h Host) error {
	if s.machines == nil {
		return fault.Conflictf("host %q has machines on it; stop them first", h.Name)
	}
	names, n, err := s.machines(ctx, tx, h.ID)
	if err != nil {
		return err
	}
	list := strings.Join(names, ", ")
	if n > len(names) {
		list += fmt.Sprintf(" and %d more", n-len(names))
	}
	return fault.Conflictf("host %q has %s on it (%s): stop those first, or say forced=true", h.Name, fault.Count(n, "machine"), list)
}

func (s *Service) forgetOld(ctx context.Context, l *leaving) error {
	h, err := Find(ctx, s.db.Read(), l.Host)
	if err != nil {
		return err
	}
	return s.forget(ctx, h)
}

func (s *Service) left(ctx context.Context, tx db.Tx, l *leaving) error {
	h, err := lock(ctx, tx, l.Host)
	if err != nil {
		return err
	}
	h.Removed = tx.Now
	if err := saveHost(ctx, tx, h); err != nil {
		return err
	}
	if s.leave != nil {
		if err := s.leave(ctx, tx, h.ID); err != nil {
			return err
		}
	}
	return written(ctx, tx, event.HostDelete, "deleted", h, l.User)
}
