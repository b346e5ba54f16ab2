package role

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/virga-cloud/virga/internal/db"
	"github.com/virga-cloud/virga/internal/event"
	"github.com/virga-cloud/virga/internal/fault"
	"github.com/virga-cloud/virga/internal/once"
	"github.com/virga-cloud/virga/uid"
)

// AddRule gives a role one more rule, after those that it has.
func (s *Service) AddRule(ctx context.Context, r Rule) (uid.RolePermission, error) {
	r.ID = uid.New[uid.RolePermission]()
	if err := checkPattern(r.Pattern); err != nil {
		return "", err
	}
	err := s.alter(ctx, r.Role, func(ctx context.Context, tx db.Tx, of *Role) (e event.Event, err error) {
		rules, err := s.rules(ctx, tx, *of)
		if err != nil {
			return e, err
		}
		if len(rules) >= maxRules {
			return e, errTooMany()
		}
		for _, has := range rules {
			if strings.EqualFold(has.Pattern, r.Pattern) {
				return e, fault.Conflictf("role %q has a rule for %s already; change that one with updateRolePermission", of.Name, has.Pattern)
			}
			r.Position = has.Position + 1
		}
		if err := insertRules(ctx, tx, r); err != nil {
			return e, fmt.Errorf("write a rule of role %q: %w", of.Name, err)
		}
		e = event.Event{Type: event.RolePermissionCreate, Description: "role " + of.Name + ": " + r.String()}
		return e, once.Record(ctx, tx, string(r.ID), "")
	})
	return r.ID, err
}

// String is a rule as people read it.
func (r Rule) String() string {
	if r.Allow {
		return r.Pattern + " is allowed"
	}
	return r.Pattern + " is denied"
}

// TurnRule makes one of a role's rules allow, or deny.
func (s *Service) TurnRule(ctx context.Context, of uid.Role, id uid.RolePermission, allow bool) error {
	return s.alterRules(ctx, of, event.RolePermissionUpdate, func(rules []Rule) ([]Rule, string, error) {
		i := indexOf(rules, id)
		if i < 0 {
			return nil, "", fault.Missing(id)
		}
		rules[i].Allow = allow
		return rules, rules[i].String(), nil
	})
}

// OrderRules puts a role's rules into another order; each of them must be named once.
func (s *Service) OrderRules(ctx context.Context, of uid.Role, ids []uid.RolePermission) error {
	return s.alterRules(ctx, of, event.RolePermissionUpdate, func(rules []Rule) ([]Rule, string, error) {
		var sorted []Rule
		for _, id := range ids {
			i := indexOf(rules, id)
			if i < 0 {
				return nil, "", fault.Missing(id)
			}
			if indexOf(sorted, id) >= 0 {
				return nil, "", fault.Invalidf("rule %s is named twice in the order", id)
			}
			sorted = append(sorted, rules[i])
		}
		if len(sorted) != len(rules) {
			return nil, "", fault.Invalidf("the order names %d rules, and the role has %d: name them all", len(sorted), len(rules))
		}
		return sorted, "its rules have another order", nil
	})
}

// DeleteRule takes a rule away from its role.
func (s *Service) DeleteRule(ctx context.Context, id uid.RolePermission) error {
	if err := mayChange(ctx); err != nil { // before it is told whether there is such a rule
		return err
	}
	found, err := RulesByID(ctx, s.db.Read(), []uid.RolePermission{id})
	if err != nil {
		return fmt.Errorf("find rule %s: %w", id, err)
	}
	of, ok := found[id]
	if !ok {
		return fault.Missing(id)
	}
	return s.alterRules(ctx, of.Role, event.RolePermissionDelete, func(rules []Rule) ([]Rule, string, error) {
		i := indexOf(rules, id)
		if i < 0 {
			return nil, "", fault.Missing(id)
		}
		return slices.Delete(rules, i, i+1), "no rule for " + of.Pattern + " any more", nil
	})
}

// alterRules changes the rules of a role; do gives the new ones and says what is new about them.
func (s *Service) alterRules(ctx context.Context, id uid.Role, kind event.Kind, do func([]Rule) ([]Rule, string, error)) error {
	return s.alter(ctx, id, func(ctx context.Context, tx db.Tx, of *Role) (e event.Event, err error) {
		rules, err := s.rules(ctx, tx, *of)
		if err != nil {
			return e, err
		}
		rules, what, err := do(rules)
		if err != nil {
			return e, err
		}
		return event.Event{Type: kind, Description: "role " + of.Name + ": " + what}, setRules(ctx, tx, id, rules)
	})
}

func indexOf(rules []Rule, id uid.RolePermission) int {
	return slices.IndexFunc(rules, func(r Rule) bool { return r.ID == id })
}
