package cloudstack

import (
	"github.com/virga-cloud/virga/api"
	"github.com/virga-cloud/virga/uid"
)

// ListSupportedNetworkServices shows the services that networks can have.
var ListSupportedNetworkServices = api.List[ListSupportedNetworkServicesIn, NetworkService]{
	Name: "listSupportedNetworkServices", Noun: "Network service provider", Role: api.RootOnly, Object: "networkservice",
	Doc: "Lists the network services that there are, with who can provide them and what they can do.",
}

// ListSupportedNetworkServicesIn chooses network services.
type ListSupportedNetworkServicesIn struct {
	api.Paging
	Provider string `api:"provider" doc:"Shows only services of this provider, VirtualRouter for instance."`
	Service  string `api:"service" doc:"Shows only the service of this name, Dhcp for instance."`
}

// NetworkService is what a network does for its machines.
type NetworkService struct {
	Name         string              `json:"name" doc:"The name of the service, Dhcp for instance."`
	Providers    []ServiceProvider   `json:"provider,omitempty" doc:"Who provides the service."`
	Capabilities []ServiceCapability `json:"capability,omitempty" doc:"What the service can do."`
	Pending
}

// ServiceProvider is who provides a network service.
type ServiceProvider struct {
	Name       string              `json:"name" doc:"The name of the provider, VirtualRouter for instance."`
	ID         uid.NetworkProvider `json:"id,omitempty" doc:"The ID of the provider on the physical network."`
	Physical   uid.PhysicalNetwork `json:"physicalnetworkid,omitempty" doc:"The ID of the physical network that it is on."`
	Dest       uid.PhysicalNetwork `json:"destinationphysicalnetworkid,omitempty" doc:"The ID of the physical network that it bridges to."`
	State      string              `json:"state,omitempty" doc:"Enabled or Disabled on that physical network."`
	Services   []string            `json:"servicelist,omitempty" doc:"The services that it has there."`
	Individual *bool               `json:"canenableindividualservice,omitempty" doc:"Whether its services can be switched one by one."`
}

// ServiceCapability is something that a network service can do.
type ServiceCapability struct {
	Name   string `json:"name" doc:"The name of the capability."`
	Value  string `json:"value,omitempty" doc:"What there is of it, with commas between."`
	Choose bool   `json:"canchooseservicecapability" doc:"Whether a network offering may choose."`
}

// ListNetworkServiceProviders shows providers.
var ListNetworkServiceProviders = api.List[ListNetworkServiceProvidersIn, NetworkServiceProvider]{
	Name: "listNetworkServiceProviders", Noun: "Network service provider", Role: api.RootOnly, Object: "networkserviceprovider",
	Doc: "Lists the providers on physical networks.",
}

// ListNetworkServiceProvidersIn chooses providers.
type ListNetworkServiceProvidersIn struct {
	api.Paging
	Name              string              `api:"name" doc:"Shows only providers of this name, VirtualRouter for instance."`
	PhysicalNetworkID uid.PhysicalNetwork `api:"physicalnetworkid" doc:"Shows only providers on this physical network."`
	State             string              `api:"state" doc:"Shows only providers in this state: Enabled or Disabled."`
}

// AddNetworkServiceProvider adds a provider.
var AddNetworkServiceProvider = api.Job[AddNetworkServiceProviderIn, NetworkServiceProvider]{
	Name: "addNetworkServiceProvider", Noun: "Network service provider", Role: api.RootOnly, Object: "networkserviceprovider",
	Event: "SERVICE.PROVIDER.CREATE", Creates: true,
	Doc: "Adds a provider to a physical network. It is Disabled until updateNetworkServiceProvider enables it.",
}

// AddNetworkServiceProviderIn says what provider.
type AddNetworkServiceProviderIn struct {
	api.Once
	Name              string              `api:"name,required" doc:"The name of the provider, VirtualRouter for instance."`
	PhysicalNetworkID uid.PhysicalNetwork `api:"physicalnetworkid,required" doc:"The ID of the physical network."`
	Destination       uid.PhysicalNetwork `api:"destinationphysicalnetworkid" doc:"The ID of the physical network that it bridges to."`
	Services          []string            `api:"servicelist,max=1024" doc:"The services that it is to have; all that it can have unless given."`
}

// UpdateNetworkServiceProvider changes a provider.
var UpdateNetworkServiceProvider = api.Job[UpdateNetworkServiceProviderIn, NetworkServiceProvider]{
	Name: "updateNetworkServiceProvider", Noun: "Network service provider", Role: api.RootOnly, Object: "networkserviceprovider",
	Event: "SERVICE.PROVIDER.UPDATE",
	Doc: "Enables or disables a provider on a physical network, or changes which services it has. One that is made of virtual routers needs " +
		"its element enabled first; one that is made of devices can be enabled only where there are some.",
}

// UpdateNetworkServiceProviderIn says what to change.
type UpdateNetworkServiceProviderIn struct {
	ID       uid.NetworkProvider `api:"id,required" doc:"The ID of the provider on its physical network."`
	Services []string            `api:"servicelist,max=1024" doc:"The services that it is to have."`
	State    string              `api:"state" doc:"Enabled or Disabled."`
}

// NetworkServiceProvider is a provider on a physical network.
type NetworkServiceProvider struct {
	ID          uid.NetworkProvider `json:"id" doc:"The ID of the provider on this physical network."`
	Name        string              `json:"name" doc:"The name of the provider, VirtualRouter for instance."`
	Physical    uid.PhysicalNetwork `json:"physicalnetworkid" doc:"The ID of the physical network."`
	Destination uid.PhysicalNetwork `json:"destinationphysicalnetworkid,omitempty" doc:"The ID of the physical network that it bridges to."`
	State       string              `json:"state" doc:"Enabled or Disabled."`
	Services    []string            `json:"servicelist,omitempty" doc:"The services that it has."`
	Individual  bool                `json:"canenableindividualservice" doc:"Whether its services can be switched one by one."`
	Pending
}

// ConfigureVirtualRouterElement switches a virtual router element.
var ConfigureVirtualRouterElement = api.Job[ConfigureVirtualRouterElementIn, VirtualRouterElement]{
	Name: "configureVirtualRouterElement", Noun: "Network service provider", Role: api.RootOnly, Object: "virtualrouterelement",
	Event: "NETWORK.ELEMENT.CONFIGURE",
	Doc:   "Enables or disables the virtual router element of a provider. It can't be disabled while its provider is enabled.",
}

// ConfigureVirtualRouterElementIn says whether.
type ConfigureVirtualRouterElementIn struct {
	ID      uid.RouterElement `api:"id,required" doc:"The ID of the virtual router element."`
	Enabled *bool             `api:"enabled,required" doc:"Whether it is to be enabled."`
}

// ListVirtualRouterElements shows virtual router elements.
var ListVirtualRouterElements = api.List[ListVirtualRouterElementsIn, VirtualRouterElement]{
	Name: "listVirtualRouterElements", Noun: "Network service provider", Role: api.RootOnly, Object: "virtualrouterelement",
	Doc: "Lists the virtual router elements of providers.",
}

// ListVirtualRouterElementsIn chooses virtual router elements.
type ListVirtualRouterElementsIn struct {
	api.Paging
	ID         uid.RouterElement   `api:"id" doc:"Shows only the element with this ID."`
	ProviderID uid.NetworkProvider `api:"nspid" doc:"Shows only the element of the provider with this ID."`
	Enabled    *bool               `api:"enabled" doc:"Shows only elements that are enabled (true), or only others (false)."`
}

// VirtualRouterElement is what a provider that is made of virtual routers consists of.
type VirtualRouterElement struct {
	ID         uid.RouterElement   `json:"id" doc:"The ID of the element."`
	ProviderID uid.NetworkProvider `json:"nspid" doc:"The ID of its provider on the physical network."`
	Enabled    bool                `json:"enabled" doc:"Whether it is enabled."`
	Owner
	Pending
}
