package sim

import (
	"context"
	"errors"

	"github.com/virga-cloud/virga/internal/fault"
	"github.com/virga-cloud/virga/internal/hypervisor"
	"github.com/virga-cloud/virga/uid"
)

// MakeDisk implements [hypervisor.Driver]. A disk is in its pool, for every host; any template may be copied.
func (w *World) MakeDisk(ctx context.Context, host uid.Host, d hypervisor.Disk) error {
	if w.options.Copy > 0 && d.Template != "" {
		if at, err := w.store.read.disk(d.DiskRef); err != nil {
			return err
		} else if !at.found {
			if err := w.pause(ctx, w.options.Copy); err != nil {
				return err
			}
		}
	}
	return w.do(ctx, host, hypervisor.CommandMakeDisk, func(t *tx) error {
		if d.Snapshot != "" {
			if _, err := t.kept(hypervisor.SnapshotRef{Snapshot: d.Snapshot, Store: d.Store}); err != nil {
				return err
			}
		}
		if added, err := t.addDisk(d); err != nil || added {
			return err
		}
		at, err := t.disk(d.DiskRef)
		if err == nil && (at.bytes != d.Bytes || at.template != d.Template) {
			err = fault.Conflictf("volume %s is in pool %s already, with %d bytes from template %q and not %d bytes from %q",
				d.Volume, d.Pool, at.bytes, at.template, d.Bytes, d.Template)
		}
		return err
	})
}

// DropDisk implements [hypervisor.Driver].
func (w *World) DropDisk(ctx context.Context, host uid.Host, d hypervisor.DiskRef) error {
	return w.do(ctx, host, hypervisor.CommandDropDisk, func(t *tx) error {
		at, err := t.disk(d)
		if err != nil {
			return err
		}
		if at.inUse {
			return fault.Conflictf("volume %s is in use by machine %s, which runs", d.Volume, at.vm)
		}
		return t.dropDisk(d)
	})
}

// attach gives a machine that does not run its disks, all or none.
func (t *tx) attach(m hypervisor.Machine) error {
	for _, d := range m.Disks {
		if err := t.hold(m.VM, d.DiskRef); err != nil {
			return errors.Join(err, t.detachDisks(m.VM))
		}
	}
	return nil
}
