package hypervisortest

import (
	"context"
	"testing"

	"github.com/virga-cloud/virga/internal/fault"
	"github.com/virga-cloud/virga/uid"
)

func testProbe(t *testing.T, b *bench) {
	for _, host := range b.Hosts {
		r, err := b.Driver.Probe(b.ctx(), host)
		b.ok(err)
		if r.CPUCores <= 0 || r.CPUSpeedMHz <= 0 || r.MemoryMB <= 0 || r.Hypervisor == "" || r.Version == "" {
			t.Errorf("report %+v leaves something out", r)
		}
		b.has(host)
	}
}

func testUnknownHost(t *testing.T, b *bench) {
	b.host = uid.New[uid.Host]()
	for name, err := range everyMethod(b, b.ctx()) {
		t.Log(name)
		b.fails(err, fault.Unavailable)
	}
}

func testCancelled(t *testing.T, b *bench) {
	m, d := b.running()
	ctx, cancel := context.WithCancel(b.ctx())
	cancel()
	for name, err := range everyMethod(b, ctx) {
		t.Log(name)
		b.cancelled(err)
	}
	b.cancelled(b.Driver.Recover(ctx))
	b.cancelled(b.Driver.Stop(ctx, b.host, m.VM, true))
	b.has(b.host, m.VM)
	b.ok(b.Driver.Stop(b.ctx(), b.host, m.VM, true))
	b.cancelled(b.Driver.DropDisk(ctx, b.host, d.DiskRef))
	b.ok(b.Driver.Start(b.ctx(), b.host, m)) // its disk was not dropped
}

// everyMethod calls each method that names a host, on things that are not there.
func everyMethod(b *bench, ctx context.Context) map[string]error {
	d := b.disk()
	_, probe := b.Driver.Probe(ctx, b.host)
	_, guests := b.Driver.Guests(ctx, b.host)
	return map[string]error{
		"Probe":    probe,
		"Guests":   guests,
		"MakeDisk": b.Driver.MakeDisk(ctx, b.host, d),
		"DropDisk": b.Driver.DropDisk(ctx, b.host, d.DiskRef),
		"Start":    b.Driver.Start(ctx, b.host, b.machine()),
		"Stop":     b.Driver.Stop(ctx, b.host, uid.New[uid.VM](), false),
		"Reboot":   b.Driver.Reboot(ctx, b.host, uid.New[uid.VM]()),
	}
}

func testDisk(_ *testing.T, b *bench) {
	d := b.disk()
	b.ok(b.Driver.DropDisk(b.ctx(), b.host, d.DiskRef)) // absent
	for range 2 {
		b.ok(b.Driver.MakeDisk(b.ctx(), b.host, d))
		b.ok(b.Driver.MakeDisk(b.ctx(), b.host, d))
		b.ok(b.Driver.DropDisk(b.ctx(), b.host, d.DiskRef))
		b.ok(b.Driver.DropDisk(b.ctx(), b.host, d.DiskRef))
	}
	b.fails(b.Driver.Start(b.ctx(), b.host, b.machine(d)), fault.Conflict) // it is gone

	b.ok(b.Driver.MakeDisk(b.ctx(), b.host, d))
	larger := d
	larger.Bytes *= 2
	b.fails(b.Driver.MakeDisk(b.ctx(), b.host, larger), fault.Conflict)

	if b.Template != "" {
		d := b.disk()
		d.Template, d.TemplateBytes, d.Bytes = b.Template, b.TemplateBytes, max(b.TemplateBytes, d.Bytes)
		d.Store, d.StoreURL = b.Store, b.StoreURL
		b.ok(b.Driver.MakeDisk(b.ctx(), b.host, d))
		b.ok(b.Driver.MakeDisk(b.ctx(), b.host, d))
		d.Template = ""
		b.fails(b.Driver.MakeDisk(b.ctx(), b.host, d), fault.Conflict)
	}
}

func testDiskInUse(_ *testing.T, b *bench) {
	m, d := b.running()
	b.fails(b.Driver.DropDisk(b.ctx(), b.host, d.DiskRef), fault.Conflict)
	other := b.machine(d)
	b.fails(b.Driver.Start(b.ctx(), b.host, other), fault.Conflict)
	b.has(b.host, m.VM)

	b.ok(b.Driver.Stop(b.ctx(), b.host, m.VM, true))
	b.ok(b.Driver.Start(b.ctx(), b.host, other)) // the disk is free again
	b.fails(b.Driver.Start(b.ctx(), b.host, m), fault.Conflict)
	b.ok(b.Driver.Stop(b.ctx(), b.host, other.VM, true))

	// A start that fails takes hold of no disk, even if the machine is started without it afterwards.
	root := b.disk()
	b.ok(b.Driver.MakeDisk(b.ctx(), b.host, root))
	short := b.machine(root, d, b.disk())
	b.fails(b.Driver.Start(b.ctx(), b.host, short), fault.Conflict)
	short.Disks = short.Disks[:1]
	b.ok(b.Driver.Start(b.ctx(), b.host, short))
	b.ok(b.Driver.DropDisk(b.ctx(), b.host, d.DiskRef))
}

func testStartStop(_ *testing.T, b *bench) {
	d := b.disk()
	m := b.machine(d)
	b.ok(b.Driver.Stop(b.ctx(), b.host, m.VM, false)) // absent
	b.fails(b.Driver.Start(b.ctx(), b.host, m), fault.Conflict)
	b.has(b.host) // a start that fails leaves nothing

	b.ok(b.Driver.MakeDisk(b.ctx(), b.host, d))
	for _, force := range []bool{true, false} {
		b.ok(b.Driver.Start(b.ctx(), b.host, m))
		b.ok(b.Driver.Start(b.ctx(), b.host, m))
		b.has(b.host, m.VM)

		larger := m
		larger.MemoryMB *= 2
		b.fails(b.Driver.Start(b.ctx(), b.host, larger), fault.Conflict)

		b.ok(b.Driver.Stop(b.ctx(), b.host, m.VM, force))
		b.has(b.host)
		b.ok(b.Driver.Stop(b.ctx(), b.host, m.VM, force))
	}
}

func testReboot(_ *testing.T, b *bench) {
	m, _ := b.running()
	b.ok(b.Driver.Reboot(b.ctx(), b.host, m.VM))
	b.has(b.host, m.VM)
	b.ok(b.Driver.Start(b.ctx(), b.host, m)) // it has its specification still
	b.ok(b.Driver.Stop(b.ctx(), b.host, m.VM, true))
	b.fails(b.Driver.Reboot(b.ctx(), b.host, m.VM), fault.Conflict)
	b.has(b.host)
}

func testReopen(_ *testing.T, b *bench) {
	m, d := b.running()
	spare := b.disk()
	b.ok(b.Driver.MakeDisk(b.ctx(), b.host, spare))

	b.Driver = b.Reopen(b.t)
	b.ok(b.Driver.Recover(b.ctx()))
	b.has(b.host, m.VM)
	b.ok(b.Driver.Start(b.ctx(), b.host, m))
	b.ok(b.Driver.Start(b.ctx(), b.host, b.machine(spare)))
	b.fails(b.Driver.DropDisk(b.ctx(), b.host, d.DiskRef), fault.Conflict)
	b.ok(b.Driver.Reboot(b.ctx(), b.host, m.VM))
	b.ok(b.Driver.Stop(b.ctx(), b.host, m.VM, false))
	b.ok(b.Driver.DropDisk(b.ctx(), b.host, d.DiskRef))
}
