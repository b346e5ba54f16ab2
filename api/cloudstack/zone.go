package cloudstack

import (
	"github.com/virga-cloud/virga/api"
	"github.com/virga-cloud/virga/uid"
)

// CreateZone adds a zone.
var CreateZone = api.Call[CreateZoneIn, Zone]{
	Name: "createZone", Noun: "Zone", Role: api.RootOnly, Object: "zone", Event: "ZONE.CREATE", Creates: true,
	Doc: "Adds a zone: a data centre with a network model of its own.",
}

// CreateZoneIn describes the zone.
type CreateZoneIn struct {
	api.Once
	Name            string     `api:"name,required" doc:"The name of the zone."`
	NetworkType     string     `api:"networktype,required,one=Advanced|Basic" doc:"How guests are kept apart: Advanced, by networks of their own, or Basic, in one shared network by security groups."`
	DNS1            string     `api:"dns1,required" doc:"The first DNS server of guests."`
	DNS2            string     `api:"dns2" doc:"The second DNS server of guests."`
	InternalDNS1    string     `api:"internaldns1,required" doc:"The first DNS server of the zone's own machines."`
	InternalDNS2    string     `api:"internaldns2" doc:"The second DNS server of the zone's own machines."`
	IP6DNS1         string     `api:"ip6dns1" doc:"The first DNS server of guests that has an IPv6 address."`
	IP6DNS2         string     `api:"ip6dns2" doc:"The second DNS server of guests that has an IPv6 address."`
	GuestCIDR       string     `api:"guestcidraddress" doc:"The network that guest networks have whose creators name none, 10.1.1.0/24 for instance; for advanced zones."`
	NetworkDomain   string     `api:"domain" doc:"The DNS domain of the zone's guest networks that name none."`
	DomainID        uid.Domain `api:"domainid" doc:"The ID of the domain that is to have the zone for itself, with the domains below it."`
	AllocationState string     `api:"allocationstate,one=Enabled|Disabled" doc:"Enabled, as without it, or Disabled: only root admins make things in it then."`
	SecurityGroups  bool       `api:"securitygroupenabled" doc:"Whether the zone has security groups. Basic zones always have."`
	LocalStorage    bool       `api:"localstorageenabled" doc:"Whether disks may lie on the hosts themselves: hosts that join then bring along a storage pool of their own."`
}

// UpdateZone changes a zone.
var UpdateZone = api.Call[UpdateZoneIn, Zone]{
	Name: "updateZone", Noun: "Zone", Role: api.RootOnly, Object: "zone", Event: "ZONE.EDIT",
	Doc: "Changes a zone. What is not named stays.",
}

// UpdateZoneIn says what to change.
type UpdateZoneIn struct {
	ID              uid.Zone          `api:"id,required" doc:"The ID of the zone."`
	Name            *string           `api:"name" doc:"Its new name."`
	DNS1            *string           `api:"dns1" doc:"The first DNS server of guests."`
	DNS2            *string           `api:"dns2" doc:"The second DNS server of guests."`
	InternalDNS1    *string           `api:"internaldns1" doc:"The first DNS server of the zone's own machines."`
	InternalDNS2    *string           `api:"internaldns2" doc:"The second DNS server of the zone's own machines."`
	IP6DNS1         *string           `api:"ip6dns1" doc:"The first DNS server of guests that has an IPv6 address."`
	IP6DNS2         *string           `api:"ip6dns2" doc:"The second DNS server of guests that has an IPv6 address."`
	GuestCIDR       *string           `api:"guestcidraddress" doc:"The network of new guest networks whose creators name none."`
	NetworkDomain   *string           `api:"domain" doc:"The DNS domain of the zone's guest networks that name none."`
	DHCPProvider    *string           `api:"dhcpprovider" doc:"Who gives guests their addresses: VirtualRouter."`
	DNSSearch       []string          `api:"dnssearchorder,max=1024" doc:"The domains that guests look names up in, in this order; kept as a detail of the zone."`
	AllocationState *string           `api:"allocationstate,one=Enabled|Disabled" doc:"Enabled, or Disabled: only root admins make things in it then."`
	LocalStorage    *bool             `api:"localstorageenabled" doc:"Whether disks may lie on the hosts themselves; hosts that are there bring along their storage when they are reconnected."`
	Public          *bool             `api:"ispublic" doc:"true takes the zone away from the domain that had it for itself and gives it to everyone."`
	SortKey         *int              `api:"sortkey" doc:"Where lists show the zone: those with smaller numbers come first."`
	Details         map[string]string `api:"details,map" doc:"Details to set, by name; an empty value removes one."`
}

// DeleteZone removes a zone.
var DeleteZone = api.Call[DeleteZoneIn, api.Success]{
	Name: "deleteZone", Noun: "Zone", Role: api.RootOnly, Event: "ZONE.DELETE",
	Doc: "Deletes a zone in which there is nothing any more.",
}

// DeleteZoneIn names the zone.
type DeleteZoneIn struct {
	ID uid.Zone `api:"id,required" doc:"The ID of the zone."`
}

// ListZones shows zones.
var ListZones = api.List[ListZonesIn, Zone]{
	Name: "listZones", Noun: "Zone", Role: api.Everyone, Object: "zone",
	Doc: "Lists zones.",
}

// ListZonesIn chooses zones.
type ListZonesIn struct {
	api.Paging
	Tagged
	ID             uid.Zone   `api:"id" doc:"Shows only the zone with this ID."`
	IDs            []uid.Zone `api:"ids,since=4.19.0" doc:"Shows only the zones with these IDs."`
	Name           string     `api:"name" doc:"Shows only the zone of this name."`
	NetworkType    string     `api:"networktype" doc:"Shows only zones with this kind of network: Advanced or Basic."`
	DomainID       uid.Domain `api:"domainid" doc:"Shows only zones that this domain has for itself."`
	Available      *bool      `api:"available" doc:"When false, shows only zones where the caller's account has machines."`
	ShowCapacities bool       `api:"showcapacities" doc:"Shows how full the zones are, to root admins."`
}

// Zone is a zone.
type Zone struct {
	ID              uid.Zone          `json:"id" doc:"The ID of the zone."`
	Name            string            `json:"name" doc:"The name of the zone."`
	Description     string            `json:"description,omitempty" doc:"A description of the zone, where it has one."`
	DisplayText     string            `json:"displaytext,omitempty" doc:"The name of the zone that is shown to users, where it is another one."`
	DNS1            string            `json:"dns1,omitempty" doc:"The first DNS server of guests."`
	DNS2            string            `json:"dns2,omitempty" doc:"The second DNS server of guests."`
	IP6DNS1         string            `json:"ip6dns1,omitempty" doc:"The first DNS server of guests that has an IPv6 address."`
	IP6DNS2         string            `json:"ip6dns2,omitempty" doc:"The second DNS server of guests that has an IPv6 address."`
	InternalDNS1    string            `json:"internaldns1,omitempty" api:"admin" doc:"The first DNS server of the zone's own machines."`
	InternalDNS2    string            `json:"internaldns2,omitempty" api:"admin" doc:"The second DNS server of the zone's own machines."`
	GuestCIDR       string            `json:"guestcidraddress,omitempty" doc:"The network that guest networks have whose creators name none."`
	VLAN            string            `json:"vlan,omitempty" api:"admin" doc:"The VLANs of the zone, where all are of one physical network."`
	NetworkDomain   string            `json:"domain,omitempty" doc:"The DNS domain of the zone's networks."`
	NetworkType     string            `json:"networktype" doc:"Advanced or Basic."`
	SecurityGroups  bool              `json:"securitygroupsenabled" doc:"Whether the zone has security groups."`
	AllocationState string            `json:"allocationstate" doc:"Enabled, or Disabled when only root admins make things in it."`
	Status          string            `json:"status,omitempty" doc:"Whether the zone is there; absent where nothing is to be said."`
	LocalStorage    bool              `json:"localstorageenabled" doc:"Whether disks may lie on the hosts themselves."`
	DHCPProvider    string            `json:"dhcpprovider" doc:"Who gives guests their addresses."`
	DomainID        uid.Domain        `json:"domainid,omitempty" doc:"The ID of the domain that has the zone for itself."`
	DomainName      string            `json:"domainname,omitempty" doc:"The name of that domain."`
	Token           string            `json:"zonetoken,omitempty" api:"admin" doc:"A text of the zone's own that stays the same."`
	SortKey         int               `json:"sortkey,omitempty" api:"admin" doc:"Where lists show the zone: those with smaller numbers come first. Virga's own."`
	Details         map[string]string `json:"resourcedetails,omitempty" doc:"Details that operators have set, and not hidden."`
	Capacity        []Capacity        `json:"capacity,omitempty" api:"admin" doc:"How full the zone is, where that was asked for."`
	Tags            []Tag             `json:"tags,omitempty" api:"set" doc:"The tags of the zone."`
	Pending
}
