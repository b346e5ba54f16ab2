// Package secret keeps values that must not be seen: String prints as *** whatever prints it, and Box encrypts what the
// database has to keep but a copy of the database must not give away.
package secret
