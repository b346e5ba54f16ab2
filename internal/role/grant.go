package role

import (
	"context"
	"fmt"

	"github.com/virga-cloud/virga/internal/auth"
	"github.com/virga-cloud/virga/internal/db"
	"github.com/virga-cloud/virga/internal/fault"
	"github.com/virga-cloud/virga/uid"
)

// grantor is who gives or changes roles, with what the own role allowed before.
type grantor struct {
	auth.Caller
	has set
}

// grantor finds out what the caller has. It is asked before anything is changed, since the role that is changed may be the own one.
func (s *Service) grantor(ctx context.Context, q db.Tx) (grantor, error) {
	c := auth.From(ctx)
	if c.IsNobody() {
		return grantor{}, fault.New(fault.Unauthenticated, "unable to verify user credentials")
	}
	_, has, err := s.find(ctx, q, roleOf(c))
	if c.Only != "" {
		has = has.only(c.Only)
	}
	return grantor{c, has}, err
}

// mayGive refuses a role that reaches farther than the grantor, or allows what the grantor's own does not.
func (g grantor) mayGive(r Role, allowed set) error {
	if r.Type.Rank() > g.Type.Rank() {
		return fault.Deniedf("role %q is for accounts that reach farther than yours", r.Name)
	}
	if missing, ok := g.has.covers(allowed); !ok {
		return fault.Deniedf("role %q allows %s, which your own role does not: nobody gives more than they have", r.Name, missing)
	}
	return nil
}

// Grant gives the role that the caller wants to give to an account, and keeps it from being deleted before the transaction's end.
// Nobody gives more than the own role has: the role's type must not reach farther than the caller's, and each command that it
// allows must be allowed to the caller. To admins of domains a role that they may not give is one that is not there.
func (s *Service) Grant(ctx context.Context, tx db.Tx, id uid.Role) (Role, error) {
	if err := tx.Rely(ctx, id); err != nil {
		return Role{}, err
	}
	g, err := s.grantor(ctx, tx)
	if err != nil {
		return Role{}, err
	}
	r, allowed, err := s.find(ctx, tx, id)
	if err != nil {
		return r, err
	}
	err = g.mayGive(r, allowed)
	switch {
	case !g.IsRoot() && (!r.Public || err != nil):
		return r, fault.Missing(id)
	case err != nil:
		return r, err
	case r.State != Enabled:
		return r, fault.Conflictf("role %q is disabled; enable it before it is given to an account", r.Name)
	}
	return r, nil
}

// Covers tells whether the caller's role has all that another role, of accounts of type t, has: who does not cover an account's role
// gets nothing by which it could act as that account, as its keys. What keys that signed the request leave of the caller's role counts:
// they are the caller.
func (s *Service) Covers(ctx context.Context, q db.Tx, t auth.AccountType, id uid.Role) (bool, error) {
	c := auth.From(ctx)
	switch mine := roleOf(c); {
	case c.IsNobody() || c.Type.Rank() < t.Rank():
		return false, nil
	case c.Only == "" && (mine == id || mine == auth.DefaultRole(auth.RootAdmin)):
		return true, nil
	}
	g, err := s.grantor(ctx, q)
	if err != nil {
		return false, err
	}
	r, allowed, err := s.find(ctx, q, id)
	return err == nil && g.mayGive(r, allowed) == nil, err
}

// find gives a role as it is in the database, and the commands that it allows once it is enabled.
func (s *Service) find(ctx context.Context, q db.Tx, id uid.Role) (Role, set, error) {
	if p := presetOf(id); p != nil {
		return p.Role, s.presets[id].allowed, nil
	}
	found, err := rolesOf(ctx, q, []uid.Role{id})
	if err != nil {
		return Role{}, nil, fmt.Errorf("find role %s: %w", id, err)
	}
	r, ok := found[id]
	if !ok || !r.Removed.IsZero() {
		return Role{}, nil, fault.Missing(id)
	}
	allowed, err := s.allowedBy(ctx, q, r)
	return r, allowed, err
}

// allowedBy are the commands that a role's rules, as they are in the database, allow.
func (s *Service) allowedBy(ctx context.Context, q db.Tx, r Role) (set, error) {
	rules, err := readRules(ctx, q, []uid.Role{r.ID})
	if err != nil {
		return nil, fmt.Errorf("read the rules of role %q: %w", r.Name, err)
	}
	return s.compile(r.Type, rules[r.ID]), nil
}
