package cloudstack

import (
	"github.com/virga-cloud/virga/api"
	"github.com/virga-cloud/virga/uid"
)

// CreateVLANIPRange adds a range of addresses.
var CreateVLANIPRange = api.Call[CreateVLANIPRangeIn, VLANIPRange]{
	Name: "createVlanIpRange", Noun: "VLAN IP range", Role: api.RootOnly, Object: "vlan", Event: "VLAN.IP.RANGE.CREATE", Creates: true,
	Doc: "Adds a range of addresses: public ones to a zone, or others to a shared network.",
}

// CreateVLANIPRangeIn says what range.
type CreateVLANIPRangeIn struct {
	api.Once
	ZoneID            uid.Zone            `api:"zoneid" doc:"The ID of the zone."`
	PhysicalNetworkID uid.PhysicalNetwork `api:"physicalnetworkid" doc:"The ID of the physical network; unless given, the zone's for public traffic, or the network's."`
	NetworkID         uid.Network         `api:"networkid" doc:"The ID of the shared network that gets the addresses."`
	PodID             uid.Pod             `api:"podid" doc:"The ID of the pod whose machines get the addresses, in basic zones."`
	Public            *bool               `api:"forvirtualnetwork" doc:"Whether they are public addresses. Unless given: yes, if neither a network nor a pod is named."`
	Account           string              `api:"account" doc:"The name of the account that public addresses are dedicated to. Goes together with domainid."`
	DomainID          uid.Domain          `api:"domainid" doc:"The ID of that account's domain, or alone that of the domain which the addresses are dedicated to."`
	ProjectID         uid.Project         `api:"projectid" doc:"The ID of the project that public addresses are dedicated to."`
	VLAN              string              `api:"vlan" doc:"The VLAN of the addresses: a number, vlan://number, or untagged, which it is unless given. A shared network's is known."`
	Gateway           string              `api:"gateway" doc:"The address of the gateway."`
	Netmask           string              `api:"netmask" doc:"The netmask."`
	StartIP           string              `api:"startip" doc:"The first address."`
	EndIP             string              `api:"endip" doc:"The last address; the first one unless given. A range has 65536 addresses at most."`
	IP6Gateway        string              `api:"ip6gateway" doc:"The IPv6 address of the gateway, in a shared network."`
	IP6CIDR           string              `api:"ip6cidr" doc:"The IPv6 network, with a prefix of 64 bits."`
	StartIPv6         string              `api:"startipv6" doc:"The first IPv6 address that may be asked for by name."`
	EndIPv6           string              `api:"endipv6" doc:"The last IPv6 address that may be asked for by name; the first one unless given."`
	ForSystem         bool                `api:"forsystemvms" doc:"Whether public addresses are kept for the cloud's own machines."`
}

// ListVLANIPRanges shows ranges.
var ListVLANIPRanges = api.List[ListVLANIPRangesIn, VLANIPRange]{
	Name: "listVlanIpRanges", Noun: "VLAN IP range", Role: api.RootOnly, Object: "vlaniprange",
	Doc: "Lists ranges of addresses.",
}

// ListVLANIPRangesIn chooses ranges.
type ListVLANIPRangesIn struct {
	api.Paging
	ID                uid.IPRange         `api:"id" doc:"Shows only the range with this ID."`
	ZoneID            uid.Zone            `api:"zoneid" doc:"Shows only ranges of this zone."`
	PhysicalNetworkID uid.PhysicalNetwork `api:"physicalnetworkid" doc:"Shows only ranges on this physical network."`
	NetworkID         uid.Network         `api:"networkid" doc:"Shows only ranges of this shared network."`
	PodID             uid.Pod             `api:"podid" doc:"Shows only ranges of this pod."`
	VLAN              string              `api:"vlan" doc:"Shows only ranges on this VLAN."`
	Public            *bool               `api:"forvirtualnetwork" doc:"Shows only ranges of public addresses (true), or only others (false)."`
	Account           string              `api:"account" doc:"Shows only ranges dedicated to the account of this name. Goes together with domainid."`
	DomainID          uid.Domain          `api:"domainid" doc:"Shows only ranges dedicated to this domain or its accounts."`
	ProjectID         string              `api:"projectid" doc:"Shows only ranges dedicated to this project."`
}

// DeleteVLANIPRange removes a range.
var DeleteVLANIPRange = api.Call[DeleteVLANIPRangeIn, api.Success]{
	Name: "deleteVlanIpRange", Noun: "VLAN IP range", Role: api.RootOnly, Event: "VLAN.IP.RANGE.DELETE",
	Doc: "Deletes a range of addresses none of which is in use.",
}

// DeleteVLANIPRangeIn names the range.
type DeleteVLANIPRangeIn struct {
	ID uid.IPRange `api:"id,required" doc:"The ID of the range."`
}

// VLANIPRange is a range of addresses.
type VLANIPRange struct {
	ID                uid.IPRange         `json:"id" doc:"The ID of the range."`
	Description       string              `json:"description,omitempty" doc:"The VLAN as a URI: vlan://100, or vlan://untagged."`
	ZoneID            uid.Zone            `json:"zoneid" doc:"The ID of its zone."`
	PhysicalNetworkID uid.PhysicalNetwork `json:"physicalnetworkid" doc:"The ID of its physical network."`
	NetworkID         uid.Network         `json:"networkid,omitempty" doc:"The ID of the shared network that has the addresses; public ones have none."`
	PodID             uid.Pod             `json:"podid,omitempty" doc:"The ID of the pod whose machines get the addresses."`
	PodName           string              `json:"podname,omitempty" doc:"The name of that pod."`
	Public            bool                `json:"forvirtualnetwork" doc:"Whether they are public addresses."`
	ForSystem         bool                `json:"forsystemvms" doc:"Whether they are kept for the cloud's own machines."`
	VLAN              string              `json:"vlan" doc:"The VLAN: a number, or untagged."`
	CIDR              string              `json:"cidr,omitempty" doc:"The network that the addresses are in."`
	Gateway           string              `json:"gateway,omitempty" doc:"The address of the gateway."`
	Netmask           string              `json:"netmask,omitempty" doc:"The netmask."`
	StartIP           string              `json:"startip,omitempty" doc:"The first address."`
	EndIP             string              `json:"endip,omitempty" doc:"The last address."`
	IP6Gateway        string              `json:"ip6gateway,omitempty" doc:"The IPv6 address of the gateway."`
	IP6CIDR           string              `json:"ip6cidr,omitempty" doc:"The IPv6 network."`
	StartIPv6         string              `json:"startipv6,omitempty" doc:"The first IPv6 address that may be asked for by name."`
	EndIPv6           string              `json:"endipv6,omitempty" doc:"The last IPv6 address that may be asked for by name."`
	Owner
	Pending
}
