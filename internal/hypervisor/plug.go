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

// CardPlugger is a driver that gives running machines network cards, and takes them away.
type CardPlugger interface {
	// PlugCard gives a machine that runs on the host a card; from then on it is part of what the machine was started with. A machine
	// that has the same card is nil. It is fault.Conflict when the machine does not run on this host, when it has the card with
	// something else about it, and when the device is taken.
	PlugCard(ctx context.Context, host uid.Host, vm uid.VM, n NIC) error
	// UnplugCard takes a card from a machine. A machine that does not have it, or is not on this host, is nil.
	UnplugCard(ctx context.Context, host uid.Host, vm uid.VM, id uid.NIC) error
}

// Ejector is a driver that changes what is in the CD drive of running machines.
type Ejector interface {
	// ChangeCD puts an ISO into the drive of a machine that runs on the host, in the place of what is there, or takes that out
	// where cd is nil; from then on it is part of what the machine was started with. It is fault.Conflict when the machine does not run
	// on this host, and when the ISO is not in its store.
	ChangeCD(ctx context.Context, host uid.Host, vm uid.VM, cd *ImageRef) error
}

// Resizer is a driver that makes disks larger, also those of running machines, which see it at once.
type Resizer interface {
	// ResizeDisk makes a disk larger. One that has the size is nil. It is fault.Conflict when the disk is larger, when it is missing, and
	// when a machine that runs on another host has it.
	ResizeDisk(ctx context.Context, host uid.Host, d DiskRef, bytes int64) error
}
