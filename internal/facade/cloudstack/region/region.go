package region

import (
	"context"

	"github.com/virga-cloud/virga/api"
	cs "github.com/virga-cloud/virga/api/cloudstack"
	"github.com/virga-cloud/virga/internal/facade/cloudstack/look"
	"github.com/virga-cloud/virga/internal/zone"
)

// Translator translates for the service that keeps regions.
type Translator struct{ Zones *zone.Service }

// Register gives the commands their handlers.
func (t Translator) Register(m *api.Mux) {
	api.HandleList(m, cs.ListRegions, t.listRegions)
	api.HandleCall(m, cs.AddRegion, t.addRegion)
	api.HandleCall(m, cs.UpdateRegion, t.updateRegion)
	api.HandleCall(m, cs.RemoveRegion, t.removeRegion)
}

func (t Translator) listRegions(ctx context.Context, in cs.ListRegionsIn) (api.Page[cs.Region], error) {
	filter := zone.RegionFilter{ID: in.ID, Name: in.Name, Keyword: in.Keyword}
	filter.Offset, filter.Limit = look.Window(in.Paging)
	regions, total, err := t.Zones.Regions(ctx, filter)
	return look.Page(regions, total, regionOut), err
}

func (t Translator) addRegion(ctx context.Context, in cs.AddRegionIn) (cs.Region, error) {
	r := zone.Region{ID: in.ID, Name: in.Name, Endpoint: in.Endpoint}
	return regionOut(r), t.Zones.AddRegion(ctx, r)
}

func (t Translator) updateRegion(ctx context.Context, in cs.UpdateRegionIn) (cs.Region, error) {
	r, err := t.Zones.UpdateRegion(ctx, in.ID, in.Name, in.Endpoint)
	return regionOut(r), err
}

func (t Translator) removeRegion(ctx context.Context, in cs.RemoveRegionIn) (api.Success, error) {
	err := t.Zones.RemoveRegion(ctx, in.ID)
	return api.Success{Success: err == nil}, err
}

func regionOut(r zone.Region) cs.Region {
	return cs.Region{ID: r.ID, Name: r.Name, Endpoint: r.Endpoint}
}
