package setting

import (
	"errors"
	"strings"
	"time"
)

func ldapSetting(name, doc string) Setting {
	return Setting{Name: name, Category: Advanced, Group: "LDAP", Doc: doc, Scopes: []Scope{OfDomain}}
}

func secure(s Setting) Setting {
	s.Category = Secure
	return s
}

// What is known of directories. Each domain can have values of its own, for the directory that it signs its users in by.
var (
	LDAPBaseDN = text(ldapSetting("ldap.basedn",
		"Below which entry of the directory users and groups are looked for, dc=example,dc=org for instance."), "", dn)
	LDAPBindPrincipal = text(secure(ldapSetting("ldap.bind.principal",
		"The distinguished name of the entry, or in Active Directory the user, that searches the directory. Empty: it "+
			"is searched without signing in.")),
		"", printable)
	LDAPBindPassword = sealed(secure(ldapSetting("ldap.bind.password",
		"The password of ldap.bind.principal.")))
	LDAPProvider = choice(ldapSetting("ldap.provider",
		"What kind of directory it is: openldap or microsoftad, which finds groups in groups by a rule of its own and can disable users."),
		"openldap", "microsoftad")
	LDAPUserObject = text(ldapSetting("ldap.user.object",
		"The object class of users."), "inetOrgPerson", attribute)
	LDAPUsernameAttribute = text(ldapSetting("ldap.username.attribute",
		"The attribute that users sign in by; sAMAccountName in Active Directory."), "uid", attribute)
	LDAPEmailAttribute = text(ldapSetting("ldap.email.attribute",
		"The attribute with the mail address of a user."), "mail", attribute)
	LDAPFirstnameAttribute = text(ldapSetting("ldap.firstname.attribute",
		"The attribute with the first name of a user."), "givenname", attribute)
	LDAPLastnameAttribute = text(ldapSetting("ldap.lastname.attribute",
		"The attribute with the last name of a user."), "sn", attribute)
	LDAPMemberOfAttribute = text(ldapSetting("ldap.user.memberof.attribute",
		"The attribute of a user with the groups it is in, where the directory keeps one. Empty: groups are looked up "+
			"by their members alone."),
		"memberof", func(s string) error {
			if s == "" {
				return nil
			}
			return attribute(s)
		})
	LDAPGroupObject = text(ldapSetting("ldap.group.object",
		"The object class of groups; group in Active Directory."), "groupOfUniqueNames", attribute)
	LDAPGroupMember = text(ldapSetting("ldap.group.user.uniquemember",
		"The attribute of a group with the names of its members; member in Active Directory."), "uniquemember", attribute)
	LDAPSearchGroup = text(ldapSetting("ldap.search.group.principle",
		"The distinguished name of a group that every user must be in. Empty: any user will do."), "", dn)
	LDAPNestedGroups = flag(ldapSetting("ldap.nested.groups.enable",
		"Whether who is in a group is in the groups that this group is in, too."), true)
	LDAPQueryFilter = text(ldapSetting("ldap.queryfilter",
		"A filter that users must match besides, (&(uid=%u)(employeeType=staff)) for instance: %u stands for the name "+
			"that somebody signs in by. Empty: there is none."),
		"", queryFilter)
	LDAPSecurity = choice(ldapSetting("ldap.security",
		"How connections are protected: ldaps, starttls, none; or auto: ldaps where a truststore is set or the port is "+
			"636 or 3269, and otherwise nothing."),
		"auto", "ldaps", "starttls", "none")
	LDAPTruststore = text(ldapSetting("ldap.truststore",
		"The certificates that a directory's certificate must be issued by: as text (PEM, with \\n where lines end), or the path of a file on "+
			"the servers, PEM or PKCS #12. Empty: those that the system trusts."),
		"", func(s string) error {
			if strings.HasPrefix(s, "-----BEGIN") {
				return nil
			}
			return printable(s)
		})
	LDAPTruststorePassword = sealed(secure(ldapSetting("ldap.truststore.password",
		"The password of the truststore, where it is a PKCS #12 file.")))
	LDAPPageSize = whole(ldapSetting("ldap.request.page.size",
		"How many entries are asked of a directory at a time."), 1000, 1, 10_000)
	LDAPReadTimeout = span(ldapSetting("ldap.read.timeout",
		"How many milliseconds a directory has for an answer. Then the next one is asked, where there is one."),
		time.Millisecond, time.Second, 10*time.Millisecond)
	LDAPCheckInterval = span(Setting{
		Name: "ldap.check.interval", Category: Advanced, Group: "LDAP",
		Doc: "How many seconds pass between two looks at whether directories still have their users: who has left is disabled, and enabled again " +
			"when back. 0 for never: then only who tries to sign in is looked for.",
	}, time.Second, time.Hour, 0)
)

// attribute wants the name of an attribute or an object class (RFC 4512), so that it can stand in a filter.
func attribute(s string) error {
	for i, r := range s {
		letter := r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z'
		if !letter && (i == 0 || (r < '0' || r > '9') && r != '-') {
			s = ""
			break
		}
	}
	if s == "" || len(s) > 128 {
		return errors.New("the name of an attribute or an object class: letters, digits and hyphens, a letter first")
	}
	return nil
}

func printable(s string) error {
	if len(s) > 1024 || strings.ContainsFunc(s, func(r rune) bool { return r < ' ' || r == 0x7f }) {
		return errors.New("at most 1024 bytes long and without control characters")
	}
	return nil
}

// dn wants what looks like a distinguished name, or nothing. Whether it is one says the directory.
func dn(s string) error {
	if s != "" && (printable(s) != nil || !strings.Contains(s, "=")) {
		return errors.New("a distinguished name, dc=example,dc=org for instance")
	}
	return nil
}

func queryFilter(s string) error {
	if s != "" && (printable(s) != nil || !strings.HasPrefix(s, "(") || !strings.HasSuffix(s, ")") ||
		strings.Count(s, "(") != strings.Count(s, ")") || strings.Contains(strings.ReplaceAll(s, "%u", ""), "%")) {
		return errors.New("a filter in parentheses, (uid=%u) for instance, with no other placeholder than %u")
	}
	return nil
}
