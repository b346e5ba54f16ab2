package compute

import (
	"context"
	"slices"

	"github.com/virga-cloud/virga/internal/db"
	"github.com/virga-cloud/virga/internal/fault"
	"github.com/virga-cloud/virga/internal/inquest"
	"github.com/virga-cloud/virga/internal/migration"
	"github.com/virga-cloud/virga/internal/pool"
	"github.com/virga-cloud/virga/internal/volume"
	"github.com/virga-cloud/virga/uid"
)

// copyable refuses disks that can't be copied while their machine moves.
func copyable(ctx context.Context, tx db.Tx, vm known, copies []migration.Copy) error {
	if len(copies) == 0 {
		return nil
	}
	if err := unkept(ctx, tx, vm.VM, "it moves to a host that does not reach its disks"); err != nil {
		return err
	}
	there, err := vm.with(ctx, tx, copies)
	if err != nil {
		return err
	}
	for i, d := range vm.disks {
		switch to := there.disks[i]; {
		case d.Pool == to.Pool:
		case d.State != volume.Ready:
			return fault.Conflictf("volume %q is %s and can't be copied to where virtual machine %q is to go", d.Name, d.State, vm.Name)
		case d.PoolURL == to.PoolURL && d.PoolScope != pool.HostOnly:
			return fault.Conflictf("volume %q can't be copied from storage pool %s to %s: both are the same place", d.Name, d.Pool, to.Pool)
		}
	}
	return nil
}

// with is the machine with its copied disks where they are copied to.
func (vm known) with(ctx context.Context, q db.Tx, copies []migration.Copy) (known, error) {
	if len(copies) == 0 {
		return vm, nil
	}
	ids := make([]uid.Pool, len(copies))
	for i, c := range copies {
		ids[i] = c.To
	}
	pools, err := pool.ByID(ctx, q, ids)
	vm.disks = slices.Clone(vm.disks)
	for i := range vm.disks {
		d := &vm.disks[i]
		if at := slices.IndexFunc(copies, func(c migration.Copy) bool { return c.Volume == d.ID }); at >= 0 {
			p := pools[copies[at].To]
			d.Pool, d.PoolURL, d.PoolScope = p.ID, p.URL, p.Scope
		}
	}
	return vm, err
}

// makeCopies makes the disks that are copied to. One that was made of a template is a layer on it there, too, so that only what has been
// written since is copied. Where that can't be, because the template is gone, all is.
func (s *Service) makeCopies(ctx context.Context, m *migrating) error {
	if len(m.Copies) == 0 {
		return nil
	}
	mv, there, err := s.moving(ctx, m)
	if err != nil {
		return err
	}
	for _, d := range there.disks {
		if !slices.Contains(mv.Copied, d.ID) {
			continue
		}
		disk := d.made()
		if disk.Snapshot != "" || disk.Store == "" {
			disk.Template, disk.TemplateBytes, disk.Snapshot, disk.Store, disk.StoreURL = "", 0, "", "", ""
		}
		if err := mv.By.MakeDisk(ctx, m.To, disk); err != nil {
			return inquest.UnlessDown(ctx, s.db, m.To, err)
		}
	}
	return nil
}
