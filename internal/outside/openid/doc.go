// Package openid asks providers who somebody is: by OpenID Connect, and GitHub by OAuth 2.0, which tells about users in its own way.
// It keeps what providers say of themselves for an hour; of those who sign in it keeps nothing.
package openid
