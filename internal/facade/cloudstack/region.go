package cloudstack

import (
	"context"

	"github.com/virga-cloud/virga/api"
	cs "github.com/virga-cloud/virga/api/cloudstack"
	"github.com/virga-cloud/virga/internal/facade/cloudstack/look"
	"github.com/virga-cloud/virga/internal/zone"
)

func (f *Facade) registerRegions(m *api.Mux) {
	api.HandleList(m, cs.ListRegions, f.listRegions)
	api.HandleCall(m, cs.AddRegion, f.addRegion)
	api.HandleCall(m, cs.UpdateRegion, f.updateRegion)
	api.HandleCall(m, cs.RemoveRegion, f.removeRegion)
}

func (f *Facade) listRegions(ctx context.Context, in cs.ListRegionsIn) (api.Page[cs.Region], error) {
	filter := zone.RegionFilter{ID: in.ID, Name: in.Name, Keyword: in.Keyword}
	filter.Offset, filter.Limit = look.Window(in.Paging)
	regions, total, err := f.Zones.Regions(ctx, filter)
	return look.Page(regions, total, regionOut), err
}

func (f *Facade) addRegion(ctx context.Context, in cs.AddRegionIn) (cs.Region, error) {
	r := zone.Region{ID: in.ID, Name: in.Name, Endpoint: in.Endpoint}
	return regionOut(r), f.Zones.AddRegion(ctx, r)
}

func (f *Facade) updateRegion(ctx context.Context, in cs.UpdateRegionIn) (cs.Region, error) {
	r, err := f.Zones.UpdateRegion(ctx, in.ID, in.Name, in.Endpoint)
	return regionOut(r), err
}

func (f *Facade) removeRegion(ctx context.Context, in cs.RemoveRegionIn) (api.Success, error) {
	err := f.Zones.RemoveRegion(ctx, in.ID)
	return api.Success{Success: err == nil}, err
}

func regionOut(r zone.Region) cs.Region {
	return cs.Region{ID: r.ID, Name: r.Name, Endpoint: r.Endpoint}
}
