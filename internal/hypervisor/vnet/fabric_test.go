package vnet_test

import (
	"fmt"
	"io"
	"net"
	"net/netip"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/vishvananda/netlink"

	"github.com/virga-cloud/virga/internal/fault"
	"github.com/virga-cloud/virga/internal/hypervisor"
	"github.com/virga-cloud/virga/internal/hypervisor/vnet"
	"github.com/virga-cloud/virga/internal/hypervisor/vnet/vnettest"
	"github.com/virga-cloud/virga/uid"
)

// host is a namespace with a fabric in it.
type host struct {
	t      *testing.T
	lab    *vnettest.Lab
	space  *vnet.Space
	config vnet.Config
	fabric *vnet.Fabric
}

// newHost opens a fabric in a namespace, with its bridges in one of their own where that is asked for.
func newHost(t *testing.T, l *vnettest.Lab, space *vnet.Space, underlay, bridges string) *host {
	t.Helper()
	h := &host{t: t, lab: l, space: space, config: vnet.Config{Host: uid.New[uid.Host](), State: t.TempDir()}}
	if underlay != "" {
		h.config.Underlay = netip.MustParseAddr(underlay)
	}
	if h.config.Space = vnet.Own; bridges != "" {
		h.config.Space = l.Space(bridges).Name
	}
	h.open()
	t.Cleanup(func() { h.fabric.Close() })
	return h
}

func (h *host) open() {
	h.t.Helper()
	err := h.space.Do(func() (err error) {
		h.fabric, err = vnet.Open(h.t.Context(), h.config)
		return err
	})
	if err != nil {
		h.t.Fatal(err)
	}
}

// restart is another process on the same host.
func (h *host) restart() {
	h.t.Helper()
	h.fabric.Close()
	h.open()
}

// guest plugs in a card and gives the namespace that is its machine.
func (h *host) guest(name string, nic hypervisor.NIC) *vnet.Space {
	h.t.Helper()
	s := h.lab.Space(name)
	if _, err := h.fabric.PlugInto(h.t.Context(), nic, s, "eth0"); err != nil {
		h.t.Fatal(err)
	}
	h.lab.Address(s, "eth0", strings.TrimPrefix(nic.IP+"/24", "/24"))
	return s
}

func card(n, vlan int) hypervisor.NIC {
	return hypervisor.NIC{
		ID: uid.New[uid.NIC](), Network: uid.New[uid.Network](), MAC: fmt.Sprintf("02:00:00:00:01:%02x", n),
		IP: fmt.Sprintf("10.1.1.%d", n), IP6: fmt.Sprintf("2001:db8:1::%x", n), VLAN: vlan,
	}
}

func TestTwoHosts(t *testing.T) {
	t.Parallel()
	for _, bridges := range []string{"", "br"} {
		t.Run("bridges in "+bridges, func(t *testing.T) {
			t.Parallel()
			l := vnettest.New(t, "nft")
			a, b := l.Space("a"), l.Space("b")
			l.Join("ul0", a, "192.168.200.1/24", b, "192.168.200.2/24")
			within := func(name string) string {
				if bridges == "" {
					return ""
				}
				return bridges + name
			}
			ha, hb := newHost(t, l, a, "192.168.200.1", within("a")), newHost(t, l, b, "192.168.200.2", within("b"))
			peers := hypervisor.Peers{Version: 1, Addresses: []string{"192.168.200.1", "192.168.200.2"}}
			must(t, ha.fabric.ApplyPeers(t.Context(), peers))
			before := [][]string{l.Links(a), l.Links(b)}

			nics := []hypervisor.NIC{card(1, 100), card(2, 100), card(3, 100), card(4, 200)}
			g1, g2, g3 := ha.guest("g1", nics[0]), ha.guest("g2", nics[1]), hb.guest("g3", nics[2])
			g4 := hb.guest("g4", nics[3])
			must(t, hb.fabric.ApplyPeers(t.Context(), peers)) // after its segments
			for _, g := range []*vnet.Space{g2, g3, g4} {
				l.Echo(g, ":80", strings.TrimPrefix(g.Name, l.Prefix()))
			}
			l.Answered(g1, "tcp", "10.1.1.2:80", "g2 10.1.1.1")
			l.Answered(g1, "tcp", "10.1.1.3:80", "g3 10.1.1.1")
			l.Refused(g1, "tcp", "10.1.1.4:80") // another segment

			eth, err := g1.Link().LinkByName("eth0")
			must(t, err)
			if mtu := eth.Attrs().MTU; mtu != 1450 {
				t.Errorf("a guest's packets may be of %d bytes; with a tunnel's headers they must fit into 1500", mtu)
			}

			// Another process finds all there is, and goes on with it.
			c, err := l.Dial(g1, "tcp", "10.1.1.3:80", vnettest.Long)
			must(t, err)
			defer c.Close()
			ha.restart()
			if _, err := ha.fabric.PlugInto(t.Context(), nics[0], g1, "eth0"); err != nil {
				t.Error("plugged in again:", err)
			}
			if got := vnettest.Say(c, "still", vnettest.Long); got != "g3 10.1.1.1 still" {
				t.Errorf("after a restart an old connection says %q", got)
			}
			sent, received, err := ha.fabric.PortBytes(nics[0].ID)
			if err != nil || sent == 0 || received == 0 {
				t.Errorf("bytes of a card: %d sent, %d received, %v", sent, received, err)
			}
			if sent, received, err = ha.fabric.Carried(); err != nil || sent == 0 || received == 0 { // the tunnel's
				t.Errorf("bytes of a host: %d sent, %d received, %v", sent, received, err)
			}

			// A host that is no peer any more is not spoken to.
			must(t, ha.fabric.ApplyPeers(t.Context(), hypervisor.Peers{Version: 2}))
			must(t, ha.fabric.ApplyPeers(t.Context(), peers))
			l.Run(g1, "ip", "neigh", "flush", "all")
			l.Refused(g1, "tcp", "10.1.1.3:80")
			l.Refused(g3, "tcp", "10.1.1.2:80")

			must(t, ha.fabric.Unplug(t.Context(), nics[0].ID))
			must(t, ha.fabric.Unplug(t.Context(), nics[0].ID))
			must(t, ha.fabric.Sweep(t.Context(), nil, nil))
			hb.restart()
			must(t, hb.fabric.Sweep(t.Context(), []uid.NIC{nics[3].ID}, nil))
			if l.Refused(g3, "tcp", "10.1.1.2:80"); len(l.Links(g3)) != 0 {
				t.Errorf("an unwanted card is still plugged in: %v", l.Links(g3))
			}
			must(t, hb.fabric.Sweep(t.Context(), nil, nil))
			if diff := cmp.Diff(before, [][]string{l.Links(a), l.Links(b)}); diff != "" {
				t.Errorf("links are left: %s", diff)
			}
			for _, s := range []*vnet.Space{a, b} {
				if rules := l.Run(s, "nft", "list", "ruleset"); rules != "" {
					t.Errorf("rules are left: %s", rules)
				}
			}
		})
	}
}

func TestNobodyClaimsTobeAnother(t *testing.T) {
	t.Parallel()
	l := vnettest.New(t, "nft")
	s := l.Space("host")
	h := newHost(t, l, s, "", "")
	g1, g2 := h.guest("g1", card(1, 7)), h.guest("g2", card(2, 7))
	free := card(3, 7)
	free.IP, free.IP6 = "", ""
	l.Bridge(s, "host0", "10.9.9.9/32") // an address of the host's own
	g3 := h.guest("g3", free)
	l.Address(g3, "eth0", "10.1.1.3/24")
	for _, g := range []*vnet.Space{s, g1, g2, g3} {
		l.Echo(g, ":80", strings.TrimPrefix(g.Name, l.Prefix()))
	}
	l.Answered(g1, "tcp", "10.1.1.2:80", "g2 10.1.1.1")
	l.Answered(g1, "tcp", "10.1.1.3:80", "g3 10.1.1.1")

	l.Address(g1, "eth0", "10.1.1.77/24", "2001:db8:1::77/64")
	l.Refused(g1, "tcp", "10.1.1.2:80")
	l.Refused(g1, "tcp", "[2001:db8:1::2]:80")
	l.Address(g1, "eth0", "10.1.1.1/24")
	l.Answered(g1, "tcp", "10.1.1.2:80", "g2 10.1.1.1")

	l.Address(g2, "eth0", "10.1.1.2/24", "2001:db8:1::2/64")
	l.Run(g1, "ip", "addr", "flush", "dev", "eth0", "scope", "global")
	l.Address(g1, "eth0", "10.1.1.1/24", "2001:db8:1::1/64")
	l.Answered(g1, "tcp", "[2001:db8:1::2]:80", "g2 2001:db8:1::1")

	// It answers for another's address: in ARP, and in neighbour discovery.
	l.Address(g2, "eth0", "10.1.1.2/24", "10.1.1.50/24", "2001:db8:1::50/64")
	l.Refused(g1, "tcp", "10.1.1.50:80")
	l.Refused(g1, "tcp", "[2001:db8:1::50]:80")
	l.Address(g2, "eth0", "10.1.1.2/24")

	// A machine without addresses of ours has those it wants, but no other MAC.
	l.Address(g3, "eth0", "10.1.1.99/24")
	l.Answered(g3, "tcp", "10.1.1.2:80", "g2 10.1.1.99")
	eth, err := g3.Link().LinkByName("eth0")
	must(t, err)
	must(t, g3.Link().LinkSetHardwareAddr(eth, net.HardwareAddr{2, 0, 0, 0, 9, 9}))
	l.Refused(g3, "tcp", "10.1.1.2:80")

	// The host's own addresses are not among guests.
	l.Route(g1, "10.1.1.2")
	l.Run(g1, "ip", "route", "replace", "10.9.9.9/32", "dev", "eth0")
	l.Refused(g1, "tcp", "10.9.9.9:80")
}

func TestRate(t *testing.T) {
	t.Parallel()
	l := vnettest.New(t, "nft")
	h := newHost(t, l, l.Space("host"), "", "br")
	slow := card(1, 7)
	slow.Mbps = 40
	g1, g2 := h.guest("g1", slow), h.guest("g2", card(2, 7))
	const bytes = 2 << 20 // 0.42 s at 40 Mbit/s
	for _, way := range []struct{ from, to *vnet.Space }{{g1, g2}, {g2, g1}} {
		to := map[*vnet.Space]string{g1: "10.1.1.1:99", g2: "10.1.1.2:99"}[way.to]
		listener := l.Listen(way.to, "tcp", to)
		took := make(chan time.Duration)
		began := time.Now() // not when it is accepted: by then much may have come already, if nobody had time to
		go func() {
			c, err := listener.Accept()
			if err != nil {
				return
			}
			_, _ = io.Copy(io.Discard, c)
			took <- time.Since(began)
		}()
		c, err := l.Dial(way.from, "tcp", to, vnettest.Long)
		must(t, err)
		_, err = c.Write(make([]byte, bytes))
		must(t, err)
		must(t, c.Close())
		if d := <-took; d < 300*time.Millisecond {
			t.Errorf("2 MB to %s took %s: that is faster than 40 Mbit/s", to, d)
		}
	}
	// A card may be let loose, and held again.
	for _, mbps := range []int{0, 10} {
		slow.Mbps = mbps
		_, err := h.fabric.PlugInto(t.Context(), slow, g1, "eth0")
		must(t, err)
	}
}

func TestTap(t *testing.T) {
	t.Parallel()
	l := vnettest.New(t, "nft")
	for _, bridges := range []string{"", "br"} {
		s := l.Space("host" + bridges)
		h := newHost(t, l, s, "", bridges)
		tap, err := h.fabric.Plug(t.Context(), card(1, 0))
		if fault.Is(err, fault.Unavailable) {
			t.Skip("needs taps:", err)
		}
		must(t, err)
		again, err := h.fabric.Plug(t.Context(), card(1, 0))
		must(t, err)
		if again == tap {
			t.Error("two cards have one tap")
		}
		where := s
		if bridges != "" {
			where, err = vnet.FindSpace(h.config.Space)
			must(t, err)
			defer where.Close()
		}
		link, err := where.Link().LinkByName(tap.Name)
		must(t, err)
		if _, ok := link.(*netlink.Tuntap); !ok || tap.MTU != 1500 {
			t.Errorf("a card is plugged into %T with MTU %d", link, tap.MTU)
		}
	}
}

// TestOwnSpace has bridges and taps in the namespace that is named after the host.
func TestOwnSpace(t *testing.T) {
	t.Parallel()
	l := vnettest.New(t, "nft")
	h := newHost(t, l, l.Space("host"), "", "br")
	h.config.Space = ""
	h.restart()
	tap, err := h.fabric.Plug(t.Context(), card(1, 7))
	if fault.Is(err, fault.Unavailable) {
		t.Skip("needs taps:", err)
	}
	must(t, err)
	name, ok := strings.CutPrefix(tap.Namespace, "/run/netns/virga-net-")
	if !ok {
		t.Fatalf("a tap is in %q", tap.Namespace)
	}
	if links := l.Links(h.space); len(links) != 0 {
		t.Errorf("beside the host's links are %v", links)
	}
	must(t, h.fabric.End(t.Context()))
	if left, err := vnet.SpaceNames("virga-net-" + name); err != nil || len(left) != 0 {
		t.Errorf("the host's namespace is left: %v %v", left, err)
	}
	h.config.Space = vnet.Own
	h.open() // for the test's end
}

func TestBadCards(t *testing.T) {
	t.Parallel()
	l := vnettest.New(t, "nft")
	h := newHost(t, l, l.Space("host"), "", "")
	for name, spoil := range map[string]func(*hypervisor.NIC){
		"id":           func(n *hypervisor.NIC) { n.ID = "../../etc/passwd" },
		"mac":          func(n *hypervisor.NIC) { n.MAC = "02:00:00:00:00:01 accept" },
		"vlan":         func(n *hypervisor.NIC) { n.VLAN = 4095 },
		"ip":           func(n *hypervisor.NIC) { n.IP = "10.1.1.1 } accept" },
		"ip of 6":      func(n *hypervisor.NIC) { n.IP = "2001:db8::1" },
		"ip6 of 4":     func(n *hypervisor.NIC) { n.IP6 = "10.1.1.1" },
		"ip6 and zone": func(n *hypervisor.NIC) { n.IP6 = "fe80::1%eth0" },
	} {
		nic := card(1, 7)
		spoil(&nic)
		if _, err := h.fabric.Plug(t.Context(), nic); !fault.Is(err, fault.Invalid) {
			t.Errorf("a card with a bad %s: %v", name, err)
		}
	}
	if links := l.Links(h.space); len(links) != 0 {
		t.Errorf("bad cards left links: %v", links)
	}
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func TestProbe(t *testing.T) {
	t.Parallel()
	vnettest.New(t, "nft", "dnsmasq", "haproxy")
	for _, c := range vnet.Probe(t.Context()) {
		t.Logf("%-30s %-5v %s", c.Name, c.There, c.Detail)
		if !c.There && (c.Needed || c.Lack == "") {
			t.Errorf("%s: %s", c.Name, c.Detail)
		}
	}
	// Other tests' programs look at this machine meanwhile: their namespaces have their numbers.
	if left, err := vnet.SpaceNames(fmt.Sprintf("virga-probe-%d", os.Getpid())); err != nil || len(left) != 0 {
		t.Errorf("the probe left %v %v", left, err)
	}
}
