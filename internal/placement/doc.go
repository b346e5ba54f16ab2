// Package placement finds a host for a machine, and pools for its new disks, and takes the room there. When there is none it
// says why: to an admin per host, to a user in sum and without numbers.
package placement
