package kvm

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/virga-cloud/virga/internal/hypervisor"
	"github.com/virga-cloud/virga/internal/hypervisor/kvm/file"
	"github.com/virga-cloud/virga/internal/hypervisor/kvm/qmp"
	"github.com/virga-cloud/virga/uid"
)

// record is what a machine's folder says of it.
type record struct {
	Machine hypervisor.Machine
	Process process // zero until there is one

	Arriving bool               `json:",omitzero"` // it is awaited from another host, or on its way
	Arrival  hypervisor.Arrival `json:",omitzero"` // where
}

// guest is a machine that this host has.
type guest struct {
	record
	vm   uid.VM
	dir  string
	mon  *qmp.Client
	gone chan struct{} // closed when its process has ended

	muted bool // QEMU did not answer when it was found
}

const (
	recordFile  = "guest.json"
	logFile     = "qemu.log"
	serialFile  = "serial.log"
	runDir      = "run"
	monitorSock = "monitor.sock"
	serialSock  = "run/serial.sock"
	displaySock = "run/vnc.sock"
)

func (d *Driver) dirOf(vm uid.VM) string { return filepath.Join(d.guestsDir(), string(vm)) }

func (g *guest) file(name string) string { return filepath.Join(g.dir, name) }

// runs tells whether the machine has not ended.
func (g *guest) runs() bool {
	select {
	case <-g.gone:
		return false
	default:
		return true
	}
}

// is tells whether the machine was started as this.
func (g *guest) is(m hypervisor.Machine) (bool, error) {
	has, err := g.Machine.Specification()
	if err != nil {
		return false, err
	}
	wanted, err := m.Specification()
	return bytes.Equal(has, wanted), err
}

// save writes the record, so that it is there whole or as it was.
func (g *guest) save() error {
	content, err := json.Marshal(g.record)
	if err != nil {
		return err
	}
	return file.Write(g.file(recordFile), content)
}

// load reads a machine's folder; nil where there is none, or nothing was written into it yet.
func (d *Driver) load(vm uid.VM) (*guest, error) {
	g := &guest{vm: vm, dir: d.dirOf(vm), gone: make(chan struct{})}
	content, err := os.ReadFile(g.file(recordFile))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil //nolint:nilnil // that is an answer
	}
	if err != nil {
		return nil, err
	}
	return g, json.Unmarshal(content, &g.record)
}

// follow has the driver know the machine, and notice when it ends.
func (d *Driver) follow(g *guest) {
	d.mu.Lock()
	d.guests[g.Machine.VM] = g
	d.mu.Unlock()
	d.tending.Go(func() {
		<-g.mon.Done()
		if g.Process.ended(d.life) == nil {
			close(g.gone)
		}
	})
}

// forget removes what is left of a machine that does not run.
func (d *Driver) forget(g *guest) error {
	if err := d.unplugAll(g.Machine); err != nil {
		return err
	}
	d.unlimit(g.Machine.VM)
	if err := os.RemoveAll(g.dir); err != nil {
		return err
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	delete(d.guests, g.Machine.VM)
	return nil
}

// end ends the machine's process.
func (d *Driver) end(ctx context.Context, g *guest) error {
	if err := g.Process.kill(); err != nil {
		return err
	}
	return g.Process.ended(ctx)
}
