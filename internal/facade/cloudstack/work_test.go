package cloudstack

import (
	"context"
	"errors"
	"sync/atomic"

	"github.com/virga-cloud/virga/api"
	cs "github.com/virga-cloud/virga/api/cloudstack"
	"github.com/virga-cloud/virga/internal/account"
	"github.com/virga-cloud/virga/internal/auth"
	"github.com/virga-cloud/virga/internal/facade/cloudstack/look"
	"github.com/virga-cloud/virga/internal/fault"
	"github.com/virga-cloud/virga/internal/op"
	"github.com/virga-cloud/virga/uid"
)

// toil is an operation that ends as it is told to.
type toil struct{ Mode string }

type work struct {
	open chan struct{} // closed when waiting operations may go on
	gone atomic.Bool   // what jobs were about is not there any more
}

func (w *work) plan() *op.Plan[toil] {
	return op.New[toil]("test.toil").
		Do("begin", func(context.Context, *toil) error { return nil }, func(_ context.Context, t *toil) error {
			if t.Mode == "stick" {
				return errors.New("it can't be undone")
			}
			return nil
		}).
		Do("work", func(ctx context.Context, t *toil) error {
			switch t.Mode {
			case "full", "stick":
				return fault.Fullf("no host has room").WithDetail("host one: 2 GB free, 4 GB asked")
			case "defect":
				return errCause
			case "wait":
				select {
				case <-w.open:
				case <-ctx.Done():
					return ctx.Err()
				}
			}
			return nil
		}, nil)
}

func (c *cloud) makeThing(ctx context.Context, in toilIn) (api.Started, error) {
	id := uid.New[uid.VM]()
	job, _, err := c.runner.Start(ctx, op.Request{
		Thing: op.On("vm", id), Caller: auth.From(ctx), Command: testJob.Name, SubjectKind: "VirtualMachine", SubjectID: string(id),
	}, toil{Mode: in.Mode})
	return api.Started{ID: string(id), JobID: job}, err
}

// listThings shows an account as a thing, and what the facade's helpers make of it.
func (c *cloud) listThings(ctx context.Context, in listIn) (api.Page[thing], error) {
	scope, err := c.facade.Owned.Scope(ctx, in.Scope, false)
	if err != nil {
		return api.Page[thing]{}, err
	}
	filter := account.AccountFilter{Scope: scope}
	filter.Offset, filter.Limit = look.Window(in.Paging)
	found, total, err := c.accounts.Accounts(ctx, filter)
	if err != nil {
		return api.Page[thing]{}, err
	}
	page := look.Page(found, total, func(a account.Account) thing { return thing{ID: uid.VM(a.ID)} })
	err = c.facade.Owned.Owners(ctx, len(found), func(i int) (uid.Account, *cs.Owner) { return found[i].ID, &page.Items[i].Owner })
	if err != nil {
		return page, err
	}
	return page, c.facade.Owned.Pending(ctx, len(found), func(i int) (string, *cs.Pending) {
		return string(found[i].ID), &page.Items[i].Pending
	})
}
