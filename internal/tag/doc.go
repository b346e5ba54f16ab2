// Package tag keeps what tenants write on things: tags, which are keys with values. A tag is on one thing, belongs to whom the
// thing belongs to, and goes when it goes. Packages that own things say which of their rows can have tags (a [Kind]), restrict their
// lists by tags ([Wanted]), and remove the tags of what they remove ([Forget]).
package tag
