// Package limit counts what accounts, and domains with all that lies below them, use of each kind, and keeps them from using more than
// they may. Whose counts those are is package account's to know; who may see and change a limit, package quota's.
package limit
