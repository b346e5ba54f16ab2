// Package detail keeps details: what operators note of things, by name, and what those who work on the things then find there. What a
// thing's own row says of it (a [Kind] with Keep) is written there and nowhere else; the rest, and what only admins see, is kept here.
// No key of a thing is in both places.
package detail
