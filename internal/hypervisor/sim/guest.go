package sim

import (
	"bytes"
	"context"

	"github.com/virga-cloud/virga/internal/fault"
	"github.com/virga-cloud/virga/internal/hypervisor"
	"github.com/virga-cloud/virga/uid"
)

// Start implements [hypervisor.Driver].
func (w *World) Start(ctx context.Context, host uid.Host, m hypervisor.Machine) error {
	spec, err := m.Specification()
	if err != nil {
		return err
	}
	started := false
	err = w.do(ctx, host, hypervisor.CommandStart, func(t *tx) (err error) {
		started, err = t.start(host, m, spec, w.now())
		if g, _ := t.guest(m.VM); fault.Is(err, fault.Conflict) && g.running && g.host != host {
			w.doubles.Add(1)
		}
		return err
	})
	if err != nil || !started {
		return err
	}
	return w.pause(ctx, w.options.Boot)
}

// start tells whether the machine had to be started.
func (t *tx) start(host uid.Host, m hypervisor.Machine, spec []byte, now int64) (bool, error) {
	g, err := t.guest(m.VM)
	switch {
	case err != nil:
		return false, err
	case g.running && g.host != host:
		return false, fault.Conflictf("machine %s can't run on host %s: it runs on host %s", m.VM, host, g.host)
	case g.running && bytes.Equal(g.spec, spec):
		return false, nil
	case g.running:
		return false, fault.Conflictf("machine %s runs on host %s already, with another specification", m.VM, host)
	}
	if g.found { // it shut itself down, and may have had other disks then
		if err := t.detachDisks(m.VM); err != nil {
			return false, err
		}
	}
	if err := t.attach(m); err != nil {
		return false, err
	}
	return true, t.putGuest(host, m.VM, spec, now)
}

// Stop implements [hypervisor.Driver]. A machine whose power is cut stops at once.
func (w *World) Stop(ctx context.Context, host uid.Host, vm uid.VM, force bool) error {
	if w.options.Stop > 0 && !force {
		if g, err := w.store.read.guest(vm); err != nil {
			return err
		} else if g.running && g.host == host {
			if err := w.pause(ctx, w.options.Stop); err != nil {
				return err
			}
		}
	}
	return w.do(ctx, host, hypervisor.CommandStop, func(t *tx) error {
		if err := t.dropArrival(host, vm); err != nil {
			return err
		}
		if found, err := t.dropGuest(host, vm); err != nil || !found {
			return err
		}
		return t.detachDisks(vm)
	})
}

// Reboot implements [hypervisor.Driver].
func (w *World) Reboot(ctx context.Context, host uid.Host, vm uid.VM) error {
	err := w.do(ctx, host, hypervisor.CommandReboot, func(t *tx) error {
		g, err := t.guest(vm)
		if err == nil && (!g.running || g.host != host) {
			err = fault.Conflictf("machine %s does not run on host %s", vm, host)
		}
		return err
	})
	if err != nil {
		return err
	}
	return w.pause(ctx, w.options.Reboot)
}
