package kvm

import (
	"context"
	"errors"
	"os"
	"path/filepath"

	"github.com/virga-cloud/virga/internal/fault"
	"github.com/virga-cloud/virga/internal/hypervisor"
	"github.com/virga-cloud/virga/internal/hypervisor/kvm/file"
	"github.com/virga-cloud/virga/uid"
)

// In a store a snapshot is snapshots/SNAPSHOT.qcow2: all of the disk, with no layer below it.
const snapshotsDir = "snapshots"

func (d *Driver) snapshotPath(s hypervisor.SnapshotRef) (string, error) {
	dir, err := d.place(s.StoreURL)
	if err != nil {
		return "", err
	}
	return filepath.Join(dir, snapshotsDir, string(s.Snapshot)+".qcow2"), checkID(s.Snapshot)
}

// snapshotThere is snapshotPath for a snapshot that must be there.
func (d *Driver) snapshotThere(s hypervisor.SnapshotRef) (string, error) {
	path, err := d.snapshotPath(s)
	if err == nil && s.Link == "" && !file.Exists(path) {
		err = fault.Conflictf("snapshot %s is not in its store at %s", s.Snapshot, s.StoreURL)
	}
	return path, err
}

// TakeSnapshot implements [hypervisor.Snapshotter]. Of a disk that a machine has QEMU makes the copy: what the guest writes meanwhile
// is copied first as it was.
func (d *Driver) TakeSnapshot(
	ctx context.Context, host uid.Host, ref hypervisor.DiskRef, s hypervisor.SnapshotRef,
) (r hypervisor.SnapshotReport, err error) {
	done, err := d.turn(ctx, host, string(s.Snapshot))
	if err != nil {
		return r, err
	}
	defer done()
	path, err := d.snapshotPath(s)
	if err != nil {
		return r, err
	}
	if !file.Exists(path) {
		if err := d.takeSnapshot(ctx, host, ref, path); err != nil {
			return r, err
		}
	}
	i, err := d.image.Info(ctx, path, "qcow2")
	return hypervisor.SnapshotReport{Bytes: i.Bytes, StoredBytes: i.Stored}, err
}

func (d *Driver) takeSnapshot(ctx context.Context, host uid.Host, ref hypervisor.DiskRef, path string) error {
	from, err := d.diskThere("", ref)
	if err != nil {
		return err
	}
	g, free, err := d.user(ctx, host, ref)
	if err != nil {
		return err
	}
	defer free()
	if err := d.folder(filepath.Dir(path)); err != nil {
		return err
	}
	write := func(temp string) error {
		if g == nil {
			return d.image.Convert(ctx, from, "qcow2", temp)
		}
		i, err := d.image.Info(ctx, from, "qcow2")
		if err != nil {
			return err
		}
		if err := d.image.Create(ctx, temp, i.Bytes, ""); err != nil {
			return err
		}
		if err := d.give(temp); err != nil {
			return err
		}
		return g.backup(ctx, ref.Volume, temp)
	}
	if err := d.appear(path, write, func() error { return nil }); err != nil {
		return err
	}
	return d.show(path)
}

// backup copies a disk into an empty image of the same size.
func (g *guest) backup(ctx context.Context, v uid.Volume, to string) (err error) {
	node := "b" + nodeOf(v)[1:]
	id := "backup-" + string(v)
	if err := g.callOff(ctx, id); err != nil {
		return err
	}
	if err := g.dropNode(ctx, node); err != nil {
		return err
	}
	if err := g.mon.Do(ctx, "blockdev-add", map[string]any{
		"driver": "qcow2", "node-name": node, "file": map[string]any{"driver": "file", "filename": to},
	}, nil); err != nil {
		return g.failed(err)
	}
	defer func() { err = errors.Join(err, g.dropNode(context.WithoutCancel(ctx), node)) }()
	return g.run(ctx, id, "blockdev-backup", map[string]any{"device": nodeOf(v), "target": node, "sync": "full", "auto-dismiss": false})
}

// DropSnapshot implements [hypervisor.Snapshotter].
func (d *Driver) DropSnapshot(ctx context.Context, host uid.Host, s hypervisor.SnapshotRef) error {
	done, err := d.turn(ctx, host, string(s.Snapshot))
	if err != nil {
		return err
	}
	defer done()
	path, err := d.snapshotPath(s)
	if err != nil {
		return err
	}
	return errors.Join(file.Remove(path), file.Remove(partOf(path)))
}

// RevertDisk implements [hypervisor.Snapshotter].
func (d *Driver) RevertDisk(ctx context.Context, host uid.Host, ref hypervisor.DiskRef, s hypervisor.SnapshotRef) error {
	done, err := d.turn(ctx, host, string(ref.Volume)+string(ref.Pool))
	if err != nil {
		return err
	}
	defer done()
	from, err := d.snapshotThere(s)
	if err != nil {
		return err
	}
	held, path, err := d.holdFree(ctx, ref)
	if err != nil {
		return missing(ref, err)
	}
	defer held.Release()
	temp := path + ".reverted"
	defer func() { _ = os.Remove(temp) }()
	if err := d.bring(ctx, from, s.Link, temp, "snapshot "+string(s.Snapshot)); err != nil {
		return err
	}
	if err := errors.Join(d.give(temp), file.Sync(temp)); err != nil {
		return err
	}
	if err := os.Rename(temp, path); err != nil {
		return err
	}
	return file.Sync(filepath.Dir(path))
}

// fromSnapshot makes a disk that is a copy of a snapshot, and may be larger.
func (d *Driver) fromSnapshot(ctx context.Context, disk hypervisor.Disk, to string) error {
	from, err := d.snapshotThere(hypervisor.SnapshotRef{Snapshot: disk.Snapshot, Store: disk.Store, StoreURL: disk.StoreURL, Link: disk.Link})
	if err != nil {
		return err
	}
	if err := d.bring(ctx, from, disk.Link, to, "snapshot "+string(disk.Snapshot)); err != nil {
		return err
	}
	i, err := d.image.Info(ctx, to, "qcow2")
	switch {
	case err != nil:
		return err
	case i.Bytes > rounded(disk.Bytes):
		return fault.Conflictf("volume %s would have %d bytes, and its snapshot %s has %d", disk.Volume, disk.Bytes, disk.Snapshot, i.Bytes)
	case i.Bytes < rounded(disk.Bytes):
		return d.image.Resize(ctx, to, rounded(disk.Bytes))
	}
	return nil
}
