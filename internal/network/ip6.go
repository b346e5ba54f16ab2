package network

import (
	"net"
	"net/netip"

	"github.com/virga-cloud/virga/internal/fault"
)

// Subnet6 is a network's plan of IPv6 addresses; all empty where there is none.
type Subnet6 struct {
	CIDR, Gateway string
	First, Last   string // which may be asked for by name; "" for all
}

// parseSubnet6 makes a plan of IPv6 addresses from what a user says.
func parseSubnet6(cidr, gateway, start, end string) (s Subnet6, err error) {
	if cidr+gateway+start+end == "" {
		return s, nil
	}
	if cidr == "" || gateway == "" {
		return s, fault.Invalidf("ip6cidr and ip6gateway go together: got ip6cidr %q and ip6gateway %q", cidr, gateway)
	}
	p, err := netip.ParsePrefix(cidr)
	if err != nil || !p.Addr().Is6() || p.Addr().Is4In6() {
		return s, fault.Invalidf("ip6cidr %q is none like 2001:db8:1::/64", cidr)
	}
	if p.Bits() != 64 {
		return s, fault.Invalidf("ip6cidr %s has a prefix of %d bits; machines make their addresses from a MAC address, which needs 64",
			cidr, p.Bits())
	}
	if p.Addr().IsMulticast() || p.Addr().IsLinkLocalUnicast() || p.Addr().IsLoopback() || p.Addr().IsUnspecified() {
		return s, fault.Invalidf("ip6cidr %s can't be a guest network's: its addresses are multicast, link-local or special", cidr)
	}
	p = p.Masked()
	s.CIDR = p.String()
	if s.Gateway, err = within(p, "ip6gateway", gateway); err != nil {
		return s, err
	}
	if start == "" {
		if end != "" {
			return s, fault.Invalidf("endipv6 %s was given without startipv6", end)
		}
		return s, nil
	}
	if end == "" {
		end = start
	}
	if s.First, err = within(p, "startipv6", start); err != nil {
		return s, err
	}
	if s.Last, err = within(p, "endipv6", end); err != nil {
		return s, err
	}
	if netip.MustParseAddr(s.Last).Less(netip.MustParseAddr(s.First)) {
		return s, fault.Invalidf("the range %s to %s ends before it begins", start, end)
	}
	return s, nil
}

// within reads an IPv6 address that must lie in a prefix; name is what the error calls it.
func within(p netip.Prefix, name, text string) (string, error) {
	a, err := netip.ParseAddr(text)
	if err != nil || !a.Is6() || a.Zone() != "" {
		return "", fault.Invalidf("%s %q is not an IPv6 address", name, text)
	}
	if !p.Contains(a) {
		return "", fault.Invalidf("%s %s does not lie in %s", name, text, p)
	}
	return a.String(), nil
}

// ip6For gives the IPv6 address of a NIC: the one wanted, or ("") the one that the guest makes of its MAC address itself. It is
// "" in networks without IPv6.
func ip6For(n Network, mac, want string) (string, error) {
	if n.IP6CIDR == "" {
		if want != "" {
			return "", fault.Invalidf("network %q has no IPv6: leave out the address %s", n.Name, want)
		}
		return "", nil
	}
	p, err := netip.ParsePrefix(n.IP6CIDR)
	if err != nil {
		return "", err
	}
	if want == "" {
		return eui64(p, mac)
	}
	text, err := within(p, "ip6address", want)
	if err != nil {
		return "", err
	}
	a := netip.MustParseAddr(text)
	switch {
	case text == n.IP6Gateway:
		return "", fault.Invalidf("address %s is the gateway's of network %q", want, n.Name)
	case n.IP6Start != "" && (a.Less(netip.MustParseAddr(n.IP6Start)) || netip.MustParseAddr(n.IP6End).Less(a)):
		return "", fault.Invalidf("address %s is not one that may be asked for in network %q: want one from %s to %s", want, n.Name,
			n.IP6Start, n.IP6End)
	}
	return text, nil
}

// eui64 is the address that a machine makes of its MAC address (RFC 4291, appendix A).
func eui64(p netip.Prefix, mac string) (string, error) {
	m, err := net.ParseMAC(mac)
	if err != nil || len(m) != 6 {
		return "", fault.Invalidf("%q is not a MAC address", mac)
	}
	b := p.Addr().As16()
	copy(b[8:], []byte{m[0] ^ 2, m[1], m[2], 0xff, 0xfe, m[3], m[4], m[5]})
	return netip.AddrFrom16(b).String(), nil
}

// checkServer refuses what is not the address of a DNS server; "" is none.
func checkServer(name, text string, six bool) error {
	if text == "" {
		return nil
	}
	a, err := netip.ParseAddr(text)
	if err != nil || a.Zone() != "" || a.Is6() != six || a.Is4In6() {
		return fault.Invalidf("%s %q is not an %s address", name, text, map[bool]string{false: "IPv4", true: "IPv6"}[six])
	}
	return nil
}
