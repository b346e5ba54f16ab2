package hypervisor

import (
	"context"

	"github.com/virga-cloud/virga/uid"
)

// Snapshotter is a driver that keeps what is on a disk at a moment, in a store, apart from the disk. Making a disk from a
// snapshot is [Driver.MakeDisk]'s.
type Snapshotter interface {
	// TakeSnapshot copies a disk as it is at one moment of the call into a store; a machine that has it runs on. One that is
	// there already is a success, of whatever moment. It is fault.Conflict when the disk is missing, and when a machine that runs on
	// another host has it.
	TakeSnapshot(ctx context.Context, host uid.Host, d DiskRef, s SnapshotRef) (SnapshotReport, error)
	// DropSnapshot removes a snapshot from a store. An absent one is nil. Disks that were made from it stay.
	DropSnapshot(ctx context.Context, host uid.Host, s SnapshotRef) error
	// RevertDisk makes a disk what a snapshot is, and as large. It is fault.Conflict when a machine runs with the disk, and when the
	// disk or the snapshot is missing.
	RevertDisk(ctx context.Context, host uid.Host, d DiskRef, s SnapshotRef) error
	// SaveImage makes an image in a store from a snapshot. One that is there already is a success. It is fault.Conflict when the
	// snapshot is missing.
	SaveImage(ctx context.Context, host uid.Host, i ImageRef, s SnapshotRef) (ImageReport, error)
}

// SnapshotRef names a snapshot of a volume in a store.
type SnapshotRef struct {
	Snapshot uid.Snapshot
	Store    uid.ImageStore
	StoreURL string
	Link     string `json:",omitempty"` // by which a host gets it in this call, where the store is a bucket
}

// SnapshotReport is what a host says of a snapshot.
type SnapshotReport struct {
	Bytes       int64 // of the disk
	StoredBytes int64 // that it takes in the store
}

// Checkpointer is a driver that keeps what a whole machine is at a moment, and takes it back there. What is kept is in the machine's
// disks and goes with them.
type Checkpointer interface {
	// TakeCheckpoint keeps all disks of a machine, and its memory where it says so, at one moment. One that is there already is nil. It
	// is fault.Conflict when the machine does not have these disks, when one with memory is wanted of a machine that does not run on
	// this host, and when the machine runs on another.
	TakeCheckpoint(ctx context.Context, host uid.Host, c Checkpoint) error
	// RevertTo takes a machine back to a checkpoint. With memory the machine must run on this host, and runs from that moment on
	// again; without, it must not run. Otherwise, and when there is no such checkpoint, it is fault.Conflict.
	RevertTo(ctx context.Context, host uid.Host, c Checkpoint) error
	// DropCheckpoint forgets a checkpoint, whether the machine runs or not. An absent one is nil, and disks that are gone don't matter.
	DropCheckpoint(ctx context.Context, host uid.Host, c Checkpoint) error
}

// Checkpoint is a moment of a machine.
type Checkpoint struct {
	ID     uid.VMSnapshot
	VM     uid.VM
	Disks  []DiskRef // all that the machine has, by device
	Memory bool
}
