package upkeep

import (
	"context"

	"github.com/virga-cloud/virga/internal/auth"
	"github.com/virga-cloud/virga/internal/compute"
	"github.com/virga-cloud/virga/internal/fault"
	"github.com/virga-cloud/virga/internal/op"
	"github.com/virga-cloud/virga/internal/volume"
	"github.com/virga-cloud/virga/uid"
)

// clearedAtOnce is how many machines or volumes are got out of the way at a time.
const clearedAtOnce = 100

// Clearing gets machines and volumes out of the way of a host that is to go.
type Clearing struct {
	Engine   *op.Engine
	Machines *compute.Service
	Volumes  *volume.Service
}

// Clear makes room for a host to go, and returns when there is: its machines are stopped by force. With volumes, those in its own
// storage are destroyed too: a root disk with its machine, a data disk after it was detached. What another job is working on is
// fault.Conflict, and stays.
func (c Clearing) Clear(ctx context.Context, on uid.Host, volumes bool) error {
	for {
		held, _, err := c.Machines.List(ctx, compute.Filter{Scope: auth.Scope{All: true}, Host: on, Limit: clearedAtOnce})
		if err != nil {
			return err
		}
		if len(held) == 0 {
			break
		}
		if err := c.each(ctx, len(held), func(i int) (op.ID, error) { return c.Machines.Stop(ctx, held[i].ID, true) }); err != nil {
			return err
		}
	}
	for volumes {
		local, _, err := c.Volumes.List(ctx, volume.Filter{Scope: auth.Scope{All: true}, OwnStorageOf: on, Limit: clearedAtOnce})
		if err != nil || len(local) == 0 {
			return err
		}
		if err := c.each(ctx, len(local), func(i int) (op.ID, error) { return c.drop(ctx, local[i]) }); err != nil {
			return err
		}
	}
	return nil
}

// drop begins the next thing on a volume's way out.
func (c Clearing) drop(ctx context.Context, v volume.Volume) (op.ID, error) {
	switch {
	case v.VM == "":
		return c.Volumes.Delete(ctx, v.ID)
	case v.Type == volume.Root:
		return c.Machines.WipeOut(ctx, v.VM)
	default:
		return c.Machines.Detach(ctx, v.ID)
	}
}

// each begins some jobs and waits for all of them. It gives the first error.
func (c Clearing) each(ctx context.Context, n int, begin func(i int) (op.ID, error)) error {
	var jobs []op.ID
	var first error
	for i := range n {
		job, err := begin(i)
		if err != nil {
			first = err
			break
		}
		jobs = append(jobs, job)
	}
	for _, job := range jobs {
		r, err := c.Engine.Wait(ctx, job)
		switch {
		case err != nil:
			return err
		case r.State == op.Stuck && first == nil:
			first = fault.Conflictf("job %s (%s) is stuck; an administrator must look at it first", job, r.Command)
		case r.State != op.Done && first == nil:
			first = r.Err()
		}
	}
	return first
}
