package hypervisortest

import (
	"errors"
	"sync"
	"testing"

	"github.com/virga-cloud/virga/internal/fault"
	"github.com/virga-cloud/virga/internal/hypervisor"
	"github.com/virga-cloud/virga/uid"
)

func testOneHostAtATime(t *testing.T, b *bench) {
	second := b.second()
	m, _ := b.running()
	b.fails(b.Driver.Start(b.ctx(), second, m), fault.Conflict)
	b.ok(b.Driver.Stop(b.ctx(), second, m.VM, true)) // not there
	b.fails(b.Driver.Reboot(b.ctx(), second, m.VM), fault.Conflict)
	b.has(b.host, m.VM)
	b.has(second)

	b.ok(b.Driver.Stop(b.ctx(), b.host, m.VM, true))
	b.ok(b.Driver.Start(b.ctx(), second, m))
	b.has(b.host)
	b.has(second, m.VM)

	// Of many who start it at once on two hosts, those of one host win and the others are told.
	b.ok(b.Driver.Stop(b.ctx(), second, m.VM, true))
	errs := together(8, func(i int) error { return b.Driver.Start(b.ctx(), b.Hosts[i%2], m) })
	for i, err := range errs {
		if (err == nil) != (errs[i%2] == nil) {
			t.Errorf("starts on one host differ: %v and %v", err, errs[i%2])
		}
	}
	switch {
	case errs[0] == nil && fault.Is(errs[1], fault.Conflict):
		b.has(b.host, m.VM)
		b.has(second)
	case errs[1] == nil && fault.Is(errs[0], fault.Conflict):
		b.has(b.host)
		b.has(second, m.VM)
	default:
		t.Errorf("starts on two hosts gave %v and %v, want one nil and one conflict", errs[0], errs[1])
	}
}

func testSameStartTwice(_ *testing.T, b *bench) {
	d := b.disk()
	m := b.machine(d)
	b.ok(errors.Join(together(8, func(int) error { return b.Driver.MakeDisk(b.ctx(), b.host, d) })...))
	b.ok(errors.Join(together(8, func(int) error { return b.Driver.Start(b.ctx(), b.host, m) })...))
	b.has(b.host, m.VM)
	b.ok(errors.Join(together(8, func(int) error { return b.Driver.Stop(b.ctx(), b.host, m.VM, false) })...))
	b.has(b.host)
	b.ok(errors.Join(together(8, func(int) error { return b.Driver.DropDisk(b.ctx(), b.host, d.DiskRef) })...))
}

func testManyMachines(_ *testing.T, b *bench) {
	disks := make([]hypervisor.Disk, b.machines)
	machines := make([]hypervisor.Machine, b.machines)
	want := map[uid.Host][]uid.VM{}
	at := func(i int) uid.Host { return b.Hosts[i%len(b.Hosts)] }
	for i := range machines {
		disks[i] = b.disk()
		machines[i] = b.machine(disks[i])
		want[at(i)] = append(want[at(i)], machines[i].VM)
	}
	b.ok(errors.Join(together(b.machines, func(i int) error {
		if err := b.Driver.MakeDisk(b.ctx(), at(i), disks[i]); err != nil {
			return err
		}
		return b.Driver.Start(b.ctx(), at(i), machines[i])
	})...))
	for host, vms := range want {
		b.has(host, vms...)
	}
	b.ok(errors.Join(together(b.machines, func(i int) error {
		if err := b.Driver.Stop(b.ctx(), at(i), machines[i].VM, true); err != nil {
			return err
		}
		return b.Driver.DropDisk(b.ctx(), at(i), disks[i].DiskRef)
	})...))
	for host := range want {
		b.has(host)
	}
}

// together makes n calls at once and gives their errors.
func together(n int, call func(i int) error) []error {
	errs := make([]error, n)
	var wg sync.WaitGroup
	for i := range n {
		wg.Go(func() { errs[i] = call(i) })
	}
	wg.Wait()
	return errs
}
