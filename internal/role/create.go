package role

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"unicode"

	"github.com/virga-cloud/virga/internal/auth"
	"github.com/virga-cloud/virga/internal/db"
	"github.com/virga-cloud/virga/internal/event"
	"github.com/virga-cloud/virga/internal/fault"
	"github.com/virga-cloud/virga/internal/once"
	"github.com/virga-cloud/virga/uid"
)

// CreateIn says what role to make: an empty one of a type, or a copy of another.
type CreateIn struct {
	Name        string
	Description string
	Type        *auth.AccountType // or
	From        uid.Role
	Private     bool
}

// Create makes a role. A copy has the rules that the other one has now.
func (s *Service) Create(ctx context.Context, in CreateIn) (uid.Role, error) {
	if (in.Type == nil) == (in.From == "") {
		return "", fault.Invalidf("a role has either a type, or another role that it is a copy of: give type or roleid")
	}
	r := Role{ID: uid.New[uid.Role](), Name: in.Name, Description: in.Description, State: Enabled, Public: !in.Private}
	err := s.write(ctx, func(ctx context.Context, tx db.Tx, by grantor) error {
		var rules []Rule
		if in.Type != nil {
			r.Type = *in.Type
		} else {
			from, _, err := s.find(ctx, tx, in.From)
			if err != nil {
				return err
			}
			r.Type = from.Type
			if rules, err = s.rules(ctx, tx, from); err != nil {
				return err
			}
		}
		if err := s.add(ctx, tx, by, r, rules, event.RoleCreate); err != nil {
			return err
		}
		return once.Record(ctx, tx, string(r.ID), "")
	})
	return r.ID, err
}

// ImportIn is a role with its rules, as another cloud has it.
type ImportIn struct {
	Name        string
	Description string
	Type        auth.AccountType
	Private     bool
	Rules       []Rule // in order
	Forced      bool   // a role of the name becomes this one
}

// Import makes a role with all its rules at once.
func (s *Service) Import(ctx context.Context, in ImportIn) (uid.Role, error) {
	if len(in.Rules) == 0 {
		return "", fault.Invalidf("a role is imported with its rules, and none were given")
	}
	r := Role{ID: uid.New[uid.Role](), Name: in.Name, Description: in.Description, Type: in.Type, State: Enabled, Public: !in.Private}
	err := s.write(ctx, func(ctx context.Context, tx db.Tx, by grantor) error {
		there, err := roleNamed(ctx, tx, in.Name)
		switch {
		case err == nil && in.Forced:
			err = s.replace(ctx, tx, by, there.ID, r, in.Rules)
			r.ID = there.ID
		case err == nil:
			return fault.Conflictf("there is a role %q already; import it with forced to replace it", in.Name)
		case db.IsNone(err):
			err = s.add(ctx, tx, by, r, in.Rules, event.RoleImport)
		}
		if err != nil {
			return err
		}
		return once.Record(ctx, tx, string(r.ID), "")
	})
	return r.ID, err
}

// add makes a role.
func (s *Service) add(ctx context.Context, tx db.Tx, by grantor, r Role, rules []Rule, kind event.Kind) error {
	if err := check(r); err != nil {
		return err
	}
	r.Created = tx.Now
	if err := insertRole(ctx, tx, r); err != nil {
		return taken(err, r.Name)
	}
	return s.finish(ctx, tx, by, r, func(ctx context.Context, tx db.Tx, r *Role) (event.Event, error) {
		return event.Event{Type: kind, Description: "role " + r.Name + " was made"}, setRules(ctx, tx, r.ID, rules)
	})
}

// replace makes a role into another one, with other rules.
func (s *Service) replace(ctx context.Context, tx db.Tx, by grantor, id uid.Role, with Role, rules []Rule) error {
	r, err := s.lock(ctx, tx, by, id)
	if err != nil {
		return err
	}
	return s.finish(ctx, tx, by, r, func(ctx context.Context, tx db.Tx, r *Role) (event.Event, error) {
		if with.Type != r.Type {
			if err := s.unused(ctx, tx, *r, "its type can't be changed"); err != nil {
				return event.Event{}, err
			}
		}
		r.Description, r.Type, r.Public = with.Description, with.Type, with.Public
		return event.Event{Type: event.RoleImport, Description: "role " + r.Name + " was replaced"}, setRules(ctx, tx, r.ID, rules)
	})
}

// maxRules is how many rules a role has at most: more than there are commands, and few enough to be kept in memory by every server.
const maxRules = 1000

func errTooMany() error {
	return fault.Limitf("a role has %d rules at most; a * may stand for many commands", maxRules)
}

// setRules gives a role these rules and no others. Rules that stay keep their ids.
func setRules(ctx context.Context, tx db.Tx, id uid.Role, rules []Rule) error {
	if len(rules) > maxRules {
		return errTooMany()
	}
	rules = slices.Clone(rules)
	seen := map[string]bool{}
	for i := range rules {
		r := &rules[i]
		if err := checkPattern(r.Pattern); err != nil {
			return err
		}
		key := strings.ToLower(r.Pattern)
		if seen[key] {
			return fault.Conflictf("a role has one rule for %s only: the first one decides", r.Pattern)
		}
		seen[key] = true
		if r.Role != id {
			r.ID, r.Role = uid.New[uid.RolePermission](), id
		}
		r.Position = int64(i)
	}
	if err := deleteRules(ctx, tx, id); err != nil {
		return fmt.Errorf("remove the rules of role %s: %w", id, err)
	}
	if err := insertRules(ctx, tx, rules...); err != nil {
		return fmt.Errorf("write the rules of role %s: %w", id, err)
	}
	return nil
}

// check refuses a role that nobody could tell from another.
func check(r Role) error {
	switch {
	case strings.TrimSpace(r.Name) == "" || strings.TrimSpace(r.Name) != r.Name || strings.ContainsFunc(r.Name, unprintable):
		return fault.Invalidf("%q is no name for a role: it is empty, begins or ends with a space, or holds characters that can't be seen", r.Name)
	case r.Type.Rank() < 0:
		return fault.Invalidf("there is no account type %d", r.Type)
	}
	for _, p := range presets {
		if strings.EqualFold(p.Name, r.Name) {
			return fault.Conflictf("%q is a default role; choose another name", p.Name)
		}
	}
	return nil
}

func unprintable(c rune) bool { return c != ' ' && !unicode.IsPrint(c) }

// taken words what went wrong when a named row was written.
func taken(err error, name string) error {
	if db.IsUnique(err) {
		return fault.Conflictf("there is a role %q already; choose another name", name)
	}
	return fmt.Errorf("write role %q: %w", name, err)
}
