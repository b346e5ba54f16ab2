package vrouter_test

import (
	"context"
	"errors"
	"net"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/net/ipv6"

	"github.com/virga-cloud/virga/internal/hypervisor"
	"github.com/virga-cloud/virga/internal/hypervisor/vnet"
	"github.com/virga-cloud/virga/internal/hypervisor/vnet/vnettest"
)

// In a shared network guests are told of the operator's gateway, and find names and what they are told themselves at the router's address:
// each its own, and machines that are not the cloud's nothing.
func TestSharedNetwork(t *testing.T) {
	t.Parallel()
	s := newSite(t, "busybox", "dhclient")
	g1, g2, far := guest(11), guest(12), guest(13)
	far.IP, far.Meta["local-ipv4"] = "10.2.0.13", "10.2.0.13"
	doc := s.doc(g1, g2, far)
	doc.Uplink = nil
	at := &doc.Segments[0]
	at.Gateway, at.Via, at.Gateway6 = "10.1.1.250/24", "10.1.1.1", "2001:db8:1::fa/64"
	at.Beside = []hypervisor.RouterSubnet{{Address: "10.2.0.250/24", Via: "10.2.0.1"}}
	s.apply(doc)
	vm1, vm2, vm3 := s.boot(g1), s.boot(g2), s.boot(far)
	for _, one := range []struct {
		said          map[string]string
		ip, gw, serve string
	}{
		{s.lease(vm1), "10.1.1.11", "10.1.1.1", "10.1.1.250"}, {s.lease(vm2), "10.1.1.12", "10.1.1.1", "10.1.1.250"},
		{s.lease(vm3), "10.2.0.13", "10.2.0.1", "10.2.0.250"},
	} {
		if said := one.said; said["ip"] != one.ip || said["router"] != one.gw || said["dns"] != one.serve || said["serverid"] != one.serve {
			t.Errorf("DHCP says %s, router %s, names by %s, from %s, want %s, router %s and all else from %s", said["ip"], said["router"], said["dns"], said["serverid"], one.ip, one.gw, one.serve)
		}
	}
	if _, own := s.fetch(vm1, "http://10.1.1.250:80/latest/meta-data/instance-id"); own != "i-11" {
		t.Errorf("the first guest is %q", own)
	}
	if _, own := s.fetch(vm3, "http://10.2.0.250:80/latest/user-data"); own != "#!/bin/sh\necho 13\n" {
		t.Errorf("the guest of the further subnet is told %q", own)
	}
	names := &net.Resolver{PreferGo: true, Dial: func(_ context.Context, network, _ string) (net.Conn, error) {
		return s.lab.Dial(vm1, network, "10.1.1.250:53", vnettest.Long)
	}}
	if got, err := names.LookupHost(t.Context(), "data-server.cs1.internal."); err != nil || !slices.Contains(got, "10.1.1.250") {
		t.Errorf("data-server is %v %v", got, err)
	}
	if got, err := names.LookupHost(t.Context(), "vm13.cs1.internal."); err != nil || !slices.Equal(got, []string{"10.2.0.13", "2001:db8:1::d"}) {
		t.Errorf("the guest of the further subnet is %v %v", got, err)
	}

	// So it is over IPv6, where the router says that it is nobody's way out.
	if got := s.lease6(vm1); got != "2001:db8:1::b 2001:db8:1::fa cs1.internal." {
		t.Errorf("DHCPv6 says %q", got)
	}
	if _, own := s.fetch(vm1, "http://[2001:db8:1::fa]:80/latest/instance-id"); own != "i-11" {
		t.Errorf("with the address from DHCPv6 a guest is %q", own)
	}
	if managed, lifetime := advertised(t, vm1); !managed || lifetime != 0 {
		t.Errorf("the router says that there are addresses to be had: %v; and that it is the way out for %d seconds", managed, lifetime)
	}

	// A guest that says it is another one has no answer, and neither has a machine that the cloud does not know.
	s.lab.Address(vm2, "eth0", "10.1.1.11/24")
	if status, body := s.denied(vm2, "http://10.1.1.250:80/latest/meta-data/instance-id"); status != 0 && body != "i-12" {
		t.Errorf("a guest with another's address is told %d %q", status, body)
	}
	stranger := guest(20)
	doc.Version, at.Guests = 2, []hypervisor.RouterGuest{g1, g2, far}
	s.apply(doc)
	vm4 := s.boot(stranger)
	if out, err := vm4.Run(t.Context(), "", "busybox", "udhcpc", "-i", "eth0", "-n", "-q", "-f", "-t", "2", "-T", "1", "-s", "/bin/true"); err == nil {
		t.Errorf("a stranger got an address: %s", out)
	}
	s.lab.Address(vm4, "eth0", "10.1.1.20/24")
	if status, _ := s.denied(vm4, "http://10.1.1.250:80/latest/user-data"); status != 0 {
		t.Errorf("a stranger was answered: %d", status)
	}

	// What is asked for elsewhere goes by the operator's gateway, not by the router.
	if routes := s.lab.Run(s.space(), "ip", "route"); !strings.Contains(routes, "default via 10.1.1.1 ") {
		t.Errorf("the router's routes are\n%s", routes)
	}
	for what, wrong := range map[string]func(*hypervisor.RouterSegment){
		"a gateway that is the router itself": func(g *hypervisor.RouterSegment) { g.Via = "10.1.1.250" },
		"a gateway of another network":        func(g *hypervisor.RouterSegment) { g.Via = "10.3.0.1" },
		"a subnet twice":                      func(g *hypervisor.RouterSegment) { g.Beside[0].Address = "10.1.1.251/24" },
		"further subnets of a gateway":        func(g *hypervisor.RouterSegment) { g.Via = "" },
		"a guest of no subnet": func(g *hypervisor.RouterSegment) {
			g.Guests = []hypervisor.RouterGuest{{NIC: g1.NIC, MAC: g1.MAC, IP: "10.3.0.9"}}
		},
	} {
		other := doc
		other.Version, other.Segments = 9, []hypervisor.RouterSegment{*at}
		other.Segments[0].Beside = slices.Clone(at.Beside)
		wrong(&other.Segments[0])
		if err := s.routers.ApplyRouter(t.Context(), other); err == nil {
			t.Errorf("a document with %s was applied", what)
		}
	}
}

// advertised asks a network for its routers and gives what the first of them says: whether DHCPv6 gives addresses there, and for how many
// seconds it is the way out (RFC 4861, section 4.2).
func advertised(t *testing.T, in *vnet.Space) (managed bool, lifetime int) {
	t.Helper()
	must(t, in.Do(func() error {
		c, err := net.ListenPacket("ip6:ipv6-icmp", "::")
		if err != nil {
			return err
		}
		defer func() { _ = c.Close() }()
		six := ipv6.NewPacketConn(c)
		if err := errors.Join(six.SetMulticastHopLimit(255), c.SetDeadline(time.Now().Add(vnettest.Long))); err != nil {
			return err
		}
		if _, err := c.WriteTo([]byte{133, 7: 0}, &net.IPAddr{IP: net.IPv6linklocalallrouters, Zone: "eth0"}); err != nil {
			return err
		}
		for heard := make([]byte, 1500); ; {
			n, _, err := c.ReadFrom(heard)
			if err != nil {
				return err
			}
			if n >= 16 && heard[0] == 134 {
				managed, lifetime = heard[5]&0x80 != 0, int(heard[6])<<8|int(heard[7])
				return nil
			}
		}
	}))
	return managed, lifetime
}
