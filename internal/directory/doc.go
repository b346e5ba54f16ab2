// Package directory asks LDAP directories, Active Directory among them: who is there, in which groups, and whether a password is
// right. It knows no tenants, and changes nothing in a directory.
package directory
