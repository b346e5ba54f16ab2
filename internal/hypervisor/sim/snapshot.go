package sim

import (
	"context"
	"encoding/json"
	"slices"

	"github.com/virga-cloud/virga/internal/fault"
	"github.com/virga-cloud/virga/internal/hypervisor"
	"github.com/virga-cloud/virga/uid"
)

// TakeSnapshot implements [hypervisor.Snapshotter]. Simulated disks have nothing on them; a snapshot is as large as its disk was.
func (w *World) TakeSnapshot(
	ctx context.Context, host uid.Host, d hypervisor.DiskRef, s hypervisor.SnapshotRef,
) (r hypervisor.SnapshotReport, err error) {
	err = w.do(ctx, host, hypervisor.CommandTakeSnapshot, func(t *tx) error {
		bytes, found, err := t.snapshot(s)
		if err == nil && !found {
			var at diskState
			if at, err = t.reached(host, d); err == nil {
				bytes = at.bytes
				_, err = t.exec("insert into snapshot (snapshot, store, bytes) values (?, ?, ?)", string(s.Snapshot), string(s.Store), bytes)
			}
		}
		r = hypervisor.SnapshotReport{Bytes: bytes, StoredBytes: bytes}
		return err
	})
	return r, err
}

func (p *prepared) snapshot(s hypervisor.SnapshotRef) (bytes int64, found bool, err error) {
	found, err = p.one([]any{&bytes}, "select bytes from snapshot where snapshot = ? and store = ?", string(s.Snapshot), string(s.Store))
	return bytes, found, err
}

// kept gives the size of a snapshot that is there.
func (t *tx) kept(s hypervisor.SnapshotRef) (int64, error) {
	bytes, found, err := t.snapshot(s)
	if err == nil && !found {
		err = fault.Conflictf("snapshot %s is not in store %s", s.Snapshot, s.Store)
	}
	return bytes, err
}

// DropSnapshot implements [hypervisor.Snapshotter].
func (w *World) DropSnapshot(ctx context.Context, host uid.Host, s hypervisor.SnapshotRef) error {
	return w.do(ctx, host, hypervisor.CommandDropSnapshot, func(t *tx) error {
		if _, err := t.exec("delete from snapshot where snapshot = ? and store = ?", string(s.Snapshot), string(s.Store)); err != nil {
			return err
		}
		return t.forgetSent(string(s.Snapshot), s.Store)
	})
}

// RevertDisk implements [hypervisor.Snapshotter].
func (w *World) RevertDisk(ctx context.Context, host uid.Host, d hypervisor.DiskRef, s hypervisor.SnapshotRef) error {
	return w.do(ctx, host, hypervisor.CommandRevertDisk, func(t *tx) error {
		bytes, err := t.kept(s)
		if err != nil {
			return err
		}
		at, err := t.reached(host, d)
		if err == nil && at.inUse {
			err = fault.Conflictf("volume %s is in use by machine %s, which runs", d.Volume, at.vm)
		}
		if err != nil {
			return err
		}
		_, err = t.exec("update disk set bytes = ?, template = '' where volume = ? and pool = ?", bytes, string(d.Volume), string(d.Pool))
		return err
	})
}

// SaveImage implements [hypervisor.Snapshotter].
func (w *World) SaveImage(ctx context.Context, host uid.Host, i hypervisor.ImageRef, s hypervisor.SnapshotRef) (r hypervisor.ImageReport, err error) {
	err = w.do(ctx, host, hypervisor.CommandSaveImage, func(t *tx) error {
		bytes, err := t.kept(s)
		if err == nil {
			_, err = t.addImage(hypervisor.Image{ImageRef: i, URL: "snapshot:" + string(s.Snapshot)})
		}
		r = hypervisor.ImageReport{Bytes: bytes, StoredBytes: bytes}
		return err
	})
	return r, err
}

// TakeCheckpoint implements [hypervisor.Checkpointer].
func (w *World) TakeCheckpoint(ctx context.Context, host uid.Host, c hypervisor.Checkpoint) error {
	return w.do(ctx, host, hypervisor.CommandTakeCheckpoint, func(t *tx) error {
		if found, err := t.one([]any{new(string)}, "select vm from checkpoint where id = ?", string(c.ID)); err != nil || found {
			return err
		}
		if err := t.fitsCheckpoint(host, c); err != nil {
			return err
		}
		disks, err := json.Marshal(c.Disks)
		if err != nil {
			return err
		}
		_, err = t.exec("insert into checkpoint (id, vm, memory, machine) values (?, ?, ?, ?)", string(c.ID), string(c.VM), c.Memory, disks)
		return err
	})
}

// fitsCheckpoint tells whether a machine can be kept, or be taken back.
func (t *tx) fitsCheckpoint(host uid.Host, c hypervisor.Checkpoint) error {
	g, err := t.guest(c.VM)
	if err != nil {
		return err
	}
	if g.running {
		m, err := t.runs(host, c.VM)
		if err != nil {
			return err
		}
		if !slices.EqualFunc(m.Disks, c.Disks, func(a hypervisor.Attachment, d hypervisor.DiskRef) bool { return a.DiskRef == d }) {
			return fault.Conflictf("machine %s has other disks than the checkpoint", c.VM)
		}
		return nil
	}
	if c.Memory {
		return fault.Conflictf("machine %s does not run on host %s", c.VM, host)
	}
	for _, d := range c.Disks {
		if at, err := t.reached(host, d); err != nil {
			return err
		} else if at.inUse {
			return fault.Conflictf("volume %s is in use by machine %s", d.Volume, at.vm)
		}
	}
	return nil
}

// RevertTo implements [hypervisor.Checkpointer].
func (w *World) RevertTo(ctx context.Context, host uid.Host, c hypervisor.Checkpoint) error {
	return w.do(ctx, host, hypervisor.CommandRevertTo, func(t *tx) error {
		var memory bool
		if found, err := t.one([]any{&memory}, "select memory from checkpoint where id = ? and vm = ?", string(c.ID), string(c.VM)); err != nil {
			return err
		} else if !found {
			return fault.Conflictf("machine %s has no checkpoint %s", c.VM, c.ID)
		}
		g, err := t.guest(c.VM)
		if err != nil {
			return err
		}
		if g.running && !memory {
			return fault.Conflictf("machine %s runs, and checkpoint %s has no memory to run on with: stop it first", c.VM, c.ID)
		}
		return t.fitsCheckpoint(host, hypervisor.Checkpoint{ID: c.ID, VM: c.VM, Disks: c.Disks, Memory: memory})
	})
}

// DropCheckpoint implements [hypervisor.Checkpointer].
func (w *World) DropCheckpoint(ctx context.Context, host uid.Host, c hypervisor.Checkpoint) error {
	return w.do(ctx, host, hypervisor.CommandDropCheckpoint, func(t *tx) error {
		_, err := t.exec("delete from checkpoint where id = ?", string(c.ID))
		return err
	})
}
