package cloudstack

import (
	"github.com/virga-cloud/virga/api"
	"github.com/virga-cloud/virga/uid"
)

// CreateNetwork makes a network.
var CreateNetwork = api.Call[CreateNetworkIn, Network]{
	Name: "createNetwork", Noun: "Network", Role: api.Everyone, Object: "network", Event: "NETWORK.CREATE", Creates: true,
	Doc: "Creates a network. Nothing runs for an isolated one before its first machine starts, unless its offering is persistent. Root admins make shared ones.",
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
	IP6Gateway    string              `api:"ip6gateway" doc:"The IPv6 address of the gateway, in a shared network. Goes together with ip6cidr."`
	IP6CIDR       string              `api:"ip6cidr" doc:"The IPv6 network of a shared network, with a prefix of 64 bits. Machines make their addresses from their MAC addresses."`
	StartIPv6     string              `api:"startipv6" doc:"The first IPv6 address that machines may ask for by name."`
	EndIPv6       string              `api:"endipv6" doc:"The last IPv6 address that machines may ask for by name; the first one unless given."`
	VLAN          string              `api:"vlan,admin" doc:"The VLAN of the network, a number or untagged, where its offering wants one."`
	PhysicalID    uid.PhysicalNetwork `api:"physicalnetworkid" doc:"The ID of the physical network that is to carry it; unless given, the one that the offering's tags choose."`
	NetworkDomain string              `api:"networkdomain" doc:"The DNS domain of the network; unless given, the account's, the domain's, the zone's or guest.domain.suffix."`
	DNS1          string              `api:"dns1,since=4.18" doc:"The first DNS server; the zone's unless given."`
	DNS2          string              `api:"dns2,since=4.18" doc:"The second DNS server; the zone's unless given."`
	IP6DNS1       string              `api:"ip6dns1,since=4.18" doc:"The IPv6 address of the first DNS server."`
	IP6DNS2       string              `api:"ip6dns2,since=4.18" doc:"The IPv6 address of the second DNS server."`
	Account       string              `api:"account" doc:"The name of the account that is to own it. Goes together with domainid."`
	DomainID      uid.Domain          `api:"domainid" doc:"The ID of that account's domain, or alone that of the domain which a shared network is for."`
	ProjectID     uid.Project         `api:"projectid" doc:"The ID of the project that is to own it."`
	ACLType       string              `api:"acltype" doc:"Who may use it: Account, or Domain for everyone of a domain. Domain for shared networks of no account unless given."`
	Subdomains    *bool               `api:"subdomainaccess" doc:"Whether a network for a domain is for the domains below it, too; allow.subdomain.network.access unless given."`
	Display       *bool               `api:"displaynetwork,admin,since=4.4" doc:"Whether its users see it; true unless given."`
	VPCID         uid.VPC             `api:"vpcid" doc:"The ID of the VPC that it is to be a tier of."`
	ACLID         uid.ACL             `api:"aclid,since=4.2" doc:"The ID of the network ACL list of a tier."`
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
	InProject
	Tagged
	ID          uid.Network         `api:"id" doc:"Shows only the network with this ID."`
	Name        string              `api:"name,since=4.22" doc:"Shows only networks of this name."`
	PhysicalID  uid.PhysicalNetwork `api:"physicalnetworkid" doc:"Shows only networks on this physical network."`
	ACLType     string              `api:"acltype" doc:"Shows only networks for an account (Account), or only those for a domain (Domain)."`
	VLAN        string              `api:"vlan,admin,since=4.17" doc:"Shows only networks on this VLAN."`
	Services    []string            `api:"supportedservices,max=1024" doc:"Shows only networks that have all these services."`
	IPRanges    *bool               `api:"specifyipranges" doc:"Shows only networks that had to be given their addresses (true), or only others (false)."`
	Restart     *bool               `api:"restartrequired" doc:"Shows only networks that must be restarted (true), or only others (false)."`
	System      *bool               `api:"issystem" doc:"Shows only networks of the cloud itself (true), or only others (false)."`
	ForVPC      *bool               `api:"forvpc" doc:"Shows only networks in a VPC (true), or only others (false)."`
	VPCID       uid.VPC             `api:"vpcid" doc:"Shows only networks of this VPC."`
	Display     *bool               `api:"displaynetwork,admin,since=4.4" doc:"Shows only networks that their users see (true), or only others (false)."`
	Filter      string              `api:"networkfilter,since=4.17,one=all|account|domain|accountdomain|shared" doc:"Shows only networks of accounts (account), of domains (domain), of both (accountdomain), those that other accounts share (shared), or all."`
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
	State                string              `json:"state" doc:"Allocated, Implemented (once a machine has started in it), Setup (a shared one), or Destroy while it is being deleted."`
	CIDR                 string              `json:"cidr,omitempty" doc:"The CIDR of the network; L2 networks have none."`
	NetworkCIDR          string              `json:"networkcidr,omitempty" doc:"The CIDR of the network, where some of its addresses are kept from machines."`
	ReservedIPRange      string              `json:"reservediprange,omitempty" doc:"The addresses that are kept from machines."`
	Gateway              string              `json:"gateway,omitempty" doc:"The address of the gateway."`
	Netmask              string              `json:"netmask,omitempty" doc:"The netmask."`
	IP6CIDR              string              `json:"ip6cidr,omitempty" doc:"The IPv6 network."`
	IP6Gateway           string              `json:"ip6gateway,omitempty" doc:"The IPv6 address of the gateway."`
	BroadcastDomainType  string              `json:"broadcastdomaintype" doc:"How the network is kept apart from others: Vlan."`
	VLAN                 string              `json:"vlan,omitempty" api:"admin" doc:"The VLAN that carries the network."`
	BroadcastURI         string              `json:"broadcasturi,omitempty" api:"admin" doc:"The VLAN as a URI: vlan://100."`
	PhysicalNetworkID    uid.PhysicalNetwork `json:"physicalnetworkid,omitempty" doc:"The ID of the physical network that carries it."`
	NetworkDomain        string              `json:"networkdomain,omitempty" doc:"The DNS domain of the network."`
	DNS1                 string              `json:"dns1,omitempty" doc:"The first DNS server."`
	DNS2                 string              `json:"dns2,omitempty" doc:"The second DNS server."`
	IP6DNS1              string              `json:"ip6dns1,omitempty" doc:"The IPv6 address of the first DNS server."`
	IP6DNS2              string              `json:"ip6dns2,omitempty" doc:"The IPv6 address of the second DNS server."`
	OfferingID           uid.NetworkOffering `json:"networkofferingid" doc:"The ID of the network's offering."`
	OfferingName         string              `json:"networkofferingname,omitempty" doc:"The name of the network's offering."`
	OfferingDisplayText  string              `json:"networkofferingdisplaytext,omitempty" doc:"What the network's offering is."`
	OfferingAvailability string              `json:"networkofferingavailability,omitempty" doc:"Required or Optional."`
	OfferingConserveMode bool                `json:"networkofferingconservemode" doc:"Whether several services may share one public address."`
	SpecifyIPRanges      bool                `json:"specifyipranges" doc:"Whether the network had to be given its addresses."`
	SpecifyVLAN          bool                `json:"specifyvlan" doc:"Whether the network had to be given its VLAN."`
	Persistent           bool                `json:"ispersistent" doc:"Whether the network is there before its first machine."`
	Subdomains           bool                `json:"subdomainaccess" doc:"Whether a network for a domain is for the domains below it, too."`
	Default              bool                `json:"isdefault" doc:"Whether it is the default network of the zone."`
	System               bool                `json:"issystem" doc:"Whether it is one of the cloud itself."`
	Display              *bool               `json:"displaynetwork,omitempty" api:"admin" doc:"Whether its users see it."`
	RestartRequired      bool                `json:"restartrequired" doc:"Whether it must be restarted so that changes come to effect."`
	EgressOpen           bool                `json:"egressdefaultpolicy" doc:"Whether what machines send is let out unless a rule forbids it."`
	Related              uid.Network         `json:"related" doc:"The ID of the network that it was made with: its own."`
	VPCID                uid.VPC             `json:"vpcid,omitempty" doc:"The ID of the VPC that it is a tier of."`
	ACLID                uid.ACL             `json:"aclid,omitempty" doc:"The ID of its network ACL list."`
	ACLName              string              `json:"aclname,omitempty" doc:"The name of its network ACL list."`
	Tags                 []Tag               `json:"tags,omitempty" api:"set" doc:"Its tags."`
	CanDeploy            bool                `json:"canusefordeploy" doc:"Whether machines can be deployed in it."`
	Created              api.Time            `json:"created,omitzero" doc:"When the network was made."`
	Services             []NetworkService    `json:"service,omitempty" doc:"The services the network has."`
	Pending
}
