package vrouter_test

import (
	"io"
	"net/netip"
	"testing"

	"github.com/virga-cloud/virga/internal/hypervisor"
	"github.com/virga-cloud/virga/internal/hypervisor/vnet"
	"github.com/virga-cloud/virga/internal/hypervisor/vnet/vnettest"
	"github.com/virga-cloud/virga/uid"
)

// TestGuestOnAnotherHost has the router on one host and its guest on another, from where it moves.
func TestGuestOnAnotherHost(t *testing.T) {
	t.Parallel()
	s := newSite(t, "busybox")
	l := s.lab
	far := l.Space("far")
	l.Join("ul0", s.host, "192.168.200.1/24", far, "192.168.200.2/24")
	s.config.Underlay = netip.MustParseAddr("192.168.200.1")
	s.restart()
	var fabric *vnet.Fabric
	must(t, far.Do(func() (err error) {
		fabric, err = vnet.Open(t.Context(), vnet.Config{
			Host: uid.New[uid.Host](), State: t.TempDir(), Space: l.Space("farbridges").Name, Underlay: netip.MustParseAddr("192.168.200.2"),
		})
		return err
	}))
	t.Cleanup(fabric.Close)
	peers := hypervisor.Peers{Version: 1, Addresses: []string{"192.168.200.1", "192.168.200.2"}}
	must(t, s.fabric.ApplyPeers(t.Context(), peers))
	must(t, fabric.ApplyPeers(t.Context(), peers))

	g := guest(11)
	doc := s.doc(g)
	doc.Uplink[0].Forwards = []hypervisor.Forward{{Protocol: "tcp", From: 80, To: 80, GuestIP: g.IP, Guest: 80}}
	doc.Uplink[0].Ingress = []hypervisor.Match{{Protocol: "tcp", From: 80, To: 80}}
	s.apply(doc)
	nic := hypervisor.NIC{ID: g.NIC, Network: s.network, MAC: g.MAC, IP: g.IP, IP6: g.IP6, VLAN: 100}
	vm := l.Space("vm")
	_, err := fabric.PlugInto(t.Context(), nic, vm, "eth0")
	must(t, err)
	l.Address(vm, "eth0", "")
	if said := s.lease(vm); said["ip"] != g.IP || said["mtu"] != "1450" {
		t.Errorf("over a tunnel a guest got %s, and packets of %s bytes", said["ip"], said["mtu"])
	}
	if _, got := s.fetch(vm, "http://10.1.1.1:80/latest/instance-id"); got != "i-11" {
		t.Errorf("over a tunnel a guest is %q", got)
	}
	l.Echo(s.world, ":80", "world")
	l.Echo(vm, ":80", "far")
	l.Answered(vm, "tcp", "203.0.113.9:80", "world 198.51.100.10")
	l.Answered(s.world, "tcp", "198.51.100.10:80", "far 198.51.100.1")

	// More than goes into a packet, both ways: all links on the way agree how large one may be.
	c, err := l.Dial(s.world, "tcp", "198.51.100.10:80", vnettest.Long)
	must(t, err)
	defer c.Close()
	const much = 1 << 20
	go func() { _, _ = c.Write(make([]byte, much)) }()
	if n, err := io.CopyN(io.Discard, c, much); err != nil {
		t.Errorf("after %d bytes: %v", n, err)
	}

	// It moves: the same card, on the router's host.
	must(t, fabric.Unplug(t.Context(), nic.ID))
	moved := s.up(g)
	l.Echo(moved, ":80", "near")
	l.Answered(moved, "tcp", "203.0.113.9:80", "world 198.51.100.10")
	l.Answered(s.world, "tcp", "198.51.100.10:80", "near 198.51.100.1")
	must(t, fabric.Sweep(t.Context(), nil, nil))
}

// BenchmarkApply is what a document costs: a first one, a next one with a guest more, and one of many guests.
func BenchmarkApply(b *testing.B) {
	for _, guests := range []int{1, 200} {
		b.Run(map[int]string{1: "one", 200: "many"}[guests], func(b *testing.B) {
			s := newSite(b)
			doc := s.doc()
			for i := range guests {
				doc.Segments[0].Guests = append(doc.Segments[0].Guests, guest(10+i))
			}
			b.Run("next", func(b *testing.B) {
				s.apply(doc)
				for b.Loop() {
					doc.Version++
					doc.Segments[0].Guests[0].NIC = uid.New[uid.NIC]()
					s.apply(doc)
				}
			})
			b.Run("first", func(b *testing.B) {
				for b.Loop() {
					must(b, s.routers.DropRouter(b.Context(), s.id))
					s.apply(doc)
				}
			})
		})
	}
}
