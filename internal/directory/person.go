package directory

import (
	"slices"
	"strconv"
	"strings"

	"github.com/go-ldap/ldap/v3"

	"github.com/virga-cloud/virga/internal/fault"
)

// mostEntries is how many entries one question is answered with.
const mostEntries = 50_000

// Find finds a person by the name that it signs in by, in a place. Nobody is found where there are several.
func (c *Conn) Find(username string, in Place) (p Person, found bool, err error) {
	if username == "" {
		return p, false, nil
	}
	people, err := c.people(username, "", in)
	if err != nil || len(people) != 1 {
		return p, false, err
	}
	return people[0], true, nil
}

// People gives those in a place whose usernames hold a word, "" for all, by name.
func (c *Conn) People(word string, in Place) ([]Person, error) {
	people, err := c.people("", word, in)
	slices.SortFunc(people, func(a, b Person) int { return strings.Compare(a.Username, b.Username) })
	return people, err
}

func (c *Conn) people(username, word string, in Place) ([]Person, error) {
	base, groups := c.BaseDN, []string{}
	switch {
	case in.Unit:
		base = in.DN
	case in.DN != "":
		groups = append(groups, in.DN)
	}
	if base == "" {
		return nil, fault.New(fault.Unavailable, "the directory has no base: set ldap.basedn")
	}
	filter, err := c.users(username, word)
	if err != nil {
		return nil, err
	}
	if c.Kind == ActiveDirectory {
		for _, group := range groups {
			filter = and(filter, c.inGroup(group))
		}
		groups = nil
	} else if c.SearchGroup != "" {
		groups = append(groups, c.SearchGroup)
	}
	entries, err := c.search(base, ldap.ScopeWholeSubtree, filter, c.attributes())
	if err != nil {
		return nil, err
	}
	people := make([]Person, 0, len(entries))
	for _, e := range entries {
		if p := c.person(e); p.Username != "" {
			people = append(people, p)
		}
	}
	return c.within(people, groups, username != "")
}

// within keeps those who are in all of the groups: of one person by asking for the groups it is in, of many by asking for who is in
// the groups.
func (c *Conn) within(people []Person, groups []string, one bool) ([]Person, error) {
	if len(groups) == 0 || len(people) == 0 {
		return people, nil
	}
	if one {
		var kept []Person
		for _, p := range people {
			in, err := c.Belongs(p, groups)
			if err != nil {
				return nil, err
			}
			if len(in) == len(groups) {
				kept = append(kept, p)
			}
		}
		return kept, nil
	}
	for _, group := range groups {
		members, err := c.membersOf(group)
		if err != nil {
			return nil, err
		}
		people = slices.DeleteFunc(people, func(p Person) bool { return !members[normal(p.DN)] && !names(p.groups, group) })
	}
	return people, nil
}

func (c *Conn) attributes() []string {
	out := []string{c.Username, c.Email, c.Firstname, c.Lastname}
	if c.MemberOf != "" {
		out = append(out, c.MemberOf)
	}
	if c.Kind == ActiveDirectory {
		out = append(out, control)
	}
	return out
}

// control is the attribute with which Active Directory says what a user may; the second bit, that it may nothing.
const (
	control  = "userAccountControl"
	disabled = 2
)

func (c *Conn) person(e *ldap.Entry) Person {
	bits, _ := strconv.ParseInt(e.GetEqualFoldAttributeValue(control), 10, 64)
	p := Person{
		DN: e.DN, Username: c.usernameOf(e), Email: e.GetEqualFoldAttributeValue(c.Email),
		Firstname: e.GetEqualFoldAttributeValue(c.Firstname), Lastname: e.GetEqualFoldAttributeValue(c.Lastname),
		Unit: unit(e.DN, c.BaseDN), Disabled: c.Kind == ActiveDirectory && bits&disabled != 0,
	}
	if c.MemberOf != "" {
		p.groups = e.GetEqualFoldAttributeValues(c.MemberOf)
	}
	return p
}

// usernameOf gives one name for one person, also where the attribute has several values, which come in no order: the one that names
// the entry, or the first of the alphabet.
func (c *Conn) usernameOf(e *ldap.Entry) string {
	values := slices.Clone(e.GetEqualFoldAttributeValues(c.Username))
	if len(values) > 1 {
		if dn, err := ldap.ParseDN(e.DN); err == nil && len(dn.RDNs) > 0 {
			for _, a := range dn.RDNs[0].Attributes {
				if strings.EqualFold(a.Type, c.Username) && slices.Contains(values, a.Value) {
					return a.Value
				}
			}
		}
		slices.Sort(values)
	}
	if len(values) == 0 {
		return ""
	}
	return values[0]
}

// unit names what an entry is in, below the base.
func unit(dn, base string) string {
	all, err := ldap.ParseDN(dn)
	if err != nil || len(all.RDNs) == 0 {
		return ""
	}
	above := 0
	if top, err := ldap.ParseDN(base); err == nil && top.AncestorOfFold(all) {
		above = len(top.RDNs)
	}
	var out []string
	for _, rdn := range all.RDNs[1 : len(all.RDNs)-above] {
		out = append(out, rdn.Attributes[0].Value)
	}
	return strings.Join(out, ",")
}

// search asks page by page. Referrals to other directories are not followed.
func (c *Conn) search(base string, scope int, filter string, attributes []string) ([]*ldap.Entry, error) {
	paging := ldap.NewControlPaging(uint32(max(1, c.PageSize)))
	var out []*ldap.Entry
	for {
		request := ldap.NewSearchRequest(base, scope, ldap.NeverDerefAliases, 0, int(patience.Seconds()), false, filter, attributes,
			[]ldap.Control{paging})
		result, err := c.conn.Search(request)
		if ldap.IsErrorWithCode(err, ldap.LDAPResultNoSuchObject) {
			return nil, nil
		}
		if err != nil {
			return nil, asked(err)
		}
		out = append(out, result.Entries...)
		if len(out) > mostEntries {
			return nil, fault.New(fault.Unavailable,
				"the directory has more than %d entries that match: choose a lower ldap.basedn, or an ldap.queryfilter",
				mostEntries)
		}
		more, ok := ldap.FindControl(result.Controls, ldap.ControlTypePaging).(*ldap.ControlPaging)
		if !ok || len(more.Cookie) == 0 {
			return out, nil
		}
		paging.SetCookie(more.Cookie)
	}
}
