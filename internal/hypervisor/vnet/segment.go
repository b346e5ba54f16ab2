package vnet

import (
	"context"
	"errors"
	"fmt"
	"hash/fnv"
	"io/fs"
	"net"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"syscall"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"

	"github.com/virga-cloud/virga/internal/fault"
	"github.com/virga-cloud/virga/internal/hypervisor"
)

const (
	untagged = 4095 // stands for no VLAN where a number is needed; no VLAN has it
	vxlan    = 4789 // the port that tunnels use
	ethernet = 1500

	// What a tunnel's own headers take from a packet: Ethernet, IP, UDP, VXLAN.
	headers4, headers6 = 50, 70
)

// longestLink is how long the name of a link can be.
const longestLink = 15

// segment is a guest network's piece on this host.
type segment struct {
	vlan int
	wire string // the bridge of this host that carries it; "": hosts carry it to each other
}

func segmentOf(nic hypervisor.NIC) segment { return segment{nic.VLAN, nic.Wire} }

// id is what its links are for.
func (s segment) id() string {
	if s.wire == "" {
		return strconv.Itoa(s.vlan)
	}
	return strconv.Itoa(s.vlan) + " " + s.wire
}

// segmentBy is the segment with an id.
func segmentBy(id string) (s segment, err error) {
	number, wire, _ := strings.Cut(id, " ")
	s.wire = wire
	s.vlan, err = strconv.Atoi(number)
	return s, err
}

// tunnelled is its number in tunnels.
func (s segment) tunnelled() int {
	if s.vlan == 0 {
		return untagged
	}
	return s.vlan
}

// zone is the number under which the kernel knows its connections.
func (s segment) zone() int {
	if s.wire == "" {
		return s.tunnelled()
	}
	sum := fnv.New32a()
	_, _ = sum.Write([]byte(s.id()))
	return untagged + 1 + int(sum.Sum32()%(1<<16-untagged-1))
}

// join makes a segment where it is not there, and gives its bridge.
func (f *Fabric) join(at segment) (netlink.Link, error) {
	id := at.id()
	bridge, err := f.find(aBridge, id)
	if err != nil || bridge != nil {
		return bridge, err
	}
	uplink, err := f.uplink(at)
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
		_ = f.leave(at)
		return nil, fmt.Errorf("segment %s: %w", id, err)
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

// uplink makes what joins a segment to the other hosts, or to the operator's own network. It is nil for a host alone.
func (f *Fabric) uplink(at segment) (netlink.Link, error) {
	id := at.id()
	name := f.name(aTunnel, id)
	if l, err := f.find(aTunnel, id); err != nil || l != nil {
		return l, err
	}
	made, err := f.joining(at, name)
	if err != nil || made == nil {
		return nil, err
	}
	// It is made here, where its packets go out, and keeps that when it moves to the bridges.
	if half, err := f.home.link.LinkByName(name); err == nil {
		_ = drop(f.home, half)
	}
	if err := f.home.link.LinkAdd(made); err != nil {
		if at.wire != "" {
			return nil, fault.Unavailablef("network with VLAN %d: it needs a kernel that makes VLANs of %s: %w", at.vlan, at.wire, err)
		}
		return nil, fmt.Errorf("join segment %s to other hosts: %w", id, err)
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
	switch {
	case err != nil:
	case made.Type() == tunnel:
		err = f.flood(l)
	case made.Type() == "veth":
		err = f.fasten(at)
	}
	if err == nil {
		err = f.space.link.LinkSetAlias(l, f.alias(aTunnel, id))
	}
	if err != nil {
		return nil, fmt.Errorf("join segment %s to other hosts: %w", id, err)
	}
	return l, nil
}

// tunnel is the type of links that are tunnels.
const tunnel = "vxlan"

// joining is the link that is to join a segment to others; nil for a host alone.
func (f *Fabric) joining(at segment, name string) (netlink.Link, error) {
	attrs := netlink.NewLinkAttrs()
	attrs.Name = name
	switch {
	case at.wire != "":
		return f.wired(at, attrs)
	case f.vlans && at.vlan == 0:
		return nil, fault.Unavailablef("this host's guest networks are VLANs of %s: one without a VLAN can't be among them; a bridge may carry it "+
			"that the traffic label of its physical network names", f.Trunk)
	case f.vlans:
		trunk, err := f.home.link.LinkByName(f.Trunk)
		if err != nil {
			return nil, fault.Unavailablef("the link %s that guest networks are VLANs of: %w", f.Trunk, err)
		}
		attrs.ParentIndex, attrs.MTU = trunk.Attrs().Index, trunk.Attrs().MTU
		return &netlink.Vlan{LinkAttrs: attrs, VlanId: at.vlan}, nil
	case f.Underlay.IsValid():
		mtu, err := f.room()
		if err != nil {
			return nil, err
		}
		attrs.MTU = mtu
		return &netlink.Vxlan{
			LinkAttrs: attrs, VxlanId: at.tunnelled(), SrcAddr: f.Underlay.AsSlice(), Port: vxlan, Learning: true, UDPCSum: f.Underlay.Is6(),
		}, nil
	}
	return nil, nil //nolint:nilnil // a host alone has none, and that is no error
}

// wired is the link that is to join a segment to a bridge of the host's operator: one end of a pair, or a VLAN of the bridge.
func (f *Fabric) wired(at segment, attrs netlink.LinkAttrs) (netlink.Link, error) {
	if !slices.Contains(f.Wires, at.wire) {
		return nil, fault.Unavailablef("this host was not given the link %s for guest networks, which their physical network's traffic label names: "+
			"start its agent with --guest %s", at.wire, at.wire)
	}
	wire, err := f.home.link.LinkByName(at.wire)
	if err != nil {
		return nil, fault.Unavailablef("the link %s that carries guest networks: %w", at.wire, err)
	}
	if wire.Type() != "bridge" {
		return nil, fault.Unavailablef("the link %s that carries guest networks is a %s: want a bridge, with the network card in it", at.wire,
			wire.Type())
	}
	attrs.MTU = wire.Attrs().MTU
	if at.vlan != 0 {
		attrs.ParentIndex = wire.Attrs().Index
		return &netlink.Vlan{LinkAttrs: attrs, VlanId: at.vlan}, nil
	}
	attrs.HardwareAddr = Address(string(f.Host), "wire", at.id())
	return &netlink.Veth{LinkAttrs: attrs, PeerName: f.name(aWire, at.id())}, nil
}

// fasten makes a pair's other end a port of the bridge of the host's operator.
func (f *Fabric) fasten(at segment) error {
	end, err := f.home.link.LinkByName(f.name(aWire, at.id()))
	if err != nil {
		return err
	}
	wire, err := f.home.link.LinkByName(at.wire)
	if err != nil {
		return err
	}
	return errors.Join(f.home.link.LinkSetMTU(end, wire.Attrs().MTU), f.home.link.LinkSetMaster(end, wire), quiet(f.home, end),
		f.home.link.LinkSetAlias(end, f.alias(aWire, at.id())))
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
func (f *Fabric) leave(at segment) error {
	id := at.id()
	bridge, err := f.space.link.LinkByName(f.name(aBridge, id))
	if err != nil && !isGone(err) {
		return fmt.Errorf("segment %s: %w", id, err)
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
			if at, err := segmentBy(id); err == nil {
				errs = append(errs, f.leave(at))
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
