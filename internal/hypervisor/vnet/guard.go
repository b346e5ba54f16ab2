package vnet

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"net"
	"net/netip"
	"path/filepath"
	"slices"
	"strings"

	"github.com/virga-cloud/virga/internal/fault"
	"github.com/virga-cloud/virga/internal/hypervisor"
	"github.com/virga-cloud/virga/uid"
)

// ApplyGuards makes the rules of all cards what the document says.
func (f *Fabric) ApplyGuards(ctx context.Context, g hypervisor.Guards) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if g.Version <= f.guards.Version {
		return nil
	}
	was := f.guards
	f.guards = g
	if err := f.guard(ctx); err != nil {
		f.guards = was
		return err
	}
	return Write(filepath.Join(f.State, "guards.json"), g)
}

// guard puts in force what ports and documents say now. Until it returns what was before is in force, as a whole.
func (f *Fabric) guard(ctx context.Context) error {
	v := view{table: f.table(), groups: f.guards.Groups, bridges: map[string]int{}}
	guards := map[uid.NIC]*hypervisor.Guard{}
	for i, g := range f.guards.Ports {
		guards[g.NIC] = &f.guards.Ports[i]
	}
	for _, id := range slices.Sorted(maps.Keys(f.ports)) {
		p := f.ports[id]
		v.ports = append(v.ports, guarded{
			nic: p.NIC, link: f.name(aPort, string(id)), bridge: f.name(aBridge, segmentOf(p.NIC).id()), mark: p.Mark, guard: guards[id],
		})
		at := segmentOf(p.NIC)
		v.bridges[f.name(aBridge, at.id())] = at.zone()
		v.tunnels = append(v.tunnels, f.name(aTunnel, at.id()))
	}
	text, err := v.rules()
	if err != nil {
		return err
	}
	if v.follows() {
		// Without it the kernel keeps no track of connections over a bridge.
		if err := f.space.Set("net/bridge/bridge-nf-call-iptables=1", "net/bridge/bridge-nf-call-ip6tables=1"); err != nil {
			return fault.Unavailablef("security groups need br_netfilter in the kernel of this host: %w", err)
		}
	}
	if err := f.space.Rules(ctx, text); err != nil {
		return fmt.Errorf("rules of ports: %w", err)
	}
	return nil
}

// table is the name of our tables, which hosts that share a network namespace have one each of.
func (f *Fabric) table() string { return mine + "_" + Tag(f.Host) }

// view is all that the rules of a host's ports come from.
type view struct {
	table   string
	ports   []guarded
	bridges map[string]int // by name, the number of their segment
	tunnels []string
	groups  []hypervisor.GuardGroup
}

type guarded struct {
	nic    hypervisor.NIC
	link   string
	bridge string
	mark   uint32
	guard  *hypervisor.Guard // nil where the card has no rules
}

// follows tells whether there are rules that need to know connections.
func (v view) follows() bool {
	return slices.ContainsFunc(v.ports, func(p guarded) bool { return p.guard != nil })
}

// noRules removes tables that may not be there.
func noRules(table string) string {
	var b strings.Builder
	for _, family := range []string{"bridge", "inet"} {
		fmt.Fprintf(&b, "table %s %s\ndelete table %s %s\n", family, table, family, table)
	}
	return b.String()
}

// rules writes the tables: one on the bridges, for who may say what of itself, and one that knows connections, for security
// groups. Packets are marked with their port on the way from one to the other, because the other sees bridges only.
func (v view) rules() (string, error) {
	var b strings.Builder
	b.WriteString(noRules(v.table))
	if len(v.ports) == 0 {
		return b.String(), nil
	}
	fmt.Fprintf(&b, "table bridge %s {\n", v.table)
	for _, p := range v.ports {
		writeOwn(&b, p)
	}
	marks := v.marks()
	fmt.Fprintf(&b, "chain prerouting {\ntype filter hook prerouting priority -300; policy accept;\n")
	fmt.Fprintf(&b, "iifname vmap %s\n", set(v.each(func(p guarded) string { return quote(p.link) + " : jump own_" + p.link })))
	if len(marks) > 0 {
		fmt.Fprintf(&b, "meta mark set iifname map %s\n", set(marks))
	}
	// Nobody in a guest network speaks with the host itself.
	fmt.Fprintf(&b, "}\nchain input {\ntype filter hook input priority -300; policy accept;\niifname %s drop\n}\n",
		set(append(v.each(func(p guarded) string { return quote(p.link) }), quoted(v.tunnels)...)))
	fmt.Fprintf(&b, "chain forward {\ntype filter hook forward priority -200; policy accept;\n")
	if len(marks) > 0 {
		fmt.Fprintf(&b, "iifname %s meta mark set 0\n", set(v.followed()))
		fmt.Fprintf(&b, "meta mark set oifname map %s\n", set(marks))
	}
	b.WriteString("}\n}\n")
	if !v.follows() {
		return b.String(), nil
	}
	if err := v.writeGroups(&b); err != nil {
		return "", err
	}
	return b.String(), nil
}

func (v view) each(write func(guarded) string) []string {
	var all []string
	for _, p := range v.ports {
		all = append(all, write(p))
	}
	return all
}

// followed are the links of the cards that have rules.
func (v view) followed() []string {
	var links []string
	for _, p := range v.ports {
		if p.guard != nil {
			links = append(links, quote(p.link))
		}
	}
	return links
}

// marks are the links of the cards that have rules, with their marks.
func (v view) marks() []string {
	var marks []string
	for _, p := range v.ports {
		if p.guard != nil {
			marks = append(marks, fmt.Sprintf("%s : 0x%x", quote(p.link), p.mark))
		}
	}
	return marks
}

// writeOwn writes what a card may say of itself: its own MAC, and where it has addresses those, in IP, ARP and neighbour
// discovery, and that it neither gives addresses nor leads elsewhere.
func writeOwn(b *strings.Builder, p guarded) {
	mac, _ := net.ParseMAC(p.nic.MAC) // plug has looked
	fmt.Fprintf(b, "chain own_%s {\n", p.link)
	fmt.Fprintf(b, "ether saddr != %s drop\n", mac)
	fmt.Fprintf(b, "ether type != { arp, ip, ip6, 0x8035 } drop\n") // the last announces a machine that has moved
	fmt.Fprintf(b, "arp saddr ether != %s drop\n", mac)
	if p.nic.IP == "" && p.nic.IP6 == "" {
		b.WriteString("}\n")
		return
	}
	own4, own6 := []string{}, []string{linkLocal(mac)}
	if p.nic.IP != "" {
		own4 = append(own4, p.nic.IP)
	}
	if p.nic.IP6 != "" {
		own6 = append(own6, p.nic.IP6)
	}
	b.WriteString("ip saddr 0.0.0.0 udp sport 68 udp dport 67 return\n") // asks for its address
	fmt.Fprintf(b, "arp saddr ip != %s drop\n", set(append(own4, "0.0.0.0")))
	if len(own4) == 0 {
		b.WriteString("ether type ip drop\n")
	} else {
		fmt.Fprintf(b, "ip saddr != %s drop\n", set(own4))
	}
	targets := slices.Clone(own6)
	for i, t := range targets {
		targets[i] = fmt.Sprintf("0x%x", netip.MustParseAddr(t).As16())
	}
	fmt.Fprintf(b, "icmpv6 type nd-neighbor-advert @th,64,128 != %s drop\n", set(targets))
	fmt.Fprintf(b, "ip6 saddr :: icmpv6 type nd-neighbor-solicit @th,64,128 != %s drop\n", set(targets))
	b.WriteString("ip6 saddr :: icmpv6 type { nd-neighbor-solicit, nd-router-solicit, mld2-listener-report } return\n")
	fmt.Fprintf(b, "ip6 saddr != %s drop\n", set(own6))
	b.WriteString("icmpv6 type { nd-router-advert, nd-redirect } drop\nudp sport { 67, 547 } drop\n}\n")
}

// linkLocal is the address that a card gives itself.
func linkLocal(mac net.HardwareAddr) string {
	ip := [16]byte{0xfe, 0x80, 8: mac[0] ^ 2, 9: mac[1], 10: mac[2], 11: 0xff, 12: 0xfe, 13: mac[3], 14: mac[4], 15: mac[5]}
	return netip.AddrFrom16(ip).String()
}

// writeGroups writes the table of security groups.
func (v view) writeGroups(b *strings.Builder) error {
	fmt.Fprintf(b, "table inet %s {\n", v.table)
	known := map[uid.SecurityGroup]bool{}
	for _, g := range v.groups {
		if known[g.Group] {
			continue
		}
		known[g.Group] = true
		if err := writeMembers(b, g); err != nil {
			return err
		}
	}
	for _, p := range v.ports {
		if p.guard == nil {
			continue
		}
		if err := writeSide(b, p, known, ingress); err != nil {
			return fmt.Errorf("card %s: %w", p.nic.ID, err)
		}
		if err := writeSide(b, p, known, egress); err != nil {
			return fmt.Errorf("card %s: %w", p.nic.ID, err)
		}
	}
	// Tenants may use the same addresses: connections are told apart by segment. Where nothing has rules they are not followed.
	var zones, free []string
	for _, bridge := range slices.Sorted(maps.Keys(v.bridges)) {
		if slices.ContainsFunc(v.ports, func(p guarded) bool { return p.bridge == bridge && p.guard != nil }) {
			zones = append(zones, fmt.Sprintf("%s : %d", quote(bridge), v.bridges[bridge]))
		} else {
			free = append(free, quote(bridge))
		}
	}
	b.WriteString("chain raw {\ntype filter hook prerouting priority raw; policy accept;\n")
	fmt.Fprintf(b, "ct zone set iifname map %s\n", set(zones))
	if len(free) > 0 {
		fmt.Fprintf(b, "iifname %s notrack\n", set(free))
	}
	b.WriteString("}\n")
	bridges := set(quoted(slices.Sorted(maps.Keys(v.bridges))))
	for _, s := range []side{egress, ingress} {
		fmt.Fprintf(b, "chain %s {\ntype filter hook %s priority filter; policy accept;\n", s.name, s.hook)
		fmt.Fprintf(b, "iifname != %s accept\nct state established,related accept\n", bridges)
		var jumps []string
		for _, p := range v.ports {
			if p.guard != nil {
				jumps = append(jumps, fmt.Sprintf("0x%x : goto %s_%s", p.mark, s.name, p.link))
			}
		}
		fmt.Fprintf(b, "meta mark vmap %s\n}\n", set(jumps))
	}
	b.WriteString("}\n")
	return nil
}

// side is what comes in to a card, or goes out.
type side struct {
	name, hook string
	field      string   // where the other end stands
	lifelines  []string // what a card lives by
}

var (
	ingress = side{"ingress", "forward", "saddr", []string{
		"udp sport 67 udp dport 68 accept", "udp sport 547 udp dport 546 accept",
		"icmpv6 type { nd-router-advert, nd-neighbor-solicit, nd-neighbor-advert } accept",
	}}
	egress = side{"egress", "prerouting", "daddr", []string{
		"udp sport 68 udp dport 67 accept", "udp sport 546 udp dport 547 accept",
		"icmpv6 type { nd-router-solicit, nd-neighbor-solicit, nd-neighbor-advert, mld2-listener-report } accept",
	}}
)

func writeSide(b *strings.Builder, p guarded, groups map[uid.SecurityGroup]bool, s side) error {
	rules, matched, otherwise := p.guard.Ingress, "accept", "drop"
	if s.name == egress.name {
		rules = p.guard.Egress
		if p.guard.EgressAllowed {
			matched, otherwise = "drop", "accept"
		}
	}
	fmt.Fprintf(b, "chain %s_%s {\n%s\n", s.name, p.link, strings.Join(s.lifelines, "\n"))
	for _, r := range rules {
		if err := writeRule(b, r, groups, s.field, matched); err != nil {
			return err
		}
	}
	fmt.Fprintf(b, "%s\n}\n", otherwise)
	return nil
}

func writeRule(b *strings.Builder, r hypervisor.GuardRule, groups map[uid.SecurityGroup]bool, field, verdict string) error {
	cidrs := r.Sources
	if field == egress.field {
		cidrs = r.Targets
	}
	for _, family := range []Family{V4, V6} {
		transport, ok, err := Transport(r.Match, family)
		if err != nil {
			return err
		}
		if !ok {
			continue
		}
		for _, g := range r.Groups {
			if !groups[g] {
				return fault.Invalidf("a rule names security group %s, whose members are not in the document", g)
			}
			fmt.Fprintln(b, Words(string(family), field, "@"+setOf(g, family), transport, verdict))
		}
		if len(cidrs) == 0 && len(r.Groups) > 0 {
			continue
		}
		blocks, ok, err := Blocks(field, cidrs, family)
		if err != nil {
			return err
		}
		if ok {
			fmt.Fprintln(b, Words(cmp.Or(blocks, "meta nfproto ipv"+map[Family]string{V4: "4", V6: "6"}[family]), transport, verdict))
		}
	}
	return nil
}

func writeMembers(b *strings.Builder, g hypervisor.GuardGroup) error {
	members := map[Family][]string{}
	for _, a := range g.Addresses {
		ip, err := netip.ParseAddr(a)
		switch {
		case err != nil || ip.Zone() != "":
			return fault.Invalidf("member %q of security group %s is no address", a, g.Group)
		case ip.Is4():
			members[V4] = append(members[V4], ip.String())
		default:
			members[V6] = append(members[V6], ip.String())
		}
	}
	for family, kind := range map[Family]string{V4: "ipv4_addr", V6: "ipv6_addr"} {
		fmt.Fprintf(b, "set %s {\ntype %s\n", setOf(g.Group, family), kind)
		if all := members[family]; len(all) > 0 {
			slices.Sort(all)
			fmt.Fprintf(b, "elements = %s\n", set(slices.Compact(all)))
		}
		b.WriteString("}\n")
	}
	return nil
}

func setOf(g uid.SecurityGroup, family Family) string {
	return "g" + digest(string(g), 13) + "_" + string(family)
}

func quote(s string) string { return `"` + s + `"` }

func quoted(names []string) []string {
	var all []string
	for _, n := range names {
		all = append(all, quote(n))
	}
	slices.Sort(all)
	return slices.Compact(all)
}
