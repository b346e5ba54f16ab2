package detail

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/virga-cloud/virga/internal/auth"
	"github.com/virga-cloud/virga/internal/db"
	"github.com/virga-cloud/virga/internal/event"
	"github.com/virga-cloud/virga/internal/fault"
	"github.com/virga-cloud/virga/internal/op"
	"github.com/virga-cloud/virga/uid"
)

// Most is how many details a thing may have.
const Most = 100

// In names a thing and details.
type In struct {
	Type     string // in any case
	Resource string
	Details  map[string]string
	Hidden   bool // from all but root admins
}

// change is the state of an operation on details. All of it is done when it is accepted; there is an operation because clients are
// answered with a job.
type change struct {
	Type     string `json:"type"`
	Resource string `json:"resource"`

	in  In
	key string
}

// Add notes details of a thing that is in the reach of the caller in ctx. A key that is there already gets the new value.
func (s *Service) Add(ctx context.Context, in In) (op.ID, error) {
	if len(in.Details) == 0 {
		return "", fault.Invalidf("no details are given: want details[0].key and details[0].value")
	}
	for key, value := range in.Details {
		switch {
		case strings.TrimSpace(key) == "":
			return "", fault.Invalidf("a detail has no key")
		case value == "":
			return "", fault.Invalidf("detail %q has no value", key)
		}
	}
	return s.start(ctx, s.add, "addResourceDetail", change{Type: in.Type, Resource: in.Resource, in: in})
}

// Remove takes the detail of a key from a thing that is in the reach of the caller in ctx, or all that can be taken where no key is
// given.
func (s *Service) Remove(ctx context.Context, in In, key string) (op.ID, error) {
	return s.start(ctx, s.remove, "removeResourceDetail", change{Type: in.Type, Resource: in.Resource, in: in, key: key})
}

func (s *Service) start(ctx context.Context, r *op.Runner[change], command string, c change) (op.ID, error) {
	k, err := s.kind(c.Type)
	if err != nil {
		return "", err
	}
	c.Type, c.Resource = k.Type, strings.ToLower(strings.TrimSpace(c.Resource))
	if !uid.Valid(c.Resource) {
		return "", fault.Invalidf("resourceid %q is not the ID of a thing", c.in.Resource)
	}
	job, _, err := r.Start(ctx, op.Request{
		Thing: op.On("details", uid.New[uid.Op]()), Fresh: true, // nothing else waits for it, and it for nothing
		Caller: auth.From(ctx), Command: command, SubjectKind: k.Type, SubjectID: c.Resource,
	}, c)
	return job, err
}

// thing gives the kind and the owner of what is changed, which does not go before the transaction's end, with the details in its own
// row.
func (s *Service) thing(ctx context.Context, tx db.Tx, q *op.Request, c *change) (k Kind, t thing, err error) {
	if k, err = s.kind(c.Type); err != nil {
		return k, t, err
	}
	if k.Common && !q.Caller.IsRoot() {
		return k, t, fault.Deniedf("only root admins may change the details of a %s", k.Type)
	}
	t, err = findThing(ctx, tx, k, q.Caller.Reach(), c.Resource)
	if db.IsNone(err) {
		err = fault.NotFoundf("no %s with id %s, or you may not see it", k.Type, c.Resource)
	}
	return k, t, err
}

func (s *Service) accept(ctx context.Context, tx db.Tx, q *op.Request, c *change) error {
	k, t, err := s.thing(ctx, tx, q, c)
	if err != nil {
		return err
	}
	if c.in.Hidden && !q.Caller.IsRoot() {
		return fault.Deniedf("only root admins may hide details: leave out fordisplay")
	}
	noted, err := notedOf(ctx, tx, k.Type, c.Resource)
	if err != nil {
		return err
	}
	keys := slices.Sorted(maps.Keys(c.in.Details))
	for _, key := range keys {
		if why := k.fixed(key); why != "" && t.Details[key] != c.in.Details[key] {
			return fault.Invalidf("the detail %q can't be changed here: %s", key, why)
		}
		own := k.Keep != nil && !c.in.Hidden
		if own || c.in.Hidden && k.Keep != nil {
			delete(t.Details, key)
		}
		delete(noted, key)
		if own {
			t.Details[key] = c.in.Details[key]
		} else {
			noted[key] = Detail{Key: key, Value: c.in.Details[key], Display: !c.in.Hidden}
		}
	}
	if n := len(t.Details) + len(noted); n > Most {
		return fault.Limitf("%s %s would have %d details, and may have %d at most", k.Type, c.Resource, n, Most)
	}
	if err := keep(ctx, tx, k, c.Resource, t.Details, noted); err != nil {
		return err
	}
	if c.in.Hidden {
		t.Account, t.Domain = "", "" // the owner does not even learn the key
	}
	return announce(ctx, tx, q, t, event.DetailsCreate, fmt.Sprintf("noting details %s of %s %s", quoted(keys), k.Type, c.Resource))
}

func (s *Service) acceptRemoval(ctx context.Context, tx db.Tx, q *op.Request, c *change) error {
	k, t, err := s.thing(ctx, tx, q, c)
	if err != nil {
		return err
	}
	noted, err := notedOf(ctx, tx, k.Type, c.Resource)
	if err != nil {
		return err
	}
	what := "all details"
	if c.key != "" {
		what = fmt.Sprintf("detail %q", c.key)
		_, own := t.Details[c.key]
		if hidden, other := noted[c.key]; !own && (!other || !hidden.Display && !q.Caller.IsRoot()) {
			return fault.NotFoundf("%s %s has no detail %q", k.Type, c.Resource, c.key)
		}
		if why := k.fixed(c.key); why != "" {
			return fault.Invalidf("the detail %q can't be removed: %s", c.key, why)
		}
		if !own && !noted[c.key].Display {
			t.Account, t.Domain = "", ""
		}
	}
	maps.DeleteFunc(t.Details, func(key, _ string) bool { return key == c.key || c.key == "" && k.fixed(key) == "" })
	maps.DeleteFunc(noted, func(key string, d Detail) bool {
		return key == c.key || c.key == "" && (d.Display || q.Caller.IsRoot())
	})
	if err := keep(ctx, tx, k, c.Resource, t.Details, noted); err != nil {
		return err
	}
	return announce(ctx, tx, q, t, event.DetailsDelete, fmt.Sprintf("removing %s of %s %s", what, k.Type, c.Resource))
}

// keep writes what a thing's details are now.
func keep(ctx context.Context, tx db.Tx, k Kind, id string, own map[string]string, noted map[string]Detail) error {
	if k.Keep != nil {
		if err := k.Keep(ctx, tx, id, own); err != nil {
			return fmt.Errorf("keep the details of %s %s: %w", k.Type, id, err)
		}
	}
	if err := replace(ctx, tx, k.Type, id, noted); err != nil {
		return fmt.Errorf("note the details of %s %s: %w", k.Type, id, err)
	}
	return nil
}

// announce writes the event of a change, which belongs to the owner of the thing.
func announce(ctx context.Context, tx db.Tx, q *op.Request, t thing, kind event.Kind, text string) (err error) {
	e := event.Event{Type: kind, State: event.Scheduled, Description: text, ResourceID: q.SubjectID}
	if t.Account != "" {
		q.Account, q.Domain = t.Account, t.Domain
		e.Account, e.Domain = t.Account, t.Domain
	}
	q.Event, err = event.Write(ctx, tx, e)
	return err
}

func (k Kind) fixed(key string) string {
	if k.Fixed == nil {
		return ""
	}
	return k.Fixed(key)
}

func quoted(keys []string) string {
	out := make([]string, len(keys))
	for i, key := range keys {
		out[i] = fmt.Sprintf("%q", key)
	}
	return strings.Join(out, ", ")
}
