// Package compute owns virtual machines: how one is deployed, started, stopped, rebooted, destroyed and expunged, and the
// list of them. Each of these is a plan (see package op) that reaches down to networks, volumes, placement and the host's
// driver; what several packages must change together is changed in one transaction here.
package compute
