package vrouter

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"syscall"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"

	"github.com/virga-cloud/virga/internal/hypervisor"
	"github.com/virga-cloud/virga/internal/hypervisor/vnet"
)

// settings are the kernel's, for a namespace that is a router.
var settings = []string{
	"net/ipv4/ip_forward=1", "net/ipv4/conf/all/send_redirects=0", "net/ipv4/conf/default/send_redirects=0",
	"net/ipv4/conf/all/rp_filter=0", "net/ipv4/conf/default/rp_filter=0", // a connection goes out as it came in, which need not be the shortest way
	"net/ipv4/ip_unprivileged_port_start=0", // services are nobody's
	"net/ipv6/conf/all/forwarding=1", "net/ipv6/conf/all/accept_ra=0", "net/ipv6/conf/default/accept_ra=0",
}

// converge brings a router from what it is to what a document says. The packet filter comes first: nothing goes through that
// the document does not allow, and what is in its way is gone before addresses are.
func (r *router) converge(ctx context.Context, doc hypervisor.Router) error {
	s, err := read(doc)
	if err != nil {
		return err
	}
	if err := errors.Join(folder(r.dir), folder(filepath.Dir(r.shared("x")))); err != nil {
		return err
	}
	space, err := vnet.MakeSpace(r.space(r.id))
	if err != nil {
		return err
	}
	defer space.Close()
	if err := space.Set(settings...); err != nil {
		return err
	}
	text, err := s.rules()
	if err != nil {
		return err
	}
	counts, err := r.counters(ctx, space, s)
	if err != nil {
		return err
	}
	if err := space.Rules(ctx, text+counts); err != nil {
		return err
	}
	mtus, err := r.links(ctx, space, s)
	if err != nil {
		return err
	}
	if err := routes(space, s); err != nil {
		return err
	}
	forget(space, r.left(s))
	return r.serve(ctx, space, s, mtus)
}

// left are the addresses of guests that are not in the document any more, or are another's now. What went to the one is not to
// go to the other.
func (r *router) left(s *sheet) []net.IP {
	is := map[string]string{}
	for _, c := range s.guestsCounted() {
		is[c.element] = c.whose
	}
	var gone []net.IP
	before, err := read(r.doc)
	if err != nil {
		return nil
	}
	for _, c := range before.guestsCounted() {
		if is[c.element] != c.whose {
			gone = append(gone, net.ParseIP(c.ip))
		}
	}
	return gone
}

// serve brings services to what the document says. One that fails does not keep the others from it.
func (r *router) serve(ctx context.Context, space *vnet.Space, s *sheet, mtus map[string]int) error {
	named, told := false, false
	for _, g := range s.segments {
		named = named || g.Serves.DHCP || g.Serves.DNS
		told = told || g.Serves.UserData
	}
	var errs []error
	for part, bring := range map[string]func() error{
		"dhcp":     func() error { return r.name(ctx, space, r.names(s, mtus), named) },
		"balancer": func() error { return r.balance(ctx, space, s) },
		"metadata": func() error { return r.tell(ctx, space, s, told) },
	} {
		delete(r.known, part)
		if err := bring(); err != nil {
			r.known[part] = err.Error()
			errs = append(errs, fmt.Errorf("%s: %w", part, err))
		}
	}
	return errors.Join(errs...)
}

// links brings the router's links and their addresses to what the document says, and gives what packets they take.
func (r *router) links(ctx context.Context, space *vnet.Space, s *sheet) (mtus map[string]int, err error) {
	want := map[string][]netip.Prefix{}
	for _, g := range s.segments {
		place := vnet.Place{Router: r.id, VLAN: g.VLAN, Wire: g.Wire, Space: space, Link: g.link}
		if err := r.Fabric.PlugRouter(ctx, place); err != nil {
			return nil, err
		}
		for _, p := range g.places() {
			want[g.link] = append(want[g.link], p.own)
		}
		if g.six.IsValid() {
			want[g.link] = append(want[g.link], g.six)
		}
	}
	for _, w := range s.ways {
		if err := r.Fabric.PlugRouter(ctx, vnet.Place{Router: r.id, VLAN: w.vlan, Public: true, Space: space, Link: w.link}); err != nil {
			return nil, err
		}
	}
	for _, a := range s.addresses {
		want[a.link] = append(want[a.link], a.ip)
	}
	links, err := space.Links()
	if err != nil {
		return nil, fmt.Errorf("links of the router: %w", err)
	}
	mtus = map[string]int{}
	for _, l := range links {
		name := l.Attrs().Name
		switch addresses, wanted := want[name]; {
		case name == "lo":
		case !wanted:
			if err := r.Fabric.UnplugRouter(r.placeOf(space, name)); err != nil {
				return nil, err
			}
		default:
			mtus[name] = l.Attrs().MTU
			if err := addressed(space, l, addresses); err != nil {
				return nil, fmt.Errorf("link %s: %w", name, err)
			}
		}
	}
	return mtus, nil
}

// placeOf finds the place that a link stood for in the last document.
func (r *router) placeOf(space *vnet.Space, link string) vnet.Place {
	p := vnet.Place{Router: r.id, Space: space, Link: link, Public: link[0] == 'u'}
	for _, g := range r.doc.Segments {
		if guestLink(string(g.Network)) == link {
			p.VLAN, p.Wire = g.VLAN, g.Wire
		}
	}
	return p
}

// addressed gives a link its addresses, and takes others away. Whoever had spoken to an address before hears that it is here now.
func addressed(space *vnet.Space, l netlink.Link, want []netip.Prefix) error {
	if err := space.Link().LinkSetUp(l); err != nil {
		return err
	}
	had, err := space.Addresses(l)
	if err != nil {
		return err
	}
	missing := slices.Clone(want)
	var gone []net.IP
	for _, a := range had {
		ip, _ := netip.AddrFromSlice(a.IP)
		bits, _ := a.Mask.Size()
		p := netip.PrefixFrom(ip.Unmap(), bits)
		if i := slices.Index(missing, p); i >= 0 {
			missing = slices.Delete(missing, i, i+1)
			continue
		}
		if a.Scope == int(netlink.SCOPE_LINK) && ip.Is6() {
			continue
		}
		if err := space.Link().AddrDel(l, &a); err != nil && !errors.Is(err, syscall.EADDRNOTAVAIL) {
			return fmt.Errorf("take address %s away: %w", p, err)
		}
		gone = append(gone, a.IP)
	}
	if len(gone) > 0 {
		missing = slices.Clone(want) // those beside a removed one may have gone with it
		forget(space, gone)
	}
	for _, p := range missing {
		err := space.Link().AddrReplace(l, &netlink.Addr{
			IPNet: &net.IPNet{IP: p.Addr().AsSlice(), Mask: net.CIDRMask(p.Bits(), p.Addr().BitLen())}, Flags: unix.IFA_F_NODAD,
		})
		if err != nil {
			return fmt.Errorf("address %s: %w", p, err)
		}
		if p.Addr().Is4() {
			if err := announce(space, l, p.Addr()); err != nil {
				return fmt.Errorf("announce %s: %w", p, err)
			}
		}
	}
	return nil
}

// forget ends the connections of addresses that are nobody's any more: public ones, and guests'. It is a courtesy: without the
// address they have no way.
func forget(space *vnet.Space, addresses []net.IP) {
	for _, ip := range addresses {
		for _, at := range []netlink.ConntrackFilterType{netlink.ConntrackOrigSrcIP, netlink.ConntrackOrigDstIP, netlink.ConntrackReplyAnyIP} {
			filter := &netlink.ConntrackFilter{}
			if filter.AddIP(at, ip) == nil {
				_, _ = space.Link().ConntrackDeleteFilters(netlink.ConntrackTable, netlink.FAMILY_V4, filter)
			}
		}
	}
}

// announce tells everybody on a link where an address is (a gratuitous ARP).
func announce(space *vnet.Space, l netlink.Link, ip netip.Addr) error {
	mac := l.Attrs().HardwareAddr
	if len(mac) != 6 {
		return nil
	}
	return space.Do(func() error {
		const arp = uint16(unix.ETH_P_ARP)
		fd, err := unix.Socket(unix.AF_PACKET, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
		if err != nil {
			return err
		}
		defer func() { _ = unix.Close(fd) }()
		packet := []byte{0, 1, 8, 0, 6, 4, 0, 1} // Ethernet, IPv4, their lengths, a question: whose is it?
		own := ip.As4()
		packet = append(append(append(append(packet, mac...), own[:]...), 0, 0, 0, 0, 0, 0), own[:]...)
		return unix.Sendto(fd, packet, 0, &unix.SockaddrLinklayer{
			Protocol: binary.BigEndian.Uint16(binary.NativeEndian.AppendUint16(nil, arp)), Ifindex: l.Attrs().Index, Halen: 6,
			Addr: [8]byte{0xff, 0xff, 0xff, 0xff, 0xff, 0xff},
		})
	})
}

// routes brings the ways out to what the document says: the first is everybody's, and where there are more, connections that
// are marked for one take it.
func routes(space *vnet.Space, s *sheet) error {
	h := space.Link()
	everywhere := &net.IPNet{IP: net.IPv4zero, Mask: net.CIDRMask(0, 32)}
	for i, w := range s.ways {
		l, err := h.LinkByName(w.link)
		if err != nil {
			return err
		}
		for _, t := range []int{unix.RT_TABLE_MAIN, table(i)} {
			if t == unix.RT_TABLE_MAIN && i > 0 || t != unix.RT_TABLE_MAIN && len(s.ways) == 1 {
				continue
			}
			err := h.RouteReplace(&netlink.Route{
				LinkIndex: l.Attrs().Index, Dst: everywhere, Gw: w.gateway.AsSlice(), Src: w.from.AsSlice(), Table: t,
				Flags: int(netlink.FLAG_ONLINK),
			})
			if err != nil {
				return fmt.Errorf("route by %s: %w", w.gateway, err)
			}
		}
	}
	if len(s.ways) == 0 && s.byGuests() != nil {
		if err := s.routeByGuests(h, everywhere); err != nil {
			return err
		}
	} else if len(s.ways) == 0 {
		err := h.RouteDel(&netlink.Route{Dst: everywhere, Table: unix.RT_TABLE_MAIN})
		if err != nil && !errors.Is(err, syscall.ESRCH) {
			return fmt.Errorf("remove the route out: %w", err)
		}
	}
	return choices(space, s)
}

// byGuests is the network with a gateway of its own by which a router without public addresses asks for names; nil where there is none.
func (s *sheet) byGuests() *segment {
	for i := range s.segments {
		if s.segments[i].via.IsValid() {
			return &s.segments[i]
		}
	}
	return nil
}

func (s *sheet) routeByGuests(h *netlink.Handle, everywhere *net.IPNet) error {
	g := s.byGuests()
	l, err := h.LinkByName(g.link)
	if err != nil {
		return err
	}
	err = h.RouteReplace(&netlink.Route{
		LinkIndex: l.Attrs().Index, Dst: everywhere, Gw: g.via.AsSlice(), Src: g.gateway.Addr().AsSlice(), Table: unix.RT_TABLE_MAIN,
		Flags: int(netlink.FLAG_ONLINK),
	})
	if err != nil {
		return fmt.Errorf("route by %s: %w", g.via, err)
	}
	return nil
}

// choices brings the rules that choose between ways out to what the document says.
func choices(space *vnet.Space, s *sheet) error {
	const first, last = 100, 300 // priorities of ours
	var want []*netlink.Rule
	if len(s.ways) > 1 {
		near := netlink.NewRule()
		near.Priority, near.Table, near.SuppressPrefixlen, near.Family = first, unix.RT_TABLE_MAIN, 0, netlink.FAMILY_V4
		want = append(want, near)
		for i := range s.ways {
			marked := netlink.NewRule()
			marked.Priority, marked.Table, marked.Mark, marked.Family = first+1, table(i), uint32(table(i)), netlink.FAMILY_V4
			want = append(want, marked)
		}
		for _, a := range s.addresses {
			from := netlink.NewRule()
			from.Priority, from.Table, from.Family = last, table(a.way), netlink.FAMILY_V4
			from.Src = &net.IPNet{IP: a.ip.Addr().AsSlice(), Mask: net.CIDRMask(32, 32)}
			want = append(want, from)
		}
	}
	had, err := space.Choices()
	if err != nil {
		return fmt.Errorf("choices between ways out: %w", err)
	}
	same := func(a, b *netlink.Rule) bool {
		return a.Priority == b.Priority && a.Table == b.Table && a.Mark == b.Mark && (a.Src == nil) == (b.Src == nil) &&
			(a.Src == nil || a.Src.IP.Equal(b.Src.IP))
	}
	for _, rule := range had {
		if rule.Priority < first || rule.Priority > last {
			continue
		}
		if i := slices.IndexFunc(want, func(w *netlink.Rule) bool { return same(w, &rule) }); i >= 0 {
			want = slices.Delete(want, i, i+1)
			continue
		}
		if err := space.Link().RuleDel(&rule); err != nil {
			return fmt.Errorf("remove a choice between ways out: %w", err)
		}
	}
	for _, rule := range want {
		if err := space.Link().RuleAdd(rule); err != nil {
			return fmt.Errorf("choice between ways out: %w", err)
		}
	}
	return nil
}

// end stops a router's services, and removes its links, its namespace and its files.
func (r *router) end(ctx context.Context) error {
	space, err := vnet.FindSpace(r.space(r.id))
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	if err == nil {
		defer space.Close()
		pids, err := space.Processes()
		if err == nil {
			err = stop(ctx, pids)
		}
		if err != nil {
			return err
		}
		links, err := space.Links()
		if err != nil {
			return fmt.Errorf("links of the router: %w", err)
		}
		for _, l := range links {
			if l.Attrs().Name == "lo" {
				continue
			}
			if err := r.Fabric.UnplugRouter(r.placeOf(space, l.Attrs().Name)); err != nil {
				return err
			}
		}
		if err := vnet.DropSpace(space.Name); err != nil {
			return err
		}
	}
	return errors.Join(os.RemoveAll(filepath.Dir(r.shared("x"))), os.RemoveAll(r.dir))
}
