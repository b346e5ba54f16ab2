package role

import (
	"slices"
	"strings"

	"github.com/virga-cloud/virga/internal/auth"
	"github.com/virga-cloud/virga/internal/fault"
)

const wild = "*"

// set are the names of the commands that a role allows.
type set map[string]bool

// covers tells whether there is nothing in another set that is not in this one, and names the first thing that is.
func (s set) covers(other set) (missing string, ok bool) {
	for name := range other {
		if !s[name] && (missing == "" || name < missing) {
			missing = name
		}
	}
	return missing, missing == ""
}

// compile gives the commands that rules allow to accounts of a type.
func (s *Service) compile(of auth.AccountType, rules []Rule) set {
	out := set{}
	for _, c := range s.commands {
		if decide(of, rules, c) {
			out[c.Name] = true
		}
	}
	return out
}

// decide asks the first rule that speaks of a command. One that allows by a pattern speaks only of what is open to accounts of the
// type anyway: a role for users that allows everything allows all that users may, and no hardware. What is beyond must be named.
func decide(of auth.AccountType, rules []Rule, c Command) bool {
	for _, r := range rules {
		if match(r.Pattern, c.Name) && (!r.Allow || !strings.Contains(r.Pattern, wild) || slices.Contains(c.Open, of)) {
			return r.Allow
		}
	}
	return false
}

// match tells whether a pattern stands for a command, in any case. It takes time in proportion to both, whatever they are.
func match(pattern, name string) bool {
	if !strings.Contains(pattern, wild) {
		return strings.EqualFold(pattern, name)
	}
	parts := strings.Split(strings.ToLower(pattern), wild)
	name = strings.ToLower(name)
	first, last := parts[0], parts[len(parts)-1]
	rest, ok := strings.CutPrefix(name, first)
	if !ok {
		return false
	}
	if rest, ok = strings.CutSuffix(rest, last); !ok {
		return false
	}
	for _, part := range parts[1 : len(parts)-1] { // the earliest place leaves most for those that follow
		at := strings.Index(rest, part)
		if at < 0 {
			return false
		}
		rest = rest[at+len(part):]
	}
	return true
}

// CheckPattern refuses what is no rule.
func CheckPattern(pattern string) error { return checkPattern(pattern) }

// checkPattern refuses what could never match.
func checkPattern(pattern string) error {
	odd := func(c rune) bool {
		return (c < 'a' || c > 'z') && (c < 'A' || c > 'Z') && (c < '0' || c > '9') && c != '*'
	}
	if pattern == "" || strings.ContainsFunc(pattern, odd) {
		return fault.Invalidf("%q is no rule: want a command's name, in which * stands for anything, as in list*", pattern)
	}
	return nil
}
