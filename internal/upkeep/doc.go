// Package upkeep takes hosts out of service without their machines noticing: what runs on them is moved to other hosts.
package upkeep
