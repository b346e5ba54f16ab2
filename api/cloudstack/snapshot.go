package cloudstack

import (
	"github.com/virga-cloud/virga/api"
	"github.com/virga-cloud/virga/uid"
)

// CreateSnapshot takes a snapshot of a volume.
var CreateSnapshot = api.Job[CreateSnapshotIn, Snapshot]{
	Name: "createSnapshot", Noun: "Snapshot", Role: api.Everyone, Object: "snapshot", Event: "SNAPSHOT.CREATE", Creates: true,
	Doc: "Copies a volume, as it is at one moment, into an image store. A machine that has it runs on, and can't be stopped, moved or changed " +
		"until the copy is there. The snapshot belongs to whom the volume belongs, and stays when that is deleted.",
}

// CreateSnapshotIn says of what.
type CreateSnapshotIn struct {
	api.Once
	VolumeID uid.Volume `api:"volumeid,required" doc:"The ID of the volume, a root disk or a data disk."`
	Name     string     `api:"name" doc:"The name of the snapshot; the volume's name and the time unless given."`
	Account  string     `api:"account" doc:"The name of the account that must own the volume. Goes together with domainid."`
	DomainID uid.Domain `api:"domainid" doc:"The ID of that account's domain."`
	PolicyID string     `api:"policyid" doc:"The ID of the policy by which it is taken. There are none yet."`
}

// DeleteSnapshot removes a snapshot.
var DeleteSnapshot = api.Job[DeleteSnapshotIn, api.Success]{
	Name: "deleteSnapshot", Noun: "Snapshot", Role: api.Everyone, Event: "SNAPSHOT.DELETE",
	Doc: "Deletes a snapshot. Volumes and templates that were made from it stay.",
}

// DeleteSnapshotIn names the snapshot.
type DeleteSnapshotIn struct {
	ID     uid.Snapshot `api:"id,required" doc:"The ID of the snapshot."`
	ZoneID uid.Zone     `api:"zoneid,since=4.19" doc:"The ID of the zone that it is in."`
}

// RevertSnapshot takes a volume back.
var RevertSnapshot = api.Job[RevertSnapshotIn, Snapshot]{
	Name: "revertSnapshot", Noun: "Snapshot", Role: api.Everyone, Object: "snapshot", Event: "SNAPSHOT.REVERT",
	Doc: "Makes a volume what it was when a snapshot of it was taken, as large as it was then. What was written since is lost. Its machine must " +
		"be stopped.",
}

// RevertSnapshotIn names the snapshot.
type RevertSnapshotIn struct {
	ID uid.Snapshot `api:"id,required" doc:"The ID of the snapshot."`
}

// ListSnapshots shows snapshots.
var ListSnapshots = api.List[ListSnapshotsIn, Snapshot]{
	Name: "listSnapshots", Noun: "Snapshot", Role: api.Everyone, Object: "snapshot",
	Doc: "Lists snapshots of volumes.",
}

// ListSnapshotsIn chooses snapshots.
type ListSnapshotsIn struct {
	api.Paging
	api.Scope
	InProject
	Tagged
	ID           uid.Snapshot   `api:"id" doc:"Shows only the snapshot with this ID."`
	IDs          []uid.Snapshot `api:"ids,since=4.9" doc:"Shows only the snapshots with these IDs."`
	Name         string         `api:"name" doc:"Shows only snapshots of this name."`
	VolumeID     uid.Volume     `api:"volumeid" doc:"Shows only snapshots of this volume."`
	ZoneID       uid.Zone       `api:"zoneid,since=4.9" doc:"Shows only snapshots in this zone."`
	SnapshotType string         `api:"snapshottype" doc:"Shows only snapshots of this type. All are MANUAL, as long as there are no policies."`
	IntervalType string         `api:"intervaltype" doc:"Shows only snapshots that are taken this often. All are MANUAL, as long as there are no policies."`
	ImageStoreID uid.ImageStore `api:"imagestoreid,since=4.19,admin" doc:"Shows only snapshots in this image store."`
}

// Snapshot is what was on a volume at a moment.
type Snapshot struct {
	ID   uid.Snapshot `json:"id" doc:"The ID of the snapshot."`
	Name string       `json:"name" doc:"The name of the snapshot."`
	Owner
	ZoneID         uid.Zone       `json:"zoneid" doc:"The ID of the zone that it is in."`
	ZoneName       string         `json:"zonename,omitempty" doc:"The name of that zone."`
	State          string         `json:"state" doc:"Creating, BackedUp when it can be used, Destroying."`
	SnapshotType   string         `json:"snapshottype" doc:"MANUAL: somebody asked for it."`
	IntervalType   string         `json:"intervaltype" doc:"MANUAL: it is not taken from time to time."`
	LocationType   string         `json:"locationtype,omitempty" doc:"SECONDARY: it is in an image store."`
	VolumeID       uid.Volume     `json:"volumeid" doc:"The ID of the volume."`
	VolumeName     string         `json:"volumename,omitempty" doc:"The name of the volume."`
	VolumeType     string         `json:"volumetype,omitempty" doc:"ROOT or DATADISK."`
	VolumeState    string         `json:"volumestate,omitempty" doc:"The state of the volume; Expunged when it is deleted."`
	OSTypeID       uid.OSType     `json:"ostypeid,omitempty" doc:"The ID of the operating system on it, for snapshots of root disks."`
	OSTypeName     string         `json:"osdisplayname,omitempty" doc:"The name of that operating system."`
	PhysicalSize   int64          `json:"physicalsize" doc:"How many bytes it takes in its image store."`
	VirtualSize    int64          `json:"virtualsize" doc:"The size of a volume made from it, in bytes."`
	Revertable     bool           `json:"revertable" doc:"Whether its volume can be taken back to it."`
	DatastoreID    uid.ImageStore `json:"datastoreid,omitempty" api:"admin" doc:"The ID of the image store that it is in."`
	DatastoreName  string         `json:"datastorename,omitempty" api:"admin" doc:"The name of that image store."`
	DatastoreState string         `json:"datastorestate,omitempty" api:"admin" doc:"The state of the snapshot there: Ready or Creating, or Destroying."`
	DatastoreType  string         `json:"datastoretype,omitempty" api:"admin" doc:"Image: what kind of store it is."`
	Created        api.Time       `json:"created,omitzero" doc:"When it was taken."`
	Tags           []Tag          `json:"tags,omitempty" api:"set" doc:"Its tags."`
	Pending
}
