package cloudstack

import (
	"github.com/virga-cloud/virga/api"
	"github.com/virga-cloud/virga/uid"
)

// CreateVMSnapshot keeps a machine as it is.
var CreateVMSnapshot = api.Job[CreateVMSnapshotIn, VMSnapshot]{
	Name: "createVMSnapshot", Noun: "VM snapshot", Role: api.Everyone, Object: "vmsnapshot", Event: "VMSNAPSHOT.CREATE", Creates: true,
	Doc: "Keeps all disks of a virtual machine as they are at one moment, and its memory if that is asked for; it stands still while its " +
		"memory is written. The snapshot is in the machine's disks and ends with it. While a machine has any, no disk is attached to it, detached, " +
		"resized or taken back to a snapshot of its own, and its service offering stays what it is.",
}

// CreateVMSnapshotIn says of what.
type CreateVMSnapshotIn struct {
	api.Once
	VMID        uid.VM `api:"virtualmachineid,required" doc:"The ID of the machine, which is Running or Stopped."`
	Name        string `api:"name" doc:"The name that it is shown by, which no other snapshot of the machine has; one made of the machine's and the time unless given."`
	Description string `api:"description" doc:"What is to be known of it."`
	Memory      bool   `api:"snapshotmemory" doc:"Keeps the memory of a machine that runs, too. Without it the disks are as after a power failure."`
	Quiesce     bool   `api:"quiescevm" doc:"Has the guest write out what it has in memory first. No hypervisor here can do that: true is refused."`
}

// DeleteVMSnapshot removes a snapshot of a machine.
var DeleteVMSnapshot = api.Job[DeleteVMSnapshotIn, api.Success]{
	Name: "deleteVMSnapshot", Noun: "VM snapshot", Role: api.Everyone, Event: "VMSNAPSHOT.DELETE",
	Doc: "Deletes a VM snapshot, whether its machine runs or not. Those whose parent it was have its parent as theirs then.",
}

// DeleteVMSnapshotIn names the snapshot.
type DeleteVMSnapshotIn struct {
	ID uid.VMSnapshot `api:"vmsnapshotid,required" doc:"The ID of the VM snapshot."`
}

// RevertToVMSnapshot takes a machine back.
var RevertToVMSnapshot = api.Job[RevertToVMSnapshotIn, VirtualMachine]{
	Name: "revertToVMSnapshot", Noun: "VM snapshot", Role: api.Everyone, Object: "virtualmachine", Event: "VMSNAPSHOT.REVERTTO",
	Doc: "Makes a virtual machine what it was when a VM snapshot of it was taken. What was written since is lost. With memory the machine must " +
		"run, and runs on from that moment; without, it must be stopped.",
}

// RevertToVMSnapshotIn names the snapshot.
type RevertToVMSnapshotIn struct {
	ID uid.VMSnapshot `api:"vmsnapshotid,required" doc:"The ID of the VM snapshot."`
}

// ListVMSnapshot shows snapshots of machines.
var ListVMSnapshot = api.List[ListVMSnapshotIn, VMSnapshot]{
	Name: "listVMSnapshot", Noun: "VM snapshot", Role: api.Everyone, Object: "vmSnapshot",
	Doc: "Lists snapshots of virtual machines.",
}

// ListVMSnapshotIn chooses snapshots.
type ListVMSnapshotIn struct {
	api.Paging
	api.Scope
	InProject
	Tagged
	ID    uid.VMSnapshot   `api:"vmsnapshotid" doc:"Shows only the VM snapshot with this ID."`
	IDs   []uid.VMSnapshot `api:"vmsnapshotids,since=4.9" doc:"Shows only the VM snapshots with these IDs."`
	VMID  uid.VM           `api:"virtualmachineid" doc:"Shows only snapshots of this machine."`
	Name  string           `api:"name" doc:"Shows only VM snapshots that are shown by this name."`
	State string           `api:"state" doc:"Shows only VM snapshots in this state."`
}

// VMSnapshot is what a machine was at a moment.
type VMSnapshot struct {
	ID          uid.VMSnapshot `json:"id" doc:"The ID of the VM snapshot."`
	Name        string         `json:"name" doc:"The name that the cloud has given it."`
	DisplayName string         `json:"displayname" doc:"The name that it is shown by."`
	Description string         `json:"description,omitempty" doc:"What is to be known of it."`
	Owner
	ZoneID     uid.Zone       `json:"zoneid" doc:"The ID of the zone that it is in."`
	ZoneName   string         `json:"zonename,omitempty" doc:"The name of that zone."`
	VMID       uid.VM         `json:"virtualmachineid" doc:"The ID of the machine."`
	VMName     string         `json:"virtualmachinename,omitempty" doc:"The name of the machine."`
	Hypervisor string         `json:"hypervisor,omitempty" doc:"The hypervisor of the machine's host."`
	State      string         `json:"state" doc:"Creating, Ready when the machine can be taken back to it, Reverting, Expunging."`
	Type       string         `json:"type" doc:"Disk, or DiskAndMemory."`
	Current    bool           `json:"current" doc:"Whether the machine has come from it: it was taken or gone back to last."`
	Parent     uid.VMSnapshot `json:"parent,omitempty" doc:"The ID of the VM snapshot that the machine had come from when it was taken."`
	ParentName string         `json:"parentName,omitempty" doc:"The name that this one is shown by."`
	Created    api.Time       `json:"created,omitzero" doc:"When it was taken."`
	Tags       []Tag          `json:"tags,omitempty" api:"set" doc:"Its tags."`
	Pending
}
