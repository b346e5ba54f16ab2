// Package host owns hosts: what they are, what of them is in use, and whether they answer. Capacity is reserved by a
// conditional update of the host's own row, so that no two placements take the same room.
package host
