package hypervisortest

import (
	"slices"
	"testing"

	"github.com/virga-cloud/virga/internal/fault"
	"github.com/virga-cloud/virga/internal/hypervisor"
	"github.com/virga-cloud/virga/uid"
)

// testMigrate is for drivers that are Migrators.
func testMigrate(t *testing.T, b *bench) {
	mover, second := able[hypervisor.Migrator](b), b.second()
	m, d := b.running()
	_, err := mover.Receive(b.ctx(), b.host, m, nil)
	b.ok(err) // as if it had arrived

	at, err := mover.Receive(b.ctx(), second, m, nil)
	b.ok(err)
	again, err := mover.Receive(b.ctx(), second, m, nil)
	b.ok(err)
	if at.Address == "" || again.Address != at.Address {
		t.Errorf("it is awaited at %q, and then at %q", at.Address, again.Address)
	}
	larger := m
	larger.MemoryMB *= 2
	_, err = mover.Receive(b.ctx(), second, larger, nil)
	b.fails(err, fault.Conflict)
	b.awaits(second, m.VM)
	b.has(b.host, m.VM)

	// One that is not awaited any more stays where it is.
	b.ok(b.Driver.Stop(b.ctx(), second, m.VM, true))
	b.has(second)
	if err := mover.Send(b.ctx(), b.host, m.VM, at); err == nil {
		t.Error("a machine was sent to where nobody awaited it")
	}
	b.has(b.host, m.VM)

	from, to := b.host, second
	for range 2 { // there and back
		at, err = mover.Receive(b.ctx(), to, m, nil)
		b.ok(err)
		b.ok(mover.Send(b.ctx(), from, m.VM, at))
		b.has(from)
		b.has(to, m.VM)
		b.fails(mover.Send(b.ctx(), from, m.VM, at), fault.Conflict) // it is not there any more
		_, err = mover.Receive(b.ctx(), to, m, nil)
		b.ok(err)
		b.ok(b.Driver.Start(b.ctx(), to, m)) // it has its specification still
		b.fails(b.Driver.Start(b.ctx(), from, m), fault.Conflict)
		b.fails(b.Driver.DropDisk(b.ctx(), from, d.DiskRef), fault.Conflict)
		from, to = to, from
	}
	b.ok(b.Driver.Stop(b.ctx(), from, m.VM, true))
	b.fails(mover.Send(b.ctx(), from, m.VM, at), fault.Conflict)
	b.ok(b.Driver.DropDisk(b.ctx(), to, d.DiskRef))
	_, err = mover.Receive(b.ctx(), to, m, nil)
	b.fails(err, fault.Conflict) // its disk is missing
	_, err = mover.Receive(b.ctx(), uid.New[uid.Host](), m, nil)
	b.fails(err, fault.Unavailable)
}

// testMigrateCopy moves a machine and its disk.
func testMigrateCopy(_ *testing.T, b *bench) {
	mover, second := able[hypervisor.Migrator](b), b.second()
	if b.OtherPoolURL == "" {
		b.t.Skip("needs two pools")
	}
	m, d := b.running()
	there := d
	there.Pool, there.PoolURL = uid.New[uid.Pool](), b.OtherPoolURL
	moved := m
	moved.Disks = slices.Clone(m.Disks)
	moved.Disks[0].DiskRef = there.DiskRef
	_, err := mover.Receive(b.ctx(), second, moved, []uid.Volume{d.Volume})
	b.fails(err, fault.Conflict) // the disk was not made
	b.ok(b.Driver.MakeDisk(b.ctx(), second, there))
	at, err := mover.Receive(b.ctx(), second, moved, []uid.Volume{d.Volume})
	b.ok(err)
	b.ok(mover.Send(b.ctx(), b.host, m.VM, at))
	b.has(b.host)
	b.has(second, m.VM)
	b.ok(b.Driver.Start(b.ctx(), second, moved))
	b.fails(b.Driver.DropDisk(b.ctx(), second, there.DiskRef), fault.Conflict)
	b.ok(b.Driver.DropDisk(b.ctx(), b.host, d.DiskRef)) // nobody has it any more
	b.ok(b.Driver.Stop(b.ctx(), second, m.VM, true))
}

// awaits wants a host to await one machine, and to have no others.
func (b *bench) awaits(host uid.Host, vm uid.VM) {
	b.t.Helper()
	got, err := b.Driver.Guests(b.ctx(), host)
	b.ok(err)
	if want := []hypervisor.Guest{{VM: vm, Arriving: true}}; !slices.Equal(got, want) {
		b.t.Fatalf("guests of host %s are %v, want %v", host, got, want)
	}
}
