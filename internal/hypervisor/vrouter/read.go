package vrouter

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"net"
	"net/netip"
	"regexp"
	"slices"
	"strconv"

	"github.com/virga-cloud/virga/internal/fault"
	"github.com/virga-cloud/virga/internal/hypervisor"
)

// sheet is a document that has been read: what programs will be handed is known to be what it should.
type sheet struct {
	hypervisor.Router

	segments  []segment
	addresses []address
	ways      []way
}

// segment is a guest network as the router sees it.
type segment struct {
	hypervisor.RouterSegment

	link    string
	gateway netip.Prefix // the router's own address
	via     netip.Addr   // the gateway that guests are told; not valid where that is the router
	beside  []place      // in further subnets
	six     netip.Prefix // not valid where there is none
	out     netip.Addr   // what its guests are seen as outside; not valid where they are not
}

// place is a router's own address in a subnet, and the gateway there.
type place struct {
	own netip.Prefix
	via netip.Addr
}

// places are the router's addresses in a guest network, and the gateways that guests are told there.
func (s segment) places() []place {
	via := s.via
	if !via.IsValid() {
		via = s.gateway.Addr()
	}
	return append([]place{{s.gateway, via}}, s.beside...)
}

// of gives the place in the subnet that an address is of; not valid where it is of none.
func (s segment) of(ip netip.Addr) netip.Prefix {
	for _, p := range s.places() {
		if p.own.Contains(ip) {
			return p.own
		}
	}
	return netip.Prefix{}
}

// address is a public address.
type address struct {
	hypervisor.RouterAddress

	link string
	ip   netip.Prefix
	way  int // the index of its way
}

// way is a way out: a gateway on an uplink.
type way struct {
	vlan    int
	link    string
	gateway netip.Addr
	from    netip.Addr // what the router itself says it is
}

// table is the routing table of a way. The first is the main one.
func table(way int) int { return 1000 + way }

var (
	nameOf   = regexp.MustCompile(`^[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?$`)
	domainOf = regexp.MustCompile(`^([A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?\.)*[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?$`)
)

// guestLink is the name of the router's link in a guest network, which the document's order has no part in.
func guestLink(network string) string {
	sum := sha256.Sum256([]byte(network))
	return "g" + hex.EncodeToString(sum[:])[:12]
}

func uplink(vlan int) string { return "u" + strconv.Itoa(vlan) }

// read checks a document. All that is Invalid about one is found here, before anything is done.
func read(doc hypervisor.Router) (*sheet, error) {
	s := &sheet{Router: doc}
	for _, g := range doc.Segments {
		one, err := readSegment(g)
		if err != nil {
			return nil, fmt.Errorf("network %s: %w", g.Network, err)
		}
		if slices.ContainsFunc(s.segments, func(o segment) bool { return o.Network == g.Network || o.gateway.Overlaps(one.gateway) }) {
			return nil, fault.Invalidf("network %s: it is in the document twice, or its addresses %s are another's", g.Network, g.Gateway)
		}
		s.segments = append(s.segments, one)
	}
	for _, a := range doc.Uplink {
		if err := s.readAddress(a); err != nil {
			return nil, fmt.Errorf("address %s: %w", a.IP, err)
		}
	}
	return s, nil
}

func readSegment(g hypervisor.RouterSegment) (one segment, err error) {
	one = segment{RouterSegment: g, link: guestLink(string(g.Network))}
	if one.gateway, err = netip.ParsePrefix(g.Gateway); err != nil || !one.gateway.Addr().Is4() {
		return one, fault.Invalidf("its gateway %q is no IPv4 address with a prefix", g.Gateway)
	}
	if g.Gateway6 != "" {
		if one.six, err = netip.ParsePrefix(g.Gateway6); err != nil || !one.six.Addr().Is6() {
			return one, fault.Invalidf("its gateway %q is no IPv6 address with a prefix", g.Gateway6)
		}
	}
	if err := one.readPlaces(); err != nil {
		return one, err
	}
	if g.Search != "" && !domainOf.MatchString(g.Search) {
		return one, fault.Invalidf("%q is no domain", g.Search)
	}
	for _, d := range g.DNS {
		if ip, err := netip.ParseAddr(d); err != nil || ip.Zone() != "" {
			return one, fault.Invalidf("%q is no address of a DNS server", d)
		}
	}
	seen := map[string]bool{}
	one.Guests = slices.Clone(g.Guests)
	for i, guest := range one.Guests {
		if !one.six.IsValid() { // whoever gives IPv6 addresses there, it is not the router
			guest.IP6 = ""
			one.Guests[i].IP6 = ""
		}
		if err := one.readGuest(guest, seen); err != nil {
			return one, err
		}
	}
	_, err = one.egress()
	return one, err
}

// readPlaces reads where the gateways are that are not the router, and the further subnets.
func (s *segment) readPlaces() (err error) {
	if s.Via == "" {
		if len(s.Beside) > 0 {
			return fault.Invalidf("it has further subnets, and the router is its gateway")
		}
		return nil
	}
	read := func(own netip.Prefix, via string) (place, error) {
		at, err := netip.ParseAddr(via)
		if err != nil || !own.Contains(at) || at == own.Addr() {
			return place{}, fault.Invalidf("the gateway %q is no other address of %s than the router's", via, own)
		}
		return place{own, at}, nil
	}
	first, err := read(s.gateway, s.Via)
	if err != nil {
		return err
	}
	s.via = first.via
	for _, b := range s.Beside {
		own, err := netip.ParsePrefix(b.Address)
		if err != nil || !own.Addr().Is4() {
			return fault.Invalidf("the router's address %q is no IPv4 address with a prefix", b.Address)
		}
		one, err := read(own, b.Via)
		if err != nil {
			return err
		}
		if slices.ContainsFunc(s.places(), func(p place) bool { return p.own.Overlaps(own) }) {
			return fault.Invalidf("its subnet %s is in the document twice", b.Address)
		}
		s.beside = append(s.beside, one)
	}
	return nil
}

func (s segment) readGuest(g hypervisor.RouterGuest, seen map[string]bool) error {
	if mac, err := net.ParseMAC(g.MAC); err != nil || len(mac) != 6 {
		return fault.Invalidf("the MAC address %q of card %s is none", g.MAC, g.NIC)
	}
	if g.Name != "" && !nameOf.MatchString(g.Name) {
		return fault.Invalidf("%q is no host name", g.Name)
	}
	for _, ip := range []string{g.IP, g.IP6} {
		if ip == "" {
			continue
		}
		parsed, err := netip.ParseAddr(ip)
		in := s.six
		if err == nil && ip == g.IP {
			in = s.of(parsed)
		}
		if err != nil || !in.IsValid() || !in.Contains(parsed) {
			return fault.Invalidf("the address %q of card %s is not of its network, %s %s", ip, g.NIC, s.gateway, s.six)
		}
		if seen[ip] || parsed == in.Addr() {
			return fault.Invalidf("the address %s of card %s is another's", ip, g.NIC)
		}
		seen[ip] = true
	}
	return nil
}

func (s *sheet) readAddress(a hypervisor.RouterAddress) (err error) {
	one := address{RouterAddress: a, link: uplink(a.VLAN)}
	if one.ip, err = netip.ParsePrefix(a.IP); err != nil || !one.ip.Addr().Is4() {
		return fault.Invalidf("%q is no IPv4 address with a prefix", a.IP)
	}
	gateway, err := netip.ParseAddr(a.Gateway)
	if err != nil || !gateway.Is4() {
		return fault.Invalidf("its gateway %q is no IPv4 address", a.Gateway)
	}
	if slices.ContainsFunc(s.addresses, func(o address) bool { return o.ip.Addr() == one.ip.Addr() }) {
		return fault.Invalidf("it is in the document twice")
	}
	one.way = slices.IndexFunc(s.ways, func(w way) bool { return w.vlan == a.VLAN && w.gateway == gateway })
	if one.way < 0 {
		one.way = len(s.ways)
		s.ways = append(s.ways, way{vlan: a.VLAN, link: one.link, gateway: gateway, from: one.ip.Addr()})
	}
	if a.SourceNAT {
		s.ways[one.way].from = one.ip.Addr()
		i := slices.IndexFunc(s.segments, func(g segment) bool { return g.Network == a.Network })
		if i < 0 {
			return fault.Invalidf("it is the source of network %s, which the router is not in", a.Network)
		}
		s.segments[i].out = one.ip.Addr()
	}
	for _, ip := range one.guests() {
		if !s.inside(ip) {
			return fault.Invalidf("it leads to %q, which is no address of the router's networks", ip)
		}
	}
	if err := one.checkPorts(); err != nil {
		return err
	}
	if _, err := one.ingress(); err != nil {
		return err
	}
	for _, b := range a.Balancers {
		if _, err := balancer(b, one.ip.Addr()); err != nil {
			return err
		}
	}
	s.addresses = append(s.addresses, one)
	return nil
}

// guests are the addresses that a public address leads to.
func (a address) guests() []string {
	var all []string
	if a.StaticNAT != "" {
		all = append(all, a.StaticNAT)
	}
	for _, f := range a.Forwards {
		all = append(all, f.GuestIP)
	}
	for _, b := range a.Balancers {
		all = append(all, b.Guests...)
	}
	return all
}

// inside tells whether an address is of one of the router's guest networks.
func (s *sheet) inside(ip string) bool {
	parsed, err := netip.ParseAddr(ip)
	return err == nil && slices.ContainsFunc(s.segments, func(g segment) bool { return g.of(parsed).IsValid() })
}

// checkPorts refuses ports that two rules would have.
func (a address) checkPorts() error {
	taken := map[string]bool{}
	take := func(protocol string, from, to, guest int) error {
		if protocol != "tcp" && protocol != "udp" {
			return fault.Invalidf("protocol %q is neither tcp nor udp", protocol)
		}
		if from < 1 || to > 65535 || from > to || guest < 1 || guest+to-from > 65535 {
			return fault.Invalidf("ports %d to %d and %d are not from 1 to 65535", from, to, guest)
		}
		for port := from; port <= to; port++ {
			key := protocol + strconv.Itoa(port)
			if taken[key] {
				return fault.Invalidf("two rules have %s port %d", protocol, port)
			}
			taken[key] = true
		}
		return nil
	}
	for _, f := range a.Forwards {
		if err := take(f.Protocol, f.From, f.To, f.Guest); err != nil {
			return err
		}
	}
	for _, b := range a.Balancers {
		protocol := b.Protocol
		if protocol == proxied {
			protocol = "tcp"
		}
		if err := take(protocol, b.Port, b.Port, b.Guest); err != nil {
			return err
		}
	}
	return nil
}
