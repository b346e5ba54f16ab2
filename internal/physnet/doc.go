// Package physnet owns physical networks: the wires of a zone, the kinds of traffic that they carry, the VLANs on them that guest
// networks get, and the providers of network services that may work there.
package physnet
