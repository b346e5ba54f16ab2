package vrouter_test

import (
	"context"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/virga-cloud/virga/internal/fault"
	"github.com/virga-cloud/virga/internal/hypervisor"
	"github.com/virga-cloud/virga/internal/hypervisor/vnet"
	"github.com/virga-cloud/virga/internal/hypervisor/vnet/vnettest"
	"github.com/virga-cloud/virga/internal/hypervisor/vrouter"
	"github.com/virga-cloud/virga/uid"
)

func TestAddressesAndNames(t *testing.T) {
	t.Parallel()
	s := newSite(t, "busybox")
	g1, g2, g3 := guest(11), guest(12), guest(13)
	g2.Default = false
	doc := s.doc(g1, g2)
	s.apply(doc)
	vm1, vm2, vm3 := s.boot(g1), s.boot(g2), s.boot(g3)
	said := s.lease(vm1)
	for name, want := range map[string]string{
		"ip": "10.1.1.11", "mask": "24", "router": "10.1.1.1", "dns": "10.1.1.1", "domain": "cs1.internal", "search": "cs1.internal", "hostname": "vm11",
		"mtu": "1500",
	} {
		if said[name] != want {
			t.Errorf("DHCP says %s %q, want %q", name, said[name], want)
		}
	}
	if said := s.lease(vm2); said["ip"] != "10.1.1.12" || said["router"] != "" {
		t.Errorf("a card that is not its machine's default got %s, router %q", said["ip"], said["router"])
	}

	resolver := func(from string) *net.Resolver {
		return &net.Resolver{PreferGo: true, Dial: func(_ context.Context, network, _ string) (net.Conn, error) {
			return s.lab.Dial(vm1, network, from, vnettest.Long)
		}}
	}
	for name, want := range map[string][]string{
		"vm12.cs1.internal.":        {"10.1.1.12", "2001:db8:1::c"},
		"data-server.cs1.internal.": {"10.1.1.1"},
		"data-server.":              {"10.1.1.1"},
	} {
		got, err := resolver("10.1.1.1:53").LookupHost(t.Context(), name)
		slices.Sort(got)
		if err != nil || !slices.Equal(got, want) {
			t.Errorf("%s is %v %v, want %v", name, got, err, want)
		}
	}
	s.lab.Address(vm1, "eth0", "10.1.1.11/24", "2001:db8:1::b/64")
	if got, err := resolver("[2001:db8:1::1]:53").LookupAddr(t.Context(), "10.1.1.12"); err != nil || len(got) == 0 || got[0] != "vm12.cs1.internal." {
		t.Errorf("10.1.1.12 is called %v %v", got, err)
	}

	// A guest that comes later is known by the process that runs; one whose address goes to another does not keep it.
	dnsmasq := strings.TrimSpace(s.lab.Run(s.space(), "cat", s.state+"/"+string(s.id)+"/dnsmasq.pid"))
	doc.Version, doc.Segments[0].Guests = 2, []hypervisor.RouterGuest{g1, g2, g3}
	s.apply(doc)
	if said := s.lease(vm3); said["ip"] != "10.1.1.13" {
		t.Errorf("a guest that came later got %s", said["ip"])
	}
	if now := strings.TrimSpace(s.lab.Run(s.space(), "cat", s.state+"/"+string(s.id)+"/dnsmasq.pid")); now != dnsmasq {
		t.Error("a new guest is no reason to start dnsmasq again")
	}
	heir := guest(14)
	heir.IP = g3.IP
	doc.Version, doc.Segments[0].Guests = 3, []hypervisor.RouterGuest{g1, g2, heir}
	s.apply(doc)
	must(t, s.fabric.Unplug(t.Context(), g3.NIC))
	if said := s.lease(s.boot(heir)); said["ip"] != "10.1.1.13" {
		t.Errorf("the heir of an address got %s", said["ip"])
	}
}

func TestWaysOutAndIn(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	l := s.lab
	g1, g2 := guest(11), guest(12)
	doc := s.doc(g1, g2)
	doc.Uplink = append(doc.Uplink, s.address("198.51.100.11"))
	s.apply(doc)
	vm1, vm2 := s.up(g1), s.up(g2)
	l.Echo(s.world, ":80", "world")
	l.EchoUDP(s.world, "203.0.113.9:53", "world")
	for _, port := range []string{":22", ":80", ":8001", ":8002"} {
		l.Echo(vm1, port, "vm1"+port)
		l.Echo(vm2, port, "vm2"+port)
	}

	l.Answered(vm1, "tcp", "203.0.113.9:80", "world 198.51.100.10")
	l.Answered(vm2, "udp", "203.0.113.9:53", "world 198.51.100.10")
	l.Refused(s.world, "tcp", "198.51.100.10:22")
	l.Run(s.world, "ip", "route", "add", "10.1.1.0/24", "via", "198.51.100.10")
	l.Refused(s.world, "tcp", "10.1.1.11:22") // a neighbour outside who knows a guest's address

	tcp := func(from, to int, sources ...string) hypervisor.Match {
		return hypervisor.Match{Protocol: "tcp", From: from, To: to, ICMPType: -1, ICMPCode: -1, Sources: sources}
	}
	doc.Version = 2
	doc.Uplink[0].Forwards = []hypervisor.Forward{
		{Protocol: "tcp", From: 2222, To: 2222, GuestIP: g1.IP, Guest: 22},
		{Protocol: "tcp", From: 9001, To: 9002, GuestIP: g2.IP, Guest: 8001},
		{Protocol: "tcp", From: 8001, To: 8002, GuestIP: g1.IP, Guest: 8001},
		{Protocol: "tcp", From: 80, To: 80, GuestIP: g1.IP, Guest: 80},
	}
	doc.Uplink[0].Ingress = []hypervisor.Match{tcp(2222, 2222), tcp(8001, 9002, "203.0.113.9/32", "10.1.1.0/24")}
	doc.Uplink[1].StaticNAT, doc.Uplink[1].Ingress = g2.IP, []hypervisor.Match{tcp(80, 80), {Protocol: "icmp", ICMPType: 8, ICMPCode: -1}}
	s.apply(doc)
	l.Answered(s.world, "tcp", "198.51.100.10:2222", "vm1:22 198.51.100.1")
	l.Refused(s.world, "tcp", "198.51.100.10:80") // forwarded, and not let in
	l.Refused(s.world, "tcp", "198.51.100.10:9002")
	from := &net.TCPAddr{IP: net.ParseIP("203.0.113.9")}
	for port, want := range map[string]string{"9002": "vm2:8002 203.0.113.9", "8001": "vm1:8001 203.0.113.9"} {
		c, err := l.DialFrom(s.world, from, "tcp", "198.51.100.10:"+port, vnettest.Long)
		must(t, err)
		if got := vnettest.Say(c, "hello", vnettest.Long); !strings.HasPrefix(got, want) {
			t.Errorf("port %s says %q, want %q", port, got, want)
		}
		must(t, c.Close())
	}
	l.Answered(vm2, "tcp", "198.51.100.10:2222", "vm1:22 10.1.1.1") // hairpin, to another and to oneself
	l.Answered(vm1, "tcp", "198.51.100.10:2222", "vm1:22 10.1.1.1")

	l.Answered(s.world, "tcp", "198.51.100.11:80", "vm2:80 198.51.100.1")
	l.Refused(s.world, "tcp", "198.51.100.11:22")
	l.Answered(vm2, "tcp", "203.0.113.9:80", "world 198.51.100.11")
	l.Answered(vm1, "tcp", "203.0.113.9:80", "world 198.51.100.10")
	l.Run(s.world, "busybox", "ping", "-c", "1", "-W", "30", "198.51.100.11")

	// A newer document keeps what goes on, also where it would not begin again.
	c, err := l.Dial(s.world, "tcp", "198.51.100.10:2222", vnettest.Long)
	must(t, err)
	defer c.Close()
	vnettest.Say(c, "hello", vnettest.Long)
	doc.Version, doc.Uplink[0].Ingress = 3, nil
	doc.Segments[0].EgressAllowed = false
	doc.Segments[0].Egress = []hypervisor.Match{{Protocol: "tcp", From: 80, To: 80, Sources: []string{"10.1.1.11/32"}, Targets: []string{"203.0.113.9/32"}}}
	s.apply(doc)
	if got := vnettest.Say(c, "still", vnettest.Long); got != "vm1:22 198.51.100.1 still" {
		t.Errorf("an old connection says %q", got)
	}
	l.Refused(s.world, "tcp", "198.51.100.10:2222")
	l.Answered(vm1, "tcp", "203.0.113.9:80", "world 198.51.100.10")
	l.Refused(vm1, "udp", "203.0.113.9:53")
	l.Refused(vm1, "tcp", "203.0.113.10:80")
	l.Refused(vm2, "tcp", "203.0.113.9:80")
	doc.Version, doc.Segments[0].EgressAllowed = 4, true
	s.apply(doc)
	l.Refused(vm1, "tcp", "203.0.113.9:80")
	l.Answered(vm2, "tcp", "203.0.113.9:80", "world 198.51.100.11")

	// An older document changes nothing; an address that goes is nobody's.
	doc.Version, doc.Segments[0].Egress = 3, nil
	s.apply(doc)
	l.Refused(vm1, "tcp", "203.0.113.9:80")
	doc.Version, doc.Uplink = 5, doc.Uplink[:1]
	s.apply(doc)
	l.Refused(s.world, "tcp", "198.51.100.11:80")
	l.Answered(vm2, "tcp", "203.0.113.9:80", "world 198.51.100.10")

	// Another process finds the router as it is, and what is missing it makes again.
	s.restart()
	if got := vnettest.Say(c, "again", vnettest.Long); got != "vm1:22 198.51.100.1 again" {
		t.Errorf("after a restart an old connection says %q", got)
	}
	must(t, s.routers.Recover(t.Context()))
	if got := vnettest.Say(c, "recovered", vnettest.Long); got != "vm1:22 198.51.100.1 recovered" {
		t.Errorf("after recovery an old connection says %q", got)
	}
	reports, err := s.routers.Routers(t.Context())
	must(t, err)
	if len(reports) != 1 || reports[0].Router != s.id || reports[0].Version != 5 {
		t.Fatalf("the host has routers %+v", reports)
	}
	for _, p := range reports[0].Parts {
		if !p.Running {
			t.Errorf("%s does not run: %s", p.Name, p.Detail)
		}
	}
	counts := map[string]hypervisor.AddressCounts{}
	for _, c := range reports[0].Counts {
		counts[c.IP] = c
	}
	for _, ip := range []string{"10.1.1.11", "10.1.1.12", "198.51.100.10"} {
		if c := counts[ip]; c.Sent < 100 || c.Received < 100 {
			t.Errorf("%s sent %d and received %d bytes, over all documents", ip, c.Sent, c.Received)
		}
	}
	// What went to a guest does not go on to the heir of its address.
	doc.Version, doc.Segments[0].Guests[0].NIC = 6, uid.New[uid.NIC]()
	s.apply(doc)
	if got := vnettest.Say(c, "who", vnettest.Short); got != "" {
		t.Errorf("a connection is the heir's, which says %q", got)
	}
	must(t, s.routers.DropRouter(t.Context(), s.id))
	must(t, s.routers.DropRouter(t.Context(), s.id))
	l.Refused(vm2, "tcp", "203.0.113.9:80")
	if reports, err := s.routers.Routers(t.Context()); err != nil || len(reports) != 0 {
		t.Errorf("a router that was dropped is reported: %+v %v", reports, err)
	}
}

func TestTwoGateways(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	l := s.lab
	g1, g2 := guest(11), guest(12)
	doc := s.doc(g1, g2)
	second := s.address("192.0.2.20")
	second.Gateway, second.StaticNAT = "192.0.2.1", g2.IP
	second.Ingress = []hypervisor.Match{{Protocol: "tcp", From: 80, To: 80}}
	doc.Uplink[0].Forwards = []hypervisor.Forward{{Protocol: "tcp", From: 80, To: 80, GuestIP: g2.IP, Guest: 80}}
	doc.Uplink[0].Ingress = second.Ingress
	doc.Uplink = append(doc.Uplink, second)
	other := l.Space("other") // another provider, at the same wire
	l.Join("w1", s.host, "", other, "192.0.2.1/24")
	l.Run(s.host, "ip", "link", "set", "w1", "master", "public")
	l.Address(other, "lo", "203.0.113.9/32")
	l.Echo(s.world, ":80", "first")
	l.Echo(other, ":80", "second")
	s.apply(doc)
	vm1, vm2 := s.up(g1), s.up(g2)
	l.Echo(vm2, ":80", "vm2")
	l.Answered(vm1, "tcp", "203.0.113.9:80", "first 198.51.100.10")
	l.Answered(vm2, "tcp", "203.0.113.9:80", "second 192.0.2.20")
	for space, to := range map[string]string{"first": "198.51.100.10:80", "second": "192.0.2.20:80"} {
		from := map[string]net.Addr{"first": &net.TCPAddr{IP: net.ParseIP("203.0.113.10")}, "second": &net.TCPAddr{IP: net.ParseIP("203.0.113.9")}}[space]
		at := s.world
		if space == "second" {
			at = other
		}
		c, err := l.DialFrom(at, from, "tcp", to, vnettest.Long)
		must(t, err)
		if got := vnettest.Say(c, "hello", vnettest.Long); !strings.HasPrefix(got, "vm2 203.0.113.") {
			t.Errorf("by the %s provider guests say %q", space, got)
		}
		must(t, c.Close())
	}
	// One way out again.
	doc.Version, doc.Uplink = 2, doc.Uplink[:1]
	s.apply(doc)
	l.Answered(vm2, "tcp", "203.0.113.9:80", "first 198.51.100.10")
	if rules := l.Run(s.space(), "ip", "rule"); strings.Count(rules, "\n") != 3 {
		t.Errorf("choices between ways out are left:\n%s", rules)
	}
}

// TestClosedFolder has a state that is for its owner only: services have their files elsewhere.
func TestClosedFolder(t *testing.T) {
	t.Parallel()
	s := newSite(t, "busybox")
	s.state = t.TempDir()
	s.restart()
	g := guest(11)
	s.apply(s.doc(g))
	if said := s.lease(s.boot(g)); said["ip"] != "10.1.1.11" {
		t.Errorf("a guest got %s", said["ip"])
	}
	network := vrouter.NewNetwork(s.fabric, s.routers)
	must(t, network.RecoverNetwork(t.Context(), []uid.NIC{g.NIC}))
	if _, err := network.Routers(t.Context(), uid.New[uid.Host]()); !fault.Is(err, fault.Unavailable) {
		t.Error("another host's routers:", err)
	}
	if got, err := network.Routers(t.Context(), s.config.Host); err != nil || len(got) != 1 {
		t.Errorf("this host's routers: %v %v", got, err)
	}
	must(t, network.DropRouter(t.Context(), s.config.Host, s.id))
	must(t, s.routers.Sweep(t.Context(), nil))
	left, err := filepath.Glob("/run/virga/" + s.lab.Prefix() + "*")
	if err != nil || len(left) != 0 {
		t.Errorf("files are left: %v %v", left, err)
	}
}

func TestSix(t *testing.T) {
	t.Parallel()
	s := newSite(t, "dhclient")
	g := guest(11)
	s.apply(s.doc(g, guest(12)))
	vm := s.boot(g)
	if got := s.lease6(vm); got != "2001:db8:1::b 2001:db8:1::1 cs1.internal." {
		t.Errorf("DHCPv6 says %q", got)
	}
	if _, got := s.fetch(vm, "http://[2001:db8:1::1]:80/latest/instance-id"); got != "i-11" {
		t.Errorf("with the address from DHCPv6 a guest is %q", got)
	}
	if !s.soon(func() bool { return strings.Contains(s.lab.Run(vm, "ip", "-6", "route"), "default via fe80::") }) {
		t.Errorf("the router does not advertise itself:\n%s", s.lab.Run(vm, "ip", "-6", "route"))
	}
}

// soon tells whether something is so soon.
func (s *site) soon(is func() bool) bool { return within(vnettest.Long, is) }

// within tells whether something is so before a time has passed.
func within(most time.Duration, is func() bool) bool {
	limit, tick := time.NewTimer(most), time.NewTicker(50*time.Millisecond)
	defer limit.Stop()
	defer tick.Stop()
	for !is() {
		select {
		case <-tick.C:
		case <-limit.C:
			return is()
		}
	}
	return true
}

// lease6 asks for an address over DHCPv6, and has it. It gives the address, the name servers and the search domains.
func (s *site) lease6(vm *vnet.Space) string {
	s.t.Helper()
	dir := s.t.TempDir()
	script := filepath.Join(dir, "six")
	must(s.t, os.WriteFile(script, []byte(`#!/bin/sh
[ "$reason" = BOUND6 ] || exit 0
echo "$new_ip6_address $new_dhcp6_name_servers $new_dhcp6_domain_search" >`+dir+`/said
ip addr add "$new_ip6_address/64" dev "$interface" nodad
`), 0o700))
	// Its own address on the link must have been found to be nobody else's, or there is nothing to ask with.
	s.soon(func() bool {
		return !strings.Contains(s.lab.Run(vm, "ip", "-6", "addr", "show", "dev", "eth0"), "tentative")
	})
	s.lab.Run(vm, "dhclient", "-6", "-1", "-sf", script, "-lf", dir+"/leases", "-pf", dir+"/pid", "-cf", "/dev/null", "eth0")
	var text []byte
	s.soon(func() (written bool) { // it goes into the background first, and writes this then
		text, _ = os.ReadFile(dir + "/pid")
		return len(text) > 0
	})
	pid, err := strconv.Atoi(strings.TrimSpace(string(text)))
	must(s.t, err)
	s.t.Cleanup(func() { must(s.t, syscall.Kill(pid, syscall.SIGKILL)) })
	said, err := os.ReadFile(dir + "/said")
	must(s.t, err)
	return strings.TrimSpace(string(said))
}
