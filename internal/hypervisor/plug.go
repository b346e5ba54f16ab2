package hypervisor

import (
	"context"

	"github.com/virga-cloud/virga/uid"
)

// Plugger is a driver that gives running machines disks, and takes them away. Without it disks come and go only while their
// machine is stopped.
type Plugger interface {
	// Plug gives a machine that runs on the host a disk that has been made; from then on it is part of what the machine was
	// started with. A machine that has the disk at that device is nil. It is fault.Conflict when the machine does not run on
	// this host, when the disk is missing or in the hands of another running machine, and when the device is taken.
	Plug(ctx context.Context, host uid.Host, vm uid.VM, d Attachment) error
	// Unplug takes a disk from a machine; the disk and what is on it stay. A machine that does not have it, or is not on this
	// host, is nil.
	Unplug(ctx context.Context, host uid.Host, vm uid.VM, d DiskRef) error
}
