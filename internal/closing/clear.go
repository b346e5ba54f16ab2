package closing

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/virga-cloud/virga/internal/account"
	"github.com/virga-cloud/virga/internal/auth"
	"github.com/virga-cloud/virga/internal/fault"
	"github.com/virga-cloud/virga/internal/image"
	"github.com/virga-cloud/virga/internal/network"
	"github.com/virga-cloud/virga/internal/op"
	"github.com/virga-cloud/virga/internal/snapshot"
	"github.com/virga-cloud/virga/internal/volume"
	"github.com/virga-cloud/virga/uid"
)

// atOnce is how many operations of a kind a step begins at a time.
const atOnce = 100

// clearing is one kind of things that an account owns, and how one of them ends.
type clearing struct {
	kind   string // what users call one
	table  string // what its operations' keys call one
	owned  func(ctx context.Context, scope auth.Scope) ([]owned, error)
	drop   func(ctx context.Context, id string) (op.ID, error)
	cancel string // the command of operations that bring about what is not wanted any more: they are cancelled
}

type owned struct{ id, name string }

// clear begins to end the things of a kind, and is tried again until all are gone or can't go. The account's own operations that are
// under way are waited for.
func (s *Service) clear(ctx context.Context, e *ending, c clearing) error {
	ctx = auth.With(ctx, auth.System())
	e.Left = slices.DeleteFunc(e.Left, func(l left) bool { return l.Kind == c.kind })
	jobs, err := s.jobsOf(ctx, e) // before the things: of a job that is over by then, they show what it has done
	if err != nil {
		return err
	}
	things, err := c.owned(ctx, auth.Scope{Account: e.Account})
	if err != nil {
		return err
	}
	waiting, begun := 0, 0
	for _, t := range things {
		var why string
		switch job, known := jobs.on(c, t); {
		case known && job.Open() && job.State == op.Stuck:
			why = fmt.Sprintf("job %s is stuck; an administrator must look at it", job.ID)
		case known && job.Open():
			waiting++
			if c.cancel != "" && job.Command == c.cancel && !job.Canceled {
				if err := s.Engine.Cancel(ctx, auth.Scope{All: true}, job.ID); err != nil && !fault.Is(err, fault.Conflict) {
					return err
				}
			}
		case jobs.failed[t.id] != "":
			why = jobs.failed[t.id]
		case begun == atOnce:
			waiting++
		default:
			begun++
			if why, err = s.drop(ctx, e, c, t); err != nil {
				return err
			}
			if why == "" {
				waiting++
			}
		}
		if why != "" {
			e.Left = append(e.Left, left{c.kind, t.name, why})
		}
	}
	if waiting > 0 {
		return op.Retry(fault.Unavailablef("the %s is closed, but %d of its things (%s) could not be freed in time; it is tried again later",
			e.what(), waiting+len(e.Left), c.kind))
	}
	return nil
}

// drop begins to end a thing, or says why it can't.
func (s *Service) drop(ctx context.Context, e *ending, c clearing, t owned) (why string, err error) {
	_, err = c.drop(ctx, t.id)
	if err == nil || fault.Is(err, fault.NotFound) {
		return "", nil
	}
	if fault.KindOf(err) == fault.Internal {
		return "", err
	}
	jobs, asked := s.jobsOf(ctx, e)
	if asked != nil {
		return "", asked
	}
	if job, known := jobs.on(c, t); known && job.Open() && job.State != op.Stuck {
		return "", nil // one that began in between
	}
	now, asked := c.owned(ctx, auth.Scope{Account: e.Account})
	if !slices.Contains(now, t) {
		return "", asked // or even ended
	}
	return err.Error(), nil
}

// jobs are an account's operations: those that are open, by their thing and by their subject, and why those failed that this deletion
// has begun.
type jobs struct {
	open   map[string]op.Record
	failed map[string]string
}

func (j jobs) on(c clearing, t owned) (op.Record, bool) {
	r, ok := j.open[c.table+"/"+t.id]
	if !ok {
		r, ok = j.open[t.id]
	}
	return r, ok
}

func (s *Service) jobsOf(ctx context.Context, e *ending) (jobs, error) {
	j := jobs{open: map[string]op.Record{}, failed: map[string]string{}}
	scope := auth.Scope{Account: e.Account}
	open, _, err := op.List(ctx, s.DB.Read(), op.Filter{Scope: scope, OnlyOpen: true})
	if err != nil {
		return j, err
	}
	for _, r := range open {
		j.open[string(r.Thing)], j.open[r.SubjectID] = r, r
	}
	since, _, err := op.List(ctx, s.DB.Read(), op.Filter{Scope: scope, Since: e.Began})
	for _, r := range since {
		if r.State == op.Failed && r.UserID == auth.System().User {
			j.failed[r.SubjectID] = r.FaultText
		}
	}
	return j, err
}

// endVolumes deletes the volumes that no machine has. Those of a machine that is left are its.
func (s *Service) endVolumes(ctx context.Context, e *ending) error {
	if err := s.Uploads.EndOf(ctx, e.Account); err != nil {
		return err
	}
	return s.clear(ctx, e, clearing{
		kind: "volume", table: "volume",
		owned: func(ctx context.Context, scope auth.Scope) (out []owned, err error) {
			found, _, err := s.Volumes.List(ctx, volume.Filter{Scope: scope})
			for _, v := range found {
				if v.VM == "" {
					out = append(out, owned{string(v.ID), v.Name})
				}
			}
			return out, err
		},
		drop: func(ctx context.Context, id string) (op.ID, error) { return s.Volumes.Delete(ctx, uid.Volume(id)) },
	})
}

// endSnapshots deletes the account's snapshots.
func (s *Service) endSnapshots(ctx context.Context, e *ending) error {
	if err := errors.Join(s.Extractions.EndOf(ctx, e.Account), s.Uploads.EndOf(ctx, e.Account)); err != nil {
		return err
	}
	return s.clear(ctx, e, clearing{
		kind: "snapshot", table: "snapshot",
		owned: func(ctx context.Context, scope auth.Scope) (out []owned, err error) {
			found, _, err := s.Snapshots.List(ctx, snapshot.Filter{Scope: scope})
			for _, n := range found {
				out = append(out, owned{string(n.ID), n.Name})
			}
			return out, err
		},
		drop: func(ctx context.Context, id string) (op.ID, error) {
			return s.Snapshots.Delete(ctx, uid.Snapshot(id), "")
		},
	})
}

func (s *Service) endNetworks(ctx context.Context, e *ending) error {
	return s.clear(ctx, e, clearing{
		kind: "network", table: "network",
		owned: func(ctx context.Context, scope auth.Scope) (out []owned, err error) {
			found, _, err := s.Networks.List(ctx, network.Filter{Scope: scope, Owned: true})
			for _, n := range found {
				out = append(out, owned{string(n.ID), n.Name})
			}
			return out, err
		},
		drop: func(ctx context.Context, id string) (op.ID, error) { return s.Networks.Delete(ctx, uid.Network(id)) },
	})
}

// endImages deletes the account's templates, also those that machines of others were made from: these go on running.
func (s *Service) endImages(ctx context.Context, e *ending) error {
	return s.clear(ctx, e, clearing{
		kind: "template", table: "template", cancel: "registerTemplate",
		owned: func(ctx context.Context, scope auth.Scope) (out []owned, err error) {
			for _, isos := range []bool{false, true} {
				found, _, err := s.Images.Templates(ctx, image.Filter{Scope: scope, Which: image.Self, ISOs: isos})
				if err != nil {
					return nil, err
				}
				for _, t := range found {
					if o := (owned{string(t.ID), t.Name}); !slices.Contains(out, o) { // one for each zone
						out = append(out, o)
					}
				}
			}
			return out, nil
		},
		drop: func(ctx context.Context, id string) (op.ID, error) {
			return s.Images.End(ctx, uid.Template(id))
		},
	})
}

// GoOn begins again what deletions have left. It is a keeper's work: one that can't go on does not keep the others.
func (s *Service) GoOn(ctx context.Context) error {
	accounts, domains, err := account.Closing(ctx, s.DB.Read())
	if err != nil {
		return fmt.Errorf("look for what is being deleted: %w", err)
	}
	ctx = auth.With(ctx, auth.System())
	for _, id := range domains {
		if _, err := s.DeleteDomain(ctx, id, true); err != nil && !fault.Is(err, fault.Conflict) && !fault.Is(err, fault.NotFound) {
			return fmt.Errorf("go on deleting domain %s: %w", id, err)
		}
	}
	for _, id := range accounts {
		if err := s.delete(ctx, id); err != nil && !fault.Is(err, fault.Conflict) && !fault.Is(err, fault.NotFound) {
			return fmt.Errorf("go on deleting account %s: %w", id, err)
		}
	}
	return nil
}
