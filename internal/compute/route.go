package compute

import (
	"context"

	"github.com/virga-cloud/virga/internal/db"
	"github.com/virga-cloud/virga/internal/router"
	"github.com/virga-cloud/virga/uid"
)

// route sees to it that the machine's networks have their routers, made on the machine's host where they have none, and notes what those
// must know before the machine starts.
func (s *Service) route(ctx context.Context, tx db.Tx, vm known, on uid.Host, j *job) error {
	j.Routed = nil
	var without []uid.Network
	for _, c := range vm.cards {
		if !c.Routed {
			continue
		}
		if j.Routed == nil {
			j.Routed = map[uid.Network]int64{}
		}
		j.Routed[c.Network] = c.Revision
		if c.RouterState == "" || c.RouterState == router.Stopping || c.RouterState == router.Stopped {
			without = append(without, c.Network)
		}
	}
	if len(without) == 0 {
		return nil
	}
	return s.routers.Ensure(ctx, tx, router.Place{Host: on, Hypervisor: vm.Hypervisor}, without...)
}

// announced tells whether the routers of the machine's networks know it, or are about to, and its host the rules of its cards.
func (s *Service) announced(ctx context.Context, q db.Tx, j *job) (bool, error) {
	ok, err := s.routers.Announced(ctx, q, j.Host, j.Routed)
	if err != nil || !ok || j.Guarded == 0 {
		return ok, err
	}
	return s.groups.Guarded(ctx, q, j.Host, j.Guarded)
}

// Routed gives the revisions of a machine's networks by which their routers know what it is told.
func Routed(ctx context.Context, tx db.Tx, id uid.VM) (map[uid.Network]int64, error) {
	vm, err := knowLocked(ctx, tx, id)
	if err != nil {
		return nil, err
	}
	var routed map[uid.Network]int64
	for _, c := range vm.cards {
		if c.Routed && !c.PerPod { // where it starts the next time its pod's router is asked
			if routed == nil {
				routed = map[uid.Network]int64{}
			}
			routed[c.Network] = c.Revision
		}
	}
	return routed, nil
}
