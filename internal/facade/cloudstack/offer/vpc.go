package offer

import (
	"context"

	"github.com/virga-cloud/virga/api"
	cs "github.com/virga-cloud/virga/api/cloudstack"
	"github.com/virga-cloud/virga/internal/facade/cloudstack/look"
	"github.com/virga-cloud/virga/internal/facade/cloudstack/wire"
	"github.com/virga-cloud/virga/internal/offering"
	"github.com/virga-cloud/virga/internal/vpc"
)

func (f Translator) registerVPCOfferings(m *api.Mux) {
	api.HandleList(m, cs.ListVPCOfferings, f.listVPCOfferings)
}

func (f Translator) listVPCOfferings(ctx context.Context, in cs.ListVPCOfferingsIn) (api.Page[cs.VPCOffering], error) {
	filter := vpc.Filter{
		ID: in.ID, Name: in.Name, DisplayText: in.DisplayText, State: offering.State(in.State), Default: in.Default, Services: in.Services,
		Keyword: in.Keyword,
	}
	filter.Offset, filter.Limit = look.Window(in.Paging)
	offerings, total, err := f.VPCs.Offerings(ctx, filter)
	return look.Page(offerings, total, func(o vpc.Offering) cs.VPCOffering {
		return cs.VPCOffering{
			ID: o.ID, Name: o.Name, DisplayText: o.DisplayText, Default: o.IsDefault, State: string(o.State), Created: api.At(o.Created),
			Services: wire.Services(offering.Network{Services: o.Services}),
		}
	}), err
}
