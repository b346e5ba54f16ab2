package cloudstack

import (
	"github.com/virga-cloud/virga/api"
	"github.com/virga-cloud/virga/uid"
)

// RestartNetwork gives a network's router all that it must be once more.
var RestartNetwork = api.Job[RestartNetworkIn, api.Success]{
	Name: "restartNetwork", Noun: "Network", Role: api.Everyone, Event: "NETWORK.RESTART",
	Doc: "Gives the virtual router of a network all that it must be once more. A network without one, or with a stopped one, gets one that runs.",
}

// RestartNetworkIn names the network.
type RestartNetworkIn struct {
	ID            uid.Network `api:"id,required" doc:"The ID of the network."`
	Cleanup       bool        `api:"cleanup" doc:"Whether to end the router first and to make it anew."`
	MakeRedundant bool        `api:"makeredundant,since=4.11.1" doc:"Whether the network is to have two routers. None can."`
	LivePatch     bool        `api:"livepatch,since=4.17" doc:"Whether to leave the router running: so it is without cleanup. Not together with it."`
}

// StartRouter starts a stopped router.
var StartRouter = api.Job[RouterID, Router]{
	Name: "startRouter", Noun: "Virtual router", Role: api.Admins, Object: "router", Event: "ROUTER.START",
	Doc: "Starts a stopped virtual router.",
}

// StopRouter stops a router.
var StopRouter = api.Job[StopRouterIn, Router]{
	Name: "stopRouter", Noun: "Virtual router", Role: api.Admins, Object: "router", Event: "ROUTER.STOP",
	Doc: "Stops a virtual router: its network's machines are cut off until it is started, by somebody or by the start of a machine there.",
}

// RebootRouter ends a router and makes it again.
var RebootRouter = api.Job[RebootRouterIn, Router]{
	Name: "rebootRouter", Noun: "Virtual router", Role: api.Admins, Object: "router", Event: "ROUTER.REBOOT",
	Doc: "Ends a virtual router and makes it again at once.",
}

// DestroyRouter removes a router.
var DestroyRouter = api.Job[RouterID, Router]{
	Name: "destroyRouter", Noun: "Virtual router", Role: api.Admins, Object: "router", Event: "ROUTER.DESTROY",
	Doc: "Removes a virtual router. The next machine that starts in its network gets another one, and so does restartNetwork.",
}

// RouterID names a router.
type RouterID struct {
	ID uid.Router `api:"id,required" doc:"The ID of the router."`
}

// StopRouterIn names the router.
type StopRouterIn struct {
	RouterID
	Forced bool `api:"forced" doc:"Whether to stop it the hard way. It is stopped the same way in any case: nothing in it must be asked first."`
}

// RebootRouterIn names the router.
type RebootRouterIn struct {
	RouterID
	Forced bool `api:"forced,since=4.16" doc:"Whether to stop it the hard way. It is stopped the same way in any case: nothing in it must be asked first."`
}

// ListRouters shows routers.
var ListRouters = api.List[ListRoutersIn, Router]{
	Name: "listRouters", Noun: "Virtual router", Role: api.Admins, Object: "router",
	Doc: "Lists virtual routers.",
}

// ListRoutersIn chooses routers.
type ListRoutersIn struct {
	api.Paging
	api.Scope
	InProject
	ID        uid.Router  `api:"id" doc:"Shows only the router with this ID."`
	Name      string      `api:"name" doc:"Shows only routers of this name."`
	State     string      `api:"state" doc:"Shows only routers in this state: Starting, Running, Stopping or Stopped."`
	ZoneID    uid.Zone    `api:"zoneid" doc:"Shows only routers of this zone."`
	PodID     uid.Pod     `api:"podid,admin" doc:"Shows only routers on hosts of this pod."`
	ClusterID uid.Cluster `api:"clusterid,admin" doc:"Shows only routers on hosts of this cluster."`
	HostID    uid.Host    `api:"hostid,admin" doc:"Shows only routers on this host."`
	NetworkID uid.Network `api:"networkid" doc:"Shows only the router of this network."`
	VPCID     uid.VPC     `api:"vpcid" doc:"Shows only routers of this VPC."`
	ForVPC    *bool       `api:"forvpc" doc:"Shows only routers of VPCs (true), or only others (false)."`
	Version   string      `api:"version" doc:"Shows only routers of this version of their template. They are made of none, and have none."`
	Arch      string      `api:"arch" doc:"Shows only routers of this processor architecture. They are made of no template, and have none of their own."`
	Failed    *bool       `api:"healthchecksfailed" doc:"Shows only routers that can't be given their configuration or whose services don't all run (true), or only others (false)."`
	Fetch     bool        `api:"fetchhealthcheckresults" doc:"Whether to show what is known of the health of each."`
}

// Router is a virtual router.
type Router struct {
	ID              uid.Router          `json:"id" doc:"The ID of the router."`
	Name            string              `json:"name" doc:"Its name."`
	State           string              `json:"state" doc:"Starting, Running, Stopping or Stopped."`
	Role            string              `json:"role" doc:"VIRTUAL_ROUTER."`
	Created         api.Time            `json:"created,omitzero" doc:"When it was made."`
	ZoneID          uid.Zone            `json:"zoneid" doc:"The ID of its zone."`
	ZoneName        string              `json:"zonename" doc:"The name of its zone."`
	DNS1            string              `json:"dns1,omitempty" doc:"The first server that it asks for names."`
	DNS2            string              `json:"dns2,omitempty" doc:"The second one."`
	IP6DNS1         string              `json:"ip6dns1,omitempty" doc:"The first one over IPv6."`
	IP6DNS2         string              `json:"ip6dns2,omitempty" doc:"The second one over IPv6."`
	NetworkDomain   string              `json:"networkdomain,omitempty" doc:"The DNS domain of its guests."`
	PodID           uid.Pod             `json:"podid,omitempty" api:"admin" doc:"The ID of its host's pod."`
	PodName         string              `json:"podname,omitempty" api:"admin" doc:"The name of its host's pod."`
	HostID          uid.Host            `json:"hostid,omitempty" api:"admin" doc:"The ID of its host."`
	HostName        string              `json:"hostname,omitempty" api:"admin" doc:"The name of its host."`
	HostState       string              `json:"hostcontrolstate,omitempty" api:"admin" doc:"Whether its host is Enabled, Disabled, in Maintenance or Offline."`
	Hypervisor      string              `json:"hypervisor" doc:"The hypervisor of its host."`
	Gateway         string              `json:"gateway,omitempty" doc:"Where it sends what goes outside."`
	PublicIP        string              `json:"publicip,omitempty" doc:"Its first public address."`
	PublicNetmask   string              `json:"publicnetmask,omitempty" doc:"The netmask of that."`
	GuestIP         string              `json:"guestipaddress,omitempty" doc:"Its address in the guest network."`
	GuestNetmask    string              `json:"guestnetmask,omitempty" doc:"The netmask of that."`
	GuestNetworkID  uid.Network         `json:"guestnetworkid" doc:"The ID of the guest network."`
	GuestNetwork    string              `json:"guestnetworkname" doc:"The name of the guest network."`
	OfferingID      uid.ServiceOffering `json:"serviceofferingid,omitempty" doc:"The ID of the system offering that routers of the network are made from."`
	OfferingName    string              `json:"serviceofferingname,omitempty" doc:"The name of that offering."`
	Redundant       bool                `json:"isredundantrouter" doc:"Whether the network has two routers."`
	RedundantState  string              `json:"redundantstate" doc:"Its part among them: UNKNOWN, for there is one."`
	RequiresUpgrade bool                `json:"requiresupgrade" doc:"Whether it is older than the cloud. It never is: it is made of no template."`
	ChecksFailed    bool                `json:"healthchecksfailed" doc:"Whether it can't be given its configuration, or one of its services does not run."`
	Checks          []RouterCheck       `json:"healthcheckresults,omitempty" doc:"What is known of its health, where that was asked for."`
	Applied         int64               `json:"appliedversion" doc:"The version of the configuration that it was given last; 0 for none since it was started."`
	Wanted          int64               `json:"wantedversion" doc:"The newest version."`
	Started         api.Time            `json:"started,omitzero" doc:"Since when it runs."`
	Owner
	VPCID uid.VPC `json:"vpcid,omitempty" doc:"The ID of its VPC."`
	NotOfMachines
	Pending
}

// NotOfMachines is what routers have where they are machines. Here they are none, and have none of it.
type NotOfMachines struct {
	LinkLocalIP        string       `json:"linklocalip,omitempty" doc:"Its address for the cloud alone, where it is a machine."`
	LinkLocalMAC       string       `json:"linklocalmacaddress,omitempty" doc:"The MAC address of that."`
	LinkLocalNetmask   string       `json:"linklocalnetmask,omitempty" doc:"The netmask of that."`
	LinkLocalNetworkID uid.Network  `json:"linklocalnetworkid,omitempty" doc:"The ID of the network of that."`
	PublicMAC          string       `json:"publicmacaddress,omitempty" doc:"The MAC address of its public card, where it is a machine."`
	PublicNetworkID    uid.Network  `json:"publicnetworkid,omitempty" doc:"The ID of the network of its public addresses, where they have one."`
	GuestMAC           string       `json:"guestmacaddress,omitempty" doc:"The MAC address of its card in the guest network, where it is a machine."`
	TemplateID         uid.Template `json:"templateid,omitempty" doc:"The ID of the template that it is made of, where it is made of one."`
	TemplateVersion    string       `json:"templateversion,omitempty" doc:"The version of that template."`
	ScriptsVersion     string       `json:"scriptsversion,omitempty" doc:"The version of the scripts in it, where it is a machine."`
	NICs               []NIC        `json:"nic,omitempty" api:"set" doc:"Its cards, where it is a machine."`
}

// RouterCheck is what is known of one thing in a router's health.
type RouterCheck struct {
	Name    string   `json:"checkname" doc:"What was looked at: whether it can be given its configuration, and each of its services, firewall, dhcp, metadata and balancer."`
	Type    string   `json:"checktype" doc:"The kind of look: basic."`
	Success bool     `json:"success" doc:"Whether it is well."`
	Status  string   `json:"status" doc:"SUCCESS or FAILED, which says the same."`
	Updated api.Time `json:"lastupdated,omitzero" doc:"When it was first found to be so."`
	Details string   `json:"details,omitempty" doc:"What is wrong."`
}
