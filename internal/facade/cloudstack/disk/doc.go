// Package disk translates the commands on volumes and their snapshots.
package disk
