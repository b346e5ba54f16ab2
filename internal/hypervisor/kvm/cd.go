package kvm

import (
	"context"

	"github.com/virga-cloud/virga/internal/fault"
	"github.com/virga-cloud/virga/internal/hypervisor"
	"github.com/virga-cloud/virga/internal/hypervisor/kvm/file"
	"github.com/virga-cloud/virga/uid"
)

// cdArgs are the CD drive, which every machine has, and what is in it.
func (d *Driver) cdArgs(m hypervisor.Machine) ([]string, error) {
	drive := map[string]any{"driver": "ide-cd", "id": cdDevice, "bus": "ide.0", "bootindex": 2}
	if m.CD == nil {
		return []string{"-device", text(drive)}, nil
	}
	medium, err := d.medium(*m.CD)
	if err != nil {
		return nil, err
	}
	drive["drive"] = cdNode
	return []string{"-blockdev", text(medium), "-device", text(drive)}, nil
}

// medium is an ISO as the block layer has it.
func (d *Driver) medium(ref hypervisor.ImageRef) (map[string]any, error) {
	path, err := d.imagePath(ref, "iso")
	if err != nil {
		return nil, err
	}
	if !file.Exists(path) {
		return nil, fault.Conflictf("ISO %s is not in its store at %s", ref.Template, ref.StoreURL)
	}
	return map[string]any{
		"driver": "raw", "node-name": cdNode, "read-only": true,
		"file": map[string]any{"driver": "file", "filename": path, "read-only": true},
	}, nil
}

// ChangeCD implements [hypervisor.Ejector].
func (d *Driver) ChangeCD(ctx context.Context, host uid.Host, vm uid.VM, cd *hypervisor.ImageRef) error {
	g, done, err := d.at(ctx, host, vm)
	if err != nil {
		return err
	}
	defer done()
	has := g.Machine.CD
	if cd == nil && has == nil || cd != nil && has != nil && *cd == *has {
		return nil
	}
	var medium map[string]any
	if cd != nil {
		if medium, err = d.medium(*cd); err != nil {
			return err
		}
	}
	// The guest may have locked the tray; it is not asked.
	for _, step := range []struct {
		command string
		args    map[string]any
	}{
		{"blockdev-open-tray", map[string]any{"id": cdDevice, "force": true}},
		{"blockdev-remove-medium", map[string]any{"id": cdDevice}},
	} {
		if err := g.mon.Do(ctx, step.command, step.args, nil); err != nil {
			return g.failed(err)
		}
	}
	if err := g.dropNode(ctx, cdNode); err != nil {
		return err
	}
	if cd != nil {
		if err := g.mon.Do(ctx, "blockdev-add", medium, nil); err != nil {
			return g.failed(err)
		}
		if err := g.mon.Do(ctx, "blockdev-insert-medium", map[string]any{"id": cdDevice, "node-name": cdNode}, nil); err != nil {
			return g.failed(err)
		}
	}
	if err := g.mon.Do(ctx, "blockdev-close-tray", map[string]any{"id": cdDevice}, nil); err != nil {
		return g.failed(err)
	}
	return d.become(g, func(m *hypervisor.Machine) { m.CD = cd })
}
