package cloudstack

import (
	"github.com/virga-cloud/virga/api"
	"github.com/virga-cloud/virga/uid"
)

// ListNics shows the NICs of a machine.
var ListNics = api.List[ListNicsIn, MachineNIC]{
	Name: "listNics", Noun: "NIC", Role: api.Everyone, Object: "nic",
	Doc: "Lists the NICs of a virtual machine, by device.",
}

// ListNicsIn chooses NICs of a machine.
type ListNicsIn struct {
	api.Paging
	VMID      uid.VM      `api:"virtualmachineid,required" doc:"The ID of the virtual machine."`
	ID        uid.NIC     `api:"nicid" doc:"Shows only the NIC with this ID."`
	NetworkID uid.Network `api:"networkid" doc:"Shows only the NIC in this network."`
	Display   *bool       `api:"fordisplay,admin,since=4.4" doc:"Shows only NICs that users see, as they see all (true), or only others, of which there are none (false)."`
}

// MachineNIC is a NIC with the machine that has it.
type MachineNIC struct {
	NIC
	VMID uid.VM `json:"virtualmachineid" doc:"The ID of the virtual machine."`
}
