package vnet

import (
	"context"
	"os"
	"os/exec"
	"strconv"

	"github.com/vishvananda/netlink"
)

// Capability is something that guest networks and routers are made with, tried on this machine.
type Capability struct {
	Name   string
	There  bool
	Detail string // what the machine said, where it is not
	Needed bool   // guest networks can't be without
	Lack   string // what can't be had without
}

// Probe tries, in a network namespace of its own, all that guest networks and routers are made with.
func Probe(ctx context.Context) []Capability {
	s, err := MakeSpace("virga-probe-" + strconv.Itoa(os.Getpid()))
	if err != nil {
		return []Capability{{
			Name: "network namespaces", Detail: err.Error(), Needed: true, Lack: "guest networks and virtual routers (run as root)",
		}}
	}
	defer func() {
		s.Close()
		_ = DropSpace(s.Name)
	}()
	found := []Capability{{Name: "network namespaces", There: true, Needed: true}}
	for _, p := range probes {
		p.There = true
		if err := p.try(ctx, s); err != nil {
			p.There, p.Detail = false, err.Error()
		}
		found = append(found, p.Capability)
	}
	return found
}

// probe is how a capability is tried. Later ones build on the links that earlier ones made.
type probe struct {
	Capability

	try func(ctx context.Context, s *Space) error
}

func needed(name, lack string, try func(context.Context, *Space) error) probe {
	return probe{Capability{Name: name, Needed: true, Lack: lack}, try}
}

func useful(name, lack string, try func(context.Context, *Space) error) probe {
	return probe{Capability{Name: name, Lack: lack}, try}
}

var probes = []probe{
	needed("bridge", "guest networks", linked(func(a netlink.LinkAttrs) netlink.Link { return &netlink.Bridge{LinkAttrs: a} })),
	needed("veth", "virtual routers", func(_ context.Context, s *Space) error {
		a := netlink.NewLinkAttrs()
		a.Name = parent
		return s.link.LinkAdd(&netlink.Veth{LinkAttrs: a, PeerName: "peer"})
	}),
	needed("tap", "machines' network cards", func(_ context.Context, s *Space) error {
		return s.Do(func() error { return makeTap("tap", 0) })
	}),
	needed("nft", "all packet filters (Debian: nftables)", program("nft")),
	needed("nft on bridges", "keeping guests to their own addresses", rules(`table bridge p {
		chain c {
			type filter hook prerouting priority -300; policy accept;
			arp saddr ip 192.0.2.1 drop
			meta mark set iifname map { "x" : 1 }
			iifname vmap { "x" : drop }
		}
	}`)),
	needed("nft that follows connections", "virtual routers", rules(`table inet p {
		chain c {
			type filter hook forward priority 0; policy accept;
			ct state established,related accept
		}
	}`)),
	needed("nft that translates", "addresses outside: SNAT, static NAT, port forwards", rules(`table ip p {
		map m {
			type ipv4_addr . inet_proto . inet_service : ipv4_addr . inet_service
		}
		chain c {
			type nat hook prerouting priority dstnat; policy accept;
			dnat to ip daddr . meta l4proto . th dport map @m
		}
	}`)),
	needed("nft that counts", "usage by address", rules(`table ip q {
		set s {
			type ifname . ipv4_addr
			counter
		}
		chain c {
			type filter hook forward priority 0; policy accept;
			iifname . ip saddr @s
		}
	}`)),
	useful("br_netfilter", "security groups", func(_ context.Context, s *Space) error {
		return s.Set("net/bridge/bridge-nf-call-iptables=1")
	}),
	useful("vxlan", "guest networks over several hosts, where they are not VLANs", linked(func(a netlink.LinkAttrs) netlink.Link {
		return &netlink.Vxlan{LinkAttrs: a, VxlanId: 1, Port: vxlan}
	})),
	useful("vlan", "guest networks that are VLANs, and public addresses in one", linked(func(a netlink.LinkAttrs) netlink.Link {
		return &netlink.Vlan{LinkAttrs: a, VlanId: 1}
	})),
	useful("macvlan", "a network card as the public link; a bridge needs none", linked(func(a netlink.LinkAttrs) netlink.Link {
		return &netlink.Macvlan{LinkAttrs: a, Mode: netlink.MACVLAN_MODE_BRIDGE}
	})),
	useful("ifb, tbf", "limits of how fast cards are", func(ctx context.Context, s *Space) error {
		l, err := s.link.LinkByName(parent)
		if err == nil {
			err = s.link.QdiscReplace(bucket(l, 1))
		}
		if err == nil {
			err = linked(func(a netlink.LinkAttrs) netlink.Link { return &netlink.Ifb{LinkAttrs: a} })(ctx, s)
		}
		return err
	}),
	useful("dnsmasq", "DHCP and DNS in guest networks (Debian: dnsmasq-base)", program("dnsmasq")),
	useful("haproxy", "load balancing of TCP and HTTP (Debian: haproxy)", program("haproxy")),
}

// parent is the link that others are tried on.
const parent = "parent"

// linked tries to make a link. Where there is a parent, it is on that.
func linked(link func(netlink.LinkAttrs) netlink.Link) func(context.Context, *Space) error {
	return func(_ context.Context, s *Space) error {
		a := netlink.NewLinkAttrs()
		a.Name = "probed"
		if p, err := s.link.LinkByName(parent); err == nil {
			a.ParentIndex = p.Attrs().Index
		}
		l := link(a)
		if err := s.link.LinkAdd(l); err != nil {
			return err
		}
		return s.link.LinkDel(l)
	}
}

func rules(text string) func(context.Context, *Space) error {
	return func(ctx context.Context, s *Space) error { return s.Rules(ctx, text) }
}

func program(name string) func(context.Context, *Space) error {
	return func(context.Context, *Space) error {
		_, err := exec.LookPath(name)
		return err
	}
}
