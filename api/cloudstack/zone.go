package cloudstack

import (
	"github.com/virga-cloud/virga/api"
	"github.com/virga-cloud/virga/uid"
)

// ListZones shows zones.
var ListZones = api.List[ListZonesIn, Zone]{
	Name: "listZones", Noun: "Zone", Role: api.Everyone, Object: "zone",
	Doc: "Lists zones.",
}

// ListZonesIn chooses zones.
type ListZonesIn struct {
	api.Paging
	ID          uid.Zone   `api:"id" doc:"Shows only the zone with this ID."`
	IDs         []uid.Zone `api:"ids,since=4.19.0" doc:"Shows only the zones with these IDs."`
	Name        string     `api:"name" doc:"Shows only the zone of this name."`
	NetworkType string     `api:"networktype" doc:"Shows only zones with this kind of network: Advanced or Basic."`
	Available   *bool      `api:"available" doc:"When false, shows only zones where the caller's account has machines."`
}

// Zone is a zone.
type Zone struct {
	ID              uid.Zone `json:"id" doc:"The ID of the zone."`
	Name            string   `json:"name" doc:"The name of the zone."`
	DNS1            string   `json:"dns1,omitempty" doc:"The first DNS server of guests."`
	DNS2            string   `json:"dns2,omitempty" doc:"The second DNS server of guests."`
	InternalDNS1    string   `json:"internaldns1,omitempty" api:"admin" doc:"The first DNS server of the zone's own machines."`
	InternalDNS2    string   `json:"internaldns2,omitempty" api:"admin" doc:"The second DNS server of the zone's own machines."`
	GuestCIDR       string   `json:"guestcidraddress,omitempty" doc:"The CIDR that guest networks are cut from."`
	NetworkDomain   string   `json:"domain,omitempty" doc:"The DNS domain of the zone's networks."`
	NetworkType     string   `json:"networktype" doc:"Advanced or Basic."`
	SecurityGroups  bool     `json:"securitygroupsenabled" doc:"Whether the zone has security groups."`
	AllocationState string   `json:"allocationstate" doc:"Enabled, or Disabled when nothing new is to be placed in it."`
	LocalStorage    bool     `json:"localstorageenabled" doc:"Whether disks may lie on the hosts themselves."`
}
