package vnet_test

import (
	"strings"
	"testing"

	"github.com/virga-cloud/virga/internal/fault"
	"github.com/virga-cloud/virga/internal/hypervisor"
	"github.com/virga-cloud/virga/internal/hypervisor/vnet"
	"github.com/virga-cloud/virga/internal/hypervisor/vnet/vnettest"
	"github.com/virga-cloud/virga/uid"
)

func rule(protocol string, from, to int) hypervisor.Match {
	return hypervisor.Match{Protocol: protocol, From: from, To: to, ICMPType: -1, ICMPCode: -1}
}

func TestSecurityGroups(t *testing.T) {
	t.Parallel()
	l := vnettest.New(t, "nft")
	h := newHost(t, l, l.Space("host"), "", "br")
	web, client, other := card(1, 7), card(2, 7), card(3, 7)
	gWeb, gClient, gOther := h.guest("web", web), h.guest("client", client), h.guest("other", other)
	for _, g := range []*vnet.Space{gWeb, gClient, gOther} {
		word := strings.TrimPrefix(g.Name, l.Prefix())
		l.Echo(g, ":80", word)
		l.Echo(g, ":81", word)
		l.EchoUDP(g, ":53", word)
	}
	// The same addresses in another tenant's network, on the same host: connections of the one are not those of the other.
	twinWeb, twinOther := card(1, 8), card(3, 8)
	gTwinClient := h.guest("twinclient", card(2, 8))
	gTwinWeb, gTwinOther := h.guest("twinweb", twinWeb), h.guest("twinother", twinOther)
	l.Echo(gTwinWeb, ":80", "twinweb")

	clients, all := uid.New[uid.SecurityGroup](), uid.New[uid.SecurityGroup]()
	from := func(m hypervisor.Match, sources ...string) hypervisor.Match { m.Sources = sources; return m }
	g := hypervisor.Guards{
		Version: 1,
		Groups: []hypervisor.GuardGroup{
			{Group: clients, Addresses: []string{"10.1.1.2", "10.1.1.2", "2001:db8:1::2"}}, {Group: all, Addresses: nil},
		},
		Ports: []hypervisor.Guard{
			{NIC: web.ID, EgressAllowed: true, Ingress: []hypervisor.GuardRule{
				{Match: rule("tcp", 80, 80), Groups: []uid.SecurityGroup{clients, all}},
				{Match: from(rule("tcp", 81, 90), "10.1.1.0/24", "10.1.1.3/32", "0.0.0.0/0")},
				{Match: from(rule("icmp", 0, 0), "10.1.1.3/32")},
			}},
			{NIC: other.ID, Ingress: []hypervisor.GuardRule{{Match: rule("all", 0, 0)}}, Egress: []hypervisor.GuardRule{
				{Match: hypervisor.Match{Protocol: "tcp", From: 81, To: 81, Targets: []string{"10.1.1.1/32"}}},
			}},
			{NIC: twinWeb.ID, EgressAllowed: true},
		},
	}
	must(t, h.fabric.ApplyGuards(t.Context(), g))

	l.Answered(gClient, "tcp", "10.1.1.1:80", "web")
	l.Answered(gClient, "tcp", "10.1.1.1:81", "web")
	l.Refused(gOther, "tcp", "10.1.1.1:80")
	l.Answered(gOther, "tcp", "10.1.1.1:81", "web")
	l.Refused(gClient, "udp", "10.1.1.1:53")
	l.Answered(gWeb, "tcp", "10.1.1.3:80", "other") // answers come back
	l.Answered(gWeb, "udp", "10.1.1.3:53", "other")
	l.Answered(gWeb, "tcp", "10.1.1.2:80", "client") // no rules, all is let through
	l.Refused(gOther, "tcp", "10.1.1.2:81")          // its egress names another
	l.Refused(gTwinOther, "tcp", "10.1.1.1:80")

	c, err := l.Dial(gClient, "tcp", "10.1.1.1:80", vnettest.Long)
	must(t, err)
	defer c.Close()
	// What the twins say with the very addresses and ports of a connection that was let in does not pass for it.
	if twin, err := l.DialFrom(gTwinClient, c.LocalAddr(), "tcp", "10.1.1.1:80", vnettest.Short); err == nil {
		t.Error("a connection of one tenant opens another's network")
		_ = twin.Close()
	}

	// A new document counts at once, an old one not at all, and connections go on.
	next := g
	next.Version = 3
	next.Ports = []hypervisor.Guard{{NIC: web.ID, EgressAllowed: true, Egress: []hypervisor.GuardRule{{Match: rule("udp", 53, 53)}}}}
	must(t, h.fabric.ApplyGuards(t.Context(), next))
	must(t, h.fabric.ApplyGuards(t.Context(), g))
	l.Refused(gClient, "tcp", "10.1.1.1:80")
	if got := vnettest.Say(c, "still", vnettest.Long); !strings.HasPrefix(got, "web") {
		t.Errorf("a connection that was let in says %q under new rules", got)
	}
	l.Answered(gWeb, "tcp", "10.1.1.2:80", "client")
	l.Refused(gWeb, "udp", "10.1.1.2:53")
	l.Answered(gTwinOther, "tcp", "10.1.1.1:80", "twinweb")

	// They outlive the process, and are there for a card before it is.
	h.restart()
	l.Refused(gClient, "tcp", "10.1.1.1:80")
	late := card(9, 7)
	next.Version, next.Ports = 4, append(next.Ports, hypervisor.Guard{NIC: late.ID})
	must(t, h.fabric.ApplyGuards(t.Context(), next))
	gLate := h.guest("late", late)
	l.Echo(gLate, ":80", "late")
	l.Refused(gClient, "tcp", "10.1.1.9:80")
	l.Refused(gLate, "tcp", "10.1.1.2:80")

	bad := next
	bad.Version = 5
	for _, m := range []hypervisor.Match{
		{Protocol: "tcp; accept"}, {Protocol: "256"}, {Protocol: "tcp", From: 9, To: 8}, {Protocol: "tcp", To: 65536},
		{Protocol: "icmp", ICMPType: 256}, {Protocol: "all", Sources: []string{"10.1.1.0/24 } accept"}},
	} {
		bad.Ports = []hypervisor.Guard{{NIC: web.ID, Ingress: []hypervisor.GuardRule{{Match: m}}}}
		if err := h.fabric.ApplyGuards(t.Context(), bad); !fault.Is(err, fault.Invalid) {
			t.Errorf("a rule for %+v: %v", m, err)
		}
	}
	bad.Ports = []hypervisor.Guard{{NIC: web.ID, Ingress: []hypervisor.GuardRule{{Groups: []uid.SecurityGroup{uid.New[uid.SecurityGroup]()}}}}}
	if err := h.fabric.ApplyGuards(t.Context(), bad); !fault.Is(err, fault.Invalid) {
		t.Error("a rule for a group that is not in the document:", err)
	}
}
