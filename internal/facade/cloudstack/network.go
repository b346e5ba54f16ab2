package cloudstack

import (
	"context"
	"strconv"

	"github.com/virga-cloud/virga/api"
	cs "github.com/virga-cloud/virga/api/cloudstack"
	"github.com/virga-cloud/virga/internal/network"
	"github.com/virga-cloud/virga/internal/offering"
	"github.com/virga-cloud/virga/internal/zone"
	"github.com/virga-cloud/virga/uid"
)

func (f *Facade) registerNetworks(m *api.Mux) {
	api.HandleCreate(m, cs.CreateNetwork, f.createNetwork, show(f.DB.Read, network.ByID, f.networksOut))
	api.HandleList(m, cs.ListNetworks, f.listNetworks)
	api.HandleJob(m, cs.DeleteNetwork, f.deleteNetwork, succeeded)
}

// succeeded is the outcome of jobs that leave nothing to show.
func succeeded(context.Context, string) (api.Success, error) { return api.Success{Success: true}, nil }

func (f *Facade) createNetwork(ctx context.Context, in cs.CreateNetworkIn) (uid.Network, error) {
	n, err := f.Networks.Create(ctx, network.CreateIn{
		Name: in.Name, DisplayText: in.DisplayText, Offering: in.OfferingID, Zone: in.ZoneID, Gateway: in.Gateway, Netmask: in.Netmask,
		StartIP: in.StartIP, EndIP: in.EndIP, NetworkDomain: in.NetworkDomain, OwnerAccount: in.Account, OwnerDomain: in.DomainID,
	})
	return n.ID, err
}

func (f *Facade) listNetworks(ctx context.Context, in cs.ListNetworksIn) (api.Page[cs.Network], error) {
	scope, err := f.scope(ctx, in.Scope, in.ID != "")
	if err != nil {
		return api.Page[cs.Network]{}, err
	}
	filter := network.Filter{
		Scope: scope, ID: in.ID, Zone: in.ZoneID, GuestType: offering.GuestType(in.Type), TrafficType: in.TrafficType,
		Offering: in.OfferingID, Deployable: in.CanDeploy, Keyword: in.Keyword,
	}
	filter.Offset, filter.Limit = window(in.Paging)
	networks, total, err := f.Networks.List(ctx, filter)
	if err != nil {
		return api.Page[cs.Network]{}, err
	}
	items, err := f.networksOut(ctx, networks)
	return api.Page[cs.Network]{Count: total, Items: items}, err
}

func (f *Facade) deleteNetwork(ctx context.Context, in cs.DeleteNetworkIn) (api.Started, error) {
	job, err := f.Networks.Delete(ctx, in.ID)
	return api.Started{JobID: job}, err
}

// networksOut shows networks, with one query for each kind of thing that they name.
func (f *Facade) networksOut(ctx context.Context, networks []network.Network) ([]cs.Network, error) {
	n := len(networks)
	l := lookIn(f.DB.Read())
	zones := related(ctx, l, n, func(i int) uid.Zone { return networks[i].Zone }, zone.ByID)
	offerings := related(ctx, l, n, func(i int) uid.NetworkOffering { return networks[i].Offering }, offering.NetworksByID)
	if l.err != nil {
		return nil, l.err
	}
	out := make([]cs.Network, n)
	for i, one := range networks {
		out[i] = networkOut(one, zones[one.Zone], offerings[one.Offering])
	}
	if err := f.owners(ctx, n, func(i int) (uid.Account, *cs.Owner) { return networks[i].Account, &out[i].Owner }); err != nil {
		return nil, err
	}
	return out, f.pending(ctx, n, func(i int) (string, *cs.Pending) { return string(networks[i].ID), &out[i].Pending })
}

func networkOut(n network.Network, z zone.Zone, o offering.Network) cs.Network {
	out := cs.Network{
		ID: n.ID, Name: n.Name, DisplayText: n.DisplayText, ZoneID: n.Zone, ZoneName: z.Name, Type: string(n.GuestType),
		TrafficType: n.TrafficType, ACLType: n.ACLType, State: string(n.State), CIDR: n.CIDR, Gateway: n.Gateway, Netmask: n.Netmask,
		BroadcastURI: vlanURI(n.VLAN), PhysicalNetworkID: n.PhysicalNetwork, NetworkDomain: n.NetworkDomain,
		OfferingID: n.Offering, OfferingName: o.Name, OfferingDisplayText: o.DisplayText, OfferingAvailability: o.Availability,
		OfferingConserveMode: o.ConserveMode, SpecifyIPRanges: o.SpecifyIPRanges, SpecifyVLAN: o.SpecifyVLAN, Persistent: o.Persistent,
		CanDeploy: n.State != network.Destroyed, Created: api.At(n.Created), Services: servicesOut(o),
	}
	if n.VLAN != 0 {
		out.VLAN = strconv.Itoa(n.VLAN)
	}
	if n.GuestType != offering.L2 { // where nobody tells guests of a server
		out.DNS1, out.DNS2 = z.DNS1, z.DNS2
	}
	return out
}

// vlanURI names the VLAN that carries a network; "" before it has one.
func vlanURI(vlan int) string {
	if vlan == 0 {
		return ""
	}
	return "vlan://" + strconv.Itoa(vlan)
}
