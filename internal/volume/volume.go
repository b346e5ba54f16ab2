package volume

import (
	"time"

	"github.com/virga-cloud/virga/uid"
)

// State is where a volume stands.
type State string

// The states that this version uses. An Allocated volume is a wish: its disk is made when its machine first starts, or when it is
// attached to one that has started before. A volume has a disk if and only if it has a pool.
const (
	Allocated State = "Allocated"
	Creating  State = "Creating"
	Ready     State = "Ready"
	Attaching State = "Attaching"
	Detaching State = "Detaching"
	Resizing  State = "Resizing"
	Expunging State = "Expunging"
	Expunged  State = "Expunged"

	Snapshotting State = "Snapshotting"
	Reverting    State = "RevertSnapshotting"
	Copying      State = "Copying" // to be downloaded
	Migrating    State = "Migrating"

	// NotUploaded and what follows are of those that users upload. What has come is kept in a store of images until the disk is made from it:
	// until then they are Allocated, and shown as Uploaded.
	NotUploaded      State = "NotUploaded" // its user may send it still
	UploadInProgress State = "UploadInProgress"
	UploadError      State = "UploadError"
	UploadAbandoned  State = "UploadAbandoned" // nothing came for too long
	Uploaded         State = "Uploaded"
)

// Type tells a machine's root disk from its data disks.
type Type string

// The types.
const (
	Root Type = "ROOT"
	Data Type = "DATADISK"
)

// GB is a gibibyte, in bytes; offerings say sizes in it.
const GB = int64(1) << 30

// Volume is a disk.
type Volume struct {
	ID              uid.Volume          `bun:",pk"`
	Account         uid.Account         `bun:"account_id"`
	Domain          uid.Domain          `bun:"domain_id"`
	Zone            uid.Zone            `bun:"zone_id"`
	Pool            uid.Pool            `bun:"pool_id,nullzero"` // "" while Allocated
	VM              uid.VM              `bun:"vm_id,nullzero"`   // "" when detached
	Device          *int                // nil when detached; 0 is the root disk
	Template        uid.Template        `bun:"template_id,nullzero"`
	Snapshot        uid.Snapshot        `bun:"snapshot_id,nullzero"` // that it is made from
	Upload          uid.Upload          `bun:"upload_id,nullzero"`   // that it is made from, until it is
	DiskOffering    uid.DiskOffering    `bun:"disk_offering_id,nullzero"`
	ServiceOffering uid.ServiceOffering `bun:"service_offering_id,nullzero"`
	Name            string
	Type            Type
	State           State
	Size            int64 // bytes
	Created         time.Time
	Attached        time.Time `bun:",nullzero"`
	Removed         time.Time `bun:",nullzero"`
}

// Shown is the state that users see.
func (v Volume) Shown() State {
	if v.State == Allocated && v.Upload != "" {
		return Uploaded
	}
	return v.State
}
