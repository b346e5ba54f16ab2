// Package qmp speaks QEMU's machine protocol (QMP) over a Unix socket: commands with their answers, events, and files that are
// handed over.
package qmp
