package zone

import (
	"encoding/binary"
	"net/netip"
	"regexp"
	"strings"

	"github.com/virga-cloud/virga/internal/fault"
)

// private are the ranges that guest networks may be cut from (RFC 1918).
var private = []netip.Prefix{
	netip.MustParsePrefix("10.0.0.0/8"), netip.MustParsePrefix("172.16.0.0/12"), netip.MustParsePrefix("192.168.0.0/16"),
}

var label = regexp.MustCompile(`^[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?$`)

func (z Zone) check() error {
	if strings.TrimSpace(z.Name) == "" {
		return fault.Invalidf("a zone needs a name")
	}
	if z.NetworkType != Advanced && z.NetworkType != Basic {
		return fault.Invalidf("networktype is %q; want Advanced or Basic", z.NetworkType)
	}
	for _, a := range []struct{ name, text string }{
		{"dns1", z.DNS1}, {"dns2", z.DNS2}, {"internaldns1", z.InternalDNS1}, {"internaldns2", z.InternalDNS2},
	} {
		if ip, err := netip.ParseAddr(a.text); a.text != "" && (err != nil || !ip.Is4()) {
			return fault.Invalidf("%s %q is not an IPv4 address like 10.1.1.10", a.name, a.text)
		}
	}
	for _, a := range []struct{ name, text string }{{"ip6dns1", z.IP6DNS1}, {"ip6dns2", z.IP6DNS2}} {
		if ip, err := netip.ParseAddr(a.text); a.text != "" && (err != nil || !ip.Is6() || ip.Is4In6() || ip.Zone() != "") {
			return fault.Invalidf("%s %q is not an IPv6 address like 2001:db8::53", a.name, a.text)
		}
	}
	if z.DHCPProvider != VirtualRouter {
		return fault.Invalidf("dhcpprovider is %q; the only one there is, is %s", z.DHCPProvider, VirtualRouter)
	}
	if err := checkDomain(z.NetworkDomain); err != nil {
		return err
	}
	return z.checkGuestCIDR()
}

func (z Zone) checkGuestCIDR() error {
	if z.GuestCIDR == "" {
		return nil
	}
	if z.NetworkType == Basic {
		return fault.Invalidf("guestcidraddress is for advanced zones: the guests of a basic zone have addresses of its pods' ranges")
	}
	cidr, err := netip.ParsePrefix(z.GuestCIDR)
	if err != nil || cidr != cidr.Masked() || cidr.Bits() > 30 {
		return fault.Invalidf("guestcidraddress %q is not a network in the form 10.1.1.0/24, of /30 at least", z.GuestCIDR)
	}
	for _, p := range private {
		if p.Overlaps(cidr) && p.Bits() <= cidr.Bits() {
			return nil
		}
	}
	return fault.Invalidf("guestcidraddress %s is not private: want one in 10.0.0.0/8, 172.16.0.0/12 or 192.168.0.0/16", z.GuestCIDR)
}

// checkDomain wants a DNS domain, or none.
func checkDomain(domain string) error {
	if domain == "" {
		return nil
	}
	for part := range strings.SplitSeq(domain, ".") {
		if !label.MatchString(part) || len(domain) > 190 {
			return fault.Invalidf("domain %q is not a DNS domain like cloud.example.org: parts of letters, digits and hyphens with dots "+
				"between them, at most 190 characters", domain)
		}
	}
	return nil
}

// span is a pod's address plan.
type span struct {
	subnet      netip.Prefix
	gateway     netip.Addr
	first, last netip.Addr
}

// span reads a pod's address plan. Without an end the range goes to the subnet's last address but the broadcast one.
func (p *Pod) span() (s span, err error) {
	for _, a := range []struct{ name, text string }{{"gateway", p.Gateway}, {"netmask", p.Netmask}, {"startip", p.StartIP}} {
		if a.text == "" {
			return span{}, fault.Invalidf("a pod needs gateway, netmask and startip; %s is missing", a.name)
		}
	}
	if s.gateway, err = v4("gateway", p.Gateway); err != nil {
		return span{}, err
	}
	mask, err := v4("netmask", p.Netmask)
	if err != nil {
		return span{}, err
	}
	host := ^number(mask)
	if host&(host+1) != 0 || host < 3 || host == ^uint32(0) {
		return span{}, fault.Invalidf("netmask %s leaves no room: want one from 128.0.0.0 to 255.255.255.252 whose one-bits stand together", mask)
	}
	bits := 32
	for h := host; h > 0; h >>= 1 {
		bits--
	}
	s.subnet = netip.PrefixFrom(s.gateway, bits).Masked()
	if s.first, err = v4("startip", p.StartIP); err != nil {
		return span{}, err
	}
	if p.EndIP == "" {
		p.EndIP = address(number(s.subnet.Addr()) + host - 1).String()
	}
	if s.last, err = v4("endip", p.EndIP); err != nil {
		return span{}, err
	}
	broadcast := address(number(s.subnet.Addr()) + host)
	for _, a := range []netip.Addr{s.gateway, s.first, s.last} {
		if !s.subnet.Contains(a) || a == s.subnet.Addr() || a == broadcast {
			return span{}, fault.Invalidf("%s is not an address of the pod's subnet %s that a host can have", a, s.subnet)
		}
	}
	switch {
	case s.last.Less(s.first):
		return span{}, fault.Invalidf("startip %s is after endip %s", s.first, s.last)
	case !s.gateway.Less(s.first) && !s.last.Less(s.gateway):
		return span{}, fault.Invalidf("the gateway %s lies in the range %s to %s; leave it out", s.gateway, s.first, s.last)
	}
	return s, nil
}

func v4(name, text string) (netip.Addr, error) {
	a, err := netip.ParseAddr(text)
	if err != nil || !a.Is4() {
		return a, fault.Invalidf("%s %q is not an IPv4 address like 10.1.1.10", name, text)
	}
	return a, nil
}

func number(a netip.Addr) uint32 { b := a.As4(); return binary.BigEndian.Uint32(b[:]) }

func address(n uint32) netip.Addr {
	var b [4]byte
	binary.BigEndian.PutUint32(b[:], n)
	return netip.AddrFrom4(b)
}
