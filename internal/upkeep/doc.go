// Package upkeep takes hosts out of service: for maintenance without their machines noticing, which are moved to other hosts, and for good
// by clearing away what is on them.
package upkeep
