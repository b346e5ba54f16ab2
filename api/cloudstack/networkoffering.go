package cloudstack

import (
	"github.com/virga-cloud/virga/api"
	"github.com/virga-cloud/virga/uid"
)

// CreateNetworkOffering makes a kind of networks.
var CreateNetworkOffering = api.Call[CreateNetworkOfferingIn, NetworkOffering]{
	Name: "createNetworkOffering", Noun: "Network offering", Role: api.RootOnly, Object: "networkoffering", Event: "NETWORK.OFFERING.CREATE",
	Creates: true,
	Doc:     "Creates a network offering. It is Disabled, unless enable is true.",
}

// CreateNetworkOfferingIn says what kind of networks.
type CreateNetworkOfferingIn struct {
	api.Once
	Name            string                `api:"name,required" doc:"The name of the offering."`
	DisplayText     string                `api:"displaytext" doc:"What the offering is; its name unless given."`
	GuestType       string                `api:"guestiptype,required" doc:"Isolated, Shared or L2."`
	TrafficType     string                `api:"traffictype,required" doc:"The kind of traffic: Guest."`
	Availability    string                `api:"availability" doc:"Optional, which it is unless given, or Required for what networks are made from when nobody names an offering."`
	Services        []string              `api:"supportedservices,max=1024" doc:"The services that a network has, Dhcp for instance."`
	Providers       []ServiceProviderIn   `api:"serviceproviderlist,map" doc:"Who provides each service."`
	Capabilities    []ServiceCapabilityIn `api:"servicecapabilitylist,map" doc:"What services are told to do."`
	Details         map[string]string     `api:"details,map,since=4.2" doc:"What else to note of the offering, by name."`
	SpecifyVLAN     bool                  `api:"specifyvlan" doc:"Whether a network must be given its VLAN."`
	SpecifyIPRanges bool                  `api:"specifyipranges" doc:"Whether a network must be given its addresses."`
	ConserveMode    *bool                 `api:"conservemode" doc:"Whether several services may share one public address; true unless given."`
	Persistent      bool                  `api:"ispersistent" doc:"Whether a network is there before its first machine."`
	ForVPC          bool                  `api:"forvpc,since=4.2" doc:"Whether the offering is for networks in a VPC."`
	EgressOpen      *bool                 `api:"egressdefaultpolicy,since=4.2" doc:"Whether what machines send is let out unless a rule forbids it (true), or kept in unless one allows it (false). False for isolated networks unless given."`
	NetworkRate     int64                 `api:"networkrate" doc:"How fast a network is, in Mbit/s; 200 unless given."`
	Tags            string                `api:"tags" doc:"The tags of the physical network that it wants, with commas between them."`
	RouterOffering  uid.ServiceOffering   `api:"serviceofferingid" doc:"The ID of the system offering that its virtual routers are made from."`
	DomainIDs       []uid.Domain          `api:"domainid,since=4.13" doc:"The IDs of the domains that it is for; everybody unless given."`
	ZoneIDs         []uid.Zone            `api:"zoneid,since=4.13" doc:"The IDs of the zones where it is offered; everywhere unless given."`
	Enable          bool                  `api:"enable,since=4.16" doc:"Whether networks can be made from it at once."`
}

// ServiceProviderIn says who provides a service.
type ServiceProviderIn struct {
	Service  string `api:"service,required" doc:"The name of the service."`
	Provider string `api:"provider,required" doc:"The name of the provider."`
}

// ServiceCapabilityIn tells a service to do something.
type ServiceCapabilityIn struct {
	Service string `api:"service,required" doc:"The name of the service."`
	Name    string `api:"capabilitytype,required" doc:"The name of the capability."`
	Value   string `api:"capabilityvalue,required" doc:"What to do."`
}

// UpdateNetworkOffering changes a kind of networks.
var UpdateNetworkOffering = api.Call[UpdateNetworkOfferingIn, NetworkOffering]{
	Name: "updateNetworkOffering", Noun: "Network offering", Role: api.RootOnly, Object: "networkoffering", Event: "NETWORK.OFFERING.EDIT",
	Doc: "Changes a network offering. Networks keep what they have.",
}

// UpdateNetworkOfferingIn says what to change.
type UpdateNetworkOfferingIn struct {
	ID           uid.NetworkOffering `api:"id" doc:"The ID of the offering."`
	Name         *string             `api:"name" doc:"The name of the offering."`
	DisplayText  *string             `api:"displaytext" doc:"What the offering is."`
	Availability *string             `api:"availability" doc:"Required or Optional."`
	State        *string             `api:"state" doc:"Enabled, or Disabled for no new networks."`
	SortKey      *int                `api:"sortkey" doc:"Where it stands in lists: smaller numbers first."`
	Tags         *string             `api:"tags,since=4.13" doc:"The tags of the physical network that it wants; can't be changed while it has networks."`
	DomainIDs    string              `api:"domainid,since=4.13" doc:"The IDs of the domains that it is for, with commas between them; public for everybody."`
	ZoneIDs      string              `api:"zoneid,since=4.13" doc:"The IDs of the zones where it is offered, with commas between them; all for everywhere."`
}

// DeleteNetworkOffering removes a kind of networks.
var DeleteNetworkOffering = api.Call[DeleteNetworkOfferingIn, api.Success]{
	Name: "deleteNetworkOffering", Noun: "Network offering", Role: api.RootOnly, Event: "NETWORK.OFFERING.DELETE",
	Doc: "Deletes a network offering that has no networks and did not come with the cloud.",
}

// DeleteNetworkOfferingIn names the offering.
type DeleteNetworkOfferingIn struct {
	ID uid.NetworkOffering `api:"id,required" doc:"The ID of the offering."`
}

// ListNetworkOfferings shows the kinds of networks.
var ListNetworkOfferings = api.List[ListNetworkOfferingsIn, NetworkOffering]{
	Name: "listNetworkOfferings", Noun: "Network offering", Role: api.Everyone, Object: "networkoffering",
	Doc: "Lists network offerings: the kinds of networks there are.",
}

// ListNetworkOfferingsIn chooses network offerings.
type ListNetworkOfferingsIn struct {
	api.Paging
	ID              uid.NetworkOffering `api:"id" doc:"Shows only the offering with this ID."`
	Name            string              `api:"name" doc:"Shows only the offering of this name."`
	DisplayText     string              `api:"displaytext" doc:"Shows only offerings with this text."`
	TrafficType     string              `api:"traffictype" doc:"Shows only offerings for this kind of traffic, Guest for instance."`
	Default         *bool               `api:"isdefault" doc:"Shows only offerings that came with the cloud (true), or only others (false)."`
	SpecifyVLAN     *bool               `api:"specifyvlan" doc:"Shows only offerings whose networks must (true) or can't (false) be given a VLAN."`
	SpecifyIPRanges *bool               `api:"specifyipranges" doc:"Shows only offerings whose networks must (true) or need not (false) be given their addresses."`
	Availability    string              `api:"availability" doc:"Shows only offerings of this availability: Required or Optional."`
	State           string              `api:"state" doc:"Shows only offerings in this state: Enabled or Disabled."`
	GuestType       string              `api:"guestiptype" doc:"Shows only offerings for this type of network: Isolated, Shared or L2."`
	ForVPC          *bool               `api:"forvpc" doc:"Shows only offerings for networks in a VPC (true), or only others (false)."`
	SourceNAT       *bool               `api:"sourcenatsupported" doc:"Shows only offerings with source NAT (true), or only others (false)."`
	Services        []string            `api:"supportedservices,max=1024" doc:"Shows only offerings that have all these services."`
	Tagged          *bool               `api:"istagged" doc:"Shows only offerings with tags (true), or only others (false)."`
	Tags            string              `api:"tags" doc:"Shows only offerings with this tag."`
	NetworkID       uid.Network         `api:"networkid" doc:"Shows only offerings that this network could be changed to."`
	ZoneID          uid.Zone            `api:"zoneid" doc:"Shows only offerings that are offered in this zone."`
	DomainID        uid.Domain          `api:"domainid,since=4.13" doc:"Shows only offerings that are for this domain by name."`
}

// NetworkOffering is a kind of networks.
type NetworkOffering struct {
	ID              uid.NetworkOffering `json:"id" doc:"The ID of the offering."`
	Name            string              `json:"name" doc:"The name of the offering."`
	DisplayText     string              `json:"displaytext" doc:"What the offering is."`
	TrafficType     string              `json:"traffictype" doc:"Guest, Public, Management, Control or Storage."`
	GuestType       string              `json:"guestiptype" doc:"Isolated, Shared or L2."`
	Availability    string              `json:"availability" doc:"Required or Optional."`
	State           string              `json:"state" doc:"Enabled, or Disabled when no new network can be of this kind."`
	Default         bool                `json:"isdefault" doc:"Whether the offering came with the cloud."`
	SpecifyVLAN     bool                `json:"specifyvlan" doc:"Whether a network must be given its VLAN."`
	SpecifyIPRanges bool                `json:"specifyipranges" doc:"Whether a network must be given its addresses."`
	ConserveMode    bool                `json:"conservemode" doc:"Whether several services may share one public address."`
	Persistent      bool                `json:"ispersistent" doc:"Whether a network is there before its first machine."`
	ForVPC          bool                `json:"forvpc" doc:"Whether the offering is for networks in a VPC."`
	EgressOpen      bool                `json:"egressdefaultpolicy" doc:"Whether what machines send is let out unless a rule forbids it."`
	NetworkRate     int                 `json:"networkrate" doc:"How fast a network is, in Mbit/s."`
	Tags            string              `json:"tags,omitempty" doc:"The tags of the physical network that it wants."`
	RouterOffering  uid.ServiceOffering `json:"serviceofferingid,omitempty" doc:"The ID of the system offering that its virtual routers are made from; absent where its networks have none."`
	OfferedTo
	Details  map[string]string `json:"details,omitempty" doc:"What else was noted of the offering."`
	Created  api.Time          `json:"created,omitzero" doc:"When the offering was made."`
	Services []NetworkService  `json:"service,omitempty" doc:"The services a network has."`
	Pending
}
