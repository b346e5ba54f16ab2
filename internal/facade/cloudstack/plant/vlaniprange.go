package plant

import (
	"context"

	"github.com/virga-cloud/virga/api"
	cs "github.com/virga-cloud/virga/api/cloudstack"
	"github.com/virga-cloud/virga/internal/facade/cloudstack/look"
	"github.com/virga-cloud/virga/internal/network"
	"github.com/virga-cloud/virga/internal/zone"
	"github.com/virga-cloud/virga/uid"
)

func (t Translator) registerVLANIPRanges(m *api.Mux) {
	api.HandleCreate(m, cs.CreateVLANIPRange, t.createVLANIPRange, look.Show(t.DB.Read, network.RangesByID, t.rangesOut))
	api.HandleList(m, cs.ListVLANIPRanges, t.listVLANIPRanges)
	api.HandleCall(m, cs.DeleteVLANIPRange, t.deleteVLANIPRange)
}

func (t Translator) createVLANIPRange(ctx context.Context, in cs.CreateVLANIPRangeIn) (uid.IPRange, error) {
	r, err := t.Networks.CreateRange(ctx, network.CreateRangeIn{
		Zone: in.ZoneID, Physical: in.PhysicalNetworkID, Network: in.NetworkID, Pod: in.PodID, Public: in.Public, Account: in.Account,
		Project: in.ProjectID, Domain: in.DomainID, VLAN: in.VLAN, Gateway: in.Gateway, Netmask: in.Netmask, StartIP: in.StartIP, EndIP: in.EndIP,
		IP6Gateway: in.IP6Gateway, IP6CIDR: in.IP6CIDR, IP6Start: in.StartIPv6, IP6End: in.EndIPv6, ForSystem: in.ForSystem,
	})
	return r.ID, err
}

func (t Translator) deleteVLANIPRange(ctx context.Context, in cs.DeleteVLANIPRangeIn) (api.Success, error) {
	err := t.Networks.DeleteRange(ctx, in.ID)
	return api.Success{Success: err == nil}, err
}

func (t Translator) listVLANIPRanges(ctx context.Context, in cs.ListVLANIPRangesIn) (none api.Page[cs.VLANIPRange], err error) {
	filter := network.RangeFilter{
		ID: in.ID, Zone: in.ZoneID, Physical: in.PhysicalNetworkID, Network: in.NetworkID, Pod: in.PodID, VLAN: in.VLAN, Public: in.Public,
		Keyword: in.Keyword,
	}
	if in.Account != "" || in.ProjectID != "" {
		scope, err := t.Owned.ScopeIn(ctx, api.Scope{Account: in.Account, DomainID: in.DomainID}, false, cs.InProject{ProjectID: in.ProjectID})
		if err != nil {
			return none, err
		}
		filter.Owner = &scope
	} else {
		filter.Domain = in.DomainID
	}
	filter.Offset, filter.Limit = look.Window(in.Paging)
	found, total, err := t.Networks.Ranges(ctx, filter)
	if err != nil {
		return none, err
	}
	items, err := t.rangesOut(ctx, found)
	return api.Page[cs.VLANIPRange]{Count: total, Items: items}, err
}

func (t Translator) rangesOut(ctx context.Context, all []network.Range) ([]cs.VLANIPRange, error) {
	l := look.In(t.DB.Read())
	pods := look.Related(ctx, l, len(all), func(i int) uid.Pod { return all[i].Pod }, zone.PodNames)
	if l.Err != nil {
		return nil, l.Err
	}
	out := make([]cs.VLANIPRange, len(all))
	for i, r := range all {
		out[i] = cs.VLANIPRange{
			ID: r.ID, Description: "vlan://" + r.VLAN, ZoneID: r.Zone, PhysicalNetworkID: r.Physical, NetworkID: r.Network, PodID: r.Pod,
			PodName: pods[r.Pod], Public: r.Public(), ForSystem: r.ForSystem, VLAN: r.VLAN, CIDR: r.CIDR, Gateway: r.Gateway, Netmask: r.Netmask,
			StartIP: r.StartIP.String(), EndIP: r.EndIP.String(), IP6Gateway: r.IP6Gateway, IP6CIDR: r.IP6CIDR, StartIPv6: r.IP6Start,
			EndIPv6: r.IP6End,
		}
	}
	return out, t.Owned.OwnersOrDomains(ctx, len(all), func(i int) (uid.Account, uid.Domain, *cs.Owner) {
		return all[i].Account, all[i].Domain, &out[i].Owner
	})
}
