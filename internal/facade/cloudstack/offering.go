package cloudstack

import (
	"context"

	"github.com/virga-cloud/virga/api"
	cs "github.com/virga-cloud/virga/api/cloudstack"
	"github.com/virga-cloud/virga/internal/offering"
)

func (f *Facade) registerOfferings(m *api.Mux) {
	f.registerServiceOfferings(m)
	f.registerDiskOfferings(m)
	api.HandleList(m, cs.ListNetworkOfferings, f.listNetworkOfferings)
}

func (f *Facade) listNetworkOfferings(ctx context.Context, in cs.ListNetworkOfferingsIn) (api.Page[cs.NetworkOffering], error) {
	filter := offering.Filter{
		ID: string(in.ID), Name: in.Name, DisplayText: in.DisplayText, TrafficType: in.TrafficType, Default: in.Default,
		SpecifyVLAN: in.SpecifyVLAN, Availability: in.Availability, State: offering.State(in.State), GuestType: offering.GuestType(in.GuestType),
		ForVPC: in.ForVPC, SourceNAT: in.SourceNAT, Keyword: in.Keyword,
	}
	filter.Offset, filter.Limit = window(in.Paging)
	offerings, total, err := f.Offerings.Networks(ctx, filter)
	return pageOf(offerings, total, func(o offering.Network) cs.NetworkOffering {
		return cs.NetworkOffering{
			ID: o.ID, Name: o.Name, DisplayText: o.DisplayText, TrafficType: o.TrafficType, GuestType: string(o.GuestType),
			Availability: o.Availability, State: string(o.State), Default: o.IsDefault, SpecifyVLAN: o.SpecifyVLAN,
			SpecifyIPRanges: o.SpecifyIPRanges, ConserveMode: o.ConserveMode, Persistent: o.Persistent, ForVPC: o.ForVPC,
			NetworkRate: int(o.NetworkRate), Created: api.At(o.Created), Services: servicesOut(o),
		}
	}), err
}

// servicesOut shows each of an offering's services once, with all who provide it.
func servicesOut(o offering.Network) []cs.NetworkService {
	var out []cs.NetworkService
	at := map[string]int{}
	for _, s := range o.Services {
		i, known := at[s.Name]
		if !known {
			i = len(out)
			at[s.Name] = i
			out = append(out, cs.NetworkService{Name: s.Name})
		}
		out[i].Providers = append(out[i].Providers, cs.ServiceProvider{Name: s.Provider})
	}
	return out
}
