package event

import (
	"context"
	"fmt"
	"time"

	"github.com/virga-cloud/virga/internal/audit"
	"github.com/virga-cloud/virga/internal/auth"
	"github.com/virga-cloud/virga/internal/db"
	"github.com/virga-cloud/virga/uid"
)

// Event is something that happened.
type Event struct {
	ID          uid.Event `bun:",pk"`
	Type        Kind
	Level       Level
	State       State
	Description string
	// Account and Domain own the thing it happened to and so see the event; User did it.
	Account uid.Account `bun:"account_id"`
	Domain  uid.Domain  `bun:"domain_id"`
	User    uid.User    `bun:"user_id"`
	// ResourceType and ResourceID name the thing; the id is "" where there is none yet.
	ResourceType string
	ResourceID   string
	// Parent is the Scheduled event of the same job, "" in that one itself and outside jobs.
	Parent  uid.Event `bun:"parent_id"`
	Created time.Time
}

// Write records an event in the transaction of what it tells of, and gives its id. What e leaves open is filled in: the level
// (Info), the state (Completed), the resource type (the kind's), the user (the caller), the owner (the caller's account), and
// for work that nobody asked for, the system's. The time is always the transaction's. The call that the event comes of is recorded in the
// audit log with it.
func Write(ctx context.Context, tx db.Tx, e Event) (uid.Event, error) {
	if e.Type.Resource() == "" {
		return "", fmt.Errorf("write event: no event kind %q", e.Type)
	}
	by := auth.From(ctx)
	if by.IsNobody() {
		by = auth.System()
	}
	if e.ID == "" {
		e.ID = uid.New[uid.Event]()
	}
	if e.Level == "" {
		e.Level = Info
	}
	if e.State == "" {
		e.State = Completed
	}
	if e.ResourceType == "" {
		e.ResourceType = e.Type.Resource()
	}
	if e.User == "" {
		e.User = by.User
	}
	if e.Account == "" {
		e.Account, e.Domain = by.Account, by.Domain
	}
	if e.Domain == "" {
		return "", fmt.Errorf("write event %s: an account and no domain given", e.Type)
	}
	e.Created = tx.Now
	if err := insert(ctx, tx, e); err != nil {
		return "", fmt.Errorf("write event %s: %w", e.Type, err)
	}
	return e.ID, audit.Note(ctx, tx, e.ResourceID, e.ID)
}

// Filter says which events to list. Zero fields do not restrict, but for Scope, whose zero value shows nothing.
type Filter struct {
	Scope        auth.Scope
	ID           uid.Event
	Type         Kind
	Level        Level
	Start, End   time.Time // both ends included
	ResourceID   string
	ResourceType string
	Parent       uid.Event // that event and those that have it as parent
	State        State
	Pending      *Pending
	Keyword      string // part of type or description, in any case
	Offset       int
	Limit        int // 0: all
}

// Pending are events that announced what has not come to an end since, and how long ago that was.
type Pending struct{ Least, Most time.Duration }

// List gives the events of one page, the newest first, and how many there are on all pages.
func List(ctx context.Context, q db.Tx, f Filter) ([]Event, int, error) {
	events, total, err := list(ctx, q, f)
	if err != nil {
		return nil, 0, fmt.Errorf("list events: %w", err)
	}
	return events, total, nil
}
