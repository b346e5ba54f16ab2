package kvm

import (
	"context"

	"github.com/virga-cloud/virga/internal/fault"
	"github.com/virga-cloud/virga/internal/hypervisor"
)

// fromSnapshot makes a disk that is a copy of a snapshot.
func (d *Driver) fromSnapshot(_ context.Context, disk hypervisor.Disk, _ string) error {
	return fault.Conflictf("volume %s can't be made from a snapshot", disk.Volume)
}
