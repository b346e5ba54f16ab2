package vnet

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"strings"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"

	"github.com/virga-cloud/virga/internal/fault"
	"github.com/virga-cloud/virga/internal/hypervisor"
	"github.com/virga-cloud/virga/uid"
)

// port is a card's place in its segment, as it is remembered.
type port struct {
	NIC  hypervisor.NIC
	Mark uint32 // by which packets to and from it are known between the tables; no other port has it
}

// Tap is what a machine's card is connected to.
type Tap struct {
	Name      string
	MTU       int    // what the card should have, too
	Namespace string // the network namespace that it is in, as a file; "" for this process's
}

// Plug gives a card its place: a tap in its network's segment that lets out what bears the card's own addresses only. A card
// that is plugged in already is nil, and so is one that is to be plugged in otherwise now.
func (f *Fabric) Plug(ctx context.Context, nic hypervisor.NIC) (Tap, error) {
	return f.plug(ctx, nic, func(l string, mtu int) error {
		if err := f.space.Do(func() error { return makeTap(l, f.Owner) }); err != nil {
			return err
		}
		tap, err := f.space.link.LinkByName(l)
		if err != nil {
			return err
		}
		return f.space.link.LinkSetMTU(tap, mtu)
	})
}

// PlugInto gives a guest that is a network namespace its place: the other end of a pair, which is its link of the given name.
func (f *Fabric) PlugInto(ctx context.Context, nic hypervisor.NIC, guest *Space, link string) (Tap, error) {
	return f.plug(ctx, nic, func(l string, mtu int) error {
		mac, err := net.ParseMAC(nic.MAC)
		if err != nil {
			return err
		}
		return pair(f.space, l, guest, end{name: link, mac: mac, mtu: mtu})
	})
}

func (f *Fabric) plug(ctx context.Context, nic hypervisor.NIC, connect func(link string, mtu int) error) (Tap, error) {
	if err := checked(nic); err != nil {
		return Tap{}, err
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if err := ctx.Err(); err != nil {
		return Tap{}, err
	}
	known := f.ports[nic.ID]
	p := &port{NIC: nic, Mark: f.freeMark()}
	if known != nil {
		p.Mark = known.Mark
	}
	if known == nil || *known != *p {
		if err := Write(f.portFile(nic.ID), p); err != nil {
			return Tap{}, err
		}
		f.ports[nic.ID] = p
		if err := f.guard(ctx); err != nil { // before there is a link that could send
			return Tap{}, err
		}
	}
	bridge, err := f.join(segmentOf(nic))
	if err != nil {
		return Tap{}, err
	}
	id, mtu := string(nic.ID), bridge.Attrs().MTU
	l, finding := f.find(aPort, id)
	if err = finding; err == nil && l == nil {
		if err = connect(f.name(aPort, id), mtu); err == nil {
			l, err = f.space.link.LinkByName(f.name(aPort, id))
		}
	}
	if err == nil && l.Attrs().MasterIndex != bridge.Attrs().Index {
		err = f.space.link.LinkSetMaster(l, bridge)
	}
	if err == nil {
		err = errors.Join(f.slow(l, nic), quiet(f.space, l))
	}
	if err == nil {
		err = f.space.link.LinkSetAlias(l, f.alias(aPort, id))
	}
	if err == nil && known != nil && segmentOf(known.NIC) != segmentOf(nic) {
		err = f.leave(segmentOf(known.NIC))
	}
	if err != nil {
		return Tap{}, fmt.Errorf("plug in card %s: %w", id, err)
	}
	tap := Tap{Name: l.Attrs().Name, MTU: mtu}
	if f.Space != Own {
		tap.Namespace = filepath.Join(spaces, f.Space)
	}
	return tap, nil
}

// Unplug takes a card's place away, and its segment where it was the last. One that is not there is nil.
func (f *Fabric) Unplug(ctx context.Context, nic uid.NIC) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.unplug(ctx, nic)
}

func (f *Fabric) unplug(ctx context.Context, nic uid.NIC) error {
	p := f.ports[nic]
	if p == nil {
		return nil
	}
	for _, kind := range []string{aPort, aSlow} {
		l, err := f.find(kind, string(nic))
		if err == nil && l != nil {
			err = drop(f.space, l)
		}
		if err != nil {
			return fmt.Errorf("unplug card %s: %w", nic, err)
		}
	}
	if err := f.leave(segmentOf(p.NIC)); err != nil {
		return err
	}
	if err := os.Remove(f.portFile(nic)); err != nil && !errors.Is(err, os.ErrNotExist) {
		return fmt.Errorf("forget card %s: %w", nic, err)
	}
	delete(f.ports, nic)
	return f.guard(ctx)
}

func (f *Fabric) portFile(nic uid.NIC) string {
	return filepath.Join(f.State, "ports", string(nic)+".json")
}

func (f *Fabric) freeMark() uint32 {
	taken := map[uint32]bool{}
	for _, p := range f.ports {
		taken[p.Mark] = true
	}
	mark := uint32(1)
	for taken[mark] {
		mark++
	}
	return mark
}

// checked refuses cards whose words could mean something else to the programs that they are handed to.
func checked(nic hypervisor.NIC) error {
	if !uid.Valid(string(nic.ID)) {
		return fault.Invalidf("a card's id %q is none", nic.ID)
	}
	if mac, err := net.ParseMAC(nic.MAC); err != nil || len(mac) != 6 {
		return fault.Invalidf("card %s: MAC address %q is none", nic.ID, nic.MAC)
	}
	if nic.VLAN < 0 || nic.VLAN >= untagged {
		return fault.Invalidf("card %s: VLAN %d is not from 0 to %d", nic.ID, nic.VLAN, untagged-1)
	}
	if strings.ContainsAny(nic.Wire, "/ ") || len(nic.Wire) > longestLink {
		return fault.Invalidf("card %s: its network's link %q has no name that a link can have", nic.ID, nic.Wire)
	}
	for ip, is4 := range map[string]bool{nic.IP: true, nic.IP6: false} {
		if ip == "" {
			continue
		}
		if parsed, err := netip.ParseAddr(ip); err != nil || parsed.Is4() != is4 || strings.Contains(ip, "%") {
			return fault.Invalidf("card %s: address %q is none of its family", nic.ID, ip)
		}
	}
	return nil
}

// makeTap makes a tap that stays when it is closed. Without an owner anybody could open it.
func makeTap(name string, owner int) error {
	fd, err := unix.Open("/dev/net/tun", unix.O_RDWR|unix.O_CLOEXEC, 0)
	if err != nil {
		return fault.Unavailablef("this host has no taps: /dev/net/tun: %w", err)
	}
	defer unix.Close(fd)
	req, err := unix.NewIfreq(name)
	if err != nil {
		return err
	}
	req.SetUint16(unix.IFF_TAP | unix.IFF_NO_PI | unix.IFF_VNET_HDR)
	if err = unix.IoctlIfreq(fd, unix.TUNSETIFF, req); err == nil {
		err = unix.IoctlSetInt(fd, unix.TUNSETOWNER, owner)
	}
	if err == nil {
		err = unix.IoctlSetInt(fd, unix.TUNSETPERSIST, 1)
	}
	if err != nil {
		return fmt.Errorf("make tap %s: %w", name, err)
	}
	return nil
}

// end is one end of a pair.
type end struct {
	name string
	mac  net.HardwareAddr
	mtu  int
}

// pair makes a pair of links, one here and the other there. What was there under the names goes.
func pair(here *Space, name string, there *Space, e end) error {
	if l, err := there.link.LinkByName(e.name); err == nil {
		if err := drop(there, l); err != nil {
			return err
		}
	}
	attrs := netlink.NewLinkAttrs()
	attrs.Name, attrs.MTU = name, e.mtu
	veth := &netlink.Veth{LinkAttrs: attrs, PeerName: e.name, PeerHardwareAddr: e.mac, PeerNamespace: netlink.NsFd(there.fd)}
	if err := here.link.LinkAdd(veth); err != nil {
		return fmt.Errorf("pair %s and %s: %w", name, e.name, err)
	}
	l, err := there.link.LinkByName(e.name)
	if err != nil {
		return fmt.Errorf("pair %s and %s: %w", name, e.name, err)
	}
	return there.link.LinkSetMTU(l, e.mtu)
}
