// Package oidc lets users in for whom an OpenID Connect provider vouches, or GitHub: operators register providers, administrators say
// which users come by them, and a browser is sent there and comes back with a code. What one way in is bound to travels sealed in a
// cookie of that browser; the database holds which codes were used, so that none is good twice, whichever server it is shown to.
package oidc
