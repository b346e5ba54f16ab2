// Package vmsnapshot translates the commands on snapshots of machines.
package vmsnapshot
