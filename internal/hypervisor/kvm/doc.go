// Package kvm runs machines on the host it is on, with QEMU: what a host's agent has under it.
//
// Each machine is a folder below the driver's own, with its specification, QEMU's sockets and its serial log; it is written before
// QEMU starts and goes when the machine is stopped. QEMU has a session of its own and goes on when this process ends; the next one
// finds it again by the folder. Disks are qcow2 files in a directory, templates the read-only files that they are layers on, and
// whether a disk is in use is asked of the locks that QEMU keeps on it, which other hosts see too where they share the directory.
package kvm
