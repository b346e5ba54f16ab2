package auth

// Source says who vouches for a user when it signs in; its text is stored, and the wire's.
type Source string

// The sources. A user of any but Native has no password here that would let it in.
const (
	Native        Source = "native"        // a password that is kept here
	LDAP          Source = "ldap"          // a directory
	SAML2         Source = "saml2"         // an identity provider
	SAML2Disabled Source = "saml2disabled" // an identity provider, by which it may not sign in any more
	OAuth2        Source = "oauth2"        // an OpenID Connect provider
)
