package vnet

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strconv"

	"github.com/vishvananda/netlink"

	"github.com/virga-cloud/virga/internal/fault"
	"github.com/virga-cloud/virga/uid"
)

// Place is a router's place in a network.
type Place struct {
	Router uid.Router
	VLAN   int
	Wire   string // as of [hypervisor.NIC], of a guest network
	Public bool   // in the public network, not among guests
	Space  *Space // the router
	Link   string // what the place is called in there
}

// id is what a place's link is for.
func (p Place) id() string { return string(p.Router) + " " + p.Link }

// PlugRouter gives a router its place in a guest network or in the public one. One that is there is nil.
func (f *Fabric) PlugRouter(ctx context.Context, p Place) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if err := ctx.Err(); err != nil {
		return err
	}
	plug := f.plugGuests
	if p.Public {
		plug = f.plugPublic
	}
	if err := plug(p); err != nil {
		return fmt.Errorf("router %s, link %s: %w", p.Router, p.Link, err)
	}
	return nil
}

// UnplugRouter takes a router's place away. One that is not there is nil.
func (f *Fabric) UnplugRouter(p Place) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if l, err := p.Space.link.LinkByName(p.Link); err == nil {
		if err := drop(p.Space, l); err != nil { // a pair goes as a whole
			return err
		}
	}
	if p.Public {
		return nil
	}
	return f.leave(segment{p.VLAN, p.Wire})
}

func (f *Fabric) plugGuests(p Place) error {
	bridge, err := f.join(segment{p.VLAN, p.Wire})
	if err != nil {
		return err
	}
	return f.connect(p, f.space, bridge, aRouter)
}

// connect joins a router to a bridge by a pair of links.
func (f *Fabric) connect(p Place, s *Space, bridge netlink.Link, kind string) error {
	name, alias := f.name(kind, p.id()), f.alias(kind, p.id())
	l, err := s.link.LinkByName(name)
	if err == nil && l.Attrs().Alias == alias && l.Attrs().MasterIndex == bridge.Attrs().Index {
		return nil
	}
	if err == nil {
		err = drop(s, l)
	} else if isGone(err) {
		err = nil
	}
	mac := net.HardwareAddr(Address(string(p.Router), p.Link))
	if err == nil {
		err = pair(s, name, p.Space, end{name: p.Link, mac: mac, mtu: bridge.Attrs().MTU})
	}
	if err == nil {
		l, err = s.link.LinkByName(name)
	}
	if err == nil {
		err = errors.Join(s.link.LinkSetMaster(l, bridge), quiet(s, l), s.link.LinkSetAlias(l, alias))
	}
	return err
}

// plugPublic joins a router to the public network: to a bridge as a port of it, to a network card as a station of its own
// beside the host's.
func (f *Fabric) plugPublic(p Place) error {
	if f.Public == "" {
		return fault.Unavailablef("this host was given no link to the public network, which the router's addresses need")
	}
	parent, err := f.home.link.LinkByName(f.Public)
	if err != nil {
		return fault.Unavailablef("the link %s to the public network: %w", f.Public, err)
	}
	if p.VLAN != 0 {
		if parent, err = f.publicVLAN(parent, p.VLAN); err != nil {
			return err
		}
	} else if parent.Type() == "bridge" {
		return f.connect(p, f.home, parent, aPublic)
	}
	if _, err := p.Space.link.LinkByName(p.Link); err == nil {
		return nil
	}
	attrs := netlink.NewLinkAttrs()
	attrs.Name, attrs.ParentIndex, attrs.Namespace = p.Link, parent.Attrs().Index, netlink.NsFd(p.Space.fd)
	attrs.HardwareAddr = Address(string(p.Router), p.Link)
	if err := f.home.link.LinkAdd(&netlink.Macvlan{LinkAttrs: attrs, Mode: netlink.MACVLAN_MODE_BRIDGE}); err != nil {
		return fmt.Errorf("a station on %s: %w", parent.Attrs().Name, err)
	}
	return nil
}

// publicVLAN makes a VLAN of the public link, which stays for other routers.
func (f *Fabric) publicVLAN(parent netlink.Link, vlan int) (netlink.Link, error) {
	name := f.name(aPublic, strconv.Itoa(vlan))
	if l, err := f.home.link.LinkByName(name); err == nil {
		return l, nil
	}
	attrs := netlink.NewLinkAttrs()
	attrs.Name, attrs.ParentIndex = name, parent.Attrs().Index
	l := &netlink.Vlan{LinkAttrs: attrs, VlanId: vlan}
	if err := f.home.link.LinkAdd(l); err != nil {
		return nil, fault.Unavailablef("public addresses of VLAN %d need a kernel that makes VLANs of %s: %w", vlan, f.Public, err)
	}
	if err := errors.Join(quiet(f.home, l), f.home.link.LinkSetAlias(l, f.alias(aPublic, strconv.Itoa(vlan)))); err != nil {
		return nil, err
	}
	return f.home.link.LinkByName(name)
}
