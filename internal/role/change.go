package role

import (
	"context"
	"fmt"

	"github.com/virga-cloud/virga/internal/auth"
	"github.com/virga-cloud/virga/internal/db"
	"github.com/virga-cloud/virga/internal/event"
	"github.com/virga-cloud/virga/internal/fault"
	"github.com/virga-cloud/virga/uid"
)

// write runs a change of roles, which only root admins make, and lets this server work by it.
func (s *Service) write(ctx context.Context, change func(ctx context.Context, tx db.Tx, by grantor) error) error {
	if err := mayChange(ctx); err != nil {
		return err
	}
	err := s.db.Write(ctx, func(ctx context.Context, tx db.Tx) error {
		by, err := s.grantor(ctx, tx)
		if err != nil {
			return err
		}
		return change(ctx, tx, by)
	})
	if err != nil {
		return err
	}
	return s.Load(ctx)
}

func mayChange(ctx context.Context) error {
	if !auth.From(ctx).IsRoot() {
		return fault.Deniedf("only root admins may change roles")
	}
	return nil
}

// change is what is done to a role; what it leaves in the role is written.
type change func(ctx context.Context, tx db.Tx, r *Role) (event.Event, error)

// alter changes a role. Whoever has less than the role, before or after, changes nothing about it.
func (s *Service) alter(ctx context.Context, id uid.Role, do change) error {
	return s.write(ctx, func(ctx context.Context, tx db.Tx, by grantor) error {
		r, err := s.lock(ctx, tx, by, id)
		if err != nil {
			return err
		}
		return s.finish(ctx, tx, by, r, do)
	})
}

// lock gives a role that the caller may change, and keeps others from changing it before the transaction's end.
func (s *Service) lock(ctx context.Context, tx db.Tx, by grantor, id uid.Role) (Role, error) {
	if p := presetOf(id); p != nil {
		return p.Role, fault.Conflictf("%q is a default role, which nobody changes; make one of your own from it: createRole with roleid", p.Name)
	}
	r, err := lockRole(ctx, tx, id)
	switch {
	case err != nil:
		return r, fmt.Errorf("lock role %s: %w", id, err)
	case r.ID == "":
		return r, fault.Missing(id)
	}
	allowed, err := s.allowedBy(ctx, tx, r)
	if err != nil {
		return r, err
	}
	return r, by.mayGive(r, allowed)
}

// finish does a change to a role that is there and locked, looks whether the caller may give what it is now, and writes the event.
func (s *Service) finish(ctx context.Context, tx db.Tx, by grantor, r Role, do change) error {
	e, err := do(ctx, tx, &r)
	if err != nil {
		return err
	}
	if err := putRole(ctx, tx, r); err != nil {
		return taken(err, r.Name)
	}
	allowed, err := s.allowedBy(ctx, tx, r)
	if err != nil {
		return err
	}
	if err := by.mayGive(r, allowed); err != nil {
		return err
	}
	e.ResourceID = string(r.ID)
	_, err = event.Write(ctx, tx, e)
	return err
}

// UpdateIn says what to change of a role; nil fields stay.
type UpdateIn struct {
	Name        *string
	Description *string
	Type        *auth.AccountType
	Public      *bool
}

// Update changes a role. The type of one that accounts have is not changed, since it says how far they reach.
func (s *Service) Update(ctx context.Context, id uid.Role, in UpdateIn) error {
	return s.alter(ctx, id, func(ctx context.Context, tx db.Tx, r *Role) (event.Event, error) {
		before := r.Name
		if in.Type != nil && *in.Type != r.Type {
			if err := s.unused(ctx, tx, *r, "its type can't be changed"); err != nil {
				return event.Event{}, err
			}
			r.Type = *in.Type
		}
		assign(&r.Name, in.Name)
		assign(&r.Description, in.Description)
		assign(&r.Public, in.Public)
		return event.Event{Type: event.RoleUpdate, Description: "role " + before + " was changed"}, check(*r)
	})
}

func assign[T any](to, from *T) {
	if from != nil {
		*to = *from
	}
}

// Delete removes a role that no account has.
func (s *Service) Delete(ctx context.Context, id uid.Role) error {
	return s.alter(ctx, id, func(ctx context.Context, tx db.Tx, r *Role) (event.Event, error) {
		r.Removed = tx.Now
		return event.Event{Type: event.RoleDelete, Description: "role " + r.Name + " was deleted"},
			s.unused(ctx, tx, *r, "give them another one first")
	})
}

// unused refuses a role that accounts have; from then on nobody gives it until the transaction's end.
func (s *Service) unused(ctx context.Context, tx db.Tx, r Role, advice string) error {
	if err := tx.Retire(ctx, r.ID); err != nil {
		return err
	}
	n, err := s.uses(ctx, tx, r.ID)
	switch {
	case err != nil:
		return fmt.Errorf("count the accounts with role %q: %w", r.Name, err)
	case n > 0:
		return fault.Conflictf("role %q is in use by %s: %s", r.Name, fault.Count(n, "account"), advice)
	}
	return nil
}

// SetState enables or disables a role. Users of accounts with a disabled one may do nothing.
func (s *Service) SetState(ctx context.Context, id uid.Role, state State) error {
	return s.alter(ctx, id, func(_ context.Context, _ db.Tx, r *Role) (event.Event, error) {
		r.State = state
		kind := event.RoleEnable
		if state == Disabled {
			kind = event.RoleDisable
		}
		return event.Event{Type: kind, Description: "role " + r.Name + " was " + string(state)}, nil
	})
}
