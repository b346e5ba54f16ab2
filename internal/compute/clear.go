package compute

import (
	"context"

	"github.com/virga-cloud/virga/internal/auth"
	"github.com/virga-cloud/virga/internal/fault"
	"github.com/virga-cloud/virga/internal/op"
	"github.com/virga-cloud/virga/internal/volume"
	"github.com/virga-cloud/virga/uid"
)

// atOnce is how many machines or volumes are got out of the way at a time.
const atOnce = 100

// Clear makes room for a host to go, and returns when there is: its machines are stopped by force. With volumes, those in its own
// storage are destroyed too: a root disk with its machine, a data disk after it was detached. What another job is working on is
// fault.Conflict, and stays.
func (s *Service) Clear(ctx context.Context, on uid.Host, volumes bool) error {
	for {
		held, _, err := s.List(ctx, Filter{Scope: auth.Scope{All: true}, Host: on, Limit: atOnce})
		if err != nil {
			return err
		}
		if len(held) == 0 {
			break
		}
		if err := s.each(ctx, len(held), func(i int) (op.ID, error) { return s.Stop(ctx, held[i].ID, true) }); err != nil {
			return err
		}
	}
	for volumes {
		local, _, err := s.volumes.List(ctx, volume.Filter{Scope: auth.Scope{All: true}, OwnStorageOf: on, Limit: atOnce})
		if err != nil || len(local) == 0 {
			return err
		}
		if err := s.each(ctx, len(local), func(i int) (op.ID, error) { return s.drop(ctx, local[i]) }); err != nil {
			return err
		}
	}
	return nil
}

// drop begins the next thing on a volume's way out.
func (s *Service) drop(ctx context.Context, v volume.Volume) (op.ID, error) {
	switch {
	case v.VM == "":
		return s.volumes.Delete(ctx, v.ID)
	case v.Type == volume.Root:
		return s.WipeOut(ctx, v.VM)
	default:
		return s.Detach(ctx, v.ID)
	}
}

// WipeOut begins to remove a machine for good, whether it was destroyed before or not. Data disks outlive it.
func (s *Service) WipeOut(ctx context.Context, id uid.VM) (op.ID, error) {
	found, err := ByID(ctx, s.db.Read(), []uid.VM{id})
	if err == nil && (found[id].State == Destroyed || found[id].State == Failed) {
		return s.Expunge(ctx, id)
	}
	if err != nil {
		return "", err
	}
	return s.Destroy(ctx, id, true)
}

// each begins some jobs and waits for all of them. It gives the first error.
func (s *Service) each(ctx context.Context, n int, begin func(i int) (op.ID, error)) error {
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
		r, err := s.engine.Wait(ctx, job)
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
