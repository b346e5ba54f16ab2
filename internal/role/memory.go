package role

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"time"

	"github.com/virga-cloud/virga/internal/auth"
	"github.com/virga-cloud/virga/internal/db"
	"github.com/virga-cloud/virga/uid"
)

// roles are the roles as a server knows them.
type roles map[uid.Role]known

type known struct {
	Role
	allowed set
}

func (s *Service) defaults() roles {
	out := roles{}
	for _, p := range presets {
		out[p.ID] = known{p.Role, s.allowed(p)}
	}
	return out
}

// Allows tells whether a caller may use a command. It answers from memory: what another server has changed is known here as soon as
// [Service.Load] has been called again, what this one has changed is known when the change returns.
func (s *Service) Allows(ctx context.Context, c auth.Caller, command string) (bool, error) {
	if c.IsNobody() {
		return false, nil
	}
	id := roleOf(c)
	r, ok := (*s.known.Load())[id]
	if !ok { // another server has just made it
		if err := s.Load(ctx); err != nil {
			return false, err
		}
		r = (*s.known.Load())[id]
	}
	return r.State == Enabled && r.Type == c.Type && r.allowed[command] && within(c.Only, command), nil
}

// roleOf is a caller's role: the house's own callers name none.
func roleOf(c auth.Caller) uid.Role { return cmp.Or(c.Role, auth.DefaultRole(c.Type)) }

// Load reads what has changed since it was called the last time: all roles, of which there are few, and the rules of those that are
// of another version now.
func (s *Service) Load(ctx context.Context) error {
	s.loading.Lock()
	defer s.loading.Unlock()
	q := s.db.Read()
	all, err := readRoles(ctx, q)
	if err != nil {
		return fmt.Errorf("load roles: %w", err)
	}
	before, after := *s.known.Load(), maps.Clone(s.presets)
	var changed []uid.Role
	for _, r := range all {
		if k, ok := before[r.ID]; ok && k.Version == r.Version {
			after[r.ID] = k
			continue
		}
		changed = append(changed, r.ID)
		after[r.ID] = known{Role: r}
	}
	if len(changed) == 0 && maps.EqualFunc(before, after, func(a, b known) bool { return a.Version == b.Version }) {
		return nil
	}
	rules, err := readRules(ctx, q, changed)
	if err != nil {
		return fmt.Errorf("load the rules of roles: %w", err)
	}
	for _, id := range changed {
		k := after[id]
		k.allowed = s.compile(k.Type, rules[id])
		after[id] = k
	}
	s.known.Store(&after)
	return nil
}

// Start loads the roles and goes on doing so every so often, in the background, until the function that it gives is called.
func (s *Service) Start(ctx context.Context, every time.Duration, failed func(error)) (stop func(), err error) {
	return db.Follow(ctx, every, s.Load, failed)
}
