// Package vnet is a host's side of guest networks: what lies between the cards of its machines, its virtual routers, and other
// hosts.
//
// A [Fabric] is all of it on one host. A segment is a guest network's piece there: a bridge, joined to the same segment on
// other hosts by VXLAN, or by a VLAN of a link where the host has one and its kernel can. A port is where a card is plugged
// into a segment: a tap for a machine, one end of a pair for a guest in a network namespace. From the moment it is there a port
// lets out only what bears its card's own addresses; rules of security groups come as one document ([Fabric.Guard]) and are
// put in force in one step of nftables.
//
// Everything is named after our ids and bears them (links as their alias), so that a process that comes later finds what is
// there, goes on with it, and removes what nobody wants ([Fabric.Sweep]). Nothing here needs the process to stay alive.
package vnet
