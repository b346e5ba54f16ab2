package kvm

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"slices"

	"github.com/virga-cloud/virga/internal/fault"
	"github.com/virga-cloud/virga/internal/hypervisor"
	"github.com/virga-cloud/virga/internal/hypervisor/kvm/qcow"
	"github.com/virga-cloud/virga/uid"
)

// checked is a checkpoint's machine, as it is now.
type checked struct {
	g     *guest // nil where it does not run
	paths []string
	nodes []string
	has   int   // how many of the disks have the checkpoint
	state int64 // bytes of memory that are kept with it
}

// check finds out what there is of a checkpoint, with a turn at its machine, or at its disks where that does not run.
func (d *Driver) check(ctx context.Context, host uid.Host, c hypervisor.Checkpoint) (at checked, free func(), err error) {
	done, err := d.turn(ctx, host, string(c.VM))
	if err != nil {
		return at, nil, err
	}
	var held qcow.Held
	release := func() { held.Release(); done() }
	defer func() {
		if err != nil {
			release()
		}
	}()
	if err := errors.Join(checkID(c.ID), checkID(c.VM)); err != nil {
		return at, nil, err
	}
	for _, ref := range c.Disks {
		path, err := d.diskThere(c.VM, ref)
		if err != nil {
			return at, nil, err
		}
		at.paths, at.nodes = append(at.paths, path), append(at.nodes, nodeOf(ref.Volume))
	}
	if g := d.found(ctx, c.VM); g != nil && g.runs() && !g.Arriving {
		at.g = g
		if !slices.EqualFunc(g.Machine.Disks, c.Disks, func(a hypervisor.Attachment, ref hypervisor.DiskRef) bool { return a.DiskRef == ref }) {
			return at, nil, fault.Conflictf("machine %s has other disks than the checkpoint", c.VM)
		}
	} else {
		m := hypervisor.Machine{VM: c.VM}
		for _, ref := range c.Disks {
			m.Disks = append(m.Disks, hypervisor.Attachment{DiskRef: ref})
		}
		if held, err = d.holdAll(ctx, m); err != nil {
			return at, nil, err
		}
	}
	for _, path := range at.paths {
		i, err := d.image.Info(ctx, path, "qcow2")
		if err != nil {
			return at, nil, err
		}
		for _, s := range i.Snapshots {
			if s.Name == string(c.ID) {
				at.has++
				at.state += s.State
			}
		}
	}
	return at, release, nil
}

// TakeCheckpoint implements [hypervisor.Checkpointer].
func (d *Driver) TakeCheckpoint(ctx context.Context, host uid.Host, c hypervisor.Checkpoint) error {
	at, free, err := d.check(ctx, host, c)
	if err != nil {
		return err
	}
	defer free()
	switch {
	case len(at.paths) == 0:
		return fault.Conflictf("machine %s has no disk to keep a checkpoint in", c.VM)
	case at.has == len(at.paths):
		return nil
	case at.g == nil && c.Memory:
		return fault.Conflictf("machine %s does not run on host %s", c.VM, host)
	}
	if at.has > 0 { // of an earlier try
		if err := d.dropCheckpoint(ctx, at, c); err != nil {
			return err
		}
	}
	if err := d.takeCheckpoint(ctx, at, c); err != nil {
		return errors.Join(err, d.dropCheckpoint(context.WithoutCancel(ctx), at, c))
	}
	return nil
}

func (d *Driver) takeCheckpoint(ctx context.Context, at checked, c hypervisor.Checkpoint) error {
	tag := string(c.ID)
	switch {
	case at.g == nil:
		for _, path := range at.paths {
			if err := d.image.TakeSnapshot(ctx, path, tag); err != nil {
				return err
			}
		}
		return nil
	case c.Memory:
		return at.g.run(ctx, "checkpoint", "snapshot-save", map[string]any{"tag": tag, "vmstate": at.nodes[0], "devices": at.nodes})
	}
	var actions []map[string]any
	for _, node := range at.nodes {
		actions = append(actions, map[string]any{
			"type": "blockdev-snapshot-internal-sync", "data": map[string]string{"device": node, "name": tag},
		})
	}
	if err := at.g.mon.Do(ctx, "transaction", map[string]any{"actions": actions}, nil); err != nil {
		return at.g.failed(err)
	}
	return nil
}

// RevertTo implements [hypervisor.Checkpointer].
func (d *Driver) RevertTo(ctx context.Context, host uid.Host, c hypervisor.Checkpoint) error {
	at, free, err := d.check(ctx, host, c)
	if err != nil {
		return err
	}
	defer free()
	switch {
	case at.has < len(at.paths) || at.has == 0:
		return fault.Conflictf("machine %s has no checkpoint %s", c.VM, c.ID)
	case at.state > 0 && at.g == nil:
		return fault.Conflictf("machine %s does not run on host %s, and checkpoint %s is of one that ran: start it first", c.VM, host, c.ID)
	case at.state == 0 && at.g != nil:
		return fault.Conflictf("machine %s runs, and checkpoint %s has no memory to run on with: stop it first", c.VM, c.ID)
	case at.g == nil:
		for _, path := range at.paths {
			if err := d.image.Revert(ctx, path, string(c.ID)); err != nil {
				return err
			}
		}
		return nil
	}
	if err := at.g.mon.Do(ctx, "stop", nil, nil); err != nil {
		return at.g.failed(err)
	}
	err = at.g.run(ctx, "checkpoint", "snapshot-load", map[string]any{"tag": string(c.ID), "vmstate": at.nodes[0], "devices": at.nodes})
	if e := at.g.mon.Do(context.WithoutCancel(ctx), "cont", nil, nil); e != nil {
		err = errors.Join(err, at.g.failed(e))
	}
	return err
}

// DropCheckpoint implements [hypervisor.Checkpointer].
func (d *Driver) DropCheckpoint(ctx context.Context, host uid.Host, c hypervisor.Checkpoint) error {
	var there []hypervisor.DiskRef // a disk that is gone has taken its part of the checkpoint along
	for _, ref := range c.Disks {
		path, err := d.path(ref)
		if err != nil {
			return err
		}
		if _, err := os.Stat(path); !errors.Is(err, fs.ErrNotExist) {
			there = append(there, ref)
		}
	}
	if c.Disks = there; len(there) == 0 {
		return nil
	}
	at, free, err := d.check(ctx, host, c)
	if err != nil {
		return err
	}
	defer free()
	if at.has == 0 {
		return nil
	}
	return d.dropCheckpoint(ctx, at, c)
}

func (d *Driver) dropCheckpoint(ctx context.Context, at checked, c hypervisor.Checkpoint) error {
	if at.g != nil {
		return at.g.run(ctx, "checkpoint", "snapshot-delete", map[string]any{"tag": string(c.ID), "devices": at.nodes})
	}
	for _, path := range at.paths {
		i, err := d.image.Info(ctx, path, "qcow2")
		if err == nil && i.Has(string(c.ID)) {
			err = d.image.DropSnapshot(ctx, path, string(c.ID))
		}
		if err != nil {
			return err
		}
	}
	return nil
}
