// Package peer tells hosts that carry guest networks to each other by themselves where the others are: the hosts of their zone. It
// looks who there is rather than being told who came or went, so that nothing need be missed by it.
package peer
