package vrouter

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/virga-cloud/virga/internal/hypervisor"
	"github.com/virga-cloud/virga/internal/hypervisor/vnet"
	"github.com/virga-cloud/virga/internal/secret"
	"github.com/virga-cloud/virga/uid"
)

// The sets whose elements count. A public address counts as the outside sees it, a guest's as the guest does.
const (
	guestSent, guestReceived   = "guest_sent", "guest_received"
	publicSent, publicReceived = "public_sent", "public_received"
)

// counted is an element of a set, and of whom it counts.
type counted struct {
	network uid.Network
	ip      string
	element string
	whose   string // who the address was given to: another starts at nothing
}

func (s *sheet) guestsCounted() []counted {
	var all []counted
	for _, g := range s.segments {
		for _, guest := range g.Guests {
			if guest.IP != "" {
				all = append(all, counted{g.Network, guest.IP, fmt.Sprintf("%q . %s", g.link, guest.IP), string(guest.NIC)})
			}
		}
	}
	return all
}

func (s *sheet) publicsCounted() []counted {
	var all []counted
	for _, a := range s.addresses {
		ip := a.ip.Addr().String()
		all = append(all, counted{"", ip, ip, string(a.ID)})
	}
	return all
}

// counters writes what brings the counting sets to what the document says. They are a table of their own, which is never
// replaced: elements that stay go on counting.
func (r *router) counters(ctx context.Context, space *vnet.Space, s *sheet) (string, error) {
	there, err := bytesOf(ctx, space)
	if err != nil {
		return "", err
	}
	before := &sheet{}
	if r.doc.Version > 0 {
		if before, err = read(r.doc); err != nil {
			return "", err
		}
	}
	var b strings.Builder
	b.WriteString("table ip virga_counts {\n")
	for _, set := range []string{guestSent, guestReceived} {
		fmt.Fprintf(&b, "set %s {\ntype ifname . ipv4_addr\ncounter\n}\n", set)
	}
	for _, set := range []string{publicSent, publicReceived} {
		fmt.Fprintf(&b, "set %s {\ntype ipv4_addr\ncounter\n}\n", set)
	}
	b.WriteString("chain passing {\ntype filter hook forward priority 10; policy accept;\n}\n" +
		"chain coming {\ntype filter hook prerouting priority raw; policy accept;\n}\n" +
		"chain going {\ntype filter hook postrouting priority 300; policy accept;\n}\n}\n" +
		"flush chain ip virga_counts passing\nflush chain ip virga_counts coming\nflush chain ip virga_counts going\n")
	if ups := s.uplinks(); len(ups) > 0 {
		out := set(quoted(ups))
		fmt.Fprintf(&b, "add rule ip virga_counts passing oifname %s iifname . ip saddr @%s\n", out, guestSent)
		fmt.Fprintf(&b, "add rule ip virga_counts passing iifname %s oifname . ip daddr @%s\n", out, guestReceived)
		fmt.Fprintf(&b, "add rule ip virga_counts coming iifname %s ip daddr @%s\n", out, publicReceived)
		fmt.Fprintf(&b, "add rule ip virga_counts going oifname %s ip saddr @%s\n", out, publicSent)
	}
	writeElements(&b, there, []string{guestSent, guestReceived}, before.guestsCounted(), s.guestsCounted())
	writeElements(&b, there, []string{publicSent, publicReceived}, before.publicsCounted(), s.publicsCounted())
	return b.String(), nil
}

func writeElements(b *strings.Builder, there map[string]int64, sets []string, before, now []counted) {
	whose := map[string]string{}
	for _, c := range before {
		whose[c.element] = c.whose
	}
	var want []string
	for _, c := range now {
		want = append(want, c.element)
	}
	for _, set := range sets {
		var drop, add []string
		for key := range there {
			if in, element, _ := strings.Cut(key, " "); in == set && !slices.Contains(want, element) {
				drop = append(drop, element)
			}
		}
		for _, c := range now {
			_, counts := there[set+" "+c.element]
			if counts && whose[c.element] == c.whose {
				continue
			}
			if counts {
				drop = append(drop, c.element)
			}
			add = append(add, c.element)
		}
		if len(drop) > 0 {
			fmt.Fprintf(b, "delete element ip virga_counts %s { %s }\n", set, strings.Join(drop, ", "))
		}
		if len(add) > 0 {
			fmt.Fprintf(b, "add element ip virga_counts %s { %s }\n", set, strings.Join(add, ", "))
		}
	}
}

// bytesOf reads what has been counted, by set and element.
func bytesOf(ctx context.Context, space *vnet.Space) (map[string]int64, error) {
	out, err := space.Run(ctx, "", "nft", "-j", "list", "sets", "ip")
	if err != nil {
		return nil, err
	}
	var listing struct {
		NFTables []struct {
			Set struct {
				Name  string
				Table string
				Elem  []struct {
					Elem struct {
						Val     json.RawMessage
						Counter struct{ Bytes int64 }
					}
				}
			}
		} `json:"nftables"`
	}
	if err := json.Unmarshal(out, &listing); err != nil {
		return nil, fmt.Errorf("counters: %w", err)
	}
	bytes := map[string]int64{}
	for _, l := range listing.NFTables {
		if l.Set.Table != "virga_counts" {
			continue
		}
		for _, e := range l.Set.Elem {
			var one string
			var two struct{ Concat []string }
			element := ""
			if json.Unmarshal(e.Elem.Val, &one) == nil {
				element = one
			} else if json.Unmarshal(e.Elem.Val, &two) == nil && len(two.Concat) == 2 {
				element = fmt.Sprintf("%q . %s", two.Concat[0], two.Concat[1])
			}
			bytes[l.Set.Name+" "+element] = e.Elem.Counter.Bytes
		}
	}
	return bytes, nil
}

// report says how a router is.
func (r *router) report(ctx context.Context) (hypervisor.RouterReport, error) {
	report := hypervisor.RouterReport{Router: r.id, Version: r.doc.Version}
	if r.doc.Version == 0 {
		return report, nil
	}
	s, err := read(r.doc)
	if err != nil {
		return report, err
	}
	space, err := vnet.FindSpace(r.space(r.id))
	if err != nil { // the machine was restarted, and Recover has not come by
		report.Parts = []hypervisor.RouterPart{{Name: "firewall", Detail: err.Error()}}
		return report, nil
	}
	defer space.Close()
	if report.Counts, err = s.counts(ctx, space); err != nil {
		return report, err
	}
	report.Parts, report.Saved, err = r.parts(ctx, space, s)
	r.forget(report.Saved)
	return report, err
}

// counts is what went by the addresses so far.
func (s *sheet) counts(ctx context.Context, space *vnet.Space) (all []hypervisor.AddressCounts, err error) {
	bytes, err := bytesOf(ctx, space)
	if err != nil {
		return nil, err
	}
	for _, c := range s.guestsCounted() {
		all = append(all, hypervisor.AddressCounts{
			Network: c.network, IP: c.ip, Sent: bytes[guestSent+" "+c.element], Received: bytes[guestReceived+" "+c.element],
		})
	}
	for _, c := range s.publicsCounted() {
		all = append(all, hypervisor.AddressCounts{IP: c.ip, Sent: bytes[publicSent+" "+c.element], Received: bytes[publicReceived+" "+c.element]})
	}
	return all, nil
}

// Count is what went by the addresses of a router so far; nothing of one that is not here, or does not run.
func (r *Routers) Count(ctx context.Context, id uid.Router) ([]hypervisor.AddressCounts, error) {
	r.mu.Lock()
	one := r.routers[id]
	r.mu.Unlock()
	if one == nil {
		return nil, nil
	}
	one.mu.Lock()
	defer one.mu.Unlock()
	if one.doc.Version == 0 {
		return nil, nil
	}
	s, err := read(one.doc)
	if err != nil {
		return nil, err
	}
	space, err := vnet.FindSpace(r.space(id))
	if err != nil { // it ended with the machine, and so did what it counted
		return nil, nil
	}
	defer space.Close()
	return s.counts(ctx, space)
}

// forget lets go of the passwords that guests have saved, lest they wait again in a metadata server that is begun anew.
func (r *router) forget(saved []uid.NIC) {
	for _, segment := range r.doc.Segments {
		for i, g := range segment.Guests {
			if slices.Contains(saved, g.NIC) {
				segment.Guests[i].Password = secret.String{}
			}
		}
	}
}

// parts says what runs of what should.
func (r *router) parts(ctx context.Context, space *vnet.Space, s *sheet) (parts []hypervisor.RouterPart, saved []uid.NIC, err error) {
	tables, err := space.Run(ctx, "", "nft", "list", "tables", "ip")
	if err != nil {
		return nil, nil, err
	}
	part := func(name string, running bool, why string) {
		if !running {
			why = strings.TrimSpace(strings.Join([]string{why, r.known[name]}, " "))
		}
		parts = append(parts, hypervisor.RouterPart{Name: name, Running: running, Detail: why})
	}
	part("firewall", slices.Contains(strings.Split(string(tables), "\n"), "table ip virga"), "")
	var named, told, balanced bool
	for _, g := range s.segments {
		named, told = named || g.Serves.DHCP || g.Serves.DNS, told || g.Serves.UserData
	}
	for _, a := range s.addresses {
		balanced = balanced || slices.ContainsFunc(a.Balancers, func(b hypervisor.Balancer) bool { return b.Protocol != "udp" })
	}
	for _, service := range []struct {
		wanted               bool
		name, program, pidIn string
	}{{named, "dhcp", "dnsmasq", r.shared("dnsmasq.pid")}, {balanced, "balancer", "haproxy", r.file("haproxy.pid")}} {
		if !service.wanted {
			continue
		}
		running, err := r.processes(space, service.program)
		if err != nil {
			return nil, nil, err
		}
		part(service.name, pid(service.pidIn, running) != 0, "")
	}
	if told {
		status, err := r.control().Status(ctx)
		why := strings.Join(status.Problems, "; ")
		if err != nil {
			why = err.Error()
		}
		part("metadata", why == "", why)
		saved = status.Saved
	}
	return parts, saved, nil
}
