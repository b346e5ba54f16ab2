package kvm

import (
	"context"
	"errors"
	"os"
	"time"

	"github.com/virga-cloud/virga/internal/hypervisor/kvm/qmp"
	"github.com/virga-cloud/virga/uid"
)

// Recover implements [hypervisor.Driver]: it finds the machines that run, ends what never got to its first instruction, and takes up
// what was left half done.
func (d *Driver) Recover(ctx context.Context) error {
	if err := d.here(ctx, d.Host); err != nil {
		return err
	}
	entries, err := os.ReadDir(d.guestsDir())
	if err != nil {
		return err
	}
	for _, e := range entries {
		vm := uid.VM(e.Name())
		if checkID(vm) != nil {
			continue
		}
		done, err := d.turns.Take(ctx, string(vm))
		if err != nil {
			return err
		}
		err = d.find(ctx, vm)
		done()
		if err != nil {
			return err
		}
	}
	return nil
}

// find takes up one machine's folder.
func (d *Driver) find(ctx context.Context, vm uid.VM) error {
	if d.found(ctx, vm) != nil {
		return nil
	}
	g, err := d.load(vm)
	if err != nil {
		return err
	}
	if g == nil {
		return os.RemoveAll(d.dirOf(vm))
	}
	if !g.Process.lives() { // it may have been started without anybody having lived to write down its number
		if p, ok := processWith(string(vm)); ok {
			g.Process = p
		} else if g.Process.PID == 0 {
			return d.forget(g)
		}
	}
	if !g.Process.lives() { // it ended while nobody looked; Stop is to say so
		d.mu.Lock()
		defer d.mu.Unlock()
		close(g.gone)
		d.guests[vm] = g
		return nil
	}
	return d.resume(ctx, g)
}

// finding is how long QEMU may take to answer before others are looked for.
const finding = 10 * time.Second

func (d *Driver) resume(ctx context.Context, g *guest) (err error) {
	wait, cancel := context.WithTimeout(ctx, d.finding)
	defer cancel()
	if g.mon, err = qmp.Dial(wait, g.file(monitorSock)); err != nil {
		return d.mute(ctx, g, err)
	}
	status, err := g.status(wait)
	switch {
	case errors.Is(err, qmp.ErrClosed): // it ends just now
		d.follow(g)
		return nil
	case err != nil:
		return d.mute(ctx, g, err)
	case status == "prelaunch", status == "postmigrate": // it was never started; it runs elsewhere by now
		return d.abandon(g)
	case status == "shutdown": // in the middle of a reboot
		err = g.begin(ctx)
	}
	d.follow(g)
	d.arrives(wait, g)
	return err
}

// mute takes up a machine whose QEMU lives and does not answer. It runs, and can be ended by force; it must not keep the others from
// being found. [Driver.tend] asks it again.
func (d *Driver) mute(ctx context.Context, g *guest, why error) error {
	if ctx.Err() != nil {
		return ctx.Err()
	}
	d.Log.Warn("a machine runs, but QEMU does not answer", "machine", g.vm, "error", why)
	if g.mon != nil {
		g.mon.Close()
	}
	g.mon, g.muted = qmp.Closed(), true
	d.follow(g)
	return nil
}

// askMuted takes up machines again whose QEMU did not answer.
func (d *Driver) askMuted() {
	d.mu.Lock()
	var muted []uid.VM
	for vm, g := range d.guests {
		if g.muted && g.runs() {
			muted = append(muted, vm)
		}
	}
	d.mu.Unlock()
	for _, vm := range muted {
		if err := d.askAgain(d.life, vm); err != nil && d.life.Err() == nil {
			d.Log.Warn("a machine whose QEMU did not answer can't be taken up", "machine", vm, "error", err)
		}
	}
}

func (d *Driver) askAgain(ctx context.Context, vm uid.VM) error {
	wait, cancel := context.WithTimeout(ctx, replies)
	defer cancel()
	done, err := d.turns.Take(wait, string(vm))
	if err != nil {
		return nil // somebody does something with it: later
	}
	defer done()
	was := d.found(ctx, vm)
	if was == nil || !was.muted || !was.runs() {
		return nil
	}
	mon, err := qmp.Dial(wait, was.file(monitorSock))
	if err != nil {
		return nil // not yet
	}
	mon.Close()
	g, err := d.load(vm) // a new one, since others read the old one
	if err != nil || g == nil {
		return err
	}
	g.Process = was.Process
	d.Log.Info("a machine's QEMU answers again", "machine", vm)
	return d.resume(ctx, g)
}

// status is what QEMU says that the machine does: "running", "paused", "inmigrate".
func (g *guest) status(ctx context.Context) (string, error) {
	var answer struct {
		Status string `json:"status"`
	}
	if err := g.mon.Do(ctx, "query-status", nil, &answer); err != nil {
		return "", err
	}
	return answer.Status, nil
}

// Cards are those of the machines that are here, also of such as have ended and were not stopped.
func (d *Driver) Cards() (cards []uid.NIC) {
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, g := range d.guests {
		for _, n := range g.Machine.NICs {
			cards = append(cards, n.ID)
		}
	}
	return cards
}
