package cloudstack

import (
	"github.com/virga-cloud/virga/api"
	"github.com/virga-cloud/virga/uid"
)

// ListVirtualMachines shows machines.
var ListVirtualMachines = api.List[ListVirtualMachinesIn, VirtualMachine]{
	Name: "listVirtualMachines", Noun: "Virtual machine", Role: api.Everyone, Object: "virtualmachine",
	Doc: "Lists virtual machines.",
}

// ListVirtualMachinesIn chooses machines.
type ListVirtualMachinesIn struct {
	api.Paging
	api.Scope
	InProject
	Tagged
	ID                uid.VM              `api:"id" doc:"Shows only the machine with this ID."`
	IDs               []uid.VM            `api:"ids,since=4.4" doc:"Shows only the machines with these IDs."`
	Name              string              `api:"name" doc:"Shows only machines with this in their name."`
	State             string              `api:"state" doc:"Shows only machines in this state, Running for instance; Present means all that aren't destroyed."`
	ZoneID            uid.Zone            `api:"zoneid" doc:"Shows only machines of this zone."`
	PodID             uid.Pod             `api:"podid,admin" doc:"Shows only machines on hosts of this pod."`
	HostID            uid.Host            `api:"hostid,admin" doc:"Shows only machines on this host."`
	TemplateID        uid.Template        `api:"templateid" doc:"Shows only machines made from this template."`
	ISOID             uid.Template        `api:"isoid" doc:"Shows only machines with this ISO in their CD drive."`
	KeyPair           string              `api:"keypair,since=4.13" doc:"Shows only machines that were deployed with an SSH key pair of this name."`
	SecurityGroupID   uid.SecurityGroup   `api:"securitygroupid,since=4.15" doc:"Shows only machines in this security group."`
	ServiceOfferingID uid.ServiceOffering `api:"serviceofferingid,since=4.4" doc:"Shows only machines of this service offering."`
	NetworkID         uid.Network         `api:"networkid" doc:"Shows only machines in this network."`
	Hypervisor        string              `api:"hypervisor" doc:"Shows only machines on this hypervisor."`
	ClusterID         uid.Cluster         `api:"clusterid,admin,since=4.16.0" doc:"Shows only machines on hosts of this cluster."`
	StorageID         uid.Pool            `api:"storageid,admin" doc:"Shows only machines with a disk in this storage pool."`
	GroupID           uid.InstanceGroup   `api:"groupid" doc:"Shows only machines of this group."`
	UserID            uid.User            `api:"userid" doc:"Shows only machines that this user has deployed."`
	ForVirtualNetwork *bool               `api:"forvirtualnetwork" doc:"Shows only machines whose default network is an isolated one, or only the others."`
	HAEnable          *bool               `api:"haenable,admin,since=4.15" doc:"Shows only machines that are started again when their host fails, or only the others."`
	VPCID             string              `api:"vpcid" doc:"Shows only machines in networks of this VPC. There are none yet."`
	Details           []string            `api:"details" doc:"What to show of each machine, with commas: nics, servoff (its offering), tmpl (its template), iso (its ISO), volume (its root disk), group, secgrp (its security groups), stats (what it uses); diskoff, backoff and affgrp, for which there is nothing yet; min for none of them, all for all, which is also what is shown otherwise."`
}

// VirtualMachine is a machine.
type VirtualMachine struct {
	ID          uid.VM `json:"id" doc:"The ID of the machine."`
	Name        string `json:"name" doc:"The name of the machine, which is its host name."`
	DisplayName string `json:"displayname" doc:"The name shown to users."`
	Owner
	UserID              uid.User            `json:"userid,omitempty" doc:"The ID of the user who deployed it."`
	Username            string              `json:"username,omitempty" doc:"The name of the user who deployed it."`
	Created             api.Time            `json:"created,omitzero" doc:"When the machine was made."`
	State               string              `json:"state" doc:"Running, Stopped, Starting, Stopping, Migrating, Destroyed, Expunging or Error."`
	HAEnabled           bool                `json:"haenable" doc:"Whether it is started again when its host fails."`
	ZoneID              uid.Zone            `json:"zoneid" doc:"The ID of the machine's zone."`
	ZoneName            string              `json:"zonename,omitempty" doc:"The name of the machine's zone."`
	HostID              uid.Host            `json:"hostid,omitempty" api:"admin" doc:"The ID of the host it runs on."`
	HostName            string              `json:"hostname,omitempty" api:"admin" doc:"The name of the host it runs on."`
	TemplateID          uid.Template        `json:"templateid" doc:"The ID of the template it was made from."`
	TemplateName        string              `json:"templatename,omitempty" doc:"The name of the template it was made from."`
	TemplateDisplayText string              `json:"templatedisplaytext,omitempty" doc:"What that template is."`
	TemplateFormat      string              `json:"templateformat,omitempty" doc:"The format of that template."`
	TemplateType        string              `json:"templatetype,omitempty" doc:"The type of that template: USER, SYSTEM or BUILTIN."`
	ISOID               uid.Template        `json:"isoid,omitempty" doc:"The ID of the ISO in its CD drive."`
	ISOName             string              `json:"isoname,omitempty" doc:"The name of the ISO in its CD drive."`
	ISODisplayText      string              `json:"isodisplaytext,omitempty" doc:"What that ISO is."`
	PasswordEnabled     bool                `json:"passwordenabled" doc:"Whether the guest takes a password from the cloud."`
	ServiceOfferingID   uid.ServiceOffering `json:"serviceofferingid" doc:"The ID of its service offering."`
	ServiceOfferingName string              `json:"serviceofferingname,omitempty" doc:"The name of its service offering."`
	CPUNumber           int                 `json:"cpunumber" doc:"How many CPUs it has."`
	CPUSpeed            int                 `json:"cpuspeed" doc:"The speed of a CPU in MHz."`
	Memory              int                 `json:"memory" doc:"Its memory in MB."`
	OSTypeID            uid.OSType          `json:"ostypeid" doc:"The ID of the operating system inside."`
	GuestOSID           uid.OSType          `json:"guestosid" doc:"The ID of the operating system inside."`
	OSDisplayName       string              `json:"osdisplayname,omitempty" doc:"The name of the operating system inside."`
	Hypervisor          string              `json:"hypervisor" doc:"The hypervisor it runs on."`
	BootType            string              `json:"boottype,omitempty" doc:"What starts it: Bios or Uefi."`
	BootMode            string              `json:"bootmode,omitempty" doc:"How: legacy, which starts what it finds, whoever signed it."`
	InstanceName        string              `json:"instancename,omitempty" api:"admin" doc:"The name the hypervisor knows it by."`
	RootDeviceID        *int64              `json:"rootdeviceid,omitempty" doc:"The number of the device its root disk is at."`
	IPAddress           string              `json:"ipaddress,omitempty" doc:"The address of its default NIC."`
	Details             map[string]string   `json:"details,omitempty" doc:"What else was set for it, by name."`
	GroupID             uid.InstanceGroup   `json:"groupid,omitempty" doc:"The ID of the group it is in."`
	Group               string              `json:"group,omitempty" doc:"The name of the group it is in."`
	Dynamic             bool                `json:"isdynamicallyscalable" doc:"Whether it may be given more CPU and memory while it runs."`
	ForVirtualNetwork   *bool               `json:"forvirtualnetwork,omitempty" doc:"Whether its default network is an isolated one; absent where NICs are not shown."`
	LastUpdated         api.Time            `json:"lastupdated,omitzero" doc:"When a user last changed it."`
	RootDeviceType      string              `json:"rootdevicetype,omitempty" doc:"The type of the storage pool its root disk is in; absent until the disk is made."`
	PublicIPID          string              `json:"publicipid,omitempty" doc:"The ID of the public address that leads to it alone."`
	PublicIP            string              `json:"publicip,omitempty" doc:"The public address that leads to it alone."`
	Password            string              `json:"password,omitempty" doc:"A password that was made for it. The result of the job that starts it the first time shows it to its owner, once; that of one that resets it, until it runs."`
	KeyPair             string              `json:"keypair,omitempty" doc:"The name of the SSH key pair that it was deployed with; the first one where there are several."`
	KeyPairs            string              `json:"keypairs,omitempty" doc:"The names of the SSH key pairs that it was deployed with, with commas between."`
	SecurityGroups      []GroupOfMachine    `json:"securitygroup,omitempty" api:"set" doc:"The security groups that it is in."`
	Stats
	Tags []Tag `json:"tags,omitempty" api:"set" doc:"Its tags."`
	NICs []NIC `json:"nic,omitempty" api:"set" doc:"Its NICs."`
	Pending
}

// Stats are what a machine uses, and has used. They are there once its host was asked.
type Stats struct {
	CPUUsed         string `json:"cpuused,omitempty" doc:"How much of its CPU it uses while it runs, 12.5% for instance; absent until its host was asked twice. With what the hypervisor does for it, it may be more than 100%."`
	MemoryKBs       *int64 `json:"memorykbs,omitempty" doc:"How many KiB of its host's memory it takes while it runs."`
	MemoryTargetKBs *int64 `json:"memorytargetkbs,omitempty" doc:"How many KiB of memory it is meant to have while it runs."`
	NetworkKBsRead  *int64 `json:"networkkbsread,omitempty" doc:"How many KiB it has received since it was made, as this and the next five are counted while it runs."`
	NetworkKBsWrite *int64 `json:"networkkbswrite,omitempty" doc:"How many KiB it has sent."`
	DiskKBsRead     *int64 `json:"diskkbsread,omitempty" doc:"How many KiB it has read from its disks."`
	DiskKBsWrite    *int64 `json:"diskkbswrite,omitempty" doc:"How many KiB it has written to its disks."`
	DiskIORead      *int64 `json:"diskioread,omitempty" doc:"How many times it has read from its disks."`
	DiskIOWrite     *int64 `json:"diskiowrite,omitempty" doc:"How many times it has written to its disks."`
}

// GroupOfMachine is a security group that a machine is in.
type GroupOfMachine struct {
	ID          uid.SecurityGroup `json:"id" doc:"The ID of the group."`
	Name        string            `json:"name" doc:"The name of the group."`
	Description string            `json:"description,omitempty" doc:"What the group is for."`
	Owner
}

// NIC is a machine's connection to a network.
type NIC struct {
	ID           uid.NIC     `json:"id" doc:"The ID of the NIC."`
	NetworkID    uid.Network `json:"networkid" doc:"The ID of the network."`
	NetworkName  string      `json:"networkname,omitempty" doc:"The name of the network."`
	DeviceID     string      `json:"deviceid" doc:"The number of the device, from 0."`
	Default      bool        `json:"isdefault" doc:"Whether it is the NIC that leads to the world."`
	IPAddress    string      `json:"ipaddress,omitempty" doc:"Its address; in L2 networks it has none."`
	Netmask      string      `json:"netmask,omitempty" doc:"The netmask."`
	Gateway      string      `json:"gateway,omitempty" doc:"The address of the gateway."`
	IP6Address   string      `json:"ip6address,omitempty" doc:"Its IPv6 address, in networks that have IPv6."`
	IP6CIDR      string      `json:"ip6cidr,omitempty" doc:"The network's IPv6 network."`
	IP6Gateway   string      `json:"ip6gateway,omitempty" doc:"The IPv6 address of the gateway."`
	MACAddress   string      `json:"macaddress" doc:"Its MAC address."`
	TrafficType  string      `json:"traffictype" doc:"The kind of traffic, Guest for instance."`
	Type         string      `json:"type" doc:"The type of the network: Isolated, Shared or L2."`
	BroadcastURI string      `json:"broadcasturi,omitempty" api:"admin" doc:"The network's VLAN as a URI: vlan://100."`
	IsolationURI string      `json:"isolationuri,omitempty" api:"admin" doc:"The network's VLAN as a URI: vlan://100."`
}
