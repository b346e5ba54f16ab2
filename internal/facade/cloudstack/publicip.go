package cloudstack

import (
	"context"
	"strings"

	"github.com/virga-cloud/virga/api"
	cs "github.com/virga-cloud/virga/api/cloudstack"
	"github.com/virga-cloud/virga/internal/auth"
	"github.com/virga-cloud/virga/internal/compute"
	"github.com/virga-cloud/virga/internal/facade/cloudstack/look"
	"github.com/virga-cloud/virga/internal/facade/cloudstack/owned"
	"github.com/virga-cloud/virga/internal/facade/cloudstack/wire"
	"github.com/virga-cloud/virga/internal/network"
	"github.com/virga-cloud/virga/internal/tag"
	"github.com/virga-cloud/virga/internal/zone"
	"github.com/virga-cloud/virga/uid"
)

func (f *Facade) listPublicIPAddresses(ctx context.Context, in cs.ListPublicIPAddressesIn) (none api.Page[cs.PublicIPAddress], err error) {
	switch {
	case in.VPCID != "":
		return none, noVPC(in.VPCID)
	case in.ForLoadBalancing != nil && *in.ForLoadBalancing, in.StaticNAT != nil && *in.StaticNAT:
		return none, nil // there are no such rules yet, hence no such addresses
	}
	scope, err := f.Owned.ScopeIn(ctx, in.Scope, in.ID != "", in.InProject)
	if err != nil {
		return none, err
	}
	free := in.AllocatedOnly != nil && !*in.AllocatedOnly || strings.EqualFold(in.State, string(network.Free))
	if free && auth.From(ctx).IsRoot() && in.Account == "" && in.DomainID == "" && in.ProjectID == "" && !scope.IsEmpty() {
		scope = auth.From(ctx).Without(auth.Scope{All: true}) // free addresses are nobody's
	}
	filter := network.AddressFilter{
		Scope: scope, ID: in.ID, IP: in.IPAddress, Zone: in.ZoneID, Physical: in.PhysicalNetworkID, Range: in.VLANID, Network: in.NetworkID,
		Associated: in.AssociatedNetworkID, Public: in.Public, SourceNAT: in.SourceNAT, ForSystem: in.ForSystem,
		State: network.AddressState(in.State), Free: free, Tags: wire.Wanted(in.Tagged), Keyword: in.Keyword,
	}
	if filter.Public == nil && in.ID == "" && in.NetworkID == "" {
		filter.Public = new(true)
	}
	filter.Offset, filter.Limit = look.Window(in.Paging)
	found, total, err := f.Networks.Addresses(ctx, filter)
	if err != nil {
		return none, err
	}
	items, err := f.addressesOut(ctx, found)
	return api.Page[cs.PublicIPAddress]{Count: total, Items: items}, err
}

// addressesOut shows addresses, with one query for each kind of thing that they name.
func (f *Facade) addressesOut(ctx context.Context, all []network.Address) ([]cs.PublicIPAddress, error) {
	n, l := len(all), look.In(f.DB.Read())
	ranges := look.Related(ctx, l, n, func(i int) uid.IPRange { return all[i].Range }, network.RangesByID)
	zones := look.Related(ctx, l, n, func(i int) uid.Zone { return ranges[all[i].Range].Zone }, zone.Names)
	networks := look.Related(ctx, l, 2*n, func(i int) uid.Network {
		if i < n {
			return all[i].Network
		}
		return ranges[all[i-n].Range].Network
	}, network.Names)
	machines := look.Related(ctx, l, n, func(i int) uid.VM { return all[i].VM }, compute.ByID)
	if l.Err != nil {
		return nil, l.Err
	}
	out := make([]cs.PublicIPAddress, n)
	for i, a := range all {
		r, vm := ranges[a.Range], machines[a.VM]
		out[i] = cs.PublicIPAddress{
			ID: a.ID, IPAddress: a.IP.String(), State: string(a.State), Allocated: api.At(a.Allocated), ZoneID: r.Zone, ZoneName: zones[r.Zone],
			PhysicalNetworkID: r.Physical, VLANID: r.ID, VLANName: r.VLAN, NetworkID: r.Network, NetworkName: networks[r.Network],
			AssociatedNetworkID: a.Network, AssociatedNetworkName: networks[a.Network], Public: r.Public(), ForSystem: r.ForSystem,
			SourceNAT: a.SourceNAT, VMID: a.VM, VMName: vm.Name, VMDisplayName: vm.DisplayName,
		}
	}
	if err := f.Owned.Owners(ctx, n, func(i int) (uid.Account, *cs.Owner) { return all[i].Account, &out[i].Owner }); err != nil {
		return nil, err
	}
	return out, owned.Tagged(ctx, f.Owned, tag.PublicIP, n, func(i int) (uid.PublicIP, cs.Owner, *[]cs.Tag) {
		return out[i].ID, out[i].Owner, &out[i].Tags
	})
}
