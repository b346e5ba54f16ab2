package subnet

import (
	"encoding/binary"
	"fmt"
	"math/bits"
	"net/netip"

	"github.com/virga-cloud/virga/internal/fault"
)

// IP is an IPv4 address as a number, so that ranges can be counted and compared in SQL. 0 is none.
type IP int64

// ParseIP reads an IPv4 address; name is what the error calls it.
func ParseIP(name, text string) (IP, error) {
	a, err := netip.ParseAddr(text)
	if err != nil || !a.Is4() {
		return 0, fault.Invalidf("%s %q is not an IPv4 address like 10.1.1.10", name, text)
	}
	b := a.As4()
	return IP(binary.BigEndian.Uint32(b[:])), nil
}

// String is the dotted form, "" for none.
func (ip IP) String() string {
	if ip == 0 {
		return ""
	}
	var b [4]byte
	binary.BigEndian.PutUint32(b[:], uint32(ip))
	return netip.AddrFrom4(b).String()
}

// Plan is a network's address plan.
type Plan struct {
	CIDR, Gateway, Netmask string
	First, Last            IP  // for guests, both included
	GatewayIP              IP  // the gateway, as a number
	Bits                   int // of its prefix
}

// defaultGateway and defaultNetmask are what a network gets whose creator says nothing in a zone without a guest CIDR.
const (
	defaultGateway = "10.1.1.1"
	defaultNetmask = "255.255.255.0"
)

// reserved are the addresses that can't be a machine's, whatever network it is in: hosts drop them, or keep them
// for themselves.
var reserved = []struct {
	first, last IP
	why         string
}{
	{0, 0x00ffffff, "0.0.0.0/8 stands for this network"},
	{0x7f000000, 0x7fffffff, "127.0.0.0/8 is each machine's own loopback"},
	{0xa9fe0000, 0xa9feffff, "169.254.0.0/16 is link-local"},
	{0xe0000000, 0xffffffff, "224.0.0.0 and all above is multicast or reserved"},
}

// Parse makes an address plan from what a user says; "" is left to the defaults. Without a range guests get every
// address but the gateway's, the network's own and the broadcast one.
func Parse(gateway, netmask, startIP, endIP string) (Plan, error) {
	switch {
	case gateway == "" && netmask == "":
		gateway, netmask = defaultGateway, defaultNetmask
	case gateway == "" || netmask == "":
		return Plan{}, fault.Invalidf("gateway and netmask go together: got gateway %q and netmask %q", gateway, netmask)
	}
	gw, err := ParseIP("gateway", gateway)
	if err != nil {
		return Plan{}, err
	}
	mask, err := ParseIP("netmask", netmask)
	if err != nil {
		return Plan{}, err
	}
	host := ^uint32(mask)
	if host&(host+1) != 0 || host < 3 {
		return Plan{}, fault.Invalidf("netmask %s leaves no room: want one from 128.0.0.0 to 255.255.255.252 whose one-bits "+
			"stand together", netmask)
	}
	base, broadcast := gw&mask, gw&mask|IP(host)
	if gw == base || gw == broadcast {
		return Plan{}, fault.Invalidf("gateway %s is the first or last address of its subnet %s/%s, which no host may have", gateway, base, netmask)
	}
	for _, r := range reserved {
		if base <= r.last && broadcast >= r.first {
			return Plan{}, fault.Invalidf("gateway %s with netmask %s can't be a guest network's: %s", gateway, netmask, r.why)
		}
	}
	s := Plan{
		CIDR: fmt.Sprintf("%s/%d", base, prefix(host)), Gateway: gw.String(), Netmask: mask.String(), First: base + 1, Last: broadcast - 1,
		GatewayIP: gw, Bits: prefix(host),
	}
	return s, s.narrow(startIP, endIP)
}

// OfCIDR gives the gateway and netmask of a network that is a zone's whole guest CIDR: its first address is the gateway's.
func OfCIDR(cidr string) (gateway, netmask string, err error) {
	p, err := netip.ParsePrefix(cidr)
	if err != nil || !p.Addr().Is4() {
		return "", "", fault.Conflictf("the zone's guest CIDR %q is none like 10.1.1.0/24; give gateway and netmask", cidr)
	}
	mask := IP(0xffffffff) << (32 - p.Bits()) & 0xffffffff
	return p.Masked().Addr().Next().String(), mask.String(), nil
}

// narrow keeps only the addresses that the user wants guests to have.
func (s *Plan) narrow(startIP, endIP string) (err error) {
	first, last := s.First, s.Last
	if startIP != "" {
		if s.First, err = ParseIP("startip", startIP); err != nil {
			return err
		}
		s.Last = s.First
	}
	if endIP != "" {
		if startIP == "" {
			return fault.Invalidf("endip %s was given without startip", endIP)
		}
		if s.Last, err = ParseIP("endip", endIP); err != nil {
			return err
		}
	}
	if s.First < first || s.Last > last || s.First > s.Last {
		return fault.Invalidf("the range %s to %s does not lie in %s (%s to %s)", s.First, s.Last, s.CIDR, first, last)
	}
	if s.Last-s.First < 1 && s.First == s.GatewayIP {
		return fault.Invalidf("the range holds nothing but the gateway %s", s.GatewayIP)
	}
	return nil
}

func prefix(host uint32) int {
	n := 32
	for ; host != 0; host >>= 1 {
		n--
	}
	return n
}

// Prefix writes an address with the length of its network's prefix, like 10.1.1.1/24.
func Prefix(ip, netmask string) (string, error) {
	mask, err := netip.ParseAddr(netmask)
	if err != nil || !mask.Is4() {
		return "", fault.Invalidf("netmask %q is not one like 255.255.255.0", netmask)
	}
	b := mask.As4()
	return fmt.Sprintf("%s/%d", ip, bits.LeadingZeros32(^binary.BigEndian.Uint32(b[:]))), nil
}
