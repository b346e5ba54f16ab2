// Package vlan reads and writes VLANs: one, as it stands in a range of addresses or a network, and many, as a physical network has.
package vlan
