package hypervisortest

import (
	"errors"
	"io"
	"testing"

	"github.com/virga-cloud/virga/internal/fault"
	"github.com/virga-cloud/virga/internal/hypervisor"
	"github.com/virga-cloud/virga/uid"
)

// testPlugCard is for drivers that are CardPluggers.
func testPlugCard(t *testing.T, b *bench) {
	plugger := able[hypervisor.CardPlugger](b)
	if !b.Cards {
		t.Skip("needs a network that cards can be plugged into")
	}
	m, _ := b.booted()
	card := hypervisor.NIC{ID: uid.New[uid.NIC](), Network: uid.New[uid.Network](), Device: 1, MAC: "02:00:5e:00:53:17", IP: "10.1.1.7", VLAN: 17}
	b.ok(errors.Join(together(4, func(int) error { return plugger.PlugCard(b.ctx(), b.host, m.VM, card) })...))
	with := m
	with.NICs = []hypervisor.NIC{card}
	b.ok(b.Driver.Start(b.ctx(), b.host, with))
	b.fails(b.Driver.Start(b.ctx(), b.host, m), fault.Conflict)
	other := card
	other.MAC = "02:00:5e:00:53:18"
	b.fails(plugger.PlugCard(b.ctx(), b.host, m.VM, other), fault.Conflict)
	other.ID = uid.New[uid.NIC]()
	b.fails(plugger.PlugCard(b.ctx(), b.host, m.VM, other), fault.Conflict) // the device is taken
	other.Device = 0
	b.fails(plugger.PlugCard(b.ctx(), b.host, uid.New[uid.VM](), other), fault.Conflict)
	b.ok(plugger.PlugCard(b.ctx(), b.host, m.VM, other))
	b.ok(errors.Join(together(4, func(int) error { return plugger.UnplugCard(b.ctx(), b.host, m.VM, card.ID) })...))
	b.ok(plugger.UnplugCard(b.ctx(), b.host, uid.New[uid.VM](), card.ID))
	with.NICs = []hypervisor.NIC{other}
	b.ok(b.Driver.Start(b.ctx(), b.host, with))
	b.ok(b.Driver.Stop(b.ctx(), b.host, m.VM, true))
	b.fails(plugger.PlugCard(b.ctx(), b.host, m.VM, card), fault.Conflict) // it does not run
	b.ok(plugger.UnplugCard(b.ctx(), b.host, m.VM, other.ID))
	b.ok(b.Driver.Start(b.ctx(), b.host, with)) // from the beginning with a card
	b.has(b.host, m.VM)
}

// testChangeCD is for drivers that are Ejectors and Imagers.
func testChangeCD(_ *testing.T, b *bench) {
	ejector, imager := able[hypervisor.Ejector](b), able[hypervisor.Imager](b)
	m, _ := b.running()
	iso := b.imageRef()
	b.fails(ejector.ChangeCD(b.ctx(), b.host, m.VM, &iso), fault.Conflict) // not fetched yet
	_, err := imager.FetchImage(b.ctx(), b.host, hypervisor.Image{ImageRef: iso, URL: b.url(), Format: "ISO"})
	b.ok(err)
	with := m
	with.CD = &iso
	for range 2 {
		b.ok(ejector.ChangeCD(b.ctx(), b.host, m.VM, &iso))
		b.ok(ejector.ChangeCD(b.ctx(), b.host, m.VM, &iso))
		b.ok(b.Driver.Start(b.ctx(), b.host, with))
		b.fails(b.Driver.Start(b.ctx(), b.host, m), fault.Conflict)
		b.ok(ejector.ChangeCD(b.ctx(), b.host, m.VM, nil))
		b.ok(ejector.ChangeCD(b.ctx(), b.host, m.VM, nil))
		b.ok(b.Driver.Start(b.ctx(), b.host, m))
	}
	b.ok(b.Driver.Stop(b.ctx(), b.host, m.VM, true))
	b.fails(ejector.ChangeCD(b.ctx(), b.host, m.VM, &iso), fault.Conflict)
	b.ok(b.Driver.Start(b.ctx(), b.host, with))
	b.ok(ejector.ChangeCD(b.ctx(), b.host, m.VM, nil))
}

// testResizeDisk is for drivers that are Resizers.
func testResizeDisk(_ *testing.T, b *bench) {
	resizer := able[hypervisor.Resizer](b)
	m, d := b.running()
	for _, running := range []bool{true, false} {
		old := d
		d.Bytes *= 2
		for range 2 {
			b.ok(resizer.ResizeDisk(b.ctx(), b.host, d.DiskRef, d.Bytes))
		}
		b.ok(b.Driver.MakeDisk(b.ctx(), b.host, d))
		b.fails(b.Driver.MakeDisk(b.ctx(), b.host, old), fault.Conflict)
		b.fails(resizer.ResizeDisk(b.ctx(), b.host, d.DiskRef, old.Bytes), fault.Conflict)
		if running {
			if len(b.Hosts) > 1 {
				b.fails(resizer.ResizeDisk(b.ctx(), b.Hosts[1], d.DiskRef, 2*d.Bytes), fault.Conflict)
			}
			b.ok(b.Driver.Stop(b.ctx(), b.host, m.VM, true))
		}
	}
	b.fails(resizer.ResizeDisk(b.ctx(), b.host, b.disk().DiskRef, d.Bytes), fault.Conflict)
}

// testScreen is for drivers that are Screeners.
func testScreen(t *testing.T, b *bench) {
	screener := able[hypervisor.Screener](b)
	m, _ := b.running()
	for range 2 {
		conn, err := screener.Screen(b.ctx(), b.host, m.VM)
		b.ok(err)
		hello := make([]byte, 12)
		_, err = io.ReadFull(conn, hello) // it may come in pieces, and later than one read waits for
		b.ok(err)
		if string(hello) != "RFB 003.008\n" {
			t.Errorf("a screen says %q", hello)
		}
		_, err = conn.Write(hello)
		b.ok(err)
		ways := make([]byte, 2)
		_, err = io.ReadFull(conn, ways)
		b.ok(err)
		if ways[0] != 1 || ways[1] != 1 {
			t.Errorf("ways to sign in are %v, want one: none", ways)
		}
		b.ok(conn.Close())
	}
	log, err := screener.SerialLog(b.ctx(), b.host, m.VM, 10)
	b.ok(err)
	if len(log) > 10 {
		t.Errorf("%d bytes of a log of which 10 were wanted", len(log))
	}
	b.ok(b.Driver.Stop(b.ctx(), b.host, m.VM, true))
	_, err = screener.Screen(b.ctx(), b.host, m.VM)
	b.fails(err, fault.Conflict)
	_, err = screener.SerialLog(b.ctx(), b.host, m.VM, 10)
	b.fails(err, fault.Conflict)
}
