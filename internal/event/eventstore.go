package event

import (
	"context"

	"github.com/uptrace/bun"

	"github.com/virga-cloud/virga/internal/db"
)

type row struct {
	bun.BaseModel `bun:"table:events,alias:event"`
	Event
}

func insert(ctx context.Context, tx db.Tx, e Event) error {
	return tx.Insert(ctx, &row{Event: e})
}

func list(ctx context.Context, tx db.Tx, f Filter) ([]Event, int, error) {
	var rows []row
	q := f.Scope.Where(tx.NewSelect().Model(&rows), "event").OrderExpr("event.id desc")
	for _, is := range []struct{ column, value string }{
		{"id", string(f.ID)}, {"type", string(f.Type)}, {"level", string(f.Level)}, {"state", string(f.State)},
		{"resource_id", f.ResourceID}, {"resource_type", f.ResourceType},
	} {
		if is.value != "" {
			q.Where("event.? = ?", bun.Ident(is.column), is.value)
		}
	}
	if !f.Start.IsZero() {
		q.Where("event.created >= ?", f.Start.UTC())
	}
	if !f.End.IsZero() {
		q.Where("event.created <= ?", f.End.UTC())
	}
	if f.Parent != "" {
		q.Where("(event.id = ? or event.parent_id = ?)", f.Parent, f.Parent)
	}
	if f.Pending != nil {
		// What ends an event is about the same thing and came later: so an index finds it.
		q.Where("event.parent_id = '' and event.state <> ?", Completed).
			Where("event.created between ? and ?", tx.Now.Add(-f.Pending.Most), tx.Now.Add(-f.Pending.Least)).
			Where(`not exists (select 1 from events e where e.resource_id = event.resource_id and e.id > event.id
				and e.parent_id = event.id and e.state = ?)`, Completed)
	}
	db.Like(q, f.Keyword, "event.type", "event.description")
	total, err := db.PageByID(ctx, q, f.Offset, f.Limit)
	if err != nil {
		return nil, 0, err
	}
	events := make([]Event, len(rows))
	for i, r := range rows {
		events[i] = r.Event
	}
	return events, total, nil
}
