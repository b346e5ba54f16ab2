package vnet

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"

	"github.com/vishvananda/netlink"
)

// Able tells what this kernel lets this process do, by doing it in a network namespace that is gone afterwards: an error for each
// thing that it does not. The things are "netns", and with it "bridge", "tap", "vxlan", "vlan", "macvlan" and "nft".
func Able(ctx context.Context) map[string]error {
	out := map[string]error{}
	name := fmt.Sprintf("virga-probe-%d", os.Getpid())
	s, err := MakeSpace(name)
	if out["netns"] = err; err != nil {
		return out
	}
	defer func() {
		s.Close()
		out["netns"] = errors.Join(out["netns"], DropSpace(name))
	}()
	attrs := func(name string) netlink.LinkAttrs {
		a := netlink.NewLinkAttrs()
		a.Name = name
		return a
	}
	out["bridge"] = s.link.LinkAdd(&netlink.Bridge{LinkAttrs: attrs("b")})
	out["tap"] = s.Do(func() error { return makeTap("t", 0) })
	tunnel := attrs("x")
	tunnel.MTU = 1400
	out["vxlan"] = s.link.LinkAdd(&netlink.Vxlan{LinkAttrs: tunnel, VxlanId: 1, Port: 4789, Learning: true, SrcAddr: net.IPv4(127, 0, 0, 1)})
	if bridge, err := s.link.LinkByName("b"); err == nil {
		vlan, station := attrs("v"), attrs("m")
		vlan.ParentIndex, station.ParentIndex = bridge.Attrs().Index, bridge.Attrs().Index
		out["vlan"] = s.link.LinkAdd(&netlink.Vlan{LinkAttrs: vlan, VlanId: 2})
		out["macvlan"] = s.link.LinkAdd(&netlink.Macvlan{LinkAttrs: station, Mode: netlink.MACVLAN_MODE_BRIDGE})
	} else {
		out["vlan"], out["macvlan"] = err, err
	}
	out["nft"] = s.Rules(ctx, `table bridge probe { chain c { type filter hook forward priority 0; ether saddr 02:00:00:00:00:01 drop; }
}
table inet probe { chain c { type nat hook postrouting priority 100; ip saddr 10.0.0.0/8 masquerade; }
chain d { type filter hook forward priority 0; ct state established accept; }
}
`)
	return out
}
