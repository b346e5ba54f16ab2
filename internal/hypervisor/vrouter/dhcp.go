package vrouter

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io/fs"
	"net/netip"
	"os"
	"os/user"
	"slices"
	"strconv"
	"strings"

	"github.com/virga-cloud/virga/internal/hypervisor/vnet"
)

const (
	lease     = "24h"
	mostCache = 1000
)

// names are the addresses and names that dnsmasq gives: what it is started with, and what it reads again when it is told to.
type names struct {
	config string
	hosts  string // addresses by MAC
	names  string // addresses by name
}

// names writes what dnsmasq gives.
func (r *router) names(s *sheet, mtus map[string]int) names {
	var config, hosts, dns strings.Builder
	config.WriteString("no-hosts\nno-resolv\nno-poll\ndomain-needed\nbind-dynamic\nexcept-interface=lo\ndhcp-authoritative\nno-ping\nexpand-hosts\n")
	fmt.Fprintf(&config, "localise-queries\ncache-size=%d\n", mostCache)
	fmt.Fprintf(&config, "pid-file=%s\ndhcp-leasefile=%s\ndhcp-hostsfile=%s\naddn-hosts=%s\n",
		r.shared("dnsmasq.pid"), r.shared("leases"), r.shared("hosts"), r.shared("names"))
	fmt.Fprintf(&config, "dhcp-lease-max=%d\n", 1<<20)
	if nobody, err := user.LookupId(strconv.Itoa(int(r.User))); err == nil {
		fmt.Fprintf(&config, "user=%s\n", nobody.Username)
	}
	var servers []string
	asked := false // where one network asks for names and another doesn't, the packet filter tells them apart
	for _, g := range s.segments {
		if !g.Serves.DHCP && !g.Serves.DNS {
			continue
		}
		fmt.Fprintf(&config, "interface=%s\n", g.link)
		if g.Serves.DNS {
			servers = append(servers, g.DNS...)
			g.writeNames(&config, &dns)
			asked = true
		}
		if g.Serves.DHCP {
			g.writeOptions(&config, mtus[g.link])
			g.writeHosts(&hosts)
		} else {
			fmt.Fprintf(&config, "no-dhcp-interface=%s\n", g.link)
		}
	}
	slices.Sort(servers)
	for _, server := range slices.Compact(servers) {
		fmt.Fprintf(&config, "server=%s\n", server)
	}
	if !asked {
		config.WriteString("port=0\n")
	}
	if s.byGuests() != nil { // there may be others on the wire who give addresses: machines that it does not know are theirs
		config.WriteString("dhcp-ignore=tag:!known\n")
	}
	return names{config: config.String(), hosts: hosts.String(), names: dns.String()}
}

// writeNames writes a network's names: those of guests, and of the router as guests look for it.
func (g segment) writeNames(config, dns *strings.Builder) {
	if g.Search != "" {
		for _, p := range g.places() {
			fmt.Fprintf(config, "domain=%s,%s\n", g.Search, p.own.Masked())
		}
		fmt.Fprintf(config, "local=/%s/\n", g.Search)
		if g.six.IsValid() {
			fmt.Fprintf(config, "domain=%s,%s\n", g.Search, g.six.Masked())
		}
	}
	full := func(name string) string {
		if g.Search == "" {
			return name
		}
		return name + "." + g.Search + " " + name
	}
	for _, p := range g.places() {
		fmt.Fprintf(dns, "%s %s\n", p.own.Addr(), full("data-server"))
	}
	for _, guest := range g.Guests {
		for _, ip := range []string{guest.IP, guest.IP6} {
			if ip != "" && guest.Name != "" {
				fmt.Fprintf(dns, "%s %s\n", ip, full(guest.Name))
			}
		}
	}
}

// writeOptions writes what a network's guests are told with their addresses. There is an address for known cards only.
func (g segment) writeOptions(config *strings.Builder, mtu int) {
	// Not beside its address, where it would belong: dnsmasq 2.90 dies when it reads those again and one with a tag has a lease.
	for _, guest := range g.Guests {
		if !guest.Default {
			fmt.Fprintf(config, "dhcp-mac=set:bystander,%s\n", guest.MAC)
		}
		for i, p := range g.beside {
			if ip, err := netip.ParseAddr(guest.IP); err == nil && p.own.Contains(ip) {
				fmt.Fprintf(config, "dhcp-mac=set:%s,%s\n", g.further(i), guest.MAC)
			}
		}
	}
	servers4, servers6 := []string{}, []string{}
	for _, d := range g.DNS {
		if netip.MustParseAddr(d).Is4() {
			servers4 = append(servers4, d)
		} else {
			servers6 = append(servers6, "["+d+"]")
		}
	}
	first := []string{"tag:" + g.link}
	for i := range g.beside {
		first = append(first, "tag:!"+g.further(i))
	}
	for i, p := range g.places() {
		tags := strings.Join(first, ",") + ","
		if i > 0 {
			tags = "tag:" + g.further(i-1) + ","
		}
		if g.Serves.DNS {
			servers4 = []string{p.own.Addr().String()}
		}
		g.writeSubnet(config, tags, p, mtu, servers4)
	}
	if !g.six.IsValid() {
		return
	}
	if g.Serves.DNS {
		servers6 = []string{"[" + g.six.Addr().String() + "]"}
	}
	six := g.six.Masked()
	if g.via.IsValid() { // it says that there are addresses to be had, and that it is no way out
		fmt.Fprintf(config, "ra-param=%s,0,0\n", g.link)
	}
	fmt.Fprintf(config, "enable-ra\ndhcp-range=set:%s6,%s,static,%d,%s\n", g.link, six.Addr(), six.Bits(), lease)
	if len(servers6) > 0 {
		fmt.Fprintf(config, "dhcp-option=tag:%s6,option6:dns-server,%s\n", g.link, strings.Join(servers6, ","))
	}
	if g.Search != "" {
		fmt.Fprintf(config, "dhcp-option=tag:%s6,option6:domain-search,%s\n", g.link, g.Search)
	}
}

// further is the tag of the cards in a further subnet. All requests have the tags of all ranges on the link.
func (g segment) further(i int) string { return g.link + "-" + strconv.Itoa(i) }

// writeSubnet writes what guests are told with addresses of one subnet: those with some tags.
func (g segment) writeSubnet(config *strings.Builder, tags string, p place, mtu int, servers []string) {
	net := p.own.Masked()
	fmt.Fprintf(config, "dhcp-range=set:%s,%s,static,%s,%s\n", g.link, net.Addr(), mask(net), lease)
	option := func(words string, args ...any) {
		fmt.Fprintf(config, "dhcp-option="+tags+words+"\n", args...)
	}
	option("tag:!bystander,option:router,%s", p.via)
	option("tag:bystander,option:router")
	if mtu > 0 {
		option("option:mtu,%d", mtu)
	}
	if len(servers) > 0 {
		option("option:dns-server,%s", strings.Join(servers, ","))
	}
	if g.Search != "" {
		option("option:domain-name,%s", g.Search)
		option("option:domain-search,%s", g.Search)
	}
}

func (g segment) writeHosts(hosts *strings.Builder) {
	for _, guest := range g.Guests {
		words := []string{guest.MAC}
		if guest.IP6 != "" {
			words = append(words, "["+guest.IP6+"]")
		}
		if guest.IP != "" {
			words = append(words, guest.IP)
		}
		if guest.Name != "" {
			words = append(words, guest.Name)
		}
		fmt.Fprintln(hosts, strings.Join(words, ","))
	}
}

// mask is a network's mask as DHCP has it.
func mask(p netip.Prefix) string {
	ones := ^uint32(0) << (32 - p.Bits())
	if p.Bits() == 0 {
		ones = 0
	}
	return netip.AddrFrom4([4]byte{byte(ones >> 24), byte(ones >> 16), byte(ones >> 8), byte(ones)}).String()
}

// name brings dnsmasq to what the document says. It goes on with its leases, and where only guests have come it goes on running.
func (r *router) name(ctx context.Context, space *vnet.Space, n names, wanted bool) error {
	running, err := r.processes(space, "dnsmasq")
	if err != nil {
		return err
	}
	if !wanted {
		return stop(ctx, running)
	}
	was := names{}
	for file, into := range map[string]*string{"dnsmasq.conf": &was.config, "hosts": &was.hosts, "dnsmasq.done": &was.names} {
		text, err := os.ReadFile(r.shared(file))
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
		*into = string(text)
	}
	old := pid(r.shared("dnsmasq.pid"), running)
	done := fmt.Sprintf("%x", sha256.Sum256([]byte(n.config+n.hosts+n.names)))
	if was.names == done && old != 0 {
		return nil
	}
	// A lease that is for another card now would keep the address from it.
	kept, stale, err := r.leases(was.hosts, n.hosts)
	if err != nil {
		return err
	}
	if fresh := old == 0 || was.config != n.config || stale; fresh {
		if err := stop(ctx, running); err != nil {
			return err
		}
		old = 0
		if stale {
			if err := vnet.WriteFile(r.shared("leases"), []byte(kept), 0o644); err != nil {
				return err
			}
		}
	}
	for _, f := range []struct{ name, text string }{{"hosts", n.hosts}, {"names", n.names}, {"dnsmasq.conf", n.config}} {
		if err := vnet.WriteFile(r.shared(f.name), []byte(f.text), 0o644); err != nil {
			return err
		}
	}
	if old != 0 {
		err = signal(old, again)
	} else {
		_, err = space.Run(ctx, "", "dnsmasq", "--conf-file="+r.shared("dnsmasq.conf"))
	}
	if err != nil {
		return err
	}
	return vnet.WriteFile(r.shared("dnsmasq.done"), []byte(done), 0o600)
}

// leases gives those leases that are still for the card that they were given to, and whether there are others.
func (r *router) leases(before, now string) (kept string, stale bool, err error) {
	text, err := os.ReadFile(r.shared("leases"))
	if errors.Is(err, fs.ErrNotExist) {
		return "", false, nil
	}
	if err != nil {
		return "", false, err
	}
	was, is := cards(before), cards(now)
	var b strings.Builder
	for line := range strings.Lines(string(text)) {
		words := strings.Fields(line) // when it ends; MAC or, with IPv6, something of the client's own; address; name; client
		if len(words) > 2 {
			ip := words[2]
			if is[ip] == "" || was[ip] != "" && was[ip] != is[ip] || !strings.Contains(ip, ":") && is[ip] != strings.ToLower(words[1]) {
				stale = true
				continue
			}
		}
		b.WriteString(line)
	}
	return b.String(), stale, nil
}

// cards reads which card an address is for.
func cards(hosts string) map[string]string {
	card := map[string]string{}
	for line := range strings.Lines(hosts) {
		words := strings.Split(strings.TrimSpace(line), ",")
		for _, w := range words[1:] {
			if ip, err := netip.ParseAddr(strings.Trim(w, "[]")); err == nil {
				card[ip.String()] = strings.ToLower(words[0])
			}
		}
	}
	return card
}
