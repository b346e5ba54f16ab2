package audit

import (
	"context"
	"fmt"
	"sync/atomic"

	"github.com/virga-cloud/virga/internal/auth"
	"github.com/virga-cloud/virga/internal/db"
	"github.com/virga-cloud/virga/internal/fault"
	"github.com/virga-cloud/virga/uid"
)

// Call is a call on its way, of which there will be a record.
type Call struct {
	Command string
	Remote  string // the client's address
	Request string // the request's id
	Named   string // the things that the request names: "id=… zoneid=…"

	id    string
	noted atomic.Bool
}

type callKey struct{}

// With marks what follows as a call of which there will be a record: the first transaction that calls Note has it.
func With(ctx context.Context, c *Call) context.Context {
	c.id = uid.New[string]()
	return context.WithValue(ctx, callKey{}, c)
}

// Note records that the call in ctx has done what the transaction does, to what the event is about. Without a call it does nothing.
// On PostgreSQL it costs no journey of its own.
func Note(ctx context.Context, tx db.Tx, subject string, event uid.Event) error {
	c, ok := ctx.Value(callKey{}).(*Call)
	if !ok || c.noted.Load() {
		return nil
	}
	r := c.record(ctx, tx, Done)
	r.Subject, r.Event = subject, event
	tx.OnCommit(func() { c.noted.Store(true) })
	return insert(ctx, tx, r)
}

// Settle records what came of a call, where Note has not: err is why it was refused, nil if it was not. Who called is known by ctx.
func (c *Call) Settle(ctx context.Context, d *db.DB, err error) error {
	if err == nil && c.noted.Load() {
		return nil
	}
	id := c.id
	if c.noted.Load() { // something was done, and then something went wrong
		id = uid.New[string]()
	}
	writing := d.Write(context.WithoutCancel(ctx), func(ctx context.Context, tx db.Tx) error {
		r := c.record(ctx, tx, Done)
		r.ID = id
		if err != nil {
			r.Result = string(fault.KindOf(err))
		}
		return insert(ctx, tx, r)
	})
	if writing != nil {
		return fmt.Errorf("write the audit record of %s: %w", c.Command, writing)
	}
	return nil
}

func (c *Call) record(ctx context.Context, tx db.Tx, result string) Record {
	by := auth.From(ctx)
	return Record{
		ID: c.id, Time: tx.Now, Kind: OfCall, Command: c.Command, Result: result, User: by.User, Username: by.Username, Account: by.Account,
		Key: by.Key, Remote: c.Remote, Request: c.Request, Named: c.Named,
	}
}

// Ended says which job has come to its end.
type Ended struct {
	Job     uid.Op
	Command string
	User    uid.User // who has begun it
	Subject string
	Event   uid.Event
	Failure fault.Kind // "" if it succeeded
}

// End records the end of a job, in the transaction that ends it.
func End(ctx context.Context, tx db.Tx, e Ended) error {
	r := Record{
		ID: uid.New[string](), Time: tx.Now, Kind: OfEnd, Command: e.Command, Result: Done, User: e.User,
		Subject: e.Subject, Event: e.Event, Job: e.Job,
	}
	if e.Failure != "" {
		r.Result = string(e.Failure)
	}
	return insert(ctx, tx, r)
}
