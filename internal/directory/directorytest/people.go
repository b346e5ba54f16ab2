package directorytest

import (
	"fmt"
	"strings"
)

// People are who is in the directory: alice, bob and carol in ou=people, dora in ou=north below it, with the passwords
// "pw-" + name. cn=staff holds alice and cn=engineers, which holds bob and cn=ring; cn=ring holds cn=staff again, and dora;
// cn=sales holds carol.
var People = strings.Join([]string{
	`dn: dc=example,dc=org
objectClass: dcObject
objectClass: organization
o: Example
dc: example
`,
	Unit("people", Base), Unit("groups", Base), Unit("north", "ou=people,"+Base),
	Person("alice", "ou=people,"+Base), Person("bob", "ou=people,"+Base), Person("carol", "ou=people,"+Base),
	Person("dora", "ou=north,ou=people,"+Base),
	Group("staff", DN("alice"), GroupDN("engineers")), Group("engineers", DN("bob"), GroupDN("ring")),
	Group("ring", GroupDN("staff"), "uid=dora,ou=north,ou=people,"+Base), Group("sales", DN("carol")),
}, "\n")

// DN is that of someone in ou=people.
func DN(name string) string { return "uid=" + name + ",ou=people," + Base }

// GroupDN is that of a group.
func GroupDN(name string) string { return "cn=" + name + ",ou=groups," + Base }

// Unit is an organizational unit as LDIF.
func Unit(name, in string) string {
	return fmt.Sprintf("dn: ou=%s,%s\nobjectClass: organizationalUnit\nou: %s\n", name, in, name)
}

// Person is a person as LDIF, whose password is "pw-" and the name.
func Person(name, in string) string {
	return fmt.Sprintf("dn: uid=%[1]s,%[2]s\nobjectClass: inetOrgPerson\nuid: %[1]s\ncn: %[1]s\ngivenName: First %[1]s\nsn: Last %[1]s\n"+
		"mail: %[1]s@example.org\nuserPassword: pw-%[1]s\n", name, in)
}

// Group is a group as LDIF.
func Group(name string, members ...string) string {
	return fmt.Sprintf("dn: %s\nobjectClass: groupOfUniqueNames\ncn: %s\nuniqueMember: %s\n", GroupDN(name), name,
		strings.Join(members, "\nuniqueMember: "))
}

// ADUser is a user as Active Directory has them, as LDIF. control is its userAccountControl: 512, or 514 for one that is disabled.
func ADUser(name string, control int, groups ...string) string {
	text := fmt.Sprintf("dn: cn=%[1]s,ou=people,%[2]s\nobjectClass: user\ncn: %[1]s\nsn: Last %[1]s\ngivenName: First %[1]s\n"+
		"sAMAccountName: %[1]s\nmail: %[1]s@example.org\nuserAccountControl: %[3]d\nuserPassword: pw-%[1]s\n", name, Base, control)
	var in strings.Builder
	for _, g := range groups {
		in.WriteString("memberOf: " + GroupDN(g) + "\n")
	}
	return text + in.String()
}
