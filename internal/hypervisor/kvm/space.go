package kvm

import (
	"syscall"

	"github.com/virga-cloud/virga/internal/fault"
)

// space is how large the file system is that a pool or a store is on, and how much of it is free.
func (d *Driver) space(of string) (all, free int64, err error) {
	dir, err := d.place(of)
	if err != nil {
		return 0, 0, err
	}
	var fs syscall.Statfs_t
	if err := syscall.Statfs(dir, &fs); err != nil {
		return 0, 0, fault.Conflictf("this host can't use %s: %v", dir, err)
	}
	return int64(fs.Blocks) * fs.Bsize, int64(fs.Bavail) * fs.Bsize, nil
}
