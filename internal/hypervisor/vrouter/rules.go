package vrouter

import (
	"fmt"
	"net/netip"
	"slices"
	"strconv"
	"strings"

	"github.com/virga-cloud/virga/internal/hypervisor"
	"github.com/virga-cloud/virga/internal/hypervisor/vnet"
)

// rules writes what goes through the router, and as what. Loading it replaces what was before in one step; connections go on,
// because those that are known are let through and keep the addresses that they were given.
func (s *sheet) rules() (string, error) {
	var b strings.Builder
	b.WriteString("table ip virga\ndelete table ip virga\ntable ip6 virga\ndelete table ip6 virga\ntable ip virga {\n")
	s.writeMaps(&b)
	if err := s.writeIngress(&b); err != nil {
		return "", err
	}
	s.writeWays(&b)
	if err := s.writeDestinations(&b); err != nil {
		return "", err
	}
	s.writeSources(&b)
	if err := s.writeForward(&b); err != nil {
		return "", err
	}
	s.writeInput(&b)
	b.WriteString("}\n")
	s.writeSix(&b)
	return b.String(), nil
}

// writeMaps writes which ports of public addresses lead to which of guests'.
func (s *sheet) writeMaps(b *strings.Builder) {
	var single, spans []string
	for _, a := range s.addresses {
		for _, f := range a.Forwards {
			if f.Guest == f.From {
				ports := strconv.Itoa(f.From)
				if f.To != f.From {
					ports = fmt.Sprintf("%d-%d", f.From, f.To)
				}
				spans = append(spans, fmt.Sprintf("%s . %s . %s : %s", a.ip.Addr(), f.Protocol, ports, f.GuestIP))
				continue
			}
			for i := range f.To - f.From + 1 {
				single = append(single, fmt.Sprintf("%s . %s . %d : %s . %d", a.ip.Addr(), f.Protocol, f.From+i, f.GuestIP, f.Guest+i))
			}
		}
	}
	writeMap(b, "map forwards", "ipv4_addr . inet_proto . inet_service : ipv4_addr . inet_service", "", single)
	writeMap(b, "map spans", "ipv4_addr . inet_proto . inet_service : ipv4_addr", "interval", spans)
	var in, out []string
	for _, a := range s.addresses {
		if a.StaticNAT != "" {
			in = append(in, fmt.Sprintf("%s : %s", a.ip.Addr(), a.StaticNAT))
			out = append(out, fmt.Sprintf("%s : %s", a.StaticNAT, a.ip.Addr()))
		}
	}
	writeMap(b, "map static_in", "ipv4_addr : ipv4_addr", "", in)
	writeMap(b, "map static_out", "ipv4_addr : ipv4_addr", "", out)
}

// writeMap writes a named map or set. An empty one has no elements, which nft wants unsaid.
func writeMap(b *strings.Builder, name, kind, flags string, elements []string) {
	fmt.Fprintf(b, "%s {\ntype %s\n", name, kind)
	if flags != "" {
		fmt.Fprintf(b, "flags %s\n", flags)
	}
	if len(elements) > 0 {
		fmt.Fprintf(b, "elements = %s\n", set(elements))
	}
	b.WriteString("}\n")
}

func set(elements []string) string { return "{ " + strings.Join(elements, ", ") + " }" }

// ingress writes what a public address lets in, by its own addresses and ports: before anything is led elsewhere.
func (a address) ingress() (string, error) { return verdicts(a.Ingress, "accept") }

// egress writes the exceptions of a guest network.
func (s segment) egress() (string, error) {
	verdict := "accept"
	if s.EgressAllowed {
		verdict = "drop"
	}
	return verdicts(s.Egress, verdict)
}

func verdicts(matches []hypervisor.Match, verdict string) (string, error) {
	var b strings.Builder
	for _, m := range matches {
		transport, ok, err := vnet.Transport(m, vnet.V4)
		if err != nil {
			return "", err
		}
		from, some, err := vnet.Blocks("saddr", m.Sources, vnet.V4)
		if err != nil {
			return "", err
		}
		to, any4, err := vnet.Blocks("daddr", m.Targets, vnet.V4)
		if err != nil {
			return "", err
		}
		if ok && some && any4 {
			fmt.Fprintln(&b, vnet.Words(from, to, transport, verdict))
		}
	}
	return b.String(), nil
}

func (s *sheet) writeIngress(b *strings.Builder) error {
	var jumps []string
	for i, a := range s.addresses {
		text, err := a.ingress()
		if err != nil {
			return err
		}
		fmt.Fprintf(b, "chain in_%d {\n%sdrop\n}\n", i, text)
		jumps = append(jumps, fmt.Sprintf("%s : jump in_%d", a.ip.Addr(), i))
	}
	b.WriteString("chain ingress {\ntype filter hook prerouting priority mangle; policy accept;\nct state established,related accept\n")
	if len(jumps) > 0 {
		fmt.Fprintf(b, "ip daddr vmap %s\n", set(jumps))
	}
	b.WriteString("}\n")
	return nil
}

// writeWays marks connections with the way out that they are to take, where there is a choice. What came in by one goes out
// by it.
func (s *sheet) writeWays(b *strings.Builder) {
	if len(s.ways) < 2 {
		return
	}
	b.WriteString("chain ways {\ntype filter hook prerouting priority -140; policy accept;\n")
	b.WriteString("ct mark != 0 meta mark set ct mark return\n")
	var in, static, subnets []string
	for _, a := range s.addresses {
		in = append(in, fmt.Sprintf("%s : %d", a.ip.Addr(), table(a.way)))
		if a.StaticNAT != "" {
			static = append(static, fmt.Sprintf("%s : %d", a.StaticNAT, table(a.way)))
		}
	}
	for _, g := range s.segments {
		if i := slices.IndexFunc(s.addresses, func(a address) bool { return g.out.IsValid() && a.ip.Addr() == g.out }); i >= 0 {
			subnets = append(subnets, fmt.Sprintf("ip saddr %s ct mark set %d\n", g.gateway.Masked(), table(s.addresses[i].way)))
		}
	}
	fmt.Fprintf(b, "ct mark set ip daddr map %s\n", set(in))
	guests := set(quoted(s.guestLinks()))
	for _, rule := range subnets {
		fmt.Fprintf(b, "ct mark 0 iifname %s %s", guests, rule)
	}
	if len(static) > 0 {
		fmt.Fprintf(b, "iifname %s ip daddr != %s ct mark set ip saddr map %s\n", guests, set(s.publics()), set(static))
	}
	b.WriteString("meta mark set ct mark\n}\n")
}

func (s *sheet) publics() []string {
	var all []string
	for _, a := range s.addresses {
		all = append(all, a.ip.Addr().String())
	}
	return all
}

func (s *sheet) guestLinks() []string {
	var all []string
	for _, g := range s.segments {
		all = append(all, g.link)
	}
	return all
}

func (s *sheet) uplinks() []string {
	var all []string
	for _, w := range s.ways {
		all = append(all, w.link)
	}
	slices.Sort(all)
	return slices.Compact(all)
}

func quoted(names []string) []string {
	var all []string
	for _, n := range names {
		all = append(all, `"`+n+`"`)
	}
	return all
}

// writeDestinations leads what comes to public addresses to guests.
func (s *sheet) writeDestinations(b *strings.Builder) error {
	b.WriteString("chain destinations {\ntype nat hook prerouting priority dstnat; policy accept;\n")
	b.WriteString("dnat to ip daddr . meta l4proto . th dport map @forwards\n")
	b.WriteString("dnat to ip daddr . meta l4proto . th dport map @spans\n")
	for _, a := range s.addresses {
		for _, one := range a.Balancers {
			rule, err := packets(one, a.ip.Addr())
			if err != nil {
				return err
			}
			b.WriteString(rule)
		}
	}
	for _, a := range s.addresses { // ports with a balancer in the router are not the static guest's
		for _, one := range a.Balancers {
			if one.Protocol != "udp" {
				fmt.Fprintf(b, "ip daddr %s tcp dport %d accept\n", a.ip.Addr(), one.Port)
			}
		}
	}
	b.WriteString("dnat to ip daddr map @static_in\n}\n")
	return nil
}

// writeSources gives what leaves the address that it is to be seen with.
func (s *sheet) writeSources(b *strings.Builder) {
	b.WriteString("chain sources {\ntype nat hook postrouting priority srcnat; policy accept;\n")
	for _, g := range s.segments {
		// Guests of one network that meet by a public address: answers must come back this way.
		fmt.Fprintf(b, "ct status dnat oifname \"%s\" ip saddr %s snat to %s\n", g.link, g.gateway.Masked(), g.gateway.Addr())
	}
	if ups := s.uplinks(); len(ups) > 0 {
		out := set(quoted(ups))
		fmt.Fprintf(b, "oifname %s snat to ip saddr map @static_out\n", out)
		for _, g := range s.segments {
			if g.out.IsValid() {
				fmt.Fprintf(b, "oifname %s ip saddr %s snat to %s\n", out, g.gateway.Masked(), g.out)
			}
		}
	}
	b.WriteString("}\n")
}

func (s *sheet) writeForward(b *strings.Builder) error {
	var jumps []string
	var static []string
	for _, a := range s.addresses {
		if a.StaticNAT != "" {
			static = append(static, a.StaticNAT)
		}
	}
	for i, g := range s.segments {
		text, err := g.egress()
		if err != nil {
			return err
		}
		otherwise := "drop"
		if g.EgressAllowed {
			otherwise = "accept"
		}
		fmt.Fprintf(b, "chain out_%d {\n", i)
		// Nobody is seen outside with an address of a guest network.
		if !g.out.IsValid() {
			own := slices.DeleteFunc(slices.Clone(static), func(ip string) bool { return !g.gateway.Contains(netip.MustParseAddr(ip)) })
			if len(own) == 0 {
				b.WriteString("drop\n")
			} else {
				fmt.Fprintf(b, "ip saddr != %s drop\n", set(own))
			}
		} else {
			fmt.Fprintf(b, "ip saddr != %s drop\n", g.gateway.Masked())
		}
		fmt.Fprintf(b, "%s%s\n}\n", text, otherwise)
		jumps = append(jumps, fmt.Sprintf("%q : jump out_%d", g.link, i))
	}
	b.WriteString("chain forward {\ntype filter hook forward priority filter; policy drop;\n")
	b.WriteString("ct state established,related accept\nct state invalid drop\n")
	b.WriteString("ct status dnat accept\n") // it was let in, by the address that it came to
	if ups := s.uplinks(); len(ups) > 0 && len(jumps) > 0 {
		fmt.Fprintf(b, "oifname %s iifname vmap %s\n", set(quoted(ups)), set(jumps))
	}
	b.WriteString("}\n")
	return nil
}

// writeInput lets in what is for the router itself.
func (s *sheet) writeInput(b *strings.Builder) {
	b.WriteString("chain input {\ntype filter hook input priority filter; policy drop;\niif lo accept\nct state established,related accept\n")
	for _, g := range s.segments {
		if g.Serves.DHCP {
			fmt.Fprintf(b, "iifname %q udp sport 68 udp dport 67 accept\n", g.link)
		}
		for _, p := range g.places() {
			at := fmt.Sprintf("iifname %q ip daddr %s", g.link, p.own.Addr())
			fmt.Fprintf(b, "%s icmp type echo-request accept\n", at)
			if g.via.IsValid() { // others can get here by the gateway
				at += " ip saddr " + p.own.Masked().String()
			}
			if g.Serves.DNS {
				fmt.Fprintf(b, "%s udp dport 53 accept\n%s tcp dport 53 accept\n", at, at)
			}
			if g.Serves.UserData {
				fmt.Fprintf(b, "%s tcp dport { 80, 8080 } accept\n", at)
			}
		}
	}
	for _, a := range s.addresses {
		fmt.Fprintf(b, "ip daddr %s icmp type echo-request accept\n", a.ip.Addr())
		for _, one := range a.Balancers {
			if one.Protocol != "udp" {
				fmt.Fprintf(b, "ip daddr %s tcp dport %d accept\n", a.ip.Addr(), one.Port)
			}
		}
	}
	b.WriteString("}\n")
}

// writeSix is for IPv6, which stays in its network: the router answers guests, and leads nobody elsewhere.
func (s *sheet) writeSix(b *strings.Builder) {
	b.WriteString("table ip6 virga {\nchain forward {\ntype filter hook forward priority filter; policy drop;\n}\n")
	b.WriteString("chain input {\ntype filter hook input priority filter; policy drop;\niif lo accept\nct state established,related accept\n")
	for _, g := range s.segments {
		at := fmt.Sprintf("iifname %q", g.link)
		fmt.Fprintf(b, "%s icmpv6 type { echo-request, nd-neighbor-solicit, nd-neighbor-advert, nd-router-solicit } accept\n", at)
		if !g.six.IsValid() {
			continue
		}
		if g.Serves.DHCP {
			fmt.Fprintf(b, "%s udp sport 546 udp dport 547 accept\n", at)
		}
		at += " ip6 daddr " + g.six.Addr().String()
		if g.via.IsValid() { // others can get here by the gateway
			at += " ip6 saddr " + g.six.Masked().String()
		}
		if g.Serves.DNS {
			fmt.Fprintf(b, "%s udp dport 53 accept\n%s tcp dport 53 accept\n", at, at)
		}
		if g.Serves.UserData {
			fmt.Fprintf(b, "%s tcp dport { 80, 8080 } accept\n", at)
		}
	}
	b.WriteString("}\n}\n")
}
