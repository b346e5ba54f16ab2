package cloudstack

import (
	"github.com/virga-cloud/virga/api"
	"github.com/virga-cloud/virga/uid"
)

// MigrateVirtualMachine moves a machine to another host.
var MigrateVirtualMachine = api.Job[MigrateVirtualMachineIn, VirtualMachine]{
	Name: "migrateVirtualMachine", Noun: "Virtual machine", Role: api.RootOnly, Object: "virtualmachine", Event: "VM.MIGRATE",
	Doc: "Moves a running virtual machine to another host, while it runs. Disks that the new host does not reach are copied to where it does; " +
		"the others stay where they are.",
}

// MigrateVirtualMachineIn names machine and host.
type MigrateVirtualMachineIn struct {
	VMID       uid.VM   `api:"virtualmachineid,required" doc:"The ID of the machine."`
	HostID     uid.Host `api:"hostid" doc:"The ID of the host that it is to go to."`
	AutoSelect bool     `api:"autoselect,since=4.16.0" doc:"Leaves the host to placement where hostid names none."`
}
