package cloudstack

import (
	"github.com/virga-cloud/virga/api"
	"github.com/virga-cloud/virga/uid"
)

// StartVirtualMachine starts a machine.
var StartVirtualMachine = api.Job[StartVirtualMachineIn, VirtualMachine]{
	Name: "startVirtualMachine", Noun: "Virtual machine", Role: api.Everyone, Object: "virtualmachine", Event: "VM.START",
	Doc: "Starts a stopped virtual machine.",
}

// StartVirtualMachineIn names the machine.
type StartVirtualMachineIn struct {
	ID        uid.VM      `api:"id,required" doc:"The ID of the machine."`
	HostID    uid.Host    `api:"hostid,admin,since=3.0.1" doc:"The ID of the host that it must run on."`
	PodID     uid.Pod     `api:"podid,admin" doc:"The ID of the pod that it must run in."`
	ClusterID uid.Cluster `api:"clusterid,admin" doc:"The ID of the cluster that it must run in."`
}

// StopVirtualMachine stops a machine.
var StopVirtualMachine = api.Job[StopVirtualMachineIn, VirtualMachine]{
	Name: "stopVirtualMachine", Noun: "Virtual machine", Role: api.Everyone, Object: "virtualmachine", Event: "VM.STOP",
	Doc: "Stops a running virtual machine.",
}

// StopVirtualMachineIn names the machine.
type StopVirtualMachineIn struct {
	ID     uid.VM `api:"id,required" doc:"The ID of the machine."`
	Forced bool   `api:"forced" doc:"Cuts the power instead of asking the guest."`
}

// RebootVirtualMachine reboots a machine.
var RebootVirtualMachine = api.Job[RebootVirtualMachineIn, VirtualMachine]{
	Name: "rebootVirtualMachine", Noun: "Virtual machine", Role: api.Everyone, Object: "virtualmachine", Event: "VM.REBOOT",
	Doc: "Reboots a running virtual machine on its host. One that is forced to, and then can't be started again, is left stopped.",
}

// RebootVirtualMachineIn names the machine.
type RebootVirtualMachineIn struct {
	ID     uid.VM `api:"id,required" doc:"The ID of the machine."`
	Forced bool   `api:"forced,since=4.16.0" doc:"Cuts the power instead of asking the guest."`
}

// DestroyVirtualMachine destroys a machine.
var DestroyVirtualMachine = api.Job[DestroyVirtualMachineIn, VirtualMachine]{
	Name: "destroyVirtualMachine", Noun: "Virtual machine", Role: api.Everyone, Object: "virtualmachine", Event: "VM.DESTROY",
	Doc: "Stops a virtual machine for good. It is kept for a while, unless expunged at once.",
}

// DestroyVirtualMachineIn names the machine.
type DestroyVirtualMachineIn struct {
	ID        uid.VM       `api:"id,required" doc:"The ID of the machine."`
	Expunge   bool         `api:"expunge,since=4.2.1" doc:"Removes it and its root disk at once."`
	VolumeIDs []uid.Volume `api:"volumeids,since=4.12.0" doc:"The IDs of data disks that are deleted with it; all others stay."`
}

// RecoverVirtualMachine brings a machine back.
var RecoverVirtualMachine = api.Call[RecoverVirtualMachineIn, VirtualMachine]{
	Name: "recoverVirtualMachine", Noun: "Virtual machine", Role: api.Everyone, Object: "virtualmachine", Event: "VM.RECOVER",
	Doc: "Makes a destroyed virtual machine a stopped one again, as long as it has not been expunged. Users may do it where the setting " +
		"allow.user.expunge.recover.vm says so.",
}

// RecoverVirtualMachineIn names the machine.
type RecoverVirtualMachineIn struct {
	ID uid.VM `api:"id,required" doc:"The ID of the machine."`
}

// ExpungeVirtualMachine removes a machine.
var ExpungeVirtualMachine = api.Job[ExpungeVirtualMachineIn, api.Success]{
	Name: "expungeVirtualMachine", Noun: "Virtual machine", Role: api.Admins, Event: "VM.EXPUNGE",
	Doc: "Removes a destroyed virtual machine and its root disk. There is no way back.",
}

// ExpungeVirtualMachineIn names the machine.
type ExpungeVirtualMachineIn struct {
	ID uid.VM `api:"id,required" doc:"The ID of the machine."`
}
