// Package limit counts what accounts, and domains with all that lies below them, use of each kind, and keeps them from using more than
// they may. Whose counts those are, and who may change a limit, is package account's to know.
package limit
