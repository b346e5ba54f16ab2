package cloudstack

import (
	"github.com/virga-cloud/virga/api"
	"github.com/virga-cloud/virga/uid"
)

// ListVolumes shows volumes.
var ListVolumes = api.List[ListVolumesIn, Volume]{
	Name: "listVolumes", Noun: "Volume", Role: api.Everyone, Object: "volume",
	Doc: "Lists volumes: the disks of machines, and those that wait for one.",
}

// CreateVolume makes a data volume.
var CreateVolume = api.Job[CreateVolumeIn, Volume]{
	Name: "createVolume", Noun: "Volume", Role: api.Everyone, Object: "volume", Event: "VOLUME.CREATE", Creates: true,
	Doc: "Makes a data volume of a disk offering, and attaches it where a machine is named. Its disk is made when it is first attached " +
		"to a machine that has been started before, or at the start of the machine that it is attached to.",
}

// CreateVolumeIn says what volume.
type CreateVolumeIn struct {
	api.Once
	Name           string           `api:"name" doc:"The name of the volume; its ID unless given."`
	DiskOfferingID uid.DiskOffering `api:"diskofferingid" doc:"The ID of the disk offering. Required but with snapshotid: a volume made from a snapshot is of the offering that the snapshot's volume has, unless another one is named."`
	Size           int64            `api:"size" doc:"The size in GB, where the disk offering leaves it open."`
	ZoneID         uid.Zone         `api:"zoneid" doc:"The ID of the zone; the machine's or the snapshot's where one is named, and required otherwise."`
	VMID           uid.VM           `api:"virtualmachineid" doc:"The ID of a machine to attach it to."`
	SnapshotID     uid.Snapshot     `api:"snapshotid" doc:"The ID of a snapshot to make it from, in the snapshot's zone and as large at least."`
	Account        string           `api:"account" doc:"The name of the account that is to own it. Goes together with domainid."`
	DomainID       uid.Domain       `api:"domainid" doc:"The ID of that account's domain."`
	ProjectID      uid.Project      `api:"projectid" doc:"The ID of the project that is to own it."`
}

// AttachVolume gives a machine a volume.
var AttachVolume = api.Job[AttachVolumeIn, Volume]{
	Name: "attachVolume", Noun: "Volume", Role: api.Everyone, Object: "volume", Event: "VOLUME.ATTACH",
	Doc: "Attaches a data volume to a machine of the same account and zone that is Running or Stopped.",
}

// AttachVolumeIn names volume and machine.
type AttachVolumeIn struct {
	ID       uid.Volume `api:"id,required" doc:"The ID of the volume."`
	VMID     uid.VM     `api:"virtualmachineid,required" doc:"The ID of the machine."`
	DeviceID *int64     `api:"deviceid" doc:"The number of the device, 1 to 15 but not 3, which is the CD drive's; the first free one unless given."`
}

// DetachVolume takes a volume from its machine.
var DetachVolume = api.Job[DetachVolumeIn, Volume]{
	Name: "detachVolume", Noun: "Volume", Role: api.Everyone, Object: "volume", Event: "VOLUME.DETACH",
	Doc: "Detaches a data volume from its machine, which may run. What is on the volume stays.",
}

// DetachVolumeIn names the volume, or its place.
type DetachVolumeIn struct {
	ID       uid.Volume `api:"id" doc:"The ID of the volume. Not together with virtualmachineid and deviceid."`
	VMID     uid.VM     `api:"virtualmachineid" doc:"The ID of the machine, for the volume that is at deviceid."`
	DeviceID *int64     `api:"deviceid" doc:"The number of the device on that machine."`
}

// ResizeVolume gives a volume another size.
var ResizeVolume = api.Job[ResizeVolumeIn, Volume]{
	Name: "resizeVolume", Noun: "Volume", Role: api.Everyone, Object: "volume", Event: "VOLUME.RESIZE",
	Doc: "Makes a volume larger. A machine that has it may run, and sees it at once. No disk is made smaller; a volume whose disk has not been " +
		"made yet can be.",
}

// ResizeVolumeIn says which, and how large.
type ResizeVolumeIn struct {
	ID             uid.Volume       `api:"id,required" doc:"The ID of the volume."`
	Size           int64            `api:"size" doc:"The size in GB that it is to have: for root disks, and where the disk offering leaves the size open."`
	DiskOfferingID uid.DiskOffering `api:"diskofferingid" doc:"The ID of the disk offering that it is to have, for data disks. Its rates hold from the machine's next start on."`
	ShrinkOK       bool             `api:"shrinkok" doc:"Whether less would do, too. It never does for a disk that is there: what is at its end would be lost."`
}

// DeleteVolume removes a volume.
var DeleteVolume = api.Call[DeleteVolumeIn, api.Success]{
	Name: "deleteVolume", Noun: "Volume", Role: api.Everyone, Event: "VOLUME.DELETE",
	Doc: "Deletes a volume that is attached to no machine, with all that is on it; its snapshots stay. There is no way back. The answer comes when its disk " +
		"is gone; where the storage does not answer for half a minute, the answer names the job that goes on deleting it.",
}

// DeleteVolumeIn names the volume.
type DeleteVolumeIn struct {
	ID uid.Volume `api:"id,required" doc:"The ID of the volume."`
}

// ListVolumesIn chooses volumes.
type ListVolumesIn struct {
	api.Paging
	api.Scope
	InProject
	Tagged
	ID                uid.Volume          `api:"id" doc:"Shows only the volume with this ID."`
	IDs               []uid.Volume        `api:"ids,since=4.9" doc:"Shows only the volumes with these IDs."`
	Name              string              `api:"name" doc:"Shows only volumes of this name."`
	Type              string              `api:"type" doc:"Shows only volumes of this type: ROOT or DATADISK."`
	State             string              `api:"state" doc:"Shows only volumes in this state, Ready for instance."`
	VMID              uid.VM              `api:"virtualmachineid" doc:"Shows only the disks of this machine."`
	ZoneID            uid.Zone            `api:"zoneid" doc:"Shows only volumes of this zone."`
	PodID             uid.Pod             `api:"podid,admin" doc:"Shows only volumes that lie in this pod."`
	DiskOfferingID    uid.DiskOffering    `api:"diskofferingid,since=4.4" doc:"Shows only volumes of this disk offering."`
	ServiceOfferingID uid.ServiceOffering `api:"serviceofferingid,since=4.19.1" doc:"Shows only the root disks of machines of this service offering."`
	ClusterID         uid.Cluster         `api:"clusterid,admin" doc:"Shows only volumes that lie in this cluster."`
	HostID            uid.Host            `api:"hostid,admin" doc:"Shows only the disks of machines that run on this host."`
	StorageID         uid.Pool            `api:"storageid,admin,since=4.3" doc:"Shows only volumes that lie in this storage pool."`
}

// Volume is a disk.
type Volume struct {
	ID   uid.Volume `json:"id" doc:"The ID of the volume."`
	Name string     `json:"name" doc:"The name of the volume."`
	Owner
	ZoneID                     uid.Zone            `json:"zoneid" doc:"The ID of the volume's zone."`
	ZoneName                   string              `json:"zonename,omitempty" doc:"The name of the volume's zone."`
	Type                       string              `json:"type" doc:"ROOT or DATADISK."`
	State                      string              `json:"state" doc:"Allocated while it has no disk, Creating while that is made for a machine that starts, Attaching, Ready; Resizing, Snapshotting, RevertSnapshotting, Copying and Migrating while one of these is done to it; Expunging and Expunged on its way out."`
	Size                       int64               `json:"size" doc:"The size in bytes."`
	Created                    api.Time            `json:"created,omitzero" doc:"When the volume was made."`
	Attached                   api.Time            `json:"attached,omitzero" doc:"When the volume was given to its machine."`
	DeviceID                   *int64              `json:"deviceid,omitempty" doc:"The number of the device on its machine; absent while detached."`
	VMID                       uid.VM              `json:"virtualmachineid,omitempty" doc:"The ID of its machine."`
	VMName                     string              `json:"vmname,omitempty" doc:"The name of its machine."`
	VMDisplayName              string              `json:"vmdisplayname,omitempty" doc:"The shown name of its machine."`
	VMState                    string              `json:"vmstate,omitempty" doc:"The state of its machine."`
	DiskOfferingID             uid.DiskOffering    `json:"diskofferingid,omitempty" doc:"The ID of its disk offering."`
	DiskOfferingName           string              `json:"diskofferingname,omitempty" doc:"The name of its disk offering."`
	DiskOfferingDisplayText    string              `json:"diskofferingdisplaytext,omitempty" doc:"What its disk offering is."`
	ServiceOfferingID          uid.ServiceOffering `json:"serviceofferingid,omitempty" doc:"The ID of its machine's service offering, for root disks."`
	ServiceOfferingName        string              `json:"serviceofferingname,omitempty" doc:"The name of that service offering."`
	ServiceOfferingDisplayText string              `json:"serviceofferingdisplaytext,omitempty" doc:"What that service offering is."`
	TemplateID                 uid.Template        `json:"templateid,omitempty" doc:"The ID of the template it was made from, for root disks."`
	TemplateName               string              `json:"templatename,omitempty" doc:"The name of that template."`
	TemplateDisplayText        string              `json:"templatedisplaytext,omitempty" doc:"What that template is."`
	StorageType                string              `json:"storagetype,omitempty" doc:"shared, or local for a disk on the host itself."`
	Hypervisor                 string              `json:"hypervisor,omitempty" doc:"The hypervisor the volume is for."`
	Destroyed                  bool                `json:"destroyed" doc:"Whether the volume is on its way out."`
	StorageID                  uid.Pool            `json:"storageid,omitempty" api:"admin" doc:"The ID of the storage pool it lies in."`
	Storage                    string              `json:"storage,omitempty" api:"admin" doc:"The name of the storage pool it lies in."`
	PodID                      uid.Pod             `json:"podid,omitempty" api:"admin" doc:"The ID of the pod it lies in."`
	PodName                    string              `json:"podname,omitempty" api:"admin" doc:"The name of the pod it lies in."`
	ClusterID                  uid.Cluster         `json:"clusterid,omitempty" api:"admin" doc:"The ID of the cluster it lies in."`
	ClusterName                string              `json:"clustername,omitempty" api:"admin" doc:"The name of the cluster it lies in."`
	IsExtractable              bool                `json:"isextractable" doc:"Whether it may be taken out of the cloud: a data disk may, a root disk as its template says."`
	SnapshotID                 uid.Snapshot        `json:"snapshotid,omitempty" doc:"The ID of the snapshot it was made from."`
	Status                     string              `json:"status,omitempty" doc:"How far its upload has come, for a volume that is uploaded."`
	Tags                       []Tag               `json:"tags,omitempty" api:"set" doc:"Its tags."`
	IORates
	Pending
}
