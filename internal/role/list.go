package role

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/virga-cloud/virga/internal/auth"
	"github.com/virga-cloud/virga/internal/db"
	"github.com/virga-cloud/virga/internal/fault"
	"github.com/virga-cloud/virga/uid"
)

// Filter says which roles to list. Zero fields do not restrict.
type Filter struct {
	ID      uid.Role
	Name    string
	Type    *auth.AccountType
	State   State
	Keyword string // part of name or description, in any case
	Offset  int
	Limit   int // 0: all
}

// List gives the roles of one page, the default ones first and then the oldest, and how many there are on all pages. Root admins see
// all, others those that they could give to an account.
func (s *Service) List(ctx context.Context, f Filter) ([]Role, int, error) {
	all, err := s.visible(ctx, s.db.Read())
	if err != nil {
		return nil, 0, fmt.Errorf("list roles: %w", err)
	}
	found := slices.DeleteFunc(all, func(r Role) bool { return !f.keeps(r) })
	total := len(found)
	found = found[min(f.Offset, total):]
	if f.Limit > 0 {
		found = found[:min(f.Limit, len(found))]
	}
	return found, total, nil
}

func (f Filter) keeps(r Role) bool {
	word := strings.ToLower(f.Keyword)
	return (f.ID == "" || f.ID == r.ID) && (f.Name == "" || f.Name == r.Name) && (f.Type == nil || *f.Type == r.Type) &&
		(f.State == "" || f.State == r.State) &&
		(strings.Contains(strings.ToLower(r.Name), word) || strings.Contains(strings.ToLower(r.Description), word))
}

// visible are the roles that the caller may see.
func (s *Service) visible(ctx context.Context, q db.Tx) ([]Role, error) {
	all, err := readRoles(ctx, q)
	if err != nil {
		return nil, err
	}
	by, err := s.grantor(ctx, q)
	if err != nil {
		return nil, err
	}
	for i, p := range presets {
		all = slices.Insert(all, i, p.Role)
	}
	if by.IsRoot() {
		return all, nil
	}
	all = slices.DeleteFunc(all, func(r Role) bool { return !r.Public || r.Type.Rank() > by.Type.Rank() })
	var ids []uid.Role
	for _, r := range all {
		ids = append(ids, r.ID)
	}
	rules, err := readRules(ctx, q, ids)
	if err != nil {
		return nil, err
	}
	return slices.DeleteFunc(all, func(r Role) bool {
		allowed := s.compile(r.Type, rules[r.ID])
		if k, preset := s.presets[r.ID]; preset {
			allowed = k.allowed
		}
		return by.mayGive(r, allowed) != nil
	}), nil
}

// Rules gives the rules of a role in order, or those of all roles.
func (s *Service) Rules(ctx context.Context, id uid.Role) ([]Rule, error) {
	all, err := s.visible(ctx, s.db.Read())
	if err != nil {
		return nil, fmt.Errorf("list the rules of roles: %w", err)
	}
	var out []Rule
	found := false
	for _, r := range all {
		if id != "" && id != r.ID {
			continue
		}
		found = true
		rules, err := s.rules(ctx, s.db.Read(), r)
		if err != nil {
			return nil, err
		}
		out = append(out, rules...)
	}
	if id != "" && !found {
		return nil, fault.Missing(id)
	}
	return out, nil
}

// rules are those of a role in order, as they are in the database.
func (s *Service) rules(ctx context.Context, q db.Tx, r Role) ([]Rule, error) {
	if p := presetOf(r.ID); p != nil {
		return s.rulesOf(*p), nil
	}
	rules, err := readRules(ctx, q, []uid.Role{r.ID})
	if err != nil {
		return nil, fmt.Errorf("read the rules of role %q: %w", r.Name, err)
	}
	return rules[r.ID], nil
}

// ByID gives roles by their ids, deleted ones too, in one query at most.
func ByID(ctx context.Context, q db.Tx, ids []uid.Role) (map[uid.Role]Role, error) {
	out := map[uid.Role]Role{}
	var others []uid.Role
	for _, id := range ids {
		if p := presetOf(id); p != nil {
			out[id] = p.Role
		} else {
			others = append(others, id)
		}
	}
	if len(others) == 0 {
		return out, nil
	}
	found, err := rolesOf(ctx, q, others)
	if err != nil {
		return nil, fmt.Errorf("find roles: %w", err)
	}
	maps.Copy(out, found)
	return out, nil
}
