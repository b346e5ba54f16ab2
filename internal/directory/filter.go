package directory

import (
	"strings"

	"github.com/go-ldap/ldap/v3"

	"github.com/virga-cloud/virga/internal/fault"
)

// inChain is Active Directory's rule by which an attribute's value is followed from entry to entry.
const inChain = ":1.2.840.113556.1.4.1941:"

// equal is a filter that an attribute matches which has the value, whatever stands in it.
func equal(attribute, value string) string {
	return "(" + attribute + "=" + ldap.EscapeFilter(value) + ")"
}

func and(filters ...string) string {
	return "(&" + strings.Join(filters, "") + ")"
}

// users is the filter of users: of one, where username is not "", or of those whose usernames hold a word, where that is not "".
func (d Directory) users(username, word string) (string, error) {
	name := "*"
	switch {
	case username != "":
		name = ldap.EscapeFilter(username)
	case word != "":
		name = "*" + ldap.EscapeFilter(word) + "*"
	}
	parts := []string{equal("objectClass", d.UserObject), "(" + d.Username + "=" + name + ")"}
	if d.Filter != "" {
		// The name stands in for %u with nothing of it that could end a value: what is left of the template stays as it is.
		parts = append(parts, strings.ReplaceAll(d.Filter, "%u", name))
	}
	if d.SearchGroup != "" && d.Kind == ActiveDirectory {
		parts = append(parts, d.inGroup(d.SearchGroup))
	}
	filter := and(parts...)
	if _, err := ldap.CompileFilter(filter); err != nil {
		return "", fault.New(fault.Unavailable, "ldap.queryfilter is no filter: %v", err)
	}
	return filter, nil
}

// inGroup is the filter of who is in a group, for Active Directory.
func (d Directory) inGroup(group string) string {
	rule := ""
	if d.Nested {
		rule = inChain
	}
	return "(" + d.memberOf() + rule + "=" + ldap.EscapeFilter(group) + ")"
}

// memberOf is the attribute in which Active Directory always has a user's groups.
func (d Directory) memberOf() string {
	if d.MemberOf == "" {
		return "memberOf"
	}
	return d.MemberOf
}
