package cloudstack

import (
	"github.com/virga-cloud/virga/api"
	"github.com/virga-cloud/virga/uid"
)

// AssociateIPAddress gives a network a public address.
var AssociateIPAddress = api.Job[AssociateIPAddressIn, PublicIPAddress]{
	Name: "associateIpAddress", Noun: "IP address", Role: api.Everyone, Object: "ipaddress", Event: "NET.IPASSIGN", Creates: true,
	Doc: "Gives a network a public address, beside the one for source NAT. It counts against the limit of the network's account.",
}

// AssociateIPAddressIn says what address, and for what.
type AssociateIPAddressIn struct {
	api.Once
	NetworkID uid.Network `api:"networkid" doc:"The ID of the network that the address is for. Without it: the only isolated network with source NAT that the account has in the zone."`
	ZoneID    uid.Zone    `api:"zoneid" doc:"The ID of the zone. Required where no network is named."`
	IPAddress string      `api:"ipaddress,since=4.13" doc:"The address that is wanted; any free one unless given."`
	Account   string      `api:"account" doc:"The name of the account whose network it is for. Goes together with domainid."`
	DomainID  uid.Domain  `api:"domainid" doc:"The ID of that account's domain."`
	ProjectID uid.Project `api:"projectid" doc:"The ID of the project whose network it is for."`
	VPCID     uid.VPC     `api:"vpcid" doc:"The ID of the VPC that the address is for."`
	Portable  bool        `api:"isportable" doc:"Whether the address is to be one that can move between zones. There are none."`
	RegionID  int         `api:"regionid" doc:"The ID of the region of a portable address."`
	Display   *bool       `api:"fordisplay,admin,since=4.4" doc:"Whether its users see the address; yes unless given."`
}

// UpdateIPAddress changes what a public address is known by.
var UpdateIPAddress = api.Job[UpdateIPAddressIn, PublicIPAddress]{
	Name: "updateIpAddress", Noun: "IP address", Role: api.Everyone, Object: "ipaddress", Event: "NET.IPUPDATE",
	Doc: "Changes the ID of a public address, or whether its users see it. It keeps its rules.",
}

// UpdateIPAddressIn says what to change.
type UpdateIPAddressIn = Shown[uid.PublicIP]

// DisassociateIPAddress takes a public address from its network.
var DisassociateIPAddress = api.Job[DisassociateIPAddressIn, api.Success]{
	Name: "disassociateIpAddress", Noun: "IP address", Role: api.Everyone, Event: "NET.IPRELEASE",
	Doc: "Takes a public address from its network, with all rules on it. The address for source NAT stays with its network, and one that was taken for a load balancer with that.",
}

// DisassociateIPAddressIn names the address.
type DisassociateIPAddressIn struct {
	ID        uid.PublicIP `api:"id" doc:"The ID of the address. Either it or the address itself is required."`
	IPAddress string       `api:"ipaddress,since=4.13" doc:"The address. Not together with id."`
	AccountID uid.Account  `api:"accountid" doc:"The ID of the account that owns it; it must be that, where it is given."`
}

// ListPublicIPAddresses shows addresses.
var ListPublicIPAddresses = api.List[ListPublicIPAddressesIn, PublicIPAddress]{
	Name: "listPublicIpAddresses", Noun: "IP address", Role: api.Everyone, Object: "publicipaddress",
	Doc: "Lists addresses: public ones, and those of shared networks. Users see those that they have, root admins free ones, too.",
}

// ListPublicIPAddressesIn chooses addresses.
type ListPublicIPAddressesIn struct {
	api.Paging
	api.Scope
	InProject
	Tagged
	ID                  uid.PublicIP        `api:"id" doc:"Shows only the address with this ID."`
	IPAddress           string              `api:"ipaddress" doc:"Shows only this address."`
	AllocatedOnly       *bool               `api:"allocatedonly" doc:"Whether to show only addresses that somebody has; yes unless given. Only root admins see others."`
	AssociatedNetworkID uid.Network         `api:"associatednetworkid" doc:"Shows only addresses that serve this network."`
	NetworkID           uid.Network         `api:"networkid,since=4.13" doc:"Shows only addresses out of the ranges of this shared network."`
	PhysicalNetworkID   uid.PhysicalNetwork `api:"physicalnetworkid" doc:"Shows only addresses on this physical network."`
	VLANID              uid.IPRange         `api:"vlanid" doc:"Shows only addresses of the VLAN IP range with this ID."`
	VPCID               uid.VPC             `api:"vpcid" doc:"Shows only addresses of this VPC."`
	ZoneID              uid.Zone            `api:"zoneid" doc:"Shows only addresses of this zone."`
	Public              *bool               `api:"forvirtualnetwork" doc:"Shows public addresses (true), or those of shared networks (false); public ones unless given."`
	ForLoadBalancing    *bool               `api:"forloadbalancing" doc:"Shows only addresses that have load balancer rules (true)."`
	SourceNAT           *bool               `api:"issourcenat" doc:"Shows only addresses that are a network's source NAT (true), or only others (false)."`
	StaticNAT           *bool               `api:"isstaticnat" doc:"Shows only addresses that are a machine's static NAT (true), or only others (false)."`
	ForSystem           *bool               `api:"forsystemvms,since=4.20" doc:"Shows only addresses that are kept for the cloud's own machines (true), or only others (false)."`
	State               string              `api:"state,since=4.18" doc:"Shows only addresses in this state: Allocated, Releasing or Free."`
	Display             *bool               `api:"fordisplay,admin,since=4.4" doc:"Shows only addresses that their users see (true), or only others (false)."`
}

// PublicIPAddress is an address.
type PublicIPAddress struct {
	ID        uid.PublicIP `json:"id" doc:"The ID of the address."`
	IPAddress string       `json:"ipaddress" doc:"The address."`
	State     string       `json:"state" doc:"Allocated, Releasing, or Free."`
	Allocated api.Time     `json:"allocated,omitzero" doc:"When it was given to whom has it."`
	Owner
	ZoneID                uid.Zone            `json:"zoneid" doc:"The ID of its zone."`
	ZoneName              string              `json:"zonename,omitempty" doc:"The name of its zone."`
	PhysicalNetworkID     uid.PhysicalNetwork `json:"physicalnetworkid" doc:"The ID of its physical network."`
	VLANID                uid.IPRange         `json:"vlanid,omitempty" api:"admin" doc:"The ID of its VLAN IP range."`
	VLANName              string              `json:"vlanname,omitempty" api:"admin" doc:"Its VLAN: a number, or untagged."`
	NetworkID             uid.Network         `json:"networkid,omitempty" doc:"The ID of the shared network whose address it is; public ones have none."`
	NetworkName           string              `json:"networkname,omitempty" doc:"The name of that network."`
	AssociatedNetworkID   uid.Network         `json:"associatednetworkid,omitempty" doc:"The ID of the network that it serves."`
	AssociatedNetworkName string              `json:"associatednetworkname,omitempty" doc:"The name of that network."`
	Public                bool                `json:"forvirtualnetwork" doc:"Whether it is a public address."`
	ForSystem             bool                `json:"forsystemvms" doc:"Whether it is kept for the cloud's own machines."`
	ForProvider           bool                `json:"forprovider" doc:"Whether it is kept for a provider of networks outside the cloud; none is yet."`
	SourceNAT             bool                `json:"issourcenat" doc:"Whether it is a network's source NAT."`
	StaticNAT             bool                `json:"isstaticnat" doc:"Whether it is a machine's static NAT."`
	System                bool                `json:"issystem" doc:"Whether the cloud took it by itself, for a load balancer that named none. It goes with the last one on it."`
	Portable              bool                `json:"isportable" doc:"Whether it can move between zones."`
	HasAnnotations        bool                `json:"hasannotations" doc:"Whether there are annotations on it that the caller may see."`
	HasRules              bool                `json:"hasrules" doc:"Whether there are rules on it."`
	Purpose               string              `json:"purpose,omitempty" doc:"What its rules are for, Lb or PortForwarding for instance."`
	VMID                  uid.VM              `json:"virtualmachineid,omitempty" doc:"The ID of the machine that has it: by static NAT, or in a shared network."`
	VMName                string              `json:"virtualmachinename,omitempty" doc:"The name of that machine."`
	VMDisplayName         string              `json:"virtualmachinedisplayname,omitempty" doc:"The display name of that machine."`
	VMType                string              `json:"virtualmachinetype,omitempty" doc:"The type of that machine: User."`
	VMIPAddress           string              `json:"vmipaddress,omitempty" doc:"The address of that machine which static NAT leads to."`
	VPCID                 uid.VPC             `json:"vpcid,omitempty" doc:"The ID of the VPC that it serves."`
	VPCName               string              `json:"vpcname,omitempty" doc:"The name of that VPC."`
	Display               *bool               `json:"fordisplay,omitempty" api:"admin" doc:"Whether its users see it."`
	Tags                  []Tag               `json:"tags,omitempty" api:"set" doc:"Its tags."`
	Pending
}
