package cloudstack

import (
	"github.com/virga-cloud/virga/api"
	"github.com/virga-cloud/virga/uid"
)

// DeployVirtualMachine makes a machine and starts it.
var DeployVirtualMachine = api.Job[DeployVirtualMachineIn, VirtualMachine]{
	Name: "deployVirtualMachine", Noun: "Virtual machine", Role: api.Everyone, Object: "virtualmachine", Event: "VM.CREATE", Creates: true,
	DryRun: (*Placement)(nil),
	Doc: "Makes a virtual machine from a template and starts it. When that fails, the machine is gone and what it took is free again; " +
		"the job says why. A network that was made for it, because the account had none, stays.",
}

// DeployVirtualMachineIn says what machine.
type DeployVirtualMachineIn struct {
	api.Once
	ServiceOfferingID uid.ServiceOffering `api:"serviceofferingid,required" doc:"The ID of the service offering."`
	TemplateID        uid.Template        `api:"templateid" doc:"The ID of the template, which one must be named of; or that of an ISO to install the machine from, together with hypervisor and diskofferingid."`
	ZoneID            uid.Zone            `api:"zoneid,required" doc:"The ID of the zone."`
	Name              string              `api:"name" doc:"The host name: letters, digits and hyphens, at most 63 characters. Made up unless given."`
	DisplayName       string              `api:"displayname" doc:"The name shown to users; the host name unless given."`
	Account           string              `api:"account" doc:"The name of the account that is to own it. Goes together with domainid."`
	DomainID          uid.Domain          `api:"domainid" doc:"The ID of that account's domain."`
	ProjectID         uid.Project         `api:"projectid" doc:"The ID of the project that is to own it."`
	NetworkIDs        []uid.Network       `api:"networkids" doc:"The IDs of the networks, the default one first. Not together with iptonetworklist."`
	IPAddress         string              `api:"ipaddress" doc:"The address in the default network; a free one unless given."`
	IP6Address        string              `api:"ip6address" doc:"The IPv6 address in the default network; the one that the guest makes of its MAC address unless given."`
	MACAddress        string              `api:"macaddress" doc:"The MAC address in the default network; made up unless given."`
	Networks          []IPToNetwork       `api:"iptonetworklist" doc:"The networks with an address for each, the default one first. Not together with networkids."`
	DiskOfferingID    uid.DiskOffering    `api:"diskofferingid" doc:"The ID of a disk offering: the machine gets a data disk of it, or its root disk if it is installed from an ISO."`
	Size              int64               `api:"size" doc:"The size of the disk of that disk offering in GB, 1 to 65536, where the offering leaves it open."`
	RootDiskSize      int64               `api:"rootdisksize,since=4.4" doc:"The size of the root disk in GB, 1 to 65536; the offering's or the template's if it is 0 or not given."`
	HostID            uid.Host            `api:"hostid,admin" doc:"The ID of the host that it must run on."`
	PodID             uid.Pod             `api:"podid,admin,since=4.13" doc:"The ID of the pod that it must run in."`
	ClusterID         uid.Cluster         `api:"clusterid,admin,since=4.13" doc:"The ID of the cluster that it must run in."`
	StartVM           *bool               `api:"startvm" doc:"Whether to start it; true unless given."`
	UserData          string              `api:"userdata,max=1048576" doc:"Data for the guest, in Base64; the setting vm.userdata.max.length says how much."`
	Hypervisor        string              `api:"hypervisor" doc:"The hypervisor; the template's unless given. With an ISO it must be named."`
	Group             string              `api:"group" doc:"The name of the group to put it into; a group that is not there is made."`
	KeyPair           string              `api:"keypair" doc:"The name of an SSH key pair of the owner's, whose key the guest is to let in."`
	KeyPairs          []string            `api:"keypairs,since=4.17,max=4096" doc:"The names of several of the owner's SSH key pairs. Instead of keypair."`
	SecurityGroupIDs  []uid.SecurityGroup `api:"securitygroupids" doc:"The IDs of the security groups to put it into, which must be its owner's; in networks that have any, the one called default unless groups are named."`
	SecurityGroups    []string            `api:"securitygroupnames,max=4096" doc:"The names of those security groups, of its owner's. Instead of securitygroupids."`
	AffinityGroupIDs  []string            `api:"affinitygroupids,since=4.2,max=4096" doc:"The IDs of the affinity groups to put it into. There are none yet."`
	AffinityGroups    []string            `api:"affinitygroupnames,since=4.2,max=4096" doc:"The names of those affinity groups. Instead of affinitygroupids."`
	Keyboard          string              `api:"keyboard,one=de|de-ch|es|fi|fr|fr-be|fr-ch|is|it|jp|nl-be|no|pt|uk|us" doc:"The layout of its console's keyboard. It is noted as the detail keyboard; consoles here send which key is pressed, and what it means the guest says."`
	BootType          string              `api:"boottype,since=4.14" doc:"What starts it: BIOS or UEFI. Unless given it is UEFI where the template or details have UEFI=LEGACY, and a BIOS else."`
	BootMode          string              `api:"bootmode,since=4.14" doc:"LEGACY, which it is unless given. Goes together with boottype."`
	Dynamic           bool                `api:"dynamicscalingenabled,since=4.16" doc:"Whether it may be given more CPU and memory while it runs."`
	Details           map[string]string   `api:"details,map,since=4.3" doc:"What else to set for it, by name: cpuNumber, cpuSpeed and memory for what a customized offering leaves open."`
	DryRun            bool                `api:"dryrun" doc:"Makes nothing, and answers at once with where the machine would go and why not elsewhere, as the object dryrun. It is refused as the deployment would be."`
}

// IPToNetwork is a network for a machine, and its address there.
type IPToNetwork struct {
	NetworkID uid.Network `api:"networkid,required" doc:"The ID of the network."`
	IP        string      `api:"ip" doc:"The address in that network; a free one unless given."`
	IP6       string      `api:"ipv6" doc:"The IPv6 address in that network; the one that the guest makes of its MAC address unless given."`
	MAC       string      `api:"mac" doc:"The MAC address in that network; made up unless given."`
}
