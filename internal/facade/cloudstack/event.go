package cloudstack

import (
	"context"
	"time"

	"github.com/virga-cloud/virga/api"
	cs "github.com/virga-cloud/virga/api/cloudstack"
	"github.com/virga-cloud/virga/internal/event"
	"github.com/virga-cloud/virga/internal/facade/cloudstack/look"
	"github.com/virga-cloud/virga/internal/fault"
	"github.com/virga-cloud/virga/uid"
)

func (f *Facade) registerEvents(m *api.Mux) {
	api.HandleList(m, cs.ListEvents, f.listEvents)
	api.HandleList(m, cs.ListEventTypes, f.listEventTypes)
}

func (f *Facade) listEventTypes(context.Context, api.None) (api.Page[cs.EventType], error) {
	kinds := event.Kinds()
	return look.Page(kinds, len(kinds), func(k event.Kind) cs.EventType { return cs.EventType{Name: string(k)} }), nil
}

// pendingEvents reads what entrytime and duration, in seconds, say about what is not done yet.
func pendingEvents(entry, duration *int) (*event.Pending, error) {
	switch {
	case entry == nil && duration == nil:
		return nil, nil //nolint:nilnil // no restriction
	case entry == nil || duration == nil:
		return nil, fault.Invalidf("entrytime and duration go together")
	case *duration < 0 || *entry <= *duration:
		return nil, fault.Invalidf("entrytime %d and duration %d: entrytime must be more than duration, and both at least 0", *entry, *duration)
	}
	return &event.Pending{Least: time.Duration(*duration) * time.Second, Most: time.Duration(*entry) * time.Second}, nil
}

func (f *Facade) listEvents(ctx context.Context, in cs.ListEventsIn) (api.Page[cs.Event], error) {
	scope, err := f.Owned.ScopeIn(ctx, in.Scope, in.ID != "" || in.StartID != "" || in.ResourceID != "", in.InProject)
	if err != nil {
		return api.Page[cs.Event]{}, err
	}
	if in.Archived {
		return api.Page[cs.Event]{}, nil
	}
	filter := event.Filter{
		Scope: scope, ID: in.ID, Type: event.Kind(in.Type), Level: event.Level(in.Level), Start: in.StartDate, End: in.EndDate,
		ResourceID: in.ResourceID, ResourceType: in.ResourceType, Parent: in.StartID, Keyword: in.Keyword,
		State: event.State(in.State),
	}
	if filter.Pending, err = pendingEvents(in.EntryTime, in.Duration); err != nil {
		return api.Page[cs.Event]{}, err
	}
	filter.Offset, filter.Limit = look.Window(in.Paging)
	events, total, err := event.List(ctx, f.DB.Read(), filter)
	if err != nil {
		return api.Page[cs.Event]{}, err
	}
	names, err := f.Owned.Usernames(ctx, len(events), func(i int) uid.User { return events[i].User })
	if err != nil {
		return api.Page[cs.Event]{}, err
	}
	page := look.Page(events, total, func(e event.Event) cs.Event {
		return cs.Event{
			ID: e.ID, Type: string(e.Type), Level: string(e.Level), State: string(e.State), Description: e.Description,
			Username: names[e.User], ResourceType: e.ResourceType, ResourceID: e.ResourceID, ParentID: e.Parent, Created: api.At(e.Created),
		}
	})
	return page, f.Owned.Owners(ctx, len(events), func(i int) (uid.Account, *cs.Owner) { return events[i].Account, &page.Items[i].Owner })
}
