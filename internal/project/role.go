package project

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/virga-cloud/virga/internal/account"
	"github.com/virga-cloud/virga/internal/auth"
	"github.com/virga-cloud/virga/internal/db"
	"github.com/virga-cloud/virga/internal/event"
	"github.com/virga-cloud/virga/internal/fault"
	"github.com/virga-cloud/virga/internal/once"
	"github.com/virga-cloud/virga/internal/role"
	"github.com/virga-cloud/virga/uid"
)

// Role is a set of commands that members of a project may use in it, of those that they may use anyway.
type Role struct {
	ID          uid.ProjectRole `bun:",pk"`
	Project     uid.Project     `bun:"project_id"`
	Name        string          // unique in the project
	Description string
	Created     time.Time
}

// Rule allows or denies the commands that a pattern matches. The first of a role's rules that matches decides, and what none matches is
// denied.
type Rule struct {
	ID          uid.ProjectRolePermission `bun:",pk"`
	Role        uid.ProjectRole           `bun:"role_id"`
	Position    int64
	Pattern     string
	Allow       bool
	Description string
}

const (
	mostRoles = 100
	mostRules = 100 // they are read with each request of a member
)

func passes(rules []Rule, command string) bool {
	return role.Passes(plain(rules), command)
}

func plain(rules []Rule) []role.Rule {
	out := make([]role.Rule, len(rules))
	for i, r := range rules {
		out[i] = role.Rule{Pattern: r.Pattern, Allow: r.Allow}
	}
	return out
}

// String is a rule as people read it.
func (r Rule) String() string { return role.Rule{Pattern: r.Pattern, Allow: r.Allow}.String() }

// roleOf finds a role of a project. One of another project is not there.
func roleOf(ctx context.Context, q db.Tx, of uid.Project, id uid.ProjectRole) (Role, error) {
	found, err := RolesByID(ctx, q, []uid.ProjectRole{id})
	if err != nil {
		return Role{}, err
	}
	r, there := found[id]
	if !there || r.Project != of {
		return Role{}, fault.Missing(id)
	}
	return r, nil
}

// write changes the roles of a project that the caller administers.
func (s *Service) write(
	ctx context.Context, id uid.Project, do func(ctx context.Context, tx db.Tx, a account.Account) (event.Kind, string, error),
) error {
	return s.db.Write(ctx, func(ctx context.Context, tx db.Tx) error {
		a, err := s.administered(ctx, tx, id)
		if err != nil {
			return err
		}
		kind, text, err := do(ctx, tx, a)
		if err != nil {
			return err
		}
		return announce(ctx, tx, announcement{a, kind, text + " of project " + a.Name})
	})
}

// CreateRole makes a role, which allows nothing yet, for members of a project that the caller administers.
func (s *Service) CreateRole(ctx context.Context, r Role) (uid.ProjectRole, error) {
	if err := checkName("project role", r.Name); err != nil {
		return "", err
	}
	r.ID = uid.New[uid.ProjectRole]()
	err := s.write(ctx, r.Project, func(ctx context.Context, tx db.Tx, _ account.Account) (event.Kind, string, error) {
		n, err := countRoles(ctx, tx, r.Project)
		switch {
		case err != nil:
			return "", "", fmt.Errorf("count the roles of project %s: %w", r.Project, err)
		case n >= mostRoles:
			return "", "", fault.Limitf("a project has %d roles at most", mostRoles)
		}
		r.Created = tx.Now
		if err := insertRole(ctx, tx, r); err != nil {
			return "", "", taken(err, r.Name)
		}
		return event.ProjectRoleCreate, "role " + r.Name + " was made: one", once.Record(ctx, tx, string(r.ID), "")
	})
	return r.ID, err
}

func taken(err error, name string) error {
	if db.IsUnique(err) {
		return fault.Conflictf("the project has a role %q already; choose another name", name)
	}
	return fmt.Errorf("write project role %q: %w", name, err)
}

// UpdateRole changes what a role of a project is called.
func (s *Service) UpdateRole(ctx context.Context, of uid.Project, id uid.ProjectRole, name, description *string) error {
	if name != nil {
		if err := checkName("project role", *name); err != nil {
			return err
		}
	}
	return s.write(ctx, of, func(ctx context.Context, tx db.Tx, _ account.Account) (event.Kind, string, error) {
		r, err := roleOf(ctx, tx, of, id)
		if err != nil {
			return "", "", err
		}
		was := r.Name
		if name != nil {
			r.Name = *name
		}
		if description != nil {
			r.Description = *description
		}
		if err := saveRole(ctx, tx, r); err != nil {
			return "", "", taken(err, r.Name)
		}
		return event.ProjectRoleUpdate, "role " + was, nil
	})
}

// DeleteRole removes a role of a project that no member and no open invitation has.
func (s *Service) DeleteRole(ctx context.Context, of uid.Project, id uid.ProjectRole) error {
	return s.write(ctx, of, func(ctx context.Context, tx db.Tx, _ account.Account) (event.Kind, string, error) {
		r, err := roleOf(ctx, tx, of, id)
		if err != nil {
			return "", "", err
		}
		members, invited, err := countUses(ctx, tx, id)
		switch {
		case err != nil:
			return "", "", fmt.Errorf("count who has project role %s: %w", id, err)
		case members+invited > 0:
			return "", "", fault.Conflictf("project role %q is in use by %s and %s", r.Name, fault.Count(members, "member"),
				fault.Count(invited, "open invitation"))
		}
		if err := deleteRole(ctx, tx, id); err != nil {
			return "", "", fmt.Errorf("delete project role %s: %w", id, err)
		}
		return event.ProjectRoleDelete, "role " + r.Name, nil
	})
}

// RoleFilter says which roles of a project to list. Zero fields do not restrict.
type RoleFilter struct {
	Project uid.Project
	ID      uid.ProjectRole
	Name    string
	Keyword string // in name or description
	Offset  int
	Limit   int // 0: all
}

// Roles gives a page of the roles of a project that the caller reaches, the oldest first, and how many there are in all.
func (s *Service) Roles(ctx context.Context, f RoleFilter) ([]Role, int, error) {
	if _, err := account.ProjectInScope(ctx, s.db.Read(), auth.From(ctx).Reach(), f.Project); err != nil {
		return nil, 0, err
	}
	return listRoles(ctx, s.db.Read(), f)
}

// Rules gives the rules of one role of a project that the caller reaches, or ("") of all, in order.
func (s *Service) Rules(ctx context.Context, of uid.Project, id uid.ProjectRole) ([]Rule, error) {
	q := s.db.Read()
	if _, err := account.ProjectInScope(ctx, q, auth.From(ctx).Reach(), of); err != nil {
		return nil, err
	}
	if id != "" {
		if _, err := roleOf(ctx, q, of, id); err != nil {
			return nil, err
		}
	}
	return rulesIn(ctx, q, of, id)
}

// AddRule gives a role of a project one more rule, after those that it has.
func (s *Service) AddRule(ctx context.Context, of uid.Project, r Rule) (uid.ProjectRolePermission, error) {
	if err := role.CheckPattern(r.Pattern); err != nil {
		return "", err
	}
	r.ID = uid.New[uid.ProjectRolePermission]()
	const kind = event.ProjectRolePermissionCreate
	return r.ID, s.alter(ctx, of, r.Role, kind, func(ctx context.Context, tx db.Tx, rules []Rule) ([]Rule, string, error) {
		if len(rules) >= mostRules {
			return nil, "", fault.Limitf("a project role has %d rules at most; a * may stand for many commands", mostRules)
		}
		if slices.ContainsFunc(rules, func(has Rule) bool { return strings.EqualFold(has.Pattern, r.Pattern) }) {
			return nil, "", fault.Conflictf("the role has a rule for %s already; change that one with updateProjectRolePermission", r.Pattern)
		}
		return append(rules, r), r.String(), once.Record(ctx, tx, string(r.ID), "")
	})
}

// TurnRule makes a rule of a role allow, or deny.
func (s *Service) TurnRule(ctx context.Context, of uid.Project, in uid.ProjectRole, id uid.ProjectRolePermission, allow bool) error {
	return s.alter(ctx, of, in, event.ProjectRolePermissionUpdate, func(_ context.Context, _ db.Tx, rules []Rule) ([]Rule, string, error) {
		i := indexOf(rules, id)
		if i < 0 {
			return nil, "", fault.Missing(id)
		}
		rules[i].Allow = allow
		return rules, rules[i].String(), nil
	})
}

// OrderRules puts a role's rules into another order; each of them must be named once.
func (s *Service) OrderRules(ctx context.Context, of uid.Project, in uid.ProjectRole, ids []uid.ProjectRolePermission) error {
	return s.alter(ctx, of, in, event.ProjectRolePermissionUpdate, func(_ context.Context, _ db.Tx, rules []Rule) ([]Rule, string, error) {
		var sorted []Rule
		for _, id := range ids {
			i := indexOf(rules, id)
			switch {
			case i < 0:
				return nil, "", fault.Missing(id)
			case indexOf(sorted, id) >= 0:
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
func (s *Service) DeleteRule(ctx context.Context, of uid.Project, id uid.ProjectRolePermission) error {
	if _, err := account.ProjectInScope(ctx, s.db.Read(), auth.From(ctx).Reach(), of); err != nil {
		return err
	}
	found, err := RulesByID(ctx, s.db.Read(), []uid.ProjectRolePermission{id})
	if err != nil {
		return err
	}
	r, there := found[id]
	if there {
		_, err = roleOf(ctx, s.db.Read(), of, r.Role)
	}
	if !there || fault.Is(err, fault.NotFound) {
		return fault.Missing(id)
	} else if err != nil {
		return err
	}
	return s.alter(ctx, of, r.Role, event.ProjectRolePermissionDelete, func(_ context.Context, _ db.Tx, rules []Rule) ([]Rule, string, error) {
		i := indexOf(rules, id)
		if i < 0 {
			return nil, "", fault.Missing(id)
		}
		return slices.Delete(rules, i, i+1), "no rule for " + r.Pattern + " any more", nil
	})
}

// alter changes the rules of a role; do gives the new ones and says what is new about them.
func (s *Service) alter(
	ctx context.Context, of uid.Project, id uid.ProjectRole, kind event.Kind,
	do func(ctx context.Context, tx db.Tx, rules []Rule) ([]Rule, string, error),
) error {
	return s.write(ctx, of, func(ctx context.Context, tx db.Tx, _ account.Account) (event.Kind, string, error) {
		r, err := roleOf(ctx, tx, of, id)
		if err != nil {
			return "", "", err
		}
		rules, err := rulesIn(ctx, tx, of, id)
		if err != nil {
			return "", "", err
		}
		rules, what, err := do(ctx, tx, rules)
		if err != nil {
			return "", "", err
		}
		for i := range rules {
			rules[i].Position = int64(i)
		}
		if err := setRules(ctx, tx, id, rules); err != nil {
			return "", "", fmt.Errorf("write the rules of project role %s: %w", id, err)
		}
		return kind, what + ": role " + r.Name, nil
	})
}

func indexOf(rules []Rule, id uid.ProjectRolePermission) int {
	return slices.IndexFunc(rules, func(r Rule) bool { return r.ID == id })
}
