package vnet

import (
	"cmp"
	"net/netip"
	"slices"
	"strconv"
	"strings"

	"github.com/virga-cloud/virga/internal/fault"
	"github.com/virga-cloud/virga/internal/hypervisor"
)

const (
	lastPort     = 65535
	lastProtocol = 255
)

// Family is IPv4 or IPv6.
type Family string

// The families, as nft calls them.
const (
	V4 Family = "ip"
	V6 Family = "ip6"
)

// Transport writes a match's protocol, ports and ICMP types as nft has them, "" for any. A match that can't be of the family
// is none (ok is false).
func Transport(m hypervisor.Match, family Family) (words string, ok bool, err error) {
	switch p := strings.ToLower(m.Protocol); p {
	case "", "all":
		return "", true, nil
	case "tcp", "6":
		words, err = portWords("tcp", m)
		return words, true, err
	case "udp", "17":
		words, err = portWords("udp", m)
		return words, true, err
	case "icmp", "1", "icmp6", "icmpv6", "58":
		return icmpWords(m, family, p == "icmp" || p == "1")
	default:
		n, err := strconv.Atoi(p)
		if err != nil || n < 0 || n > lastProtocol {
			return "", false, fault.Invalidf("protocol %q is not tcp, udp, icmp, all, or a number up to %d", m.Protocol, lastProtocol)
		}
		return "meta l4proto " + strconv.Itoa(n), true, nil
	}
}

func portWords(protocol string, m hypervisor.Match) (string, error) {
	if m.From == 0 && m.To == 0 {
		return "meta l4proto " + protocol, nil
	}
	ports, err := Ports(m.From, m.To)
	return protocol + " dport " + ports, err
}

// Ports writes a range of ports.
func Ports(from, to int) (string, error) {
	if to == 0 {
		to = from
	}
	if from < 1 || to > lastPort || from > to {
		return "", fault.Invalidf("ports %d to %d are no range from 1 to %d", from, to, lastPort)
	}
	if from == to {
		return strconv.Itoa(from), nil
	}
	return strconv.Itoa(from) + "-" + strconv.Itoa(to), nil
}

// icmpWords writes ICMP. That of the other family has other numbers: a rule that names a type is for its own only.
func icmpWords(m hypervisor.Match, family Family, four bool) (string, bool, error) {
	if m.ICMPType < -1 || m.ICMPType > 255 || m.ICMPCode < -1 || m.ICMPCode > 255 {
		return "", false, fault.Invalidf("ICMP type %d and code %d are not from -1 to 255", m.ICMPType, m.ICMPCode)
	}
	name := map[Family]string{V4: "icmp", V6: "icmpv6"}[family]
	if m.ICMPType == -1 {
		words := "meta l4proto icmp"
		if family == V6 {
			words = "meta l4proto ipv6-icmp"
		}
		return words, true, nil
	}
	if four != (family == V4) {
		return "", false, nil
	}
	words := name + " type " + strconv.Itoa(m.ICMPType)
	if m.ICMPCode != -1 {
		words += " " + name + " code " + strconv.Itoa(m.ICMPCode)
	}
	return words, true, nil
}

// Blocks writes where packets come from ("saddr") or go to ("daddr") as nft has it, "" for anywhere. CIDRs that are none of
// the family are left out, and where none is left nothing is meant (ok is false).
func Blocks(field string, cidrs []string, family Family) (words string, ok bool, err error) {
	if len(cidrs) == 0 {
		return "", true, nil
	}
	var blocks []netip.Prefix
	for _, c := range cidrs {
		p, err := prefix(c)
		if err != nil {
			return "", false, err
		}
		if p.Addr().Is4() == (family == V4) {
			blocks = append(blocks, p)
		}
	}
	if len(blocks) == 0 {
		return "", false, nil
	}
	// nft refuses sets in which one block lies in another.
	slices.SortFunc(blocks, func(a, b netip.Prefix) int { return cmp.Or(a.Bits()-b.Bits(), a.Addr().Compare(b.Addr())) })
	var apart []string
	for i, b := range blocks {
		if b.Bits() == 0 {
			return "meta nfproto " + map[Family]string{V4: "ipv4", V6: "ipv6"}[family], true, nil
		}
		if !slices.ContainsFunc(blocks[:i], func(wider netip.Prefix) bool { return wider.Contains(b.Addr()) }) {
			apart = append(apart, b.String())
		}
	}
	return string(family) + " " + field + " " + set(apart), true, nil
}

func prefix(s string) (netip.Prefix, error) {
	if p, err := netip.ParsePrefix(s); err == nil {
		return p.Masked(), nil
	}
	if a, err := netip.ParseAddr(s); err == nil && a.Zone() == "" {
		return netip.PrefixFrom(a, a.BitLen()), nil
	}
	return netip.Prefix{}, fault.Invalidf("%q is neither a CIDR nor an address", s)
}

// set writes an anonymous set.
func set(elements []string) string { return "{ " + strings.Join(elements, ", ") + " }" }

// Words joins parts of a rule that are not empty.
func Words(parts ...string) string {
	return strings.Join(slices.DeleteFunc(parts, func(p string) bool { return p == "" }), " ")
}
