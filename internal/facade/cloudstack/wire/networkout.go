package wire

import (
	"strconv"

	"github.com/virga-cloud/virga/api"
	cs "github.com/virga-cloud/virga/api/cloudstack"
	"github.com/virga-cloud/virga/internal/network"
	"github.com/virga-cloud/virga/internal/offering"
	"github.com/virga-cloud/virga/internal/zone"
)

// Network shows what a network, its zone and its offering say.
func Network(n network.Network, z zone.Zone, o offering.Network) cs.Network {
	out := cs.Network{
		ID: n.ID, Name: n.Name, DisplayText: n.DisplayText, ZoneID: n.Zone, ZoneName: z.Name, Type: string(n.GuestType),
		TrafficType: n.TrafficType, ACLType: n.ACLType, State: string(n.State), CIDR: n.CIDR, Gateway: n.Gateway, Netmask: n.Netmask,
		IP6CIDR: n.IP6CIDR, IP6Gateway: n.IP6Gateway, BroadcastDomainType: "Vlan", VLAN: n.Tag(), PhysicalNetworkID: n.PhysicalNetwork,
		NetworkDomain: n.NetworkDomain, OfferingID: n.Offering, OfferingName: o.Name, OfferingDisplayText: o.DisplayText,
		OfferingAvailability: o.Availability, OfferingConserveMode: o.ConserveMode, SpecifyIPRanges: o.SpecifyIPRanges, SpecifyVLAN: o.SpecifyVLAN,
		Persistent: o.Persistent, Subdomains: n.SubdomainAccess, Display: new(n.Display), EgressOpen: o.EgressOpen, Related: n.ID,
		CanDeploy: n.State != network.Destroyed, Created: api.At(n.Created),
	}
	if out.VLAN != "" {
		out.BroadcastURI = "vlan://" + out.VLAN
	}
	if out.ReservedIPRange = n.Reserved(); out.ReservedIPRange != "" {
		out.NetworkCIDR = n.CIDR
	}
	if n.GuestType != offering.L2 { // where nobody tells guests of a server
		out.DNS1, out.DNS2, out.IP6DNS1, out.IP6DNS2 = n.DNS1, n.DNS2, n.IP6DNS1, n.IP6DNS2
		if n.DNS1 == "" && n.DNS2 == "" {
			out.DNS1, out.DNS2 = z.DNS1, z.DNS2
		}
	}
	return out
}

// VLANURI names the VLAN that carries a network; "" before it has one.
func VLANURI(vlan int) string {
	if vlan == 0 {
		return ""
	}
	return "vlan://" + strconv.Itoa(vlan)
}
