package role

import (
	"slices"
	"strings"

	"github.com/virga-cloud/virga/internal/auth"
	"github.com/virga-cloud/virga/uid"
)

// preset is a role that every cloud has. It stands in no table, and nobody changes it.
type preset struct {
	Role
	rules []Rule // nil: every command that is open to accounts of its type
}

// presets are CloudStack's. The first four are what accounts get by their type.
var presets = []preset{
	base(auth.RootAdmin, "Root Admin", "Everything there is."),
	base(auth.ResourceAdmin, "Resource Admin", "All that domain admins may, and the hardware that their domain uses."),
	base(auth.DomainAdmin, "Domain Admin", "All that users may, for their domain and those below."),
	base(auth.User, "User", "All that users may with what is their account's."),

	extra("21", auth.RootAdmin, "Read-Only Admin - Default", "Looks at everything, and changes nothing.",
		"-getUploadParamsFor* list* get* query*"),
	extra("22", auth.User, "Read-Only User - Default", "Looks at what users may, and changes nothing.",
		"-getUploadParamsFor* list* get* query*"),
	extra("23", auth.RootAdmin, "Support Admin - Default", "Looks at everything, starts and stops machines and takes hardware out of use.",
		`list* get* query* prepareHostForMaintenance cancelHostMaintenance enableStorageMaintenance cancelStorageMaintenance
		createServiceOffering createDiskOffering createNetworkOffering createVPCOffering`, support),
	extra("24", auth.User, "Support User - Default", "Looks at what users may, and starts and stops machines.", "list* get* query*", support),
}

// support is what the roles for support have in common.
const support = `startVirtualMachine stopVirtualMachine rebootVirtualMachine createVolume attachVolume detachVolume uploadVolume
	attachIso detachIso registerTemplate registerIso`

func base(t auth.AccountType, name, description string) preset {
	return preset{Role: Role{ID: auth.DefaultRole(t), Name: name, Description: description, Type: t, State: Enabled, Public: true}}
}

// extra is a preset of patterns in order; a minus in front of one denies.
func extra(id string, t auth.AccountType, name, description string, patterns ...string) preset {
	p := base(t, name, description)
	p.ID = uid.Role("00000000-0000-7000-8000-0000000000" + id)
	p.rules = []Rule{}
	for pattern := range strings.FieldsSeq(strings.Join(patterns, " ")) {
		pattern, denied := strings.CutPrefix(pattern, "-")
		p.rules = append(p.rules, Rule{Pattern: pattern, Allow: !denied})
	}
	return p
}

func presetOf(id uid.Role) *preset {
	i := slices.IndexFunc(presets, func(p preset) bool { return p.ID == id })
	if i < 0 {
		return nil
	}
	return &presets[i]
}

// IsDefault tells whether the role is one that every cloud has.
func (r Role) IsDefault() bool { return presetOf(r.ID) != nil }

// allowed are the commands that a preset allows.
func (s *Service) allowed(p preset) set {
	if p.rules != nil {
		return s.compile(p.Type, p.rules)
	}
	out := make(set, len(s.commands)) // what compile makes of a rule that allows everything, at a tenth of the price: servers start with it
	for _, c := range s.commands {
		if slices.Contains(c.Open, p.Type) {
			out[c.Name] = true
		}
	}
	return out
}

// rulesOf writes a preset's rules down: one for each command where it has none of its own, as CloudStack shows them, but for the
// root admin's, which is one for all.
func (s *Service) rulesOf(p preset) []Rule {
	rules := slices.Clone(p.rules)
	switch {
	case p.rules != nil:
	case p.Type == auth.RootAdmin:
		rules = []Rule{{Pattern: wild, Allow: true}}
	default:
		for _, c := range s.commands {
			if slices.Contains(c.Open, p.Type) {
				rules = append(rules, Rule{Pattern: c.Name, Allow: true})
			}
		}
	}
	for i := range rules {
		r := &rules[i]
		r.ID, r.Role, r.Position = uid.Named[uid.RolePermission](string(p.ID), r.Pattern), p.ID, int64(i)
	}
	return rules
}
