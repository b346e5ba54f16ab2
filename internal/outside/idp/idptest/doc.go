// Package idptest is a SAML identity provider for tests: it answers as it is told, truly or not.
package idptest
