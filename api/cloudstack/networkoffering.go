package cloudstack

import (
	"github.com/virga-cloud/virga/api"
	"github.com/virga-cloud/virga/uid"
)

// ListNetworkOfferings shows the kinds of networks.
var ListNetworkOfferings = api.List[ListNetworkOfferingsIn, NetworkOffering]{
	Name: "listNetworkOfferings", Noun: "Network offering", Role: api.Everyone, Object: "networkoffering",
	Doc: "Lists network offerings: the kinds of networks there are.",
}

// ListNetworkOfferingsIn chooses network offerings.
type ListNetworkOfferingsIn struct {
	api.Paging
	ID           uid.NetworkOffering `api:"id" doc:"Shows only the offering with this ID."`
	Name         string              `api:"name" doc:"Shows only the offering of this name."`
	DisplayText  string              `api:"displaytext" doc:"Shows only offerings with this text."`
	TrafficType  string              `api:"traffictype" doc:"Shows only offerings for this kind of traffic, Guest for instance."`
	Default      *bool               `api:"isdefault" doc:"Shows only offerings that came with the cloud (true), or only others (false)."`
	SpecifyVLAN  *bool               `api:"specifyvlan" doc:"Shows only offerings whose networks must (true) or can't (false) be given a VLAN."`
	Availability string              `api:"availability" doc:"Shows only offerings of this availability: Required or Optional."`
	State        string              `api:"state" doc:"Shows only offerings in this state: Enabled or Disabled."`
	GuestType    string              `api:"guestiptype" doc:"Shows only offerings for this type of network: Isolated, Shared or L2."`
	ForVPC       *bool               `api:"forvpc" doc:"Shows only offerings for networks in a VPC (true), or only others (false)."`
	SourceNAT    *bool               `api:"sourcenatsupported" doc:"Shows only offerings with source NAT (true), or only others (false)."`
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
	NetworkRate     int                 `json:"networkrate" doc:"How fast a network is, in Mbit/s."`
	Created         api.Time            `json:"created,omitzero" doc:"When the offering was made."`
	Services        []NetworkService    `json:"service,omitempty" doc:"The services a network has."`
}

// NetworkService is what a network does for its machines.
type NetworkService struct {
	Name      string            `json:"name" doc:"The name of the service, Dhcp for instance."`
	Providers []ServiceProvider `json:"provider,omitempty" doc:"Who provides the service."`
}

// ServiceProvider is who provides a network service.
type ServiceProvider struct {
	Name string `json:"name" doc:"The name of the provider, VirtualRouter for instance."`
}
