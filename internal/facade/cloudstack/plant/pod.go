package plant

import (
	"context"
	"slices"

	"github.com/virga-cloud/virga/api"
	cs "github.com/virga-cloud/virga/api/cloudstack"
	"github.com/virga-cloud/virga/internal/capacity"
	"github.com/virga-cloud/virga/internal/facade/cloudstack/look"
	"github.com/virga-cloud/virga/internal/zone"
	"github.com/virga-cloud/virga/uid"
)

func (t Translator) registerPods(m *api.Mux) {
	api.HandleCreate(m, cs.CreatePod, t.createPod, look.Show(t.DB.Read, zone.PodsByID, t.podsOut))
	api.HandleCall(m, cs.UpdatePod, t.updatePod)
	api.HandleCall(m, cs.DeletePod, t.deletePod)
	api.HandleList(m, cs.ListPods, t.listPods)
}

func (t Translator) createPod(ctx context.Context, in cs.CreatePodIn) (uid.Pod, error) {
	p, err := t.Zones.CreatePod(ctx, zone.Pod{
		Zone: in.ZoneID, Name: in.Name, Gateway: in.Gateway, Netmask: in.Netmask, StartIP: in.StartIP, EndIP: in.EndIP,
		Allocation: zone.Allocation(in.AllocationState),
	})
	return p.ID, err
}

func (t Translator) updatePod(ctx context.Context, in cs.UpdatePodIn) (cs.Pod, error) {
	err := t.Zones.UpdatePod(ctx, in.ID, zone.PodChange{
		Name: in.Name, Gateway: in.Gateway, Netmask: in.Netmask, StartIP: in.StartIP, EndIP: in.EndIP,
		Allocation: (*zone.Allocation)(in.AllocationState),
	})
	if err != nil {
		return cs.Pod{}, err
	}
	return look.Show(t.DB.Read, zone.PodsByID, t.podsOut)(ctx, in.ID)
}

func (t Translator) deletePod(ctx context.Context, in cs.DeletePodIn) (api.Success, error) {
	err := t.Zones.DeletePod(ctx, in.ID)
	return api.Success{Success: err == nil}, err
}

func (t Translator) listPods(ctx context.Context, in cs.ListPodsIn) (api.Page[cs.Pod], error) {
	filter := zone.Filter{Zone: in.ZoneID, Name: in.Name, Allocation: zone.Allocation(in.AllocationState), Keyword: in.Keyword}
	filter.IDs = look.Texts(look.Distinct(1, func(int) uid.Pod { return in.ID }))
	filter.Offset, filter.Limit = look.Window(in.Paging)
	pods, total, err := t.Zones.Pods(ctx, filter)
	if err != nil {
		return api.Page[cs.Pod]{}, err
	}
	out, err := t.podsOut(ctx, pods)
	if err == nil && in.ShowCapacities && len(pods) > 0 {
		err = t.capacitiesOf(ctx, capacity.Filter{Level: capacity.OfPods, Pods: look.Distinct(len(pods), func(i int) uid.Pod { return pods[i].ID })},
			func(c cs.Capacity) {
				i := slices.IndexFunc(out, func(p cs.Pod) bool { return p.ID == c.PodID })
				out[i].Capacity = append(out[i].Capacity, c)
			})
	}
	return api.Page[cs.Pod]{Count: total, Items: out}, err
}

func (t Translator) podsOut(ctx context.Context, pods []zone.Pod) ([]cs.Pod, error) {
	l := look.In(t.DB.Read())
	zones := look.Related(ctx, l, len(pods), func(i int) uid.Zone { return pods[i].Zone }, zone.Names)
	out := make([]cs.Pod, len(pods))
	for i, p := range pods {
		out[i] = cs.Pod{
			ID: p.ID, Name: p.Name, ZoneID: p.Zone, ZoneName: zones[p.Zone], Gateway: p.Gateway, Netmask: p.Netmask,
			StartIP: []string{p.StartIP}, EndIP: []string{p.EndIP}, AllocationState: string(p.Allocation),
			IPRanges: []cs.IPRange{{Gateway: p.Gateway, CIDR: p.CIDR(), StartIP: p.StartIP, EndIP: p.EndIP}},
		}
	}
	return out, l.Err
}
