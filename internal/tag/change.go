package tag

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/virga-cloud/virga/internal/auth"
	"github.com/virga-cloud/virga/internal/db"
	"github.com/virga-cloud/virga/internal/event"
	"github.com/virga-cloud/virga/internal/fault"
	"github.com/virga-cloud/virga/internal/op"
	"github.com/virga-cloud/virga/uid"
)

// Most is how many tags a thing may have.
const Most = 100

// In names things of one type, and tags.
type In struct {
	Type      Type // in any case
	Resources []string
	Tags      []Pair
	Customer  string
}

// change is the state of an operation on tags. All of it is done when it is accepted; there is an operation because clients are
// answered with a job.
type change struct {
	Type      Type     `json:"type"`
	Resources []string `json:"resources"`

	in In
}

// Create writes tags on things that are in the reach of the caller in ctx: all of them on each of the things, or none on any.
func (s *Service) Create(ctx context.Context, in In) (op.ID, error) {
	if len(in.Tags) == 0 {
		return "", fault.Invalidf("no tags are given: want tags[0].key and tags[0].value")
	}
	seen := map[string]bool{}
	for _, t := range in.Tags {
		switch {
		case strings.TrimSpace(t.Key) == "":
			return "", fault.Invalidf("a tag has no key")
		case t.Value == "":
			return "", fault.Invalidf("tag %q has no value", t.Key)
		case seen[t.Key]:
			return "", fault.Invalidf("tag %q is given twice", t.Key)
		}
		seen[t.Key] = true
	}
	return s.start(ctx, s.create, "createTags", in)
}

// Delete takes tags off things that are in the reach of the caller in ctx: those of certain keys, where a value is given with the key
// only with this value, or all tags where none is given.
func (s *Service) Delete(ctx context.Context, in In) (op.ID, error) {
	return s.start(ctx, s.remove, "deleteTags", in)
}

func (s *Service) start(ctx context.Context, r *op.Runner[change], command string, in In) (op.ID, error) {
	k, err := s.kind(in.Type)
	if err != nil {
		return "", err
	}
	ids := make([]string, 0, len(in.Resources))
	for _, id := range in.Resources {
		id = strings.ToLower(strings.TrimSpace(id))
		if !uid.Valid(id) {
			return "", fault.Invalidf("resourceids holds %q, which is not the ID of a thing", id)
		}
		ids = append(ids, id)
	}
	if len(ids) == 0 {
		return "", fault.Invalidf("no resourceids are given")
	}
	slices.Sort(ids) // in one order, so that nobody waits in a circle
	in.Resources = slices.Compact(ids)
	job, _, err := r.Start(ctx, op.Request{
		Thing: op.On("tags", uid.New[uid.Op]()), Fresh: true, // nothing else waits for it, and it for nothing
		Caller: auth.From(ctx), Command: command, SubjectKind: string(k.Type), SubjectID: in.Resources[0],
	}, change{Type: k.Type, Resources: in.Resources, in: in})
	if db.IsUnique(err) { // somebody else was faster
		err = fault.Conflictf("one of the resources has one of these tags already; delete it first")
	}
	return job, err
}

// things gives the things that a change is of, by id. They don't go before the transaction's end.
func (s *Service) things(ctx context.Context, tx db.Tx, caller auth.Caller, c *change) (map[string]thing, error) {
	k, err := s.kind(c.Type)
	if err != nil {
		return nil, err
	}
	if k.Common && !caller.IsRoot() {
		return nil, fault.Deniedf("only root admins may change the tags of a %s", k.Type)
	}
	found, err := findThings(ctx, tx, k, caller.Reach(), c.Resources)
	if err != nil {
		return nil, err
	}
	for _, id := range c.Resources {
		if _, ok := found[id]; !ok {
			return nil, fault.NotFoundf("no %s with id %s, or you may not see it", k.Type, id)
		}
	}
	return found, nil
}

func (s *Service) add(ctx context.Context, tx db.Tx, q *op.Request, c *change) error {
	things, err := s.things(ctx, tx, q.Caller, c)
	if err != nil {
		return err
	}
	there, err := byThing(ctx, tx, c.Type, c.Resources)
	if err != nil {
		return err
	}
	for _, id := range c.Resources {
		has := there[id]
		for _, want := range c.in.Tags {
			if slices.ContainsFunc(has, func(t Tag) bool { return t.Key == want.Key }) {
				return fault.Conflictf("%s %s has a tag %q already; delete it first", c.Type, id, want.Key)
			}
		}
		if len(has)+len(c.in.Tags) > Most {
			return fault.Limitf("%s %s has %d tags, and may have %d at most", c.Type, id, len(has), Most)
		}
		for _, t := range c.in.Tags {
			row := Tag{
				Type: c.Type, Resource: id, Key: t.Key, Value: t.Value, Customer: c.in.Customer, Account: things[id].Account,
				Domain: things[id].Domain, Created: tx.Now,
			}
			if err := insert(ctx, tx, row); err != nil {
				return err
			}
		}
	}
	return announce(ctx, tx, q, things, event.TagsCreate, fmt.Sprintf("creating tags %s on %s", keys(c.in.Tags), c))
}

func (s *Service) drop(ctx context.Context, tx db.Tx, q *op.Request, c *change) error {
	things, err := s.things(ctx, tx, q.Caller, c)
	if err != nil {
		return err
	}
	n, err := remove(ctx, tx, c.Type, c.Resources, c.in.Tags)
	switch {
	case err != nil:
		return err
	case n == 0 && len(c.in.Tags) > 0:
		return fault.NotFoundf("none of the resources has a tag %s", keys(c.in.Tags))
	}
	return announce(ctx, tx, q, things, event.TagsDelete, fmt.Sprintf("deleting tags %s of %s", keys(c.in.Tags), c))
}

// announce writes the event of a change, which belongs to the owner of the things, where all are one's.
func announce(ctx context.Context, tx db.Tx, q *op.Request, things map[string]thing, kind event.Kind, text string) (err error) {
	owners := map[thing]bool{}
	for _, t := range things {
		owners[thing{Account: t.Account, Domain: t.Domain}] = true
	}
	e := event.Event{Type: kind, State: event.Scheduled, Description: text, ResourceID: q.SubjectID}
	if len(owners) == 1 && things[q.SubjectID].Account != "" {
		q.Account, q.Domain = things[q.SubjectID].Account, things[q.SubjectID].Domain
		e.Account, e.Domain = q.Account, q.Domain
	}
	q.Event, err = event.Write(ctx, tx, e)
	return err
}

// String says of what a change is.
func (c *change) String() string {
	if len(c.Resources) == 1 {
		return fmt.Sprintf("%s %s", c.Type, c.Resources[0])
	}
	return fmt.Sprintf("%d things of type %s", len(c.Resources), c.Type)
}

// keys names some tags; none are all.
func keys(tags []Pair) string {
	names := make([]string, len(tags))
	for i, t := range tags {
		names[i] = fmt.Sprintf("%q", t.Key)
	}
	if len(names) == 0 {
		return "(all)"
	}
	return strings.Join(names, ", ")
}
