package cloudstack

import (
	"context"
	"errors"

	"github.com/virga-cloud/virga/api"
	cs "github.com/virga-cloud/virga/api/cloudstack"
	"github.com/virga-cloud/virga/internal/account"
	"github.com/virga-cloud/virga/internal/auth"
	"github.com/virga-cloud/virga/internal/facade/cloudstack/look"
	"github.com/virga-cloud/virga/internal/facade/cloudstack/owned"
	"github.com/virga-cloud/virga/internal/facade/cloudstack/wire"
	"github.com/virga-cloud/virga/internal/fault"
	"github.com/virga-cloud/virga/internal/network"
	"github.com/virga-cloud/virga/internal/offering"
	"github.com/virga-cloud/virga/internal/provider"
	"github.com/virga-cloud/virga/internal/tag"
	"github.com/virga-cloud/virga/internal/zone"
	"github.com/virga-cloud/virga/uid"
)

func (f *Facade) registerNetworks(m *api.Mux) {
	api.HandleCreate(m, cs.CreateNetwork, f.createNetwork, look.Show(f.DB.Read, network.ByID, f.networksOut))
	api.HandleList(m, cs.ListNetworks, f.listNetworks)
	api.HandleList(m, cs.ListNics, f.listNics)
	api.HandleJob(m, cs.DeleteNetwork, f.deleteNetwork, look.Succeeded)
}

func (f *Facade) createNetwork(ctx context.Context, in cs.CreateNetworkIn) (uid.Network, error) {
	if err := errors.Join(noVPC(in.VPCID), noACL(in.ACLID)); err != nil {
		return "", err
	}
	n, err := f.Networks.Create(ctx, network.CreateIn{
		Name: in.Name, DisplayText: in.DisplayText, Offering: in.OfferingID, Zone: in.ZoneID, Physical: in.PhysicalID, Gateway: in.Gateway,
		Netmask: in.Netmask, StartIP: in.StartIP, EndIP: in.EndIP, IP6CIDR: in.IP6CIDR, IP6Gateway: in.IP6Gateway, IP6Start: in.StartIPv6,
		IP6End: in.EndIPv6, VLAN: in.VLAN, NetworkDomain: in.NetworkDomain, DNS1: in.DNS1, DNS2: in.DNS2, IP6DNS1: in.IP6DNS1, IP6DNS2: in.IP6DNS2,
		ACLType: in.ACLType, SubdomainAccess: in.Subdomains, Hidden: in.Display != nil && !*in.Display,
		Owner: account.For{Account: in.Account, Domain: in.DomainID, Project: in.ProjectID},
	})
	return n.ID, err
}

// noVPC refuses the ID of a VPC, of which there are none yet; "" is none. noACL does the same for network ACL lists.
func noVPC(id uid.VPC) error {
	if id == "" {
		return nil
	}
	return fault.Missing(id)
}

func noACL(id uid.ACL) error {
	if id == "" {
		return nil
	}
	return fault.Missing(id)
}

func (f *Facade) listNetworks(ctx context.Context, in cs.ListNetworksIn) (none api.Page[cs.Network], err error) {
	if err := noVPC(in.VPCID); err != nil {
		return none, err
	}
	for _, nothing := range []*bool{in.ForVPC, in.System, in.Restart} {
		if nothing != nil && *nothing {
			return none, nil // no network is in a VPC, of the cloud itself, or waits for a restart
		}
	}
	scope, err := f.Owned.ScopeIn(ctx, in.Scope, in.ID != "", in.InProject)
	if err != nil {
		return none, err
	}
	filter := network.Filter{
		Scope: scope, ID: in.ID, Name: in.Name, Zone: in.ZoneID, Physical: in.PhysicalID, GuestType: offering.GuestType(in.Type),
		TrafficType: in.TrafficType, ACLType: in.ACLType, VLAN: in.VLAN, Offering: in.OfferingID, IPRanges: in.IPRanges, Deployable: in.CanDeploy,
		Display: in.Display, Tags: wire.Wanted(in.Tagged), Keyword: in.Keyword,
	}
	for _, name := range in.Services {
		service, err := provider.ServiceNamed(name)
		if err != nil {
			return none, err
		}
		filter.Services = append(filter.Services, service)
	}
	if !auth.From(ctx).IsRoot() {
		filter.Display = new(true)
	}
	switch in.Filter {
	case "account":
		if filter.Owned = true; in.ACLType == "" {
			filter.ACLType = network.ForAccount
		}
	case "domain":
		if in.ACLType == "" {
			filter.ACLType = network.ForDomain
		}
	case "shared":
		return none, nil // no account shares its networks with others
	}
	filter.Offset, filter.Limit = look.Window(in.Paging)
	networks, total, err := f.Networks.List(ctx, filter)
	if err != nil {
		return none, err
	}
	items, err := f.networksOut(ctx, networks)
	return api.Page[cs.Network]{Count: total, Items: items}, err
}

func (f *Facade) deleteNetwork(ctx context.Context, in cs.DeleteNetworkIn) (api.Started, error) {
	job, err := f.Networks.Delete(ctx, in.ID)
	return api.Started{JobID: job}, err
}

// networksOut shows networks, with one query for each kind of thing that they name, of each part of a large page.
func (f *Facade) networksOut(ctx context.Context, networks []network.Network) ([]cs.Network, error) {
	return look.InParts(networks, func(part []network.Network) ([]cs.Network, error) { return f.someNetworksOut(ctx, part) })
}

func (f *Facade) someNetworksOut(ctx context.Context, networks []network.Network) ([]cs.Network, error) {
	n := len(networks)
	l := look.In(f.DB.Read())
	zones := look.Related(ctx, l, n, func(i int) uid.Zone { return networks[i].Zone }, zone.ByID)
	offerings := look.Related(ctx, l, n, func(i int) uid.NetworkOffering { return networks[i].Offering }, offering.NetworksByID)
	if l.Err != nil {
		return nil, l.Err
	}
	out := make([]cs.Network, n)
	services := map[uid.NetworkOffering][]cs.NetworkService{} // made once, and written once
	for id, o := range offerings {
		services[id] = wire.Services(o)
	}
	for i, one := range networks {
		out[i] = wire.Network(one, zones[one.Zone], offerings[one.Offering])
		out[i].Services = services[one.Offering]
	}
	err := f.Owned.OwnersOrDomains(ctx, n, func(i int) (uid.Account, uid.Domain, *cs.Owner) {
		if networks[i].ACLType == network.ForDomain {
			return "", networks[i].Domain, &out[i].Owner
		}
		return networks[i].Account, "", &out[i].Owner
	})
	if err == nil {
		err = f.Owned.Pending(ctx, n, func(i int) (string, *cs.Pending) { return string(networks[i].ID), &out[i].Pending })
	}
	if err == nil {
		err = owned.Tagged(ctx, f.Owned, tag.Network, n, func(i int) (uid.Network, cs.Owner, *[]cs.Tag) {
			return out[i].ID, out[i].Owner, &out[i].Tags
		})
	}
	return out, err
}
