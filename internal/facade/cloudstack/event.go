package cloudstack

import (
	"context"

	"github.com/virga-cloud/virga/api"
	cs "github.com/virga-cloud/virga/api/cloudstack"
	"github.com/virga-cloud/virga/internal/event"
	"github.com/virga-cloud/virga/uid"
)

func (f *Facade) registerEvents(m *api.Mux) {
	api.HandleList(m, cs.ListEvents, f.listEvents)
}

func (f *Facade) listEvents(ctx context.Context, in cs.ListEventsIn) (api.Page[cs.Event], error) {
	scope, err := f.scope(ctx, in.Scope, in.ID != "" || in.StartID != "" || in.ResourceID != "")
	if err != nil {
		return api.Page[cs.Event]{}, err
	}
	filter := event.Filter{
		Scope: scope, ID: in.ID, Type: event.Kind(in.Type), Level: event.Level(in.Level), Start: in.StartDate, End: in.EndDate,
		ResourceID: in.ResourceID, ResourceType: in.ResourceType, Parent: in.StartID, Keyword: in.Keyword,
	}
	filter.Offset, filter.Limit = window(in.Paging)
	events, total, err := event.List(ctx, f.DB.Read(), filter)
	if err != nil {
		return api.Page[cs.Event]{}, err
	}
	names, err := f.usernames(ctx, len(events), func(i int) uid.User { return events[i].User })
	if err != nil {
		return api.Page[cs.Event]{}, err
	}
	page := pageOf(events, total, func(e event.Event) cs.Event {
		return cs.Event{
			ID: e.ID, Type: string(e.Type), Level: string(e.Level), State: string(e.State), Description: e.Description,
			Username: names[e.User], ResourceType: e.ResourceType, ResourceID: e.ResourceID, ParentID: e.Parent, Created: api.At(e.Created),
		}
	})
	return page, f.owners(ctx, len(events), func(i int) (uid.Account, *cs.Owner) { return events[i].Account, &page.Items[i].Owner })
}
