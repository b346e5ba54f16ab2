package kvm

import (
	"context"
	"errors"
	"os"

	"github.com/virga-cloud/virga/internal/fault"
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
		done, err := d.turns.take(ctx, string(vm))
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

func (d *Driver) resume(ctx context.Context, g *guest) (err error) {
	wait, cancel := context.WithTimeout(ctx, launching)
	defer cancel()
	if g.mon, err = qmp.Dial(wait, g.file(monitorSock)); err != nil {
		return fault.Unavailablef("machine %s runs, but does not answer: %v", g.Machine.VM, err)
	}
	status, err := g.status(wait)
	switch {
	case errors.Is(err, qmp.ErrClosed): // it ends just now
		d.follow(g)
		return nil
	case err != nil:
		g.mon.Close()
		return err
	case status == "prelaunch", status == "postmigrate": // it was never started; it runs elsewhere by now
		return d.abandon(g)
	case status == "shutdown": // in the middle of a reboot
		err = g.begin(ctx)
	}
	d.follow(g)
	d.arrives(wait, g)
	return err
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
