package role

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"strings"

	"github.com/virga-cloud/virga/internal/auth"
	"github.com/virga-cloud/virga/internal/db"
	"github.com/virga-cloud/virga/internal/fault"
	"github.com/virga-cloud/virga/uid"
)

// maxKeyRules is how many rules a pair of keys has at most: they are read with each request that the pair signs.
const maxKeyRules = 100

// keyRule is a rule of a pair of keys as it is stored.
type keyRule struct {
	Pattern     string `json:"rule"`
	Allow       bool   `json:"allow,omitempty"`
	Description string `json:"description,omitempty"`
}

// Pack writes the rules of a pair of keys as one text, "" for none. They choose from what the user's role allows: the first that
// matches decides, and what none matches is denied.
func Pack(rules []Rule) (string, error) {
	if len(rules) == 0 {
		return "", nil
	}
	if len(rules) > maxKeyRules {
		return "", fault.Limitf("a pair of keys has %d rules at most; a * may stand for many commands", maxKeyRules)
	}
	packed := make([]keyRule, len(rules))
	seen := map[string]bool{}
	for i, r := range rules {
		if err := checkPattern(r.Pattern); err != nil {
			return "", err
		}
		key := strings.ToLower(r.Pattern)
		if seen[key] {
			return "", fault.Conflictf("a pair of keys has one rule for %s only: the first one decides", r.Pattern)
		}
		seen[key] = true
		packed[i] = keyRule{r.Pattern, r.Allow, r.Description}
	}
	text, err := json.Marshal(packed)
	return string(text), err
}

// Unpack reads what Pack has written.
func Unpack(text string) ([]Rule, error) {
	if text == "" {
		return nil, nil
	}
	var packed []keyRule
	if err := json.Unmarshal([]byte(text), &packed); err != nil {
		return nil, fmt.Errorf("read the rules of a pair of keys: %w", err)
	}
	rules := make([]Rule, len(packed))
	for i, r := range packed {
		rules[i] = Rule{Pattern: r.Pattern, Allow: r.Allow, Description: r.Description, Position: int64(i)}
	}
	return rules, nil
}

// within tells whether packed rules let a command pass. Rules that can't be read let none.
func within(packed, command string) bool {
	if packed == "" {
		return true
	}
	rules, err := Unpack(packed)
	return err == nil && passes(rules, command)
}

// Passes asks the first of some rules that matches a command; what none matches is denied.
func Passes(rules []Rule, command string) bool { return passes(rules, command) }

// passes asks the first rule that matches. In contrast to a role's, a pattern needs not mind what is open to whom: the role is asked, too.
func passes(rules []Rule, command string) bool {
	for _, r := range rules {
		if match(r.Pattern, command) {
			return r.Allow
		}
	}
	return false
}

// only is what packed rules leave of a set.
func (s set) only(packed string) set {
	out := maps.Clone(s)
	rules, err := Unpack(packed)
	maps.DeleteFunc(out, func(name string, _ bool) bool { return err != nil || !passes(rules, name) })
	return out
}

// MayHold refuses rules that a pair of keys for users with a role can't have: rules that allow by name what the role does not, or that
// leave nothing of it. Whoever signs with a pair that has rules gives no pair that lets pass what the own one does not.
func (s *Service) MayHold(ctx context.Context, q db.Tx, id uid.Role, packed string) error {
	if err := s.MayHandle(ctx, packed); err != nil || packed == "" {
		return err
	}
	rules, err := Unpack(packed)
	if err != nil {
		return err
	}
	_, allowed, err := s.find(ctx, q, id)
	if err != nil {
		return err
	}
	for _, r := range rules {
		if r.Allow && !strings.Contains(r.Pattern, wild) && !allowed.has(r.Pattern) {
			return fault.Deniedf("there is no command %s, or the user's role does not allow it", r.Pattern)
		}
	}
	if len(allowed.only(packed)) == 0 {
		return fault.Invalidf("a pair of keys with these rules could do nothing: allow something that the user's role allows")
	}
	return nil
}

// MayHandle refuses the caller a pair of keys whose rules let pass what the rules of the pair that signed the request do not: whoever
// has keys is who they are of.
func (s *Service) MayHandle(ctx context.Context, packed string) error {
	c := auth.From(ctx)
	if c.Only == "" {
		return nil
	}
	mine, err := Unpack(c.Only)
	if err != nil {
		return err
	}
	theirs, err := Unpack(packed)
	if err != nil {
		return err
	}
	for _, command := range s.commands {
		if (packed == "" || passes(theirs, command.Name)) && !passes(mine, command.Name) {
			return fault.Deniedf("the keys that signed this request are not for %s, and the others would be: nobody gives more than they have",
				command.Name)
		}
	}
	return nil
}

// has tells whether a command is in the set, in any case.
func (s set) has(command string) bool {
	for name := range s {
		if strings.EqualFold(name, command) {
			return true
		}
	}
	return false
}
