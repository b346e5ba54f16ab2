package cloudstack

import (
	"context"
	"strings"

	"github.com/virga-cloud/virga/api"
	cs "github.com/virga-cloud/virga/api/cloudstack"
	"github.com/virga-cloud/virga/internal/auth"
	"github.com/virga-cloud/virga/internal/fault"
	"github.com/virga-cloud/virga/internal/offering"
)

func (f *Facade) registerOfferings(m *api.Mux) {
	api.HandleList(m, cs.ListServiceOfferings, f.listServiceOfferings)
	api.HandleList(m, cs.ListDiskOfferings, f.listDiskOfferings)
	api.HandleList(m, cs.ListNetworkOfferings, f.listNetworkOfferings)
}

// offered is the state that a list of service or disk offerings is to show: what can be had, unless the caller says.
func offered(state string) offering.State {
	switch {
	case state == "":
		return offering.Active
	case strings.EqualFold(state, "all"):
		return ""
	}
	return offering.State(state)
}

func (f *Facade) listServiceOfferings(ctx context.Context, in cs.ListServiceOfferingsIn) (api.Page[cs.ServiceOffering], error) {
	if in.System && !auth.From(ctx).IsRoot() {
		return api.Page[cs.ServiceOffering]{}, fault.Deniedf("only root admins may see the offerings of the cloud's own machines")
	}
	filter := offering.Filter{ID: string(in.ID), Name: in.Name, State: offered(in.State), System: new(in.System), Keyword: in.Keyword}
	filter.Offset, filter.Limit = window(in.Paging)
	offerings, total, err := f.Offerings.Computes(ctx, filter)
	return pageOf(offerings, total, func(o offering.Compute) cs.ServiceOffering {
		return cs.ServiceOffering{
			ID: o.ID, Name: o.Name, DisplayText: o.DisplayText, CPUNumber: o.CPUNumber, CPUSpeed: o.CPUSpeed, Memory: o.MemoryMB,
			RootDiskSize: o.RootGB, OfferHA: o.OfferHA, LimitCPU: o.LimitCPU, Volatile: o.Volatile, System: o.IsSystem, SystemType: o.SystemType,
			StorageType: string(o.StorageType), StorageTags: o.StorageTags, HostTags: o.HostTags, State: string(o.State), Created: api.At(o.Created),
		}
	}), err
}

func (f *Facade) listDiskOfferings(ctx context.Context, in cs.ListDiskOfferingsIn) (api.Page[cs.DiskOffering], error) {
	filter := offering.Filter{ID: string(in.ID), Name: in.Name, State: offered(in.State), Keyword: in.Keyword}
	filter.Offset, filter.Limit = window(in.Paging)
	offerings, total, err := f.Offerings.Disks(ctx, filter)
	return pageOf(offerings, total, func(o offering.Disk) cs.DiskOffering {
		return cs.DiskOffering{
			ID: o.ID, Name: o.Name, DisplayText: o.DisplayText, Size: o.SizeGB, Customized: o.Customized, StorageType: string(o.StorageType),
			Tags: o.Tags, State: string(o.State), Created: api.At(o.Created),
		}
	}), err
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
