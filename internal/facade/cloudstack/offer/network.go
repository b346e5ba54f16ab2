package offer

import (
	"context"
	"strings"

	"github.com/virga-cloud/virga/api"
	cs "github.com/virga-cloud/virga/api/cloudstack"
	"github.com/virga-cloud/virga/internal/facade/cloudstack/look"
	"github.com/virga-cloud/virga/internal/facade/cloudstack/wire"
	"github.com/virga-cloud/virga/internal/fault"
	"github.com/virga-cloud/virga/internal/offering"
	"github.com/virga-cloud/virga/internal/provider"
	"github.com/virga-cloud/virga/uid"
)

func (f Translator) registerNetworkOfferings(m *api.Mux) {
	api.HandleCreate(m, cs.CreateNetworkOffering, f.createNetworkOffering, f.showNetworkOffering)
	api.HandleCall(m, cs.UpdateNetworkOffering, f.updateNetworkOffering)
	api.HandleCall(m, cs.DeleteNetworkOffering, f.deleteNetworkOffering)
	api.HandleList(m, cs.ListNetworkOfferings, f.listNetworkOfferings)
}

func (f Translator) showNetworkOffering(ctx context.Context, id uid.NetworkOffering) (cs.NetworkOffering, error) {
	return look.Show(f.DB.Read, offering.NetworksByID, func(ctx context.Context, all []offering.Network) ([]cs.NetworkOffering, error) {
		if err := offering.WithScopes(ctx, f.DB.Read(), all); err != nil {
			return nil, err
		}
		return f.networkOfferingsOut(ctx, all)
	})(ctx, id)
}

func (f Translator) createNetworkOffering(ctx context.Context, in cs.CreateNetworkOfferingIn) (uid.NetworkOffering, error) {
	o := offering.Network{
		Name: in.Name, DisplayText: in.DisplayText, GuestType: offering.GuestType(in.GuestType), TrafficType: in.TrafficType,
		Availability: in.Availability, State: offering.Disabled, Details: in.Details, Tags: in.Tags, SpecifyVLAN: in.SpecifyVLAN,
		SpecifyIPRanges: in.SpecifyIPRanges, ConserveMode: in.ConserveMode == nil || *in.ConserveMode, Persistent: in.Persistent, ForVPC: in.ForVPC,
		NetworkRate: in.NetworkRate, RouterOffering: in.RouterOffering,
	}
	o.Domains, o.Zones = in.DomainIDs, in.ZoneIDs
	if in.Enable {
		o.State = offering.Enabled
	}
	o.EgressOpen = !strings.EqualFold(in.GuestType, string(offering.Isolated))
	if in.EgressOpen != nil {
		o.EgressOpen = *in.EgressOpen
	}
	services := make([]provider.Assigned, len(in.Providers))
	for i, p := range in.Providers {
		services[i] = provider.Assigned{Service: p.Service, Provider: p.Provider}
	}
	told := make([]offering.NetworkCapability, len(in.Capabilities))
	for i, c := range in.Capabilities {
		told[i] = offering.NetworkCapability{Service: c.Service, Name: c.Name, Value: c.Value}
	}
	var err error
	if o.Services, o.Capabilities, err = provider.Assign(in.Services, services, told, in.ForVPC); err != nil {
		return "", err
	}
	o, err = f.Offerings.CreateNetwork(ctx, o)
	return o.ID, err
}

func (f Translator) updateNetworkOffering(ctx context.Context, in cs.UpdateNetworkOfferingIn) (none cs.NetworkOffering, err error) {
	if in.ID == "" {
		return none, fault.Invalidf("say which network offering, in id")
	}
	c := offering.ChangeNetwork{Availability: in.Availability}
	c.Name, c.DisplayText, c.SortKey, c.StorageTags = in.Name, in.DisplayText, in.SortKey, in.Tags
	if in.State != nil {
		c.State = new(offering.State(*in.State))
	}
	if err := forWhom(&c.Change, in.DomainIDs, in.ZoneIDs); err != nil {
		return none, err
	}
	if _, err := f.Offerings.UpdateNetwork(ctx, in.ID, c); err != nil {
		return none, err
	}
	return f.showNetworkOffering(ctx, in.ID)
}

func (f Translator) deleteNetworkOffering(ctx context.Context, in cs.DeleteNetworkOfferingIn) (api.Success, error) {
	err := f.Offerings.DeleteNetwork(ctx, in.ID)
	return api.Success{Success: err == nil}, err
}

func (f Translator) listNetworkOfferings(ctx context.Context, in cs.ListNetworkOfferingsIn) (none api.Page[cs.NetworkOffering], err error) {
	filter := offering.Filter{
		ID: string(in.ID), Name: in.Name, DisplayText: in.DisplayText, TrafficType: in.TrafficType, Default: in.Default,
		SpecifyVLAN: in.SpecifyVLAN, Availability: in.Availability, State: offering.State(in.State), GuestType: offering.GuestType(in.GuestType),
		ForVPC: in.ForVPC, SourceNAT: in.SourceNAT, IPRanges: in.SpecifyIPRanges, Tagged: in.Tagged, Tag: in.Tags, Zone: in.ZoneID,
		Domain: in.DomainID, Keyword: in.Keyword,
	}
	for _, name := range in.Services {
		service, err := provider.ServiceNamed(name)
		if err != nil {
			return none, err
		}
		filter.Services = append(filter.Services, service)
	}
	if in.NetworkID != "" {
		n, err := f.Networks.Find(ctx, in.NetworkID)
		if err != nil {
			return none, err
		}
		from, err := offering.FindNetwork(ctx, f.DB.Read(), n.Offering)
		if fault.Is(err, fault.NotFound) {
			return none, nil // its offering is gone, and nothing can be told from it
		}
		if err != nil {
			return none, err
		}
		filter.ChangeNet, filter.Zone = &from, n.Zone
	}
	filter.Offset, filter.Limit = look.Window(in.Paging)
	found, total, err := f.Offerings.Networks(ctx, filter)
	if err != nil {
		return none, err
	}
	items, err := f.networkOfferingsOut(ctx, found)
	return api.Page[cs.NetworkOffering]{Count: total, Items: items}, err
}

func (f Translator) networkOfferingsOut(ctx context.Context, all []offering.Network) ([]cs.NetworkOffering, error) {
	routers, err := offering.SystemDefault(ctx, f.DB.Read(), offering.DomainRouter)
	if err != nil {
		return nil, err
	}
	out := make([]cs.NetworkOffering, len(all))
	for i, o := range all {
		out[i] = cs.NetworkOffering{
			ID: o.ID, Name: o.Name, DisplayText: o.DisplayText, TrafficType: o.TrafficType, GuestType: string(o.GuestType),
			Availability: o.Availability, State: string(o.State), Default: o.IsDefault, SpecifyVLAN: o.SpecifyVLAN,
			SpecifyIPRanges: o.SpecifyIPRanges, ConserveMode: o.ConserveMode, Persistent: o.Persistent, ForVPC: o.ForVPC, EgressOpen: o.EgressOpen,
			NetworkRate: int(o.NetworkRate), Tags: o.Tags, RouterOffering: wire.Routers(o, routers), Details: o.Details, Created: api.At(o.Created),
			Services: wire.Services(o),
		}
	}
	return out, f.offeredTo(ctx, len(all), func(i int) (*offering.Scope, *cs.OfferedTo) { return &all[i].Scope, &out[i].OfferedTo })
}
