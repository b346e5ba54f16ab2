package physnet

import (
	"context"

	"github.com/virga-cloud/virga/internal/db"
	"github.com/virga-cloud/virga/internal/event"
	"github.com/virga-cloud/virga/internal/fault"
	"github.com/virga-cloud/virga/internal/op"
	"github.com/virga-cloud/virga/uid"
)

// Delete begins to delete a physical network that nothing uses any more.
func (s *Service) Delete(ctx context.Context, id uid.PhysicalNetwork) (op.ID, error) {
	q := request(ctx, id, "deletePhysicalNetwork", "PhysicalNetwork", string(id))
	job, _, err := s.remove.Start(ctx, q, networkJob{Physical: id})
	return job, err
}

func (s *Service) removePlan() *op.Plan[networkJob] {
	return op.New[networkJob]("physicalnetwork.delete").
		Accept(func(ctx context.Context, tx db.Tx, q *op.Request, j *networkJob) error {
			p, err := s.removable(ctx, tx, j.Physical)
			if err != nil {
				return err
			}
			return scheduled(ctx, tx, q, event.PhysicalNetworkDelete, "deleting physical network "+p.Name)
		}, nil).
		Tx("remove", func(ctx context.Context, tx db.Tx, j *networkJob) error {
			if _, err := s.removable(ctx, tx, j.Physical); err != nil {
				return err
			}
			return setRemoved(ctx, tx, j.Physical)
		}, nil)
}

// removable gives a physical network, locked, that nothing uses.
func (s *Service) removable(ctx context.Context, tx db.Tx, id uid.PhysicalNetwork) (Network, error) {
	p, err := find(ctx, tx, id, forUpdate)
	if err != nil {
		return p, err
	}
	used, err := s.uses(ctx, tx, p)
	if err != nil {
		return p, err
	}
	if used.Networks+used.Ranges > 0 {
		return p, fault.Conflictf("physical network %q has %s and %s: delete those first", p.Name,
			fault.Count(used.Networks, "network"), fault.Count(used.Ranges, "range of addresses"))
	}
	return p, nil
}
