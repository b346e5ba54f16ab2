package filelock

import "syscall"

// Copied gives another descriptor of a lock's file.
func Copied(l *Lock) (int, error) { return syscall.Dup(int(l.file.Fd())) }
