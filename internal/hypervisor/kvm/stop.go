package kvm

import (
	"context"
	"errors"
	"time"

	"github.com/virga-cloud/virga/internal/hypervisor/kvm/qmp"
	"github.com/virga-cloud/virga/uid"
)

// quitting is how long QEMU may take to end by itself once it was told to.
const quitting = 5 * time.Second

// Stop implements [hypervisor.Driver]. A guest that was asked and does not shut itself down in time has its power cut.
func (d *Driver) Stop(ctx context.Context, host uid.Host, vm uid.VM, force bool) error {
	done, err := d.turn(ctx, host, string(vm))
	if err != nil {
		return err
	}
	defer done()
	g := d.found(ctx, vm)
	if g == nil {
		return nil
	}
	if g.runs() && !force && !g.Arriving {
		if err := d.ask(ctx, g); err != nil {
			return err
		}
	}
	if g.runs() {
		if err := d.cut(ctx, g); err != nil {
			return err
		}
	}
	return d.forget(g)
}

// ask asks the guest to shut itself down, and waits for a while.
func (d *Driver) ask(ctx context.Context, g *guest) error {
	wait, cancel := context.WithTimeout(ctx, d.Patience)
	defer cancel()
	if err := g.mon.Do(wait, "system_powerdown", nil, nil); err != nil && ctx.Err() == nil {
		return nil // it ends just now, or does not listen
	}
	select {
	case <-g.gone:
	case <-wait.Done():
	}
	return ctx.Err()
}

// cut ends QEMU, by its own hand where it listens: it writes out then what it has in memory of the disks.
func (d *Driver) cut(ctx context.Context, g *guest) error {
	wait, cancel := context.WithTimeout(ctx, quitting)
	defer cancel()
	if g.mon.Do(wait, "quit", nil, nil) == nil {
		_ = g.Process.ended(wait)
	}
	if ctx.Err() != nil {
		return ctx.Err()
	}
	return d.end(ctx, g)
}

// Reboot implements [hypervisor.Driver]. The guest is asked to shut itself down and then started from the beginning, in the same
// QEMU; one that does not react is reset.
func (d *Driver) Reboot(ctx context.Context, host uid.Host, vm uid.VM) error {
	done, err := d.turn(ctx, host, string(vm))
	if err != nil {
		return err
	}
	defer done()
	g, err := d.running(ctx, vm)
	if err != nil {
		return err
	}
	down := g.mon.Watch("SHUTDOWN")
	defer down.Close()
	if err := g.atShutdown(ctx, "pause"); err != nil {
		return err
	}
	if err := g.mon.Do(ctx, "system_powerdown", nil, nil); err != nil {
		return g.failed(err)
	}
	wait, cancel := context.WithTimeout(ctx, d.Patience)
	defer cancel()
	if _, err := down.Next(wait); err != nil && (ctx.Err() != nil || errors.Is(err, qmp.ErrClosed)) {
		return g.failed(err)
	}
	return g.begin(ctx)
}

// begin has the guest start from the beginning.
func (g *guest) begin(ctx context.Context) error {
	for _, command := range []string{"system_reset", "cont"} {
		if err := g.mon.Do(ctx, command, nil, nil); err != nil {
			return g.failed(err)
		}
	}
	return g.atShutdown(ctx, "poweroff")
}

// atShutdown says what QEMU does when the guest shuts itself down.
func (g *guest) atShutdown(ctx context.Context, action string) error {
	if err := g.mon.Do(ctx, "set-action", map[string]string{"shutdown": action}, nil); err != nil {
		return g.failed(err)
	}
	return nil
}
