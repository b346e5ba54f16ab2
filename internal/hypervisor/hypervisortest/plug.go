package hypervisortest

import (
	"errors"
	"testing"

	"github.com/virga-cloud/virga/internal/fault"
	"github.com/virga-cloud/virga/internal/hypervisor"
	"github.com/virga-cloud/virga/uid"
)

// testPlug is for drivers that are Pluggers.
func testPlug(_ *testing.T, b *bench) {
	plugger := able[hypervisor.Plugger](b)
	m, root := b.booted()
	spare := b.disk()
	at := func(d hypervisor.Disk, device int) hypervisor.Attachment {
		return hypervisor.Attachment{DiskRef: d.DiskRef, Device: device}
	}
	b.fails(plugger.Plug(b.ctx(), b.host, m.VM, at(spare, 1)), fault.Conflict) // not made yet
	b.ok(b.Driver.MakeDisk(b.ctx(), b.host, spare))
	b.ok(errors.Join(together(4, func(int) error { return plugger.Plug(b.ctx(), b.host, m.VM, at(spare, 2)) })...))

	// What is plugged in is part of the machine.
	b.fails(b.Driver.DropDisk(b.ctx(), b.host, spare.DiskRef), fault.Conflict)
	with := m
	with.Disks = []hypervisor.Attachment{at(root, 0), at(spare, 2)}
	b.ok(b.Driver.Start(b.ctx(), b.host, with))
	b.fails(b.Driver.Start(b.ctx(), b.host, m), fault.Conflict)

	// A device has one disk, and a disk one machine and one device.
	another := b.disk()
	b.ok(b.Driver.MakeDisk(b.ctx(), b.host, another))
	b.fails(plugger.Plug(b.ctx(), b.host, m.VM, at(another, 2)), fault.Conflict)
	b.fails(plugger.Plug(b.ctx(), b.host, m.VM, at(spare, 3)), fault.Conflict)
	other, _ := b.running()
	b.fails(plugger.Plug(b.ctx(), b.host, other.VM, at(spare, 1)), fault.Conflict)
	b.fails(plugger.Plug(b.ctx(), b.host, uid.New[uid.VM](), at(another, 1)), fault.Conflict)

	b.ok(errors.Join(together(4, func(int) error { return plugger.Unplug(b.ctx(), b.host, m.VM, spare.DiskRef) })...))
	b.ok(plugger.Unplug(b.ctx(), b.host, uid.New[uid.VM](), spare.DiskRef))
	b.ok(b.Driver.Start(b.ctx(), b.host, m))
	b.ok(plugger.Plug(b.ctx(), b.host, other.VM, at(spare, 1))) // it is free again
	b.ok(b.Driver.Stop(b.ctx(), b.host, other.VM, true))
	b.ok(b.Driver.DropDisk(b.ctx(), b.host, spare.DiskRef))

	b.ok(b.Driver.Stop(b.ctx(), b.host, m.VM, true))
	b.fails(plugger.Plug(b.ctx(), b.host, m.VM, at(another, 1)), fault.Conflict) // it does not run
	b.ok(plugger.Unplug(b.ctx(), b.host, m.VM, another.DiskRef))
}

// testPlugOneMachine has two machines want one disk at the same moment.
func testPlugOneMachine(t *testing.T, b *bench) {
	plugger := able[hypervisor.Plugger](b)
	one, _ := b.running()
	two, _ := b.running()
	d := b.disk()
	b.ok(b.Driver.MakeDisk(b.ctx(), b.host, d))
	vms := []uid.VM{one.VM, two.VM}
	errs := together(2, func(i int) error {
		return plugger.Plug(b.ctx(), b.host, vms[i], hypervisor.Attachment{DiskRef: d.DiskRef, Device: 1})
	})
	if (errs[0] == nil) == (errs[1] == nil) {
		t.Errorf("two machines that wanted one disk got %v and %v", errs[0], errs[1])
	}
}
