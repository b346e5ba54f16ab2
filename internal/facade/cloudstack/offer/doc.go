// Package offer translates the commands about what operators offer and users choose from: sizes of machines and of disks, kinds of
// networks and of VPCs.
package offer
