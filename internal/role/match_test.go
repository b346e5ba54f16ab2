package role

import (
	"regexp"
	"strings"
	"testing"

	"github.com/virga-cloud/virga/internal/auth"
	"github.com/virga-cloud/virga/internal/fault"
)

func TestMatch(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		pattern, name string
		want          bool
	}{
		{"listZones", "listZones", true},
		{"LISTzones", "listZones", true},
		{"listZone", "listZones", false},
		{"istZones", "listZones", false},
		{"list*", "listZones", true},
		{"List*", "list", true},
		{"list*", "relist", false},
		{"*", "anything", true},
		{"**", "", true},
		{"*Zones", "listZones", true},
		{"*Zone", "listZones", false},
		{"l*Z*s", "listZones", true},
		{"l*s*s*s", "listZones", false},
		{"*st*st*", "listlist", true},
		{"*st*st*", "list", false},
		{"ab*ba", "aba", false},
		{"ab*ba", "abba", true},
		{"a*a", "a", false},
		{"*VirtualMachine", "startVirtualMachine", true},
		{"*VirtualMachine*", "listVirtualMachines", true},
		{"", "listZones", false},
	} {
		if got := match(row.pattern, row.name); got != row.want {
			t.Errorf("%q and %q: %v", row.pattern, row.name, got)
		}
	}
}

// The matcher says what a regular expression says, for anything.
func FuzzMatch(f *testing.F) {
	for _, seed := range [][2]string{{"list*", "listZones"}, {"*a*a", "aba"}, {"a**b", "ab"}, {"", ""}, {"*", "x"}, {"AB*", "abc"}} {
		f.Add(seed[0], seed[1])
	}
	f.Fuzz(func(t *testing.T, pattern, name string) {
		if checkPattern(pattern) != nil || checkPattern(name) != nil || strings.Contains(name, wild) {
			return
		}
		oracle := regexp.MustCompile("(?i)^" + strings.ReplaceAll(pattern, wild, ".*") + "$")
		if got, want := match(pattern, name), oracle.MatchString(name); got != want {
			t.Errorf("%q and %q: %v, want %v", pattern, name, got, want)
		}
		if match(pattern, name) && !match(pattern+wild, name) {
			t.Errorf("%q stands for %q, and with a star more it doesn't", pattern, name)
		}
	})
}

func TestCheckPattern(t *testing.T) {
	t.Parallel()
	for _, good := range []string{"*", "listZones", "list*", "*V1*"} {
		if err := checkPattern(good); err != nil {
			t.Error(err)
		}
	}
	for _, bad := range []string{"", "list Zones", "list.*", "a,b", "list\n", "lüst*", "list?"} {
		if err := checkPattern(bad); !fault.Is(err, fault.Invalid) {
			t.Errorf("%q: %v", bad, err)
		}
	}
}

// commands are a small contract.
var commands = []Command{
	{"listZones", []auth.AccountType{auth.User, auth.DomainAdmin, auth.ResourceAdmin, auth.RootAdmin}},
	{"startMachine", []auth.AccountType{auth.User, auth.DomainAdmin, auth.ResourceAdmin, auth.RootAdmin}},
	{"stopMachine", []auth.AccountType{auth.User, auth.DomainAdmin, auth.ResourceAdmin, auth.RootAdmin}},
	{"listUsers", []auth.AccountType{auth.DomainAdmin, auth.ResourceAdmin, auth.RootAdmin}},
	{"createAccount", []auth.AccountType{auth.ResourceAdmin, auth.RootAdmin}},
	{"listHosts", []auth.AccountType{auth.RootAdmin}},
	{"createZone", []auth.AccountType{auth.RootAdmin}},
}

// rulesFrom reads "list* -startMachine": a minus denies.
func rulesFrom(text string) (rules []Rule) {
	for word := range strings.FieldsSeq(text) {
		pattern, denied := strings.CutPrefix(word, "-")
		rules = append(rules, Rule{Pattern: pattern, Allow: !denied})
	}
	return rules
}

func (s set) String() string {
	var names []string
	for _, c := range commands {
		if s[c.Name] {
			names = append(names, c.Name)
		}
	}
	return strings.Join(names, " ")
}

func TestTheFirstRuleDecides(t *testing.T) {
	t.Parallel()
	s := New(nil, commands)
	for _, row := range []struct {
		of          auth.AccountType
		rules, want string
	}{
		{auth.User, "", ""},
		{auth.User, "list*", "listZones"},
		{auth.User, "LISTZONES", "listZones"},
		{auth.User, "-list* list*", ""},
		{auth.User, "list* -list*", "listZones"},
		{auth.User, "-startMachine *", "listZones stopMachine"},
		{auth.User, "* -startMachine", "listZones startMachine stopMachine"},
		{auth.User, "noSuchCommand", ""},
		{auth.User, "*", "listZones startMachine stopMachine"},
		// A pattern gives nothing beyond what is open to the type; a name does.
		{auth.User, "list* listHosts", "listZones listHosts"},
		{auth.User, "-list* listHosts", ""},
		{auth.User, "listHosts -*", "listHosts"},
		{auth.DomainAdmin, "list*", "listZones listUsers"},
		{auth.DomainAdmin, "*", "listZones startMachine stopMachine listUsers"},
		{auth.RootAdmin, "list*", "listZones listUsers listHosts"},
		{auth.RootAdmin, "-*Zone *", "listZones startMachine stopMachine listUsers createAccount listHosts"},
		{auth.RootAdmin, "*Machine", "startMachine stopMachine"},
	} {
		if got := s.compile(row.of, rulesFrom(row.rules)).String(); got != row.want {
			t.Errorf("%q for type %d: %s, want %s", row.rules, row.of, got, row.want)
		}
	}
}

func TestDefaultRolesFollowTheContract(t *testing.T) {
	t.Parallel()
	s := New(nil, commands)
	for name, want := range map[string]string{
		"Root Admin":                "listZones startMachine stopMachine listUsers createAccount listHosts createZone",
		"Resource Admin":            "listZones startMachine stopMachine listUsers createAccount",
		"Domain Admin":              "listZones startMachine stopMachine listUsers",
		"User":                      "listZones startMachine stopMachine",
		"Read-Only Admin - Default": "listZones listUsers listHosts",
		"Read-Only User - Default":  "listZones",
	} {
		found := false
		for id, k := range *s.known.Load() {
			if k.Name != name {
				continue
			}
			found = true
			if got := k.allowed.String(); got != want || !k.IsDefault() || id != k.ID {
				t.Errorf("%s: %s, want %s", name, got, want)
			}
			if got := s.compile(k.Type, s.rulesOf(*presetOf(id))).String(); got != want {
				t.Errorf("the rules that %s shows allow %s, want %s", name, got, want)
			}
		}
		if !found {
			t.Errorf("there is no role %q", name)
		}
	}
}
