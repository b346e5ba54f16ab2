package plant

import (
	"context"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/virga-cloud/virga/api"
	cs "github.com/virga-cloud/virga/api/cloudstack"
	"github.com/virga-cloud/virga/internal/capacity"
	"github.com/virga-cloud/virga/internal/facade/cloudstack/look"
	"github.com/virga-cloud/virga/internal/fault"
	"github.com/virga-cloud/virga/internal/zone"
	"github.com/virga-cloud/virga/uid"
)

func (t Translator) registerCapacity(m *api.Mux) {
	api.HandleList(m, cs.ListCapacity, t.listCapacity)
}

func (t Translator) listCapacity(ctx context.Context, in cs.ListCapacityIn) (api.Page[cs.Capacity], error) {
	var kind *capacity.Kind
	if in.Type != nil {
		k := capacity.Kind(*in.Type)
		if k.Name() == "" {
			return api.Page[cs.Capacity]{}, fault.Invalidf("type %d is no kind of capacity; want one of 0 to 9, or 90", *in.Type)
		}
		kind = &k
	}
	found, err := capacity.List(ctx, t.DB.Read(), capacity.ListIn{
		Zone: in.ZoneID, Pod: in.PodID, Cluster: in.ClusterID, Kind: kind, ByUsage: in.SortBy != "",
	})
	if err != nil {
		return api.Page[cs.Capacity]{}, err
	}
	if word := strings.ToLower(in.Keyword); word != "" {
		found = slices.DeleteFunc(found, func(c capacity.Capacity) bool { return !strings.Contains(strings.ToLower(c.Kind.Name()), word) })
	}
	total := len(found)
	offset, limit := look.Window(in.Paging)
	found = found[min(offset, total):]
	if limit > 0 {
		found = found[:min(limit, len(found))]
	}
	out, err := t.capacitiesOut(ctx, found)
	return api.Page[cs.Capacity]{Count: total, Items: out}, err
}

// capacitiesOf hands out the capacities of the places of a page.
func (t Translator) capacitiesOf(ctx context.Context, filter capacity.Filter, each func(cs.Capacity)) error {
	found, err := capacity.Of(ctx, t.DB.Read(), filter)
	if err != nil {
		return err
	}
	out, err := t.capacitiesOut(ctx, found)
	for _, c := range out {
		each(c)
	}
	return err
}

func (t Translator) capacitiesOut(ctx context.Context, found []capacity.Capacity) ([]cs.Capacity, error) {
	l := look.In(t.DB.Read())
	zones := look.Related(ctx, l, len(found), func(i int) uid.Zone { return found[i].Zone }, zone.Names)
	pods := look.Related(ctx, l, len(found), func(i int) uid.Pod { return found[i].Pod }, zone.PodNames)
	clusters := look.Related(ctx, l, len(found), func(i int) uid.Cluster { return found[i].Cluster }, zone.ClusterNames)
	out := make([]cs.Capacity, len(found))
	for i, c := range found {
		out[i] = cs.Capacity{
			Type: int(c.Kind), Name: c.Kind.Name(), ZoneID: c.Zone, ZoneName: zones[c.Zone], PodID: c.Pod, PodName: pods[c.Pod],
			ClusterID: c.Cluster, ClusterName: clusters[c.Cluster], Total: c.Total, Used: c.Used, Allocated: c.Allocated,
			PercentUsed: strconv.FormatFloat(math.Round(c.Share()*10000)/100, 'f', -1, 64),
		}
	}
	return out, l.Err
}
