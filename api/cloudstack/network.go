package cloudstack

import (
	"github.com/virga-cloud/virga/api"
	"github.com/virga-cloud/virga/uid"
)

// CreateNetwork makes a network.
var CreateNetwork = api.Call[CreateNetworkIn, Network]{
	Name: "createNetwork", Noun: "Network", Role: api.Everyone, Object: "network", Event: "NETWORK.CREATE", Creates: true,
	Doc: "Creates a network. Nothing runs for it before its first machine starts.",
}

// CreateNetworkIn says what network.
type CreateNetworkIn struct {
	api.Once
	Name          string              `api:"name,required" doc:"The name of the network."`
	DisplayText   string              `api:"displaytext" doc:"What the network is for; its name unless given."`
	OfferingID    uid.NetworkOffering `api:"networkofferingid,required" doc:"The ID of the network offering."`
	ZoneID        uid.Zone            `api:"zoneid,required" doc:"The ID of the zone."`
	Gateway       string              `api:"gateway" doc:"The address of the gateway. Goes together with netmask; without both the zone's guest CIDR is used."`
	Netmask       string              `api:"netmask" doc:"The netmask."`
	StartIP       string              `api:"startip" doc:"The first address for machines."`
	EndIP         string              `api:"endip" doc:"The last address for machines; the first one unless given."`
	NetworkDomain string              `api:"networkdomain" doc:"The DNS domain of the network."`
	Account       string              `api:"account" doc:"The name of the account that is to own it. Goes together with domainid."`
	DomainID      uid.Domain          `api:"domainid" doc:"The ID of that account's domain."`
}

// ListNetworks shows networks.
var ListNetworks = api.List[ListNetworksIn, Network]{
	Name: "listNetworks", Noun: "Network", Role: api.Everyone, Object: "network",
	Doc: "Lists networks.",
}

// ListNetworksIn chooses networks.
type ListNetworksIn struct {
	api.Paging
	api.Scope
	ID          uid.Network         `api:"id" doc:"Shows only the network with this ID."`
	ZoneID      uid.Zone            `api:"zoneid" doc:"Shows only networks of this zone."`
	Type        string              `api:"type" doc:"Shows only networks of this type: Isolated, Shared or L2."`
	TrafficType string              `api:"traffictype" doc:"Shows only networks for this kind of traffic, Guest for instance."`
	OfferingID  uid.NetworkOffering `api:"networkofferingid" doc:"Shows only networks of this offering."`
	CanDeploy   *bool               `api:"canusefordeploy" doc:"Shows only networks that machines can be deployed in (true), or only others (false)."`
}

// DeleteNetwork removes a network.
var DeleteNetwork = api.Job[DeleteNetworkIn, api.Success]{
	Name: "deleteNetwork", Noun: "Network", Role: api.Everyone, Event: "NETWORK.DELETE",
	Doc: "Deletes a network in which there are no machines.",
}

// DeleteNetworkIn names the network.
type DeleteNetworkIn struct {
	ID uid.Network `api:"id,required" doc:"The ID of the network."`
}

// Network is a network.
type Network struct {
	ID          uid.Network `json:"id" doc:"The ID of the network."`
	Name        string      `json:"name" doc:"The name of the network."`
	DisplayText string      `json:"displaytext" doc:"What the network is for."`
	Owner
	ZoneID               uid.Zone            `json:"zoneid" doc:"The ID of the network's zone."`
	ZoneName             string              `json:"zonename,omitempty" doc:"The name of the network's zone."`
	Type                 string              `json:"type" doc:"Isolated, Shared or L2."`
	TrafficType          string              `json:"traffictype" doc:"The kind of traffic, Guest for instance."`
	ACLType              string              `json:"acltype,omitempty" doc:"Who may use it: Account, or Domain for everyone of a domain."`
	State                string              `json:"state" doc:"Allocated, Implemented (once a machine has started in it), or Destroy while it is being deleted."`
	CIDR                 string              `json:"cidr,omitempty" doc:"The CIDR of the network; L2 networks have none."`
	Gateway              string              `json:"gateway,omitempty" doc:"The address of the gateway."`
	Netmask              string              `json:"netmask,omitempty" doc:"The netmask."`
	VLAN                 string              `json:"vlan,omitempty" api:"admin" doc:"The VLAN that carries the network."`
	BroadcastURI         string              `json:"broadcasturi,omitempty" api:"admin" doc:"The VLAN as a URI: vlan://100."`
	PhysicalNetworkID    uid.PhysicalNetwork `json:"physicalnetworkid,omitempty" doc:"The ID of the physical network that carries it."`
	NetworkDomain        string              `json:"networkdomain,omitempty" doc:"The DNS domain of the network."`
	DNS1                 string              `json:"dns1,omitempty" doc:"The first DNS server."`
	DNS2                 string              `json:"dns2,omitempty" doc:"The second DNS server."`
	OfferingID           uid.NetworkOffering `json:"networkofferingid" doc:"The ID of the network's offering."`
	OfferingName         string              `json:"networkofferingname,omitempty" doc:"The name of the network's offering."`
	OfferingDisplayText  string              `json:"networkofferingdisplaytext,omitempty" doc:"What the network's offering is."`
	OfferingAvailability string              `json:"networkofferingavailability,omitempty" doc:"Required or Optional."`
	OfferingConserveMode bool                `json:"networkofferingconservemode" doc:"Whether several services may share one public address."`
	SpecifyIPRanges      bool                `json:"specifyipranges" doc:"Whether the network had to be given its addresses."`
	SpecifyVLAN          bool                `json:"specifyvlan" doc:"Whether the network had to be given its VLAN."`
	Persistent           bool                `json:"ispersistent" doc:"Whether the network is there before its first machine."`
	CanDeploy            bool                `json:"canusefordeploy" doc:"Whether machines can be deployed in it."`
	Created              api.Time            `json:"created,omitzero" doc:"When the network was made."`
	Services             []NetworkService    `json:"service,omitempty" doc:"The services the network has."`
	Pending
}
