// Package address gives networks public addresses beside the one for source NAT, takes them back with all rules on them, and lists them.
// Package network owns their rows.
package address
