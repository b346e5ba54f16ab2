// Package address translates the commands on public addresses.
package address
