package sim

import (
	"context"
	"encoding/json"
	"slices"

	"github.com/virga-cloud/virga/internal/fault"
	"github.com/virga-cloud/virga/internal/hypervisor"
	"github.com/virga-cloud/virga/uid"
)

// Plug implements [hypervisor.Plugger].
func (w *World) Plug(ctx context.Context, host uid.Host, vm uid.VM, d hypervisor.Attachment) error {
	return w.do(ctx, host, hypervisor.CommandPlug, func(t *tx) error {
		m, err := t.runs(host, vm)
		if err != nil {
			return err
		}
		for _, has := range m.Disks {
			switch {
			case has == d:
				return nil
			case has.Device == d.Device:
				return fault.Conflictf("machine %s has volume %s at device %d", vm, has.Volume, d.Device)
			case has.DiskRef == d.DiskRef:
				return fault.Conflictf("machine %s has volume %s at device %d, not %d", vm, d.Volume, has.Device, d.Device)
			}
		}
		if err := t.hold(vm, d.DiskRef); err != nil {
			return err
		}
		at := slices.IndexFunc(m.Disks, func(has hypervisor.Attachment) bool { return has.Device > d.Device })
		if at < 0 {
			at = len(m.Disks)
		}
		m.Disks = slices.Insert(m.Disks, at, d)
		return t.respecify(m)
	})
}

// Unplug implements [hypervisor.Plugger].
func (w *World) Unplug(ctx context.Context, host uid.Host, vm uid.VM, d hypervisor.DiskRef) error {
	return w.do(ctx, host, hypervisor.CommandUnplug, func(t *tx) error {
		g, err := t.guest(vm)
		if err != nil || !g.found || g.host != host {
			return err
		}
		m, err := g.machine()
		if err != nil {
			return err
		}
		at := slices.IndexFunc(m.Disks, func(has hypervisor.Attachment) bool { return has.DiskRef == d })
		if at < 0 {
			return nil
		}
		if err := t.detachDisk(d, vm); err != nil {
			return err
		}
		m.Disks = slices.Delete(m.Disks, at, at+1)
		return t.respecify(m)
	})
}

// runs gives a machine that runs on a host.
func (t *tx) runs(host uid.Host, vm uid.VM) (hypervisor.Machine, error) {
	g, err := t.guest(vm)
	if err != nil {
		return hypervisor.Machine{}, err
	}
	if !g.running || g.host != host {
		return hypervisor.Machine{}, fault.Conflictf("machine %s does not run on host %s", vm, host)
	}
	return g.machine()
}

// hold gives a machine that runs a disk.
func (t *tx) hold(vm uid.VM, d hypervisor.DiskRef) error {
	held, err := t.attachDisk(d, vm)
	if err != nil || held {
		return err
	}
	at, err := t.disk(d)
	switch {
	case err != nil:
		return err
	case !at.found:
		return fault.Conflictf("machine %s needs volume %s, which is not in pool %s", vm, d.Volume, d.Pool)
	}
	return fault.Conflictf("machine %s needs volume %s, which is in use by machine %s", vm, d.Volume, at.vm)
}

func (g guestState) machine() (m hypervisor.Machine, err error) {
	err = json.Unmarshal(g.spec, &m)
	return m, err
}

// respecify changes what a machine counts as having been started with.
func (t *tx) respecify(m hypervisor.Machine) error {
	spec, err := m.Specification()
	if err != nil {
		return err
	}
	return t.setSpec(m.VM, spec)
}
