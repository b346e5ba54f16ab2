// Package apilimit counts the requests of each account and says when there are too many (api.throttling.*). Servers that share a
// database share what an account may have: each has a small part of it for itself, and takes the rest in blocks from a row that
// all see. So together they never let through more than one account may have, and most requests ask no database.
package apilimit
