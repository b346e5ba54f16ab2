// Package vmsnapshot owns snapshots of machines: all disks of one at one moment, and where it was running its memory, if that was asked
// for. They are kept in the machine's disks, so its disks stay what they are as long as it has any, and they end with the machine. They
// form a tree: each has the one as its parent that the machine had come from when it was taken.
package vmsnapshot
