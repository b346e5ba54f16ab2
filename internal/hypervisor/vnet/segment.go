package vnet

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"net/netip"
	"slices"
	"strconv"
	"syscall"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"

	"github.com/virga-cloud/virga/internal/fault"
)

const (
	untagged = 4095 // stands for no VLAN where a number is needed; no VLAN has it
	vxlan    = 4789 // the port that tunnels use
	ethernet = 1500

	// What a tunnel's own headers take from a packet: Ethernet, IP, UDP, VXLAN.
	headers4, headers6 = 50, 70
)

// tunnelled gives a segment's number in tunnels.
func tunnelled(vlan int) int {
	if vlan == 0 {
		return untagged
	}
	return vlan
}

// join makes a segment where it is not there, and gives its bridge.
func (f *Fabric) join(vlan int) (netlink.Link, error) {
	id := strconv.Itoa(vlan)
	bridge, err := f.find(aBridge, id)
	if err != nil || bridge != nil {
		return bridge, err
	}
	uplink, err := f.uplink(vlan)
	if err != nil {
		return nil, err
	}
	mtu := ethernet
	if uplink != nil {
		mtu = uplink.Attrs().MTU
	}
	attrs := netlink.NewLinkAttrs()
	attrs.Name, attrs.MTU = f.name(aBridge, id), mtu
	bridge = &netlink.Bridge{LinkAttrs: attrs, MulticastSnooping: new(bool)}
	if err = f.space.link.LinkAdd(bridge); err == nil {
		err = quiet(f.space, bridge)
	}
	if err == nil && uplink != nil {
		err = f.space.link.LinkSetMaster(uplink, bridge)
	}
	if err == nil {
		err = f.space.link.LinkSetAlias(bridge, f.alias(aBridge, id))
	}
	if err != nil {
		_ = f.leave(vlan)
		return nil, fmt.Errorf("segment %d: %w", vlan, err)
	}
	return bridge, nil
}

// find gives a link of ours where it is there. One without its alias, which is what it gets last, was left half made: it is
// removed.
func (f *Fabric) find(kind, id string) (netlink.Link, error) {
	name := f.name(kind, id)
	l, err := f.space.link.LinkByName(name)
	switch {
	case isGone(err):
		return nil, nil //nolint:nilnil // there is none, and that is no error
	case err != nil:
		return nil, fmt.Errorf("link %s for %s: %w", name, id, err)
	case l.Attrs().Alias == f.alias(kind, id):
		return l, nil
	}
	return nil, drop(f.space, l)
}

// quiet brings up a link that is to have no address of its own.
func quiet(s *Space, l netlink.Link) error {
	if err := s.Set("net/ipv6/conf/" + l.Attrs().Name + "/disable_ipv6=1"); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return s.link.LinkSetUp(l)
}

// uplink makes what joins a segment to the other hosts. It is nil for a host alone.
func (f *Fabric) uplink(vlan int) (netlink.Link, error) {
	id := strconv.Itoa(vlan)
	name := f.name(aTunnel, id)
	if l, err := f.find(aTunnel, id); err != nil || l != nil {
		return l, err
	}
	attrs := netlink.NewLinkAttrs()
	attrs.Name = name
	var made netlink.Link
	switch {
	case f.vlans && vlan == 0:
		return nil, fault.Unavailablef("this host's guest networks are VLANs of %s: one without a VLAN can't be among them", f.Trunk)
	case f.vlans:
		trunk, err := f.home.link.LinkByName(f.Trunk)
		if err != nil {
			return nil, fault.Unavailablef("the link %s that guest networks are VLANs of: %w", f.Trunk, err)
		}
		attrs.ParentIndex, attrs.MTU = trunk.Attrs().Index, trunk.Attrs().MTU
		made = &netlink.Vlan{LinkAttrs: attrs, VlanId: vlan}
	case f.Underlay.IsValid():
		mtu, err := f.room()
		if err != nil {
			return nil, err
		}
		attrs.MTU = mtu
		made = &netlink.Vxlan{
			LinkAttrs: attrs, VxlanId: tunnelled(vlan), SrcAddr: f.Underlay.AsSlice(), Port: vxlan, Learning: true, UDPCSum: f.Underlay.Is6(),
		}
	default:
		return nil, nil //nolint:nilnil // a host alone has none, and that is no error
	}
	// It is made here, where its packets go out, and keeps that when it moves to the bridges.
	if half, err := f.home.link.LinkByName(name); err == nil {
		_ = drop(f.home, half)
	}
	if err := f.home.link.LinkAdd(made); err != nil {
		return nil, fmt.Errorf("join segment %d to other hosts: %w", vlan, err)
	}
	if f.space != f.home {
		if err := f.home.link.LinkSetNsFd(made, int(f.space.fd)); err != nil {
			_ = drop(f.home, made)
			return nil, fmt.Errorf("move %s to the bridges: %w", name, err)
		}
	}
	l, err := f.space.link.LinkByName(name)
	if err == nil {
		err = quiet(f.space, l)
	}
	if err == nil && !f.vlans {
		err = f.flood(l)
	}
	if err == nil {
		err = f.space.link.LinkSetAlias(l, f.alias(aTunnel, id))
	}
	if err != nil {
		return nil, fmt.Errorf("join segment %d to other hosts: %w", vlan, err)
	}
	return l, nil
}

// room is how large guests' packets may be so that they go through a tunnel in one piece.
func (f *Fabric) room() (int, error) {
	links, err := f.home.Links()
	if err != nil {
		return 0, fmt.Errorf("list links: %w", err)
	}
	for _, l := range links {
		addresses, err := f.home.Addresses(l)
		if err != nil {
			continue // it went away meanwhile
		}
		if slices.ContainsFunc(addresses, func(a netlink.Addr) bool { return a.IP.Equal(f.Underlay.AsSlice()) }) {
			if f.Underlay.Is6() {
				return l.Attrs().MTU - headers6, nil
			}
			return l.Attrs().MTU - headers4, nil
		}
	}
	return 0, fault.Unavailablef("no link of this host has the address %s that other hosts reach it by", f.Underlay)
}

// flood makes a tunnel send what is for everybody, or for somebody not yet heard of, to the other hosts that there are now.
func (f *Fabric) flood(tunnel netlink.Link) error {
	entries, err := whole(func() ([]netlink.Neigh, error) {
		return f.space.link.NeighListExecute(netlink.Ndmsg{Family: unix.AF_BRIDGE, Index: uint32(tunnel.Attrs().Index)})
	})
	if err != nil {
		return fmt.Errorf("peers of %s: %w", tunnel.Attrs().Name, err)
	}
	everybody := make(net.HardwareAddr, 6)
	missing, peers := map[netip.Addr]bool{}, map[netip.Addr]bool{}
	for _, p := range f.peers.Addresses {
		if ip := netip.MustParseAddr(p); ip != f.Underlay {
			missing[ip], peers[ip] = true, true
		}
	}
	for _, e := range entries {
		ip, ok := netip.AddrFromSlice(e.IP)
		ip = ip.Unmap()
		if !ok || e.LinkIndex != tunnel.Attrs().Index {
			continue
		}
		if peers[ip] {
			if e.HardwareAddr.String() == everybody.String() {
				delete(missing, ip)
			}
			continue
		}
		e.Family, e.Flags = unix.AF_BRIDGE, netlink.NTF_SELF
		if err := f.space.link.NeighDel(&e); err != nil && !errors.Is(err, syscall.ENOENT) {
			return fmt.Errorf("forget peer %s: %w", ip, err)
		}
	}
	for ip := range missing {
		err := f.space.link.NeighAppend(&netlink.Neigh{
			LinkIndex: tunnel.Attrs().Index, Family: unix.AF_BRIDGE, State: netlink.NUD_PERMANENT | netlink.NUD_NOARP,
			Flags: netlink.NTF_SELF, IP: ip.AsSlice(), HardwareAddr: everybody,
		})
		if err != nil && !errors.Is(err, syscall.EEXIST) {
			return fmt.Errorf("add peer %s: %w", ip, err)
		}
	}
	return nil
}

// expect lets in, of what comes to the port that tunnels use, what the other hosts send.
func (f *Fabric) expect(ctx context.Context) error {
	if !f.Underlay.IsValid() {
		return nil
	}
	family := V4
	if f.Underlay.Is6() {
		family = V6
	}
	from, some, err := Blocks("saddr != ", f.peers.Addresses, family)
	if err != nil {
		return err
	}
	if !some || len(f.peers.Addresses) == 0 {
		from = "" // nobody is expected
	}
	rules := fmt.Sprintf("%stable %s %s_peers {\nchain input {\ntype filter hook input priority filter; policy accept;\n%s\n}\n}\n", f.noPeers(),
		family, f.table(), Words(string(family), "daddr", f.Underlay.String(), "udp dport", strconv.Itoa(vxlan), from, "drop"))
	return f.home.Rules(ctx, rules)
}

func (f *Fabric) noPeers() string {
	family := V4
	if f.Underlay.Is6() {
		family = V6
	}
	return fmt.Sprintf("table %s %s_peers\ndelete table %s %s_peers\n", family, f.table(), family, f.table())
}

// leave removes a segment that nothing is plugged into.
func (f *Fabric) leave(vlan int) error {
	id := strconv.Itoa(vlan)
	bridge, err := f.space.link.LinkByName(f.name(aBridge, id))
	if err != nil && !isGone(err) {
		return fmt.Errorf("segment %d: %w", vlan, err)
	}
	tunnel := f.name(aTunnel, id)
	if err == nil {
		links, err := f.space.Links()
		if err != nil {
			return fmt.Errorf("list links: %w", err)
		}
		for _, l := range links {
			if l.Attrs().MasterIndex == bridge.Attrs().Index && l.Attrs().Name != tunnel {
				return nil
			}
		}
		if err := drop(f.space, bridge); err != nil {
			return err
		}
	}
	if l, err := f.space.link.LinkByName(tunnel); err == nil {
		return drop(f.space, l)
	}
	return nil
}

// leaveAll removes all segments that nothing is plugged into.
func (f *Fabric) leaveAll() error {
	links, err := f.space.Links()
	if err != nil {
		return fmt.Errorf("list links: %w", err)
	}
	var errs []error
	for _, l := range links {
		if kind, id, ok := f.claimed(l); ok && (kind == aBridge || kind == aTunnel) {
			if vlan, err := strconv.Atoi(id); err == nil {
				errs = append(errs, f.leave(vlan))
			}
		}
	}
	return errors.Join(errs...)
}

// tryVLAN makes a VLAN of the trunk, to see whether that can be done, and removes it.
func (f *Fabric) tryVLAN() error {
	trunk, err := f.home.link.LinkByName(f.Trunk)
	if err != nil {
		return err
	}
	attrs := netlink.NewLinkAttrs()
	attrs.Name, attrs.ParentIndex = f.name(aTunnel, "probe"), trunk.Attrs().Index
	l := &netlink.Vlan{LinkAttrs: attrs, VlanId: untagged - 1}
	if err := f.home.link.LinkAdd(l); err != nil {
		return err
	}
	return drop(f.home, l)
}
