package cloudstack

import (
	"github.com/virga-cloud/virga/api"
	"github.com/virga-cloud/virga/uid"
)

// UpdateVirtualMachine changes what is known of a machine.
var UpdateVirtualMachine = api.Call[UpdateVirtualMachineIn, VirtualMachine]{
	Name: "updateVirtualMachine", Noun: "Virtual machine", Role: api.Everyone, Object: "virtualmachine", Event: "VM.UPDATE",
	Doc: "Changes what a virtual machine is called and what is known of it. What is not given stays.",
}

// UpdateVirtualMachineIn says what to change.
type UpdateVirtualMachineIn struct {
	ID               uid.VM              `api:"id,required" doc:"The ID of the machine."`
	DisplayName      string              `api:"displayname" doc:"The name shown to users."`
	Name             string              `api:"name,since=4.4" doc:"The host name. The machine must be stopped."`
	InstanceName     string              `api:"instancename,admin,since=4.4" doc:"What it is called on its host. The machine must be stopped."`
	Group            *string             `api:"group" doc:"The name of the group to put it into, which is made if it is not there; empty to take it out of its group."`
	HAEnable         *bool               `api:"haenable" doc:"Whether it is started again when its host fails."`
	OSTypeID         uid.OSType          `api:"ostypeid" doc:"The ID of the operating system inside."`
	UserData         *string             `api:"userdata,max=1048576" doc:"Data for the guest, in Base64, which it finds after its next start; the setting vm.userdata.max.length says how much. Empty for none."`
	Dynamic          *bool               `api:"isdynamicallyscalable" doc:"Whether it may be given more CPU and memory while it runs."`
	Details          map[string]string   `api:"details,map" doc:"What else to set for it, by name: replaces all that was set."`
	SecurityGroupIDs []uid.SecurityGroup `api:"securitygroupids" doc:"The IDs of the security groups to put it into, in place of those that it is in. The machine must be stopped."`
	SecurityGroups   []string            `api:"securitygroupnames,max=4096" doc:"The names of those security groups. Instead of securitygroupids."`
	CleanupDetails   bool                `api:"cleanupdetails" doc:"Removes all that was set with details. Not together with details."`
}

// ChangeServiceForVirtualMachine gives a machine another size.
var ChangeServiceForVirtualMachine = api.Call[ChangeServiceForVirtualMachineIn, VirtualMachine]{
	Name: "changeServiceForVirtualMachine", Noun: "Virtual machine", Role: api.Everyone, Object: "virtualmachine", Event: "VM.UPGRADE",
	Doc: "Gives a stopped virtual machine another service offering. Its root disk stays where it is, so the storage that the offering asks " +
		"for must be of the same type.",
}

// ChangeServiceForVirtualMachineIn names machine and offering.
type ChangeServiceForVirtualMachineIn struct {
	ID                uid.VM              `api:"id,required" doc:"The ID of the machine."`
	ServiceOfferingID uid.ServiceOffering `api:"serviceofferingid,required" doc:"The ID of the service offering."`
	Details           map[string]string   `api:"details,map" doc:"What a customized offering leaves open: cpuNumber, cpuSpeed and memory."`
}
