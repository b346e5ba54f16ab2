package cloudstack

import (
	"github.com/virga-cloud/virga/api"
	"github.com/virga-cloud/virga/uid"
)

// CreatePhysicalNetwork makes a physical network.
var CreatePhysicalNetwork = api.Job[CreatePhysicalNetworkIn, PhysicalNetwork]{
	Name: "createPhysicalNetwork", Noun: "Physical network", Role: api.RootOnly, Object: "physicalnetwork", Event: "PHYSICAL.NETWORK.CREATE",
	Creates: true,
	Doc: "Creates a physical network. It is Disabled, and so are the providers that it has from the beginning: enable them once it has its " +
		"traffic types.",
}

// CreatePhysicalNetworkIn says what physical network.
type CreatePhysicalNetworkIn struct {
	api.Once
	Name                 string     `api:"name,required" doc:"The name of the physical network."`
	ZoneID               uid.Zone   `api:"zoneid,required" doc:"The ID of the zone."`
	BroadcastDomainRange string     `api:"broadcastdomainrange" doc:"How far a broadcast goes: ZONE, or POD in basic zones. Unless given, what fits the zone."`
	DomainID             uid.Domain `api:"domainid" doc:"The ID of the domain that it is kept for; every domain's networks unless given."`
	IsolationMethods     []string   `api:"isolationmethods" doc:"How guest networks are kept apart: VLAN, or L3 in basic zones. Unless given, what fits the zone."`
	NetworkSpeed         string     `api:"networkspeed" doc:"How fast it is: 1G for instance."`
	Tags                 []string   `api:"tags" doc:"Its tags: network offerings choose physical networks by them."`
	VLAN                 string     `api:"vlan" doc:"The VLANs for guest networks: 100-200,300-400."`
}

// ListPhysicalNetworks shows physical networks.
var ListPhysicalNetworks = api.List[ListPhysicalNetworksIn, PhysicalNetwork]{
	Name: "listPhysicalNetworks", Noun: "Physical network", Role: api.RootOnly, Object: "physicalnetwork",
	Doc: "Lists physical networks.",
}

// ListPhysicalNetworksIn chooses physical networks.
type ListPhysicalNetworksIn struct {
	api.Paging
	ID     uid.PhysicalNetwork `api:"id" doc:"Shows only the physical network with this ID."`
	Name   string              `api:"name" doc:"Shows only physical networks of this name."`
	ZoneID uid.Zone            `api:"zoneid" doc:"Shows only physical networks of this zone."`
}

// UpdatePhysicalNetwork changes a physical network.
var UpdatePhysicalNetwork = api.Job[UpdatePhysicalNetworkIn, PhysicalNetwork]{
	Name: "updatePhysicalNetwork", Noun: "Physical network", Role: api.RootOnly, Object: "physicalnetwork", Event: "PHYSICAL.NETWORK.UPDATE",
	Doc: "Changes a physical network.",
}

// UpdatePhysicalNetworkIn says what to change.
type UpdatePhysicalNetworkIn struct {
	ID           uid.PhysicalNetwork `api:"id,required" doc:"The ID of the physical network."`
	NetworkSpeed *string             `api:"networkspeed" doc:"How fast it is: 1G for instance."`
	State        *string             `api:"state" doc:"Enabled, or Disabled for no new networks."`
	Tags         []string            `api:"tags" doc:"Its tags, in the place of those that it has."`
	VLAN         *string             `api:"vlan" doc:"The VLANs for guest networks, in the place of those that it has. A VLAN in use must stay among them."`
}

// DeletePhysicalNetwork removes a physical network.
var DeletePhysicalNetwork = api.Job[DeletePhysicalNetworkIn, api.Success]{
	Name: "deletePhysicalNetwork", Noun: "Physical network", Role: api.RootOnly, Event: "PHYSICAL.NETWORK.DELETE",
	Doc: "Deletes a physical network that carries no networks and has no ranges of addresses.",
}

// DeletePhysicalNetworkIn names the physical network.
type DeletePhysicalNetworkIn struct {
	ID uid.PhysicalNetwork `api:"id,required" doc:"The ID of the physical network."`
}

// PhysicalNetwork is a physical network.
type PhysicalNetwork struct {
	ID                   uid.PhysicalNetwork `json:"id" doc:"The ID of the physical network."`
	Name                 string              `json:"name" doc:"The name of the physical network."`
	ZoneID               uid.Zone            `json:"zoneid" doc:"The ID of its zone."`
	ZoneName             string              `json:"zonename,omitempty" doc:"The name of its zone."`
	State                string              `json:"state" doc:"Enabled or Disabled."`
	BroadcastDomainRange string              `json:"broadcastdomainrange" doc:"How far a broadcast goes: ZONE or POD."`
	DomainID             uid.Domain          `json:"domainid,omitempty" doc:"The ID of the domain that it is kept for."`
	IsolationMethods     string              `json:"isolationmethods" doc:"How guest networks are kept apart."`
	NetworkSpeed         string              `json:"networkspeed,omitempty" doc:"How fast it is."`
	Tags                 string              `json:"tags,omitempty" doc:"Its tags, with commas between them."`
	VLAN                 string              `json:"vlan,omitempty" doc:"The VLANs for guest networks."`
	Pending
}

// AddTrafficType lets a physical network carry a kind of traffic.
var AddTrafficType = api.Job[AddTrafficTypeIn, TrafficType]{
	Name: "addTrafficType", Noun: "Physical network", Role: api.RootOnly, Object: "traffictype", Event: "TRAFFIC.TYPE.CREATE", Creates: true,
	Doc: "Adds a traffic type to a physical network. Guest traffic may be on several physical networks of a zone, each other kind is on one.",
}

// AddTrafficTypeIn says what kind of traffic.
type AddTrafficTypeIn struct {
	api.Once
	PhysicalNetworkID uid.PhysicalNetwork `api:"physicalnetworkid,required" doc:"The ID of the physical network."`
	TrafficType       string              `api:"traffictype,required" doc:"The kind of traffic: Guest, Public, Management, Storage or Control."`
	VLAN              string              `api:"vlan" doc:"The VLAN of management traffic on VMware hosts."`
	TrafficLabels
}

// TrafficLabels are what hosts call the wire that carries a kind of traffic.
type TrafficLabels struct {
	KVM    string `api:"kvmnetworklabel" doc:"What KVM hosts call the wire: the name of a bridge."`
	Xen    string `api:"xennetworklabel" doc:"What XenServer hosts call the wire."`
	VMware string `api:"vmwarenetworklabel" doc:"What VMware hosts call the wire."`
	HyperV string `api:"hypervnetworklabel" doc:"What Hyper-V hosts call the wire."`
	OVM3   string `api:"ovm3networklabel" doc:"What OVM3 hosts call the wire."`
}

// ListTrafficTypes shows what a physical network carries.
var ListTrafficTypes = api.List[ListTrafficTypesIn, TrafficType]{
	Name: "listTrafficTypes", Noun: "Physical network", Role: api.RootOnly, Object: "traffictype",
	Doc: "Lists the traffic types of a physical network.",
}

// ListTrafficTypesIn names the physical network.
type ListTrafficTypesIn struct {
	api.Paging
	PhysicalNetworkID uid.PhysicalNetwork `api:"physicalnetworkid,required" doc:"The ID of the physical network."`
}

// TrafficType is a kind of traffic that a physical network carries.
type TrafficType struct {
	ID                uid.TrafficType     `json:"id" doc:"The ID of the traffic type."`
	PhysicalNetworkID uid.PhysicalNetwork `json:"physicalnetworkid" doc:"The ID of the physical network."`
	TrafficType       string              `json:"traffictype" doc:"The kind of traffic: Guest, Public, Management, Storage or Control."`
	KVM               string              `json:"kvmnetworklabel,omitempty" doc:"What KVM hosts call the wire."`
	Xen               string              `json:"xennetworklabel,omitempty" doc:"What XenServer hosts call the wire."`
	VMware            string              `json:"vmwarenetworklabel,omitempty" doc:"What VMware hosts call the wire."`
	HyperV            string              `json:"hypervnetworklabel,omitempty" doc:"What Hyper-V hosts call the wire."`
	OVM3              string              `json:"ovm3networklabel,omitempty" doc:"What OVM3 hosts call the wire."`
	Pending
}
