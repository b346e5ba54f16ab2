// Package ldap lets users of directories in: which directories there are for which domain, which of their groups and units belong to a
// domain or an account, who is imported, and who may sign in. Directories themselves are asked by package directory.
package ldap
