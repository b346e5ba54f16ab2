package sim

import (
	"context"
	"slices"

	"github.com/virga-cloud/virga/internal/fault"
	"github.com/virga-cloud/virga/internal/hypervisor"
	"github.com/virga-cloud/virga/uid"
)

// PlugCard implements [hypervisor.CardPlugger].
func (w *World) PlugCard(ctx context.Context, host uid.Host, vm uid.VM, n hypervisor.NIC) error {
	return w.do(ctx, host, hypervisor.CommandPlugCard, func(t *tx) error {
		m, err := t.runs(host, vm)
		if err != nil {
			return err
		}
		for _, has := range m.NICs {
			switch {
			case has == n:
				return nil
			case has.ID == n.ID:
				return fault.Conflictf("machine %s has card %s already, with something else about it", vm, n.ID)
			case has.Device == n.Device:
				return fault.Conflictf("machine %s has card %s at device %d", vm, has.ID, n.Device)
			}
		}
		m.NICs = append(m.NICs, n)
		slices.SortFunc(m.NICs, func(a, b hypervisor.NIC) int { return a.Device - b.Device })
		return t.respecify(m)
	})
}

// UnplugCard implements [hypervisor.CardPlugger].
func (w *World) UnplugCard(ctx context.Context, host uid.Host, vm uid.VM, id uid.NIC) error {
	return w.do(ctx, host, hypervisor.CommandUnplugCard, func(t *tx) error {
		g, err := t.guest(vm)
		if err != nil || !g.found || g.host != host {
			return err
		}
		m, err := g.machine()
		if err != nil {
			return err
		}
		m.NICs = slices.DeleteFunc(m.NICs, func(n hypervisor.NIC) bool { return n.ID == id })
		return t.respecify(m)
	})
}

// ChangeCD implements [hypervisor.Ejector]. An ISO is in its store if it was fetched; one without a store is there anyway.
func (w *World) ChangeCD(ctx context.Context, host uid.Host, vm uid.VM, cd *hypervisor.ImageRef) error {
	return w.do(ctx, host, hypervisor.CommandChangeCD, func(t *tx) error {
		m, err := t.runs(host, vm)
		if err != nil {
			return err
		}
		if cd != nil && cd.Store != "" {
			if url, err := t.imageURL(*cd); err != nil {
				return err
			} else if url == "" {
				return fault.Conflictf("ISO %s is not in store %s", cd.Template, cd.Store)
			}
		}
		m.CD = cd
		return t.respecify(m)
	})
}

// ResizeDisk implements [hypervisor.Resizer].
func (w *World) ResizeDisk(ctx context.Context, host uid.Host, d hypervisor.DiskRef, bytes int64) error {
	return w.do(ctx, host, hypervisor.CommandResizeDisk, func(t *tx) error {
		at, err := t.reached(host, d)
		switch {
		case err != nil:
			return err
		case at.bytes > bytes:
			return fault.Conflictf("volume %s has %d bytes, more than %d: a disk does not shrink", d.Volume, at.bytes, bytes)
		}
		_, err = t.exec("update disk set bytes = ? where volume = ? and pool = ?", bytes, string(d.Volume), string(d.Pool))
		return err
	})
}

// reached gives a disk that is there, and that no machine on another host has.
func (t *tx) reached(host uid.Host, d hypervisor.DiskRef) (diskState, error) {
	at, err := t.disk(d)
	if err != nil {
		return at, err
	}
	if !at.found {
		return at, fault.Conflictf("volume %s is not in pool %s", d.Volume, d.Pool)
	}
	if at.inUse {
		g, err := t.guest(at.vm)
		if err == nil && g.host != host {
			err = fault.Conflictf("volume %s is in use by machine %s on host %s", d.Volume, at.vm, g.host)
		}
		return at, err
	}
	return at, nil
}
