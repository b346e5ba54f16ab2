// Package saml lets users in for whom a SAML 2.0 identity provider vouches (web browser profile: requests by redirect, answers by
// POST), and signs them out there. Of an answer it believes what the provider has signed, and reads nothing else: the signed element
// is taken out, as it was signed, and all checks are on that. What was used is kept in the database, so that servers agree.
package saml
