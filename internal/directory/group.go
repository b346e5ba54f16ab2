package directory

import (
	"strings"

	"github.com/go-ldap/ldap/v3"

	"github.com/virga-cloud/virga/internal/fault"
)

// deepest is how many groups in groups are followed, one in the other; mostGroups, how many a person can be in.
const (
	deepest    = 20
	mostGroups = 2000
)

// Belongs gives those of some groups that a person is in, by their DNs.
func (c *Conn) Belongs(p Person, groups []string) ([]string, error) {
	if c.Kind == ActiveDirectory {
		return c.asksChain(p, groups)
	}
	in, err := c.groupsOf(p)
	if err != nil {
		return nil, err
	}
	var out []string
	for _, group := range groups {
		if in[normal(group)] {
			out = append(out, group)
		}
	}
	return out, nil
}

// asksChain has the directory itself look whether a person is in groups.
func (c *Conn) asksChain(p Person, groups []string) (out []string, err error) {
	for _, group := range groups {
		found, err := c.search(p.DN, ldap.ScopeBaseObject, c.inGroup(group), []string{"1.1"})
		if err != nil {
			return nil, err
		}
		if len(found) > 0 {
			out = append(out, group)
		}
	}
	return out, nil
}

// groupsOf gives the groups that a person is in, level by level: those that it names itself and those that name it, then those that
// name these. A ring of groups ends, since each is looked at once.
func (c *Conn) groupsOf(p Person) (map[string]bool, error) {
	in := map[string]bool{}
	var fresh []string
	add := func(dns []string) {
		for _, dn := range dns {
			if key := normal(dn); !in[key] {
				in[key] = true
				fresh = append(fresh, dn)
			}
		}
	}
	add(p.groups)
	ask := append([]string{p.DN}, fresh...)
	if !c.Nested {
		ask = []string{p.DN}
	}
	for depth := 0; len(ask) > 0 && depth < deepest; depth++ {
		fresh = nil
		naming, err := c.groupsNaming(ask)
		if err != nil {
			return nil, err
		}
		add(naming)
		switch {
		case len(in) > mostGroups:
			return nil, fault.New(fault.Unavailable, "%s is in more than %d groups", p.DN, mostGroups)
		case !c.Nested:
			return in, nil
		}
		ask = fresh
	}
	return in, nil
}

// atOnce is how many names one filter holds.
const atOnce = 100

// groupsNaming gives the groups that have one of these as a member.
func (c *Conn) groupsNaming(members []string) (out []string, err error) {
	for len(members) > 0 {
		n := min(len(members), atOnce)
		var each strings.Builder
		for _, m := range members[:n] {
			each.WriteString(equal(c.GroupMember, m))
		}
		members = members[n:]
		entries, err := c.search(c.BaseDN, ldap.ScopeWholeSubtree, and(equal("objectClass", c.GroupObject), "(|"+each.String()+")"), []string{"1.1"})
		if err != nil {
			return nil, err
		}
		for _, e := range entries {
			out = append(out, e.DN)
		}
	}
	return out, nil
}

// membersOf gives who is in a group, and in the groups in it: all groups are read at once.
func (c *Conn) membersOf(group string) (map[string]bool, error) {
	entries, err := c.search(c.BaseDN, ldap.ScopeWholeSubtree, equal("objectClass", c.GroupObject), []string{c.GroupMember})
	if err != nil {
		return nil, err
	}
	members := map[string][]string{}
	for _, e := range entries {
		members[normal(e.DN)] = e.GetEqualFoldAttributeValues(c.GroupMember)
	}
	in := map[string]bool{}
	for ask, depth := []string{normal(group)}, 0; len(ask) > 0 && depth < deepest; depth++ {
		var next []string
		for _, g := range ask {
			for _, m := range members[g] {
				if key := normal(m); !in[key] {
					in[key] = true
					next = append(next, key)
				}
			}
		}
		if !c.Nested {
			break
		}
		ask = next
	}
	return in, nil
}

// Group finds a group by its DN or its common name.
func (c *Conn) Group(name string) (dn string, found bool, err error) {
	if IsDN(name) {
		entries, err := c.search(name, ldap.ScopeBaseObject, equal("objectClass", c.GroupObject), []string{"1.1"})
		if err != nil || len(entries) != 1 {
			return "", false, err
		}
		return entries[0].DN, true, nil
	}
	entries, err := c.search(c.BaseDN, ldap.ScopeWholeSubtree, and(equal("objectClass", c.GroupObject), equal("cn", name)), []string{"1.1"})
	if err != nil || len(entries) != 1 {
		return "", false, err
	}
	return entries[0].DN, true, nil
}

// Unit finds an organizational unit, or whatever else people can be below, that is the base or below it, by its DN.
func (c *Conn) Unit(name string) (dn string, found bool, err error) {
	if !Same(name, c.BaseDN) && !Below(name, c.BaseDN) {
		return "", false, nil
	}
	entries, err := c.search(name, ldap.ScopeBaseObject, "(objectClass=*)", []string{"1.1"})
	if err != nil || len(entries) != 1 {
		return "", false, err
	}
	return entries[0].DN, true, nil
}

// IsDN tells whether a text is a distinguished name, and no empty one.
func IsDN(text string) bool {
	dn, err := ldap.ParseDN(text)
	return err == nil && len(dn.RDNs) > 0 && strings.Contains(text, "=")
}

// Same tells whether two distinguished names are the same entry's.
func Same(a, b string) bool { return normal(a) == normal(b) }

// Below tells whether an entry is in a unit, at any depth.
func Below(entry, unit string) bool {
	e, err := ldap.ParseDN(entry)
	if err != nil {
		return false
	}
	u, err := ldap.ParseDN(unit)
	return err == nil && len(u.RDNs) > 0 && u.AncestorOfFold(e)
}

// normal is a distinguished name in the form in which equal ones are the same text.
func normal(dn string) string {
	parsed, err := ldap.ParseDN(dn)
	if err != nil {
		return "?" + dn // equal to nothing else
	}
	return strings.ToLower(parsed.String())
}

func names(dns []string, one string) bool {
	for _, dn := range dns {
		if Same(dn, one) {
			return true
		}
	}
	return false
}
