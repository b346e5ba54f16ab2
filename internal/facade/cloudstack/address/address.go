package address

import (
	"context"
	"strings"

	"github.com/virga-cloud/virga/api"
	cs "github.com/virga-cloud/virga/api/cloudstack"
	"github.com/virga-cloud/virga/internal/account"
	"github.com/virga-cloud/virga/internal/address"
	"github.com/virga-cloud/virga/internal/annotation"
	"github.com/virga-cloud/virga/internal/auth"
	"github.com/virga-cloud/virga/internal/compute"
	"github.com/virga-cloud/virga/internal/db"
	"github.com/virga-cloud/virga/internal/facade/cloudstack/look"
	"github.com/virga-cloud/virga/internal/facade/cloudstack/owned"
	"github.com/virga-cloud/virga/internal/facade/cloudstack/wire"
	"github.com/virga-cloud/virga/internal/fault"
	"github.com/virga-cloud/virga/internal/network"
	"github.com/virga-cloud/virga/internal/rule"
	"github.com/virga-cloud/virga/internal/tag"
	"github.com/virga-cloud/virga/internal/zone"
	"github.com/virga-cloud/virga/uid"
)

// Translator translates for the service that gives and takes public addresses.
type Translator struct {
	DB        *db.DB
	Owned     owned.Lists
	Addresses *address.Service
}

// Register gives the commands their handlers.
func (t Translator) Register(m *api.Mux) {
	show := look.Subject(look.Show(t.DB.Read, network.AddressesByID, t.addressesOut))
	api.HandleJob(m, cs.AssociateIPAddress, t.associate, show)
	api.HandleJob(m, cs.DisassociateIPAddress, func(ctx context.Context, in cs.DisassociateIPAddressIn) (api.Started, error) {
		job, err := t.Addresses.Release(ctx, in.ID, in.IPAddress, in.AccountID)
		return api.Started{JobID: job}, err
	}, look.Succeeded)
	api.HandleJob(m, cs.UpdateIPAddress, func(ctx context.Context, in cs.UpdateIPAddressIn) (api.Started, error) {
		job, err := t.Addresses.Show(ctx, in.ID, rule.Showing[uid.PublicIP]{ID: in.CustomID, Display: in.Display})
		return api.Started{JobID: job}, err
	}, show)
	api.HandleList(m, cs.ListPublicIPAddresses, t.listPublicIPAddresses)
}

func (t Translator) associate(ctx context.Context, in cs.AssociateIPAddressIn) (api.Started, error) {
	switch {
	case in.VPCID != "":
		return api.Started{}, fault.Missing(in.VPCID)
	case in.Portable:
		return api.Started{}, fault.Fullf("there are no portable addresses; leave out isportable, and regionid")
	case in.RegionID != 0:
		return api.Started{}, fault.Invalidf("regionid goes together with isportable=true; leave it out")
	}
	id, job, err := t.Addresses.Associate(ctx, address.In{
		Served: network.Served{
			Network: in.NetworkID, Zone: in.ZoneID, Owner: account.For{Account: in.Account, Domain: in.DomainID, Project: in.ProjectID},
		},
		IP: in.IPAddress, Hidden: in.Display != nil && !*in.Display,
	})
	return api.Started{ID: string(id), JobID: job}, err
}

func (t Translator) listPublicIPAddresses(ctx context.Context, in cs.ListPublicIPAddressesIn) (none api.Page[cs.PublicIPAddress], err error) {
	if in.VPCID != "" {
		return none, fault.Missing(in.VPCID)
	}
	scope, err := t.Owned.ScopeIn(ctx, in.Scope, in.ID != "", in.InProject)
	if err != nil {
		return none, err
	}
	free := in.AllocatedOnly != nil && !*in.AllocatedOnly || strings.EqualFold(in.State, string(network.Free))
	if free && auth.From(ctx).IsRoot() && in.Account == "" && in.DomainID == "" && in.ProjectID == "" && !scope.IsEmpty() {
		scope = auth.From(ctx).Without(auth.Scope{All: true}) // free addresses are nobody's
	}
	filter := address.Filter{
		Scope: scope, ID: in.ID, IP: in.IPAddress, Zone: in.ZoneID, Physical: in.PhysicalNetworkID, Range: in.VLANID, Network: in.NetworkID,
		Associated: in.AssociatedNetworkID, Public: in.Public, SourceNAT: in.SourceNAT, StaticNAT: in.StaticNAT,
		Balanced: in.ForLoadBalancing, ForSystem: in.ForSystem,
		State: network.AddressState(in.State), Free: free, Display: in.Display, Tags: wire.Wanted(in.Tagged), Keyword: in.Keyword,
	}
	if filter.Public == nil && in.ID == "" && in.NetworkID == "" {
		filter.Public = new(true)
	}
	if !auth.From(ctx).IsRoot() {
		filter.Display = new(true)
	}
	filter.Offset, filter.Limit = look.Window(in.Paging)
	found, total, err := t.Addresses.List(ctx, filter)
	if err != nil {
		return none, err
	}
	items, err := t.addressesOut(ctx, found)
	return api.Page[cs.PublicIPAddress]{Count: total, Items: items}, err
}

// purposes are what addresses are for by the rules on them, in CloudStack's words.
var purposes = map[rule.Kind]string{rule.Forwarding: "PortForwarding", rule.Balancing: "Lb", rule.StaticNAT: "StaticNat"}

// addressesOut shows addresses, with one query for each kind of thing that they name.
func (t Translator) addressesOut(ctx context.Context, all []network.Address) ([]cs.PublicIPAddress, error) {
	n, l := len(all), look.In(t.DB.Read())
	ranges := look.Related(ctx, l, n, func(i int) uid.IPRange { return all[i].Range }, network.RangesByID)
	zones := look.Related(ctx, l, n, func(i int) uid.Zone { return ranges[all[i].Range].Zone }, zone.Names)
	networks := look.Related(ctx, l, 2*n, func(i int) uid.Network {
		if i < n {
			return all[i].Network
		}
		return ranges[all[i-n].Range].Network
	}, network.Names)
	rules := look.Related(ctx, l, n, func(i int) uid.PublicIP { return all[i].ID }, rule.OnAddresses)
	holder := func(i int) uid.VM {
		if all[i].VM == "" {
			return rules[all[i].ID].NAT.VM
		}
		return all[i].VM
	}
	machines := look.Related(ctx, l, n, holder, compute.ByID)
	noted := look.Related(ctx, l, n, func(i int) uid.PublicIP { return all[i].ID }, annotation.On[uid.PublicIP](annotation.PublicIP))
	if l.Err != nil {
		return nil, l.Err
	}
	out := make([]cs.PublicIPAddress, n)
	for i, a := range all {
		r, vm, on := ranges[a.Range], machines[holder(i)], rules[a.ID]
		out[i] = cs.PublicIPAddress{
			ID: a.ID, IPAddress: a.IP.String(), State: string(a.State), Allocated: api.At(a.Allocated), ZoneID: r.Zone, ZoneName: zones[r.Zone],
			PhysicalNetworkID: r.Physical, VLANID: r.ID, VLANName: r.VLAN, NetworkID: r.Network, NetworkName: networks[r.Network],
			AssociatedNetworkID: a.Network, AssociatedNetworkName: networks[a.Network], Public: r.Public(), ForSystem: r.ForSystem,
			SourceNAT: a.SourceNAT, System: a.System, Display: new(a.Display), StaticNAT: on.NAT.VM != "",
			VMIPAddress: on.NAT.GuestIP.String(), HasAnnotations: noted[a.ID], HasRules: on.Purpose != "",
			Purpose: purposes[on.Purpose], VMID: holder(i),
			VMName: vm.Name, VMDisplayName: vm.DisplayName,
		}
		if out[i].VMID != "" {
			out[i].VMType = "User" // routers' addresses are their networks'
		}
	}
	if err := t.Owned.Owners(ctx, n, func(i int) (uid.Account, *cs.Owner) { return all[i].Account, &out[i].Owner }); err != nil {
		return nil, err
	}
	if err := t.Owned.Pending(ctx, n, func(i int) (string, *cs.Pending) { return string(all[i].ID), &out[i].Pending }); err != nil {
		return nil, err
	}
	return out, owned.Tagged(ctx, t.Owned, tag.PublicIP, n, func(i int) (uid.PublicIP, cs.Owner, *[]cs.Tag) {
		return out[i].ID, out[i].Owner, &out[i].Tags
	})
}
