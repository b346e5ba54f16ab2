// Package ldap translates the commands about directories.
package ldap
