package vnet_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/vishvananda/netlink"

	"github.com/virga-cloud/virga/internal/fault"
	"github.com/virga-cloud/virga/internal/hypervisor"
	"github.com/virga-cloud/virga/internal/hypervisor/vnet"
	"github.com/virga-cloud/virga/internal/hypervisor/vnet/vnettest"
	"github.com/virga-cloud/virga/uid"
)

// A network on a bridge of the host's operator is one with what is on that bridge, and with guests there on other hosts; a network with the
// same VLAN among the hosts is another one. Guests keep to their addresses there, too, and nothing is left on the bridge in the end.
func TestNetworkOnABridge(t *testing.T) {
	t.Parallel()
	for _, bridges := range []string{"", "br"} {
		t.Run("bridges in "+bridges, func(t *testing.T) {
			t.Parallel()
			l := vnettest.New(t, "nft")
			lan, a, b := l.Space("lan"), l.Space("a"), l.Space("b")
			l.Bridge(lan, "switch", "10.1.1.254/24")
			l.Echo(lan, "10.1.1.254:80", "outside")
			var hosts []*host
			for i, s := range []*vnet.Space{a, b} {
				cable := []string{"c0", "c1"}[i]
				l.Join(cable, lan, "", s, "")
				l.Run(lan, "ip", "link", "set", cable, "master", "switch")
				l.Bridge(s, "cloudbr1", "")
				l.Run(s, "ip", "link", "set", cable, "master", "cloudbr1")
				within := ""
				if bridges != "" {
					within = bridges + cable
				}
				h := newHost(t, l, s, "", within)
				h.config.Wires = []string{"cloudbr1", cable, "missing"}
				h.restart()
				hosts = append(hosts, h)
			}
			before := [][]string{l.Links(a), l.Links(b)}
			wired := func(n int) hypervisor.NIC {
				nic := card(n, 0)
				nic.Wire = "cloudbr1"
				return nic
			}
			n1, n2, other := wired(1), wired(2), card(3, 0)
			g1, g2, g3 := hosts[0].guest("g1", n1), hosts[1].guest("g2", n2), hosts[0].guest("g3", other)
			l.Echo(g2, ":80", "g2")
			l.Answered(g1, "tcp", "10.1.1.254:80", "outside 10.1.1.1")
			l.Answered(g1, "tcp", "10.1.1.2:80", "g2 10.1.1.1")
			l.Refused(g3, "tcp", "10.1.1.254:80")
			l.Refused(g3, "tcp", "10.1.1.2:80")

			// Another process goes on with it.
			hosts[0].restart()
			if _, err := hosts[0].fabric.PlugInto(t.Context(), n1, g1, "eth0"); err != nil {
				t.Error("plugged in again:", err)
			}
			l.Answered(g1, "tcp", "10.1.1.254:80", "outside 10.1.1.1")
			l.Address(g1, "eth0", "10.1.1.9/24")
			l.Refused(g1, "tcp", "10.1.1.254:80")

			for what, wire := range map[string]string{"not given": "elsewhere", "want a bridge": "c0", "carries guest networks": "missing"} {
				nic := card(7, 0)
				nic.Wire = wire
				_, err := hosts[0].fabric.PlugInto(t.Context(), nic, l.Space("bad"+wire), "eth0")
				if !fault.Is(err, fault.Unavailable) || !strings.Contains(err.Error(), what) {
					t.Errorf("on the link %s: %v", wire, err)
				}
				must(t, hosts[0].fabric.Unplug(t.Context(), nic.ID))
			}
			long := card(8, 0)
			long.Wire = "a-name-that-no-link-has"
			if _, err := hosts[0].fabric.PlugInto(t.Context(), long, l.Space("long"), "eth0"); !fault.Is(err, fault.Invalid) {
				t.Errorf("on a link with a long name: %v", err)
			}
			if vlans(t, l) {
				tagged(t, l, hosts, wired)
			}
			for _, h := range hosts {
				for _, nic := range []hypervisor.NIC{n1, n2, other} {
					must(t, h.fabric.Unplug(t.Context(), nic.ID))
				}
				must(t, h.fabric.Sweep(t.Context(), nil, []uid.Router{}))
			}
			for i, was := range before {
				if is := l.Links([]*vnet.Space{a, b}[i]); !slices.Equal(is, was) {
					t.Errorf("the host had the links %v, and in the end %v", was, is)
				}
			}
		})
	}
}

// vlans tells whether this kernel makes VLANs.
func vlans(t *testing.T, l *vnettest.Lab) bool {
	t.Helper()
	s := l.Space("vlans")
	l.Bridge(s, "any", "")
	link, err := s.Link().LinkByName("any")
	must(t, err)
	attrs := netlink.NewLinkAttrs()
	attrs.Name, attrs.ParentIndex = "any.7", link.Attrs().Index
	return s.Link().LinkAdd(&netlink.Vlan{LinkAttrs: attrs, VlanId: 7}) == nil
}

// tagged has guests of a network with a VLAN meet on the bridges, and nobody else.
func tagged(t *testing.T, l *vnettest.Lab, hosts []*host, wired func(int) hypervisor.NIC) {
	t.Helper()
	n4, n5 := wired(4), wired(5)
	n4.VLAN, n5.VLAN = 60, 60
	g4, g5 := hosts[0].guest("g4", n4), hosts[1].guest("g5", n5)
	l.Echo(g5, ":80", "g5")
	l.Answered(g4, "tcp", "10.1.1.5:80", "g5 10.1.1.4")
	l.Refused(g4, "tcp", "10.1.1.254:80")
	must(t, hosts[0].fabric.Unplug(t.Context(), n4.ID))
	must(t, hosts[1].fabric.Unplug(t.Context(), n5.ID))
}
