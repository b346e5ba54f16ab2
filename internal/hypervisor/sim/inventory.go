package sim

import (
	"context"
	"encoding/json"

	"github.com/virga-cloud/virga/internal/fault"
	"github.com/virga-cloud/virga/internal/hypervisor"
	"github.com/virga-cloud/virga/uid"
)

// Inventory is all there is in a world, at one moment.
type Inventory struct {
	Hosts  []uid.Host // by ascending id
	Guests map[uid.VM]Location
	Disks  []hypervisor.Disk     // by ascending volume and pool
	Images []hypervisor.ImageRef // by ascending template and store, without URLs
	// Snapshots are those in stores, by ascending snapshot and store, without URLs.
	Snapshots []hypervisor.SnapshotRef
	// Checkpoints are the machines of those that are kept.
	Checkpoints map[uid.VMSnapshot]uid.VM
	// Routers are the hosts that each router is on, and what it was given there.
	Routers map[uid.Router]map[uid.Host]Routed
}

// Routed is what a router has been given.
type Routed struct {
	Version int64
	Guests  map[uid.NIC]string // the address and the name of each
}

// Location is where a guest is.
type Location struct {
	Host    uid.Host
	Running bool // false after it shut itself down
}

// Inspect tells what there is, for a test to compare with what the control plane believes. No rule applies to it.
func (w *World) Inspect(ctx context.Context) (Inventory, error) {
	var i Inventory
	err := w.store.write(ctx, func(t *tx) (err error) { // the writer's turn makes it one moment
		if err = t.lapse(w.now()); err != nil {
			return err
		}
		if i.Hosts, err = t.allHosts(); err != nil {
			return err
		}
		if i.Guests, err = t.allGuests(); err != nil {
			return err
		}
		if i.Disks, err = t.allDisks(); err != nil {
			return err
		}
		if i.Images, err = t.allImages(); err != nil {
			return err
		}
		if i.Snapshots, err = t.allSnapshots(); err != nil {
			return err
		}
		if i.Checkpoints, err = t.allCheckpoints(); err != nil {
			return err
		}
		i.Routers, err = t.allRouters()
		return err
	})
	return i, err
}

// Machine is what a guest was started with. It is fault.NotFound when there is no such guest.
func (w *World) Machine(_ context.Context, vm uid.VM) (m hypervisor.Machine, err error) {
	g, err := w.store.read.guest(vm)
	if err != nil {
		return m, err
	}
	if !g.found {
		return m, fault.Missing(vm)
	}
	return m, json.Unmarshal(g.spec, &m)
}

// Halt has a guest shut itself down, as its own user might; its host still has it, not running. It is fault.NotFound when
// there is no such guest.
func (w *World) Halt(ctx context.Context, vm uid.VM) error {
	return w.store.write(ctx, func(t *tx) error {
		found, err := t.haltGuest(vm)
		if err == nil && !found {
			err = fault.Missing(vm)
		}
		return err
	})
}
