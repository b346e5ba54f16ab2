// Package signon translates the commands of single sign-on: OpenID Connect and OAuth providers, and SAML identity providers. Those by
// which somebody comes in are doors of the front.
package signon
