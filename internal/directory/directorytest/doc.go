// Package directorytest runs a real LDAP server, OpenLDAP's slapd, for a test: on free ports of this machine, in a folder of the
// test's, with a certificate of an authority that the test makes. It ends with the test.
//
// Where there is no slapd tests are skipped; VIRGA_REQUIRE=slapd (as make test sets it) makes that a failure.
package directorytest
