package pool

import (
	"context"

	"github.com/virga-cloud/virga/internal/db"
	"github.com/virga-cloud/virga/internal/event"
	"github.com/virga-cloud/virga/internal/fault"
	"github.com/virga-cloud/virga/internal/host"
	"github.com/virga-cloud/virga/internal/setting"
	"github.com/virga-cloud/virga/internal/zone"
	"github.com/virga-cloud/virga/uid"
)

// Delete removes a pool that is in maintenance or disabled, or with force any. Volumes are never lost by it: while there are
// any in it, it is refused.
func (s *Service) Delete(ctx context.Context, id uid.Pool, forced bool) error {
	return s.db.Write(ctx, func(ctx context.Context, tx db.Tx) error {
		p, err := lock(ctx, tx, id)
		switch {
		case err != nil:
			return err
		case p.Scope == HostOnly:
			return fault.Conflictf("storage pool %q is a host's own; it goes when the host is deleted", p.Name)
		case !forced && p.State != Maintenance && p.State != Disabled:
			return fault.Conflictf("storage pool %q is %s; put it into maintenance first, or say forced=true", p.Name, p.State)
		}
		return s.drop(ctx, tx, p)
	})
}

// DropLocal removes the pools of a host's own storage.
func (s *Service) DropLocal(ctx context.Context, tx db.Tx, h host.Host) error {
	have, err := ofHost(ctx, tx, h.ID)
	if err != nil {
		return err
	}
	for _, p := range have {
		if p, err = lock(ctx, tx, p.ID); err != nil {
			return err
		}
		if err := s.drop(ctx, tx, p); err != nil {
			return err
		}
	}
	return nil
}

func (s *Service) drop(ctx context.Context, tx db.Tx, p Pool) error {
	n := 0
	if s.volumes != nil {
		var err error
		if n, err = s.volumes(ctx, tx, p.ID); err != nil {
			return err
		}
	}
	switch {
	case n > 0:
		return fault.Conflictf("storage pool %q has %s in it: delete those, or expunge their machines, first", p.Name, fault.Count(n, "volume"))
	case p.BytesUsed > 0:
		return fault.Conflictf("storage pool %q has %d bytes of volumes in it; delete them first", p.Name, p.BytesUsed)
	}
	if err := setting.Forget(ctx, tx, setting.InPool(p.ID)); err != nil {
		return err
	}
	if err := remove(ctx, tx, p.ID); err != nil {
		return err
	}
	return written(ctx, tx, event.PoolDelete, "deleted", p)
}

// CountIn counts the pools of a place: see [zone.Uses].
func CountIn(ctx context.Context, tx db.Tx, p zone.Place) ([]zone.Count, error) {
	n, err := countIn(ctx, tx, p)
	return []zone.Count{{Thing: "storage pool", N: n}}, err
}
