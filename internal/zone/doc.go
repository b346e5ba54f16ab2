// Package zone owns the places where things are: zones (a data centre), pods in them (a rack with its own range of
// management addresses) and clusters in pods (hosts of one hypervisor that share primary storage).
package zone
