// Package idp knows SAML 2.0 identity providers: their metadata, and what they say. Of a message it believes what the provider has
// signed, and reads nothing else: the signed element is taken out, as it was signed, and all checks are on that.
package idp
