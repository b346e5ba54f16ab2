package vnet

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"

	"github.com/vishvananda/netlink"
)

// anOutside is the kind of the link of a public network that is a host's own.
const anOutside = "vo"

// Outside is a public network that a host makes for itself: a cloud on one machine needs nothing of the network around it.
type Outside struct {
	Gateways []netip.Prefix // the host's addresses in it, which are the gateways of the ranges of public addresses
	// Hidden lets what comes from public addresses go further as if it came from the host. Without it whoever routes around the host
	// must know that they are behind it.
	Hidden bool
}

// MakeOutside makes the link that is [Config.Public], a bridge with the gateways' addresses. One that is there is brought to
// what is said; a link of that name that is not ours is not touched, and is an error.
func (f *Fabric) MakeOutside(ctx context.Context, o Outside) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if err := ctx.Err(); err != nil {
		return err
	}
	l, err := f.home.link.LinkByName(f.Public)
	switch {
	case isGone(err):
		attrs := netlink.NewLinkAttrs()
		attrs.Name = f.Public
		l = &netlink.Bridge{LinkAttrs: attrs, MulticastSnooping: new(bool)}
		if err = f.home.link.LinkAdd(l); err == nil {
			err = f.home.link.LinkSetAlias(l, f.alias(anOutside, f.Public))
		}
	case err == nil && l.Attrs().Alias != f.alias(anOutside, f.Public):
		err = errors.New("there is a link of this name that is not ours")
	}
	if err != nil {
		return fmt.Errorf("public network %s: %w", f.Public, err)
	}
	for _, g := range o.Gateways {
		a := &netlink.Addr{IPNet: &net.IPNet{IP: g.Addr().AsSlice(), Mask: net.CIDRMask(g.Bits(), g.Addr().BitLen())}}
		if err := f.home.link.AddrReplace(l, a); err != nil {
			return fmt.Errorf("public network %s: gateway %s: %w", f.Public, g, err)
		}
	}
	if err := errors.Join(f.home.link.LinkSetUp(l), f.home.Set("net/ipv4/ip_forward=1")); err != nil {
		return fmt.Errorf("public network %s: %w", f.Public, err)
	}
	rules := f.noOutside()
	if o.Hidden {
		var blocks []string
		for _, g := range o.Gateways {
			blocks = append(blocks, g.Masked().String())
		}
		from, _, err := Blocks("saddr", blocks, V4)
		if err != nil {
			return err
		}
		const nat = "table ip %s_outside {\nchain sources {\ntype nat hook postrouting priority srcnat; policy accept;\n%s\n}\n}\n"
		rules += fmt.Sprintf(nat, f.table(),
			Words(from, "oifname !=", quote(f.Public), "masquerade"))
	}
	return f.home.Rules(ctx, rules)
}

// DropOutside removes what MakeOutside made. Routers' places in it stay without a way.
func (f *Fabric) DropOutside(ctx context.Context) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	l, err := f.home.link.LinkByName(f.Public)
	if isGone(err) || err == nil && l.Attrs().Alias != f.alias(anOutside, f.Public) {
		return nil
	}
	if err == nil {
		err = drop(f.home, l)
	}
	if err != nil {
		return fmt.Errorf("public network %s: %w", f.Public, err)
	}
	return f.home.Rules(ctx, f.noOutside())
}

func (f *Fabric) noOutside() string {
	return fmt.Sprintf("table ip %s_outside\ndelete table ip %s_outside\n", f.table(), f.table())
}
