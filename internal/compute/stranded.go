package compute

import (
	"context"

	"github.com/virga-cloud/virga/internal/fault"
	"github.com/virga-cloud/virga/internal/inquest"
	"github.com/virga-cloud/virga/internal/op"
)

// onceEnded is an undo on a machine that runs, which need not be undone any more once it is proven that the machine has ended.
func (s *Service) onceEnded(undo op.DoFunc[attachment]) op.DoFunc[attachment] {
	return func(ctx context.Context, a *attachment) error {
		err := undo(ctx, a)
		if !fault.Is(err, fault.Unavailable) {
			return err
		}
		vm, unknown := Find(ctx, s.db.Read(), a.VM)
		if unknown != nil || vm.Host == "" {
			return err
		}
		return inquest.OrEnded(ctx, s.db, vm.Host, vm.ID, err)
	}
}
