package placement

import (
	"context"
	"slices"

	"github.com/virga-cloud/virga/internal/db"
	"github.com/virga-cloud/virga/internal/fault"
	"github.com/virga-cloud/virga/internal/pool"
	"github.com/virga-cloud/virga/uid"
)

// Into takes room for a disk in a pool that an admin has named, in the caller's transaction. It is fault.Conflict where the pool is none for
// such a disk, and fault.Full where it has not got the room.
func (s *Service) Into(ctx context.Context, tx db.Tx, zone uid.Zone, id uid.Pool, d Disk) (pool.Pool, error) {
	pools, err := pool.ByID(ctx, tx, []uid.Pool{id})
	if err != nil {
		return pool.Pool{}, err
	}
	p, ok := pools[id]
	switch {
	case !ok, !p.Removed.IsZero():
		return p, fault.Missing(id)
	case p.Zone != zone:
		return p, fault.Conflictf("storage pool %q is in another zone than the disk", p.Name)
	case p.State != pool.Up:
		return p, fault.Conflictf("storage pool %q is in state %s; want one that is %s", p.Name, p.State, pool.Up)
	case d.Local && p.Scope != pool.HostOnly:
		return p, fault.Conflictf("storage pool %q is shared, and the disk's offering wants storage of a host's own", p.Name)
	case !d.Local && p.Scope == pool.HostOnly:
		return p, fault.Conflictf("storage pool %q is a host's own, and the disk's offering wants storage that hosts share", p.Name)
	}
	has := Tags(p.Tags)
	for _, tag := range d.Tags {
		if !slices.Contains(has, tag) {
			return p, fault.Conflictf("storage pool %q is without the tag %q, which the disk's offering asks for", p.Name, tag)
		}
	}
	l, err := s.look(ctx, tx, Want{Zone: zone}, false)
	if err != nil {
		return p, err
	}
	var rows []room
	if err := ask(ctx, tx, &rows, is("select p.id as id, ").join(l.poolRoom(), is(" as room from storage_pools p where p.id = ?", id))); err != nil {
		return p, err
	}
	if len(rows) == 1 && rows[0].Room >= d.Bytes {
		if ok, err := pool.Reserve(ctx, tx, id, d.Bytes); err != nil || ok {
			return p, err
		}
	}
	return p, fault.Fullf("storage pool %q has no room for the disk's %d GB", p.Name, (d.Bytes+gb-1)/gb)
}
