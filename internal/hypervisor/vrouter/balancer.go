package vrouter

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net/netip"
	"os"
	"regexp"
	"strconv"
	"strings"

	"github.com/virga-cloud/virga/internal/fault"
	"github.com/virga-cloud/virga/internal/hypervisor"
	"github.com/virga-cloud/virga/internal/hypervisor/vnet"
	"github.com/virga-cloud/virga/uid"
)

// proxied is a balancer that tells guests of TCP connections whose they are, by PROXY headers.
const proxied = "tcp-proxy"

var (
	algorithms = map[string]string{"roundrobin": "roundrobin", "leastconn": "leastconn", "source": "source", "": "roundrobin"}
	wordOf     = regexp.MustCompile(`^[A-Za-z0-9._-]{1,64}$`)
	timeOf     = regexp.MustCompile(`^[0-9]{1,9}(us|ms|s|m|h|d)?$`)
	sizeOf     = regexp.MustCompile(`^[0-9]{1,9}[kmg]?$`)
)

// balancer writes a balancer's part of haproxy's configuration, "" for one that is not haproxy's.
func balancer(b hypervisor.Balancer, ip netip.Addr) (string, error) {
	if !uid.Valid(string(b.ID)) {
		return "", fault.Invalidf("a balancer's id %q is none", b.ID)
	}
	algorithm := algorithms[b.Algorithm]
	if algorithm == "" {
		return "", fault.Invalidf("balancing by %q is not known: want roundrobin, leastconn or source", b.Algorithm)
	}
	if b.Protocol == "udp" {
		_, err := packets(b, ip)
		return "", err
	}
	if b.Protocol != "tcp" && b.Protocol != proxied {
		return "", fault.Invalidf("balancing of %q is not known: want tcp, udp or %s", b.Protocol, proxied)
	}
	sticky, http, err := stickiness(b)
	if err != nil {
		return "", err
	}
	var t strings.Builder
	fmt.Fprintf(&t, "listen %s\n\tbind %s:%d\n\tbalance %s\n", b.ID, ip, b.Port, algorithm)
	if http {
		t.WriteString("\tmode http\n\toption forwardfor\n")
	} else {
		t.WriteString("\tmode tcp\n")
	}
	if len(b.Sources) > 0 {
		var cidrs []string
		for _, c := range b.Sources {
			p, err := netip.ParsePrefix(c)
			if err != nil {
				return "", fault.Invalidf("%q is no CIDR", c)
			}
			cidrs = append(cidrs, p.String())
		}
		fmt.Fprintf(&t, "\ttcp-request connection reject if !{ src %s }\n", strings.Join(cidrs, " "))
	}
	t.WriteString(sticky)
	for _, guest := range b.Guests {
		fmt.Fprintf(&t, "\tserver %s %s:%d check", guest, guest, b.Guest)
		if b.Sticky.Method == "LbCookie" {
			fmt.Fprintf(&t, " cookie %s", guestLink(guest))
		}
		if b.Protocol == proxied {
			t.WriteString(" send-proxy")
		}
		t.WriteString("\n")
	}
	return t.String(), nil
}

// stickiness writes how a client stays at one guest, and whether haproxy must understand HTTP for it.
func stickiness(b hypervisor.Balancer) (text string, http bool, err error) {
	p := b.Sticky.Params
	param := func(name, otherwise string, form *regexp.Regexp) string {
		value := cmp.Or(p[name], otherwise)
		if !form.MatchString(value) {
			err = errors.Join(err, fault.Invalidf("%s %q of %s is not of the form %s", name, value, b.Sticky.Method, form))
		}
		return value
	}
	said := func(name string) string {
		if v, ok := p[name]; ok && !strings.EqualFold(v, "false") {
			return " " + name
		}
		return ""
	}
	switch b.Sticky.Method {
	case "":
	case "LbCookie":
		mode := cmp.Or(p["mode"], "insert")
		if mode != "insert" && mode != "rewrite" && mode != "prefix" {
			return "", false, fault.Invalidf("a cookie's mode %q is not insert, rewrite or prefix", mode)
		}
		text = "\tcookie " + param("cookie-name", "lb-"+string(b.ID)[24:], wordOf) + " " + mode
		if mode == "insert" {
			text += cmp.Or(said("indirect"), " indirect") + said("nocache") + said("postonly")
		} else {
			text += said("nocache")
		}
		if p["domain"] != "" {
			text += " domain " + param("domain", "", wordOf)
		}
		text, http = text+"\n", true
	case "AppCookie":
		// The cookie is the application's own: where its answer went, its clients go again.
		name, length := param("cookie-name", "lb-"+string(b.ID)[24:], wordOf), param("length", "52", sizeOf)
		text = fmt.Sprintf("\tstick-table type string len %s size 200k expire %s\n\tstick match req.cook(%s)\n\tstick store-response res.cook(%s)\n",
			length, param("holdtime", "3h", timeOf), name, name)
		if said("request-learn") != "" {
			text += fmt.Sprintf("\tstick store-request req.cook(%s)\n", name)
		}
		http = true
	case "SourceBased":
		size, expire := param("tablesize", "200k", sizeOf), param("expire", "30m", timeOf)
		text = fmt.Sprintf("\tstick-table type ip size %s expire %s\n\tstick on src\n", size, expire)
	default:
		err = fault.Invalidf("stickiness %q is not known: want LbCookie, AppCookie or SourceBased", b.Sticky.Method)
	}
	if http && b.Protocol == proxied {
		err = errors.Join(err, fault.Invalidf("a balancer with PROXY headers knows no cookies"))
	}
	return text, http, err
}

// packets writes the packet filter's rule for a balancer of UDP, "" for one that is haproxy's. Each client's packets keep
// going where its first went, for as long as the kernel remembers it.
func packets(b hypervisor.Balancer, ip netip.Addr) (string, error) {
	if b.Protocol != "udp" {
		return "", nil
	}
	var pick string
	switch {
	case b.Algorithm == "source", b.Sticky.Method == "SourceBased":
		pick = "jhash ip saddr mod"
	case b.Algorithm == "leastconn":
		return "", fault.Invalidf("UDP has no connections that could be fewest: balance it by roundrobin or source")
	case b.Sticky.Method != "":
		return "", fault.Invalidf("UDP has no cookies: stickiness is SourceBased, or none")
	default:
		pick = "numgen inc mod"
	}
	if len(b.Guests) == 0 {
		return "", nil
	}
	from, some, err := vnet.Blocks("saddr", b.Sources, vnet.V4)
	if err != nil || !some {
		return "", err
	}
	var guests []string
	for i, g := range b.Guests {
		guests = append(guests, fmt.Sprintf("%d : %s . %d", i, g, b.Guest))
	}
	at := fmt.Sprintf("ip daddr %s udp dport %d", ip, b.Port)
	return vnet.Words(from, at, "dnat to", pick, strconv.Itoa(len(guests)), "map", set(guests)) + "\n" + at + " drop\n", nil
}

// balance brings haproxy to what the document says. A new one takes over the listening sockets of the old, which stays until
// its last connection ends.
func (r *router) balance(ctx context.Context, space *vnet.Space, s *sheet) error {
	var text strings.Builder
	fmt.Fprintf(&text, `global
	maxconn 4096
	stats socket unix@haproxy.sock mode 600 level admin expose-fd listeners
	uid %d
	gid %d
	hard-stop-after 24h
defaults
	timeout connect 5s
	timeout client 50s
	timeout server 50s
	timeout tunnel 1h
	retries 3
	option redispatch
	default-server inter 2s fall 2 rise 1
`, r.User, r.User)
	some := false
	for _, a := range s.addresses {
		for _, b := range a.Balancers {
			part, err := balancer(b, a.ip.Addr())
			if err != nil {
				return err
			}
			text.WriteString(part)
			some = some || part != ""
		}
	}
	running, err := r.processes(space, "haproxy")
	if err != nil {
		return err
	}
	old := pid(r.file("haproxy.pid"), running)
	if !some {
		if old != 0 {
			_ = os.Remove(r.file("haproxy.pid"))
			return signal(old, softly)
		}
		return nil
	}
	was, err := os.ReadFile(r.file("haproxy.cfg"))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	if old != 0 && string(was) == text.String() {
		return nil
	}
	if err := vnet.WriteFile(r.file("haproxy.new"), []byte(text.String()), 0o600); err != nil {
		return err
	}
	argv := []string{"haproxy", "-D", "-C", r.dir, "-f", "haproxy.new", "-p", "haproxy.pid"}
	if old != 0 {
		argv = append(argv, "-x", "haproxy.sock", "-sf", strconv.Itoa(old))
	}
	if _, err := space.Run(ctx, "", argv...); err != nil {
		return err
	}
	// The name says that it is in force: with another the next call would start it again.
	return os.Rename(r.file("haproxy.new"), r.file("haproxy.cfg"))
}
