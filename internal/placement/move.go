package placement

import (
	"context"
	"slices"

	"github.com/virga-cloud/virga/internal/db"
	"github.com/virga-cloud/virga/internal/fault"
	"github.com/virga-cloud/virga/internal/pool"
	"github.com/virga-cloud/virga/uid"
)

// Moving is a disk that a machine on its way to another host has.
type Moving struct {
	Disk
	Pool  uid.Pool // where it is
	Scope pool.Scope
	To    uid.Pool // where an admin wants it; "" for wherever it can be
}

// stays tells whether a disk needs no other pool, where those in some scopes are left behind.
func (d Moving) stays(left []pool.Scope) bool {
	return d.To == "" && !slices.Contains(left, d.Scope) || d.To == d.Pool
}

// leaving is what is wanted of a host by a machine that leaves its disks in some scopes behind.
func (w Want) leaving(left []pool.Scope, disks []Moving) Want {
	w.Disks, w.Made = nil, nil
	for _, d := range disks {
		switch {
		case d.stays(left):
			w.Made = append(w.Made, d.Pool)
		case d.To != "":
			w.Made = append(w.Made, d.To)
		default:
			w.Disks = append(w.Disks, d.Disk)
		}
	}
	return w
}

// FindMove is Find for a machine that goes to another host than w.Avoid, where it is. With copies, disks may be copied to pools that the
// new host reaches: their pools in the place are not "". As few as can be are copied, besides those that are wanted elsewhere.
func (s *Service) FindMove(ctx context.Context, tx db.Tx, w Want, disks []Moving, copies bool) (p Place, err error) {
	for _, left := range ways(disks, copies) {
		if p, err = s.Find(ctx, tx, w.leaving(left, disks)); fault.Is(err, fault.Full) {
			continue
		}
		if err != nil {
			return Place{}, err
		}
		found := p.Pools
		p.Pools = make([]uid.Pool, len(disks))
		for i, d := range disks {
			switch {
			case d.stays(left):
			case d.To != "":
				if _, err := s.Into(ctx, tx, w.Zone, d.To, d.Disk); err != nil {
					return Place{}, err
				}
				p.Pools[i] = d.To
			default:
				p.Pools[i], found = found[0], found[1:]
			}
		}
		return p, nil
	}
	return Place{}, err
}

// ways are the scopes of pools that a move may leave behind, the fewest first. One host reaches all that the machine has: these are its own
// pools, those of its one cluster, and the zone's, which are in reach wherever it goes.
func ways(disks []Moving, copies bool) [][]pool.Scope {
	has := func(in pool.Scope) bool {
		return slices.ContainsFunc(disks, func(d Moving) bool { return d.Scope == in && d.To == "" })
	}
	var all [][]pool.Scope
	if !copies || !has(pool.HostOnly) {
		all = append(all, nil)
	}
	if copies && has(pool.HostOnly) {
		all = append(all, []pool.Scope{pool.HostOnly})
	}
	if copies && has(pool.ClusterWide) {
		all = append(all, []pool.Scope{pool.HostOnly, pool.ClusterWide})
	}
	return all
}
