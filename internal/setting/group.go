package setting

import (
	"cmp"
	"slices"
	"strings"
)

// Group is a part of the cloud that settings steer.
type Group struct {
	Name, Doc  string
	Precedence int64    // the first has 1
	Subgroups  []string // in the order of their names
}

// groups are all groups, in the order in which they are shown.
var groups = []Group{
	{Name: "Management Server", Doc: "The servers that answer the API: who may ask them how much, what they keep, and for how long."},
	{Name: "Infrastructure", Doc: "Zones, pods, clusters, hosts and how full they may become."},
	{Name: "Compute", Doc: "Virtual machines."},
	{Name: "Network", Doc: "Networks and addresses."},
	{Name: "Storage", Doc: "Volumes, templates and where they are kept."},
	{Name: "LDAP", Doc: "Directories in which users are looked up."},
	{Name: "SAML2", Doc: "Identity providers that vouch for users by SAML."},
	{Name: "OAuth2", Doc: "Providers that vouch for users by OAuth and OpenID Connect."},
}

// Groups gives the groups that have settings, or the one of a name, in any case.
func Groups(name string) (out []Group) {
	for i, g := range groups {
		g.Precedence = int64(i + 1)
		for _, s := range all {
			if s.Group == g.Name && !slices.Contains(g.Subgroups, s.Subgroup()) {
				g.Subgroups = append(g.Subgroups, s.Subgroup())
			}
		}
		if len(g.Subgroups) > 0 && (name == "" || strings.EqualFold(name, g.Name)) {
			slices.Sort(g.Subgroups)
			out = append(out, g)
		}
	}
	return out
}

// subgroups are the parts of groups, by how the names of their settings begin, end, or what is in them: the first that fits.
var subgroups = []struct{ part, subgroup string }{
	{"max.account.", "Limits"}, {"max.domain.", "Limits"}, {"max.project.", "Limits"}, {"resourcecount.", "Limits"},
	{"project.", "Projects"}, {".projects", "Projects"}, {"api.throttling.", "API"}, {"json.", "API"}, {"default.page.", "API"}, {"sortkey.", "API"},
	{"2fa", "Second factor"}, {"incorrect.login.", "Sign-in"}, {"session.", "Sign-in"}, {"proxy.", "Sign-in"}, {"api.key.", "Sign-in"},
	{"saml", "Single sign-on"}, {"oauth", "Single sign-on"}, {"oidc", "Single sign-on"},
	{"event.", "Events and audit"}, {"audit.", "Events and audit"}, {"alert.", "Alerts"}, {"notificationthreshold", "Alerts"},
	{"capacity.check", "Alerts"}, {"overprovisioning", "Capacity"}, {"disablethreshold", "Capacity"}, {"ping.", "Hosts"}, {"hypervisor", "Hosts"},
	{"expunge", "Virtual machines"}, {"vm.", "Virtual machines"}, {".vm", "Virtual machines"}, {"instance.", "Virtual machines"},
	{"template", "Templates"}, {"volume", "Volumes"}, {"diskoffering", "Volumes"},
}

// Subgroup is the part of its group that the setting steers.
func (s *Setting) Subgroup() string {
	for _, one := range subgroups {
		if strings.Contains(s.Name, one.part) {
			return one.subgroup
		}
	}
	return "Others"
}

// Parent is the setting without whose being true this one has no effect; "" for none.
func (s *Setting) Parent() string {
	switch {
	case strings.HasPrefix(s.Name, "api.throttling.") && s.Name != ThrottlingEnabled.Name:
		return ThrottlingEnabled.Name
	case strings.Contains(s.Name, "user.2fa") && s.Name != TwoFactorEnabled.Name:
		return TwoFactorEnabled.Name
	case s.Name == ProxyCIDR.Name:
		return ProxyVerify.Name
	}
	return ""
}

// All gives every setting, by name.
func All() []*Setting {
	out := make([]*Setting, 0, len(all))
	for _, s := range all {
		out = append(out, s)
	}
	slices.SortFunc(out, func(a, b *Setting) int { return cmp.Compare(a.Name, b.Name) })
	return out
}
