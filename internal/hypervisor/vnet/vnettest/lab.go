// Package vnettest gives tests networks of their own: namespaces that stand for hosts, guests and the world outside, joined as
// a test wants. Nothing leaves them, and nothing is left of them.
//
// Tests that need what a machine lacks are skipped; VIRGA_REQUIRE=netns,nft,dnsmasq,haproxy,dhclient,cloud-init (as make test sets it)
// makes that a failure.
package vnettest

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/vishvananda/netlink"

	"github.com/virga-cloud/virga/internal/hypervisor/vnet"
)

// Lab is a test's own networks.
type Lab struct {
	t    testing.TB
	name string
}

var labs atomic.Int32

// New begins a lab. The capabilities are programs, or "netns" for the right to make namespaces, which every lab needs.
func New(t testing.TB, capabilities ...string) *Lab {
	t.Helper()
	for _, c := range append([]string{"netns"}, capabilities...) {
		Needs(t, c)
	}
	orphans()
	return &Lab{t: t, name: fmt.Sprintf("vt%d-%d-", os.Getpid(), labs.Add(1))}
}

// Needs skips the test where the machine lacks a capability, or fails it where VIRGA_REQUIRE asks for that one.
func Needs(t testing.TB, capability string) {
	t.Helper()
	var err error
	switch capability {
	case "netns":
		err = namespaces()
	case "cloud-init":
		err = exec.Command("/usr/bin/python3", "-c", "import cloudinit").Run()
	default:
		_, err = exec.LookPath(capability)
	}
	if err == nil {
		return
	}
	if slices.Contains(strings.Split(os.Getenv("VIRGA_REQUIRE"), ","), capability) {
		t.Fatalf("VIRGA_REQUIRE asks for %s: %v", capability, err)
	}
	t.Skipf("needs %s: %v", capability, err)
}

// namespaces tries whether this process may make network namespaces.
var namespaces = sync.OnceValue(func() error {
	name := fmt.Sprintf("vt%d-probe", os.Getpid())
	s, err := vnet.MakeSpace(name)
	if err != nil {
		return err
	}
	s.Close()
	return vnet.DropSpace(name)
})

// orphans ends what tests left that were killed: their namespaces bear the number of a process that is not there.
var orphans = sync.OnceFunc(func() {
	names, _ := vnet.SpaceNames("vt")
	for _, name := range names {
		id, _, _ := strings.Cut(strings.TrimPrefix(name, "vt"), "-")
		pid, err := strconv.Atoi(id)
		if err != nil || !errors.Is(syscall.Kill(pid, 0), syscall.ESRCH) {
			continue
		}
		if s, err := vnet.FindSpace(name); err == nil {
			pids, _ := s.Processes()
			for _, pid := range pids {
				_ = syscall.Kill(pid, syscall.SIGKILL)
			}
			s.Close()
		}
		_ = vnet.DropSpace(name)
	}
})

// Space makes a network namespace that ends with the test.
func (l *Lab) Space(name string) *vnet.Space {
	l.t.Helper()
	s, err := vnet.MakeSpace(l.name + name)
	if err != nil {
		l.t.Fatal(err)
	}
	l.t.Cleanup(func() {
		s.Close()
		if err := vnet.DropSpace(s.Name); err != nil {
			l.t.Error(err)
		}
	})
	return s
}

// Prefix begins the names of all namespaces of the lab.
func (l *Lab) Prefix() string { return l.name }

// Join puts a pair of links of one name into two namespaces, with an address each.
func (l *Lab) Join(link string, a *vnet.Space, addressA string, b *vnet.Space, addressB string) {
	l.t.Helper()
	attrs := netlink.NewLinkAttrs()
	attrs.Name = link
	mine := fdOf(l.t, b)
	defer mine.Close()
	l.must(a.Link().LinkAdd(&netlink.Veth{LinkAttrs: attrs, PeerName: link, PeerNamespace: netlink.NsFd(mine.Fd())}))
	l.Address(a, link, addressA)
	l.Address(b, link, addressB)
}

func fdOf(t testing.TB, s *vnet.Space) *os.File {
	f, err := os.Open("/run/netns/" + s.Name)
	if err != nil {
		t.Fatal(err)
	}
	return f
}

// Bridge makes a bridge, with an address.
func (l *Lab) Bridge(s *vnet.Space, name, address string) {
	l.t.Helper()
	attrs := netlink.NewLinkAttrs()
	attrs.Name = name
	l.must(s.Link().LinkAdd(&netlink.Bridge{LinkAttrs: attrs}))
	l.Address(s, name, address)
}

// Address gives a link an address, in the place of those it had, and brings it up. "" only brings it up.
func (l *Lab) Address(s *vnet.Space, link string, addresses ...string) {
	l.t.Helper()
	at, err := s.Link().LinkByName(link)
	l.must(err)
	had, err := s.Link().AddrList(at, netlink.FAMILY_V4)
	l.must(err)
	for _, a := range had {
		if err := s.Link().AddrDel(at, &a); !errors.Is(err, syscall.EADDRNOTAVAIL) { // gone with another of its network
			l.must(err)
		}
	}
	l.must(s.Link().LinkSetUp(at))
	for _, address := range addresses {
		if address == "" {
			continue
		}
		a, err := netlink.ParseAddr(address)
		l.must(err)
		a.Flags = 0x02 // IFA_F_NODAD: it may be used at once
		l.must(s.Link().AddrReplace(at, a))
	}
}

// Route sends what is not nearer by a gateway.
func (l *Lab) Route(s *vnet.Space, gateway string) {
	l.t.Helper()
	l.must(s.Link().RouteReplace(&netlink.Route{Gw: net.ParseIP(gateway), Dst: &net.IPNet{IP: net.IPv4zero, Mask: net.CIDRMask(0, 32)}}))
}

// Listen opens a port in a namespace.
func (l *Lab) Listen(s *vnet.Space, network, address string) net.Listener {
	l.t.Helper()
	var listener net.Listener
	l.must(s.Do(func() (err error) {
		listener, err = (&net.ListenConfig{}).Listen(l.t.Context(), network, address)
		return err
	}))
	l.t.Cleanup(func() { _ = listener.Close() })
	return listener
}

// Echo answers every line at a TCP port with a word, the client's address, and the line.
func (l *Lab) Echo(s *vnet.Space, address, word string) {
	l.t.Helper()
	listener := l.Listen(s, "tcp", address)
	go func() {
		for {
			c, err := listener.Accept()
			if err != nil {
				return
			}
			go answer(c, word)
		}
	}()
}

func answer(c net.Conn, word string) {
	defer c.Close()
	from, _, _ := net.SplitHostPort(c.RemoteAddr().String())
	buf := make([]byte, 64<<10)
	for {
		n, err := c.Read(buf)
		if err != nil {
			return
		}
		if _, err := fmt.Fprintf(c, "%s %s %s", word, from, buf[:n]); err != nil {
			return
		}
	}
}

// EchoUDP answers every packet at a UDP port with a word and the client's address.
func (l *Lab) EchoUDP(s *vnet.Space, address, word string) {
	l.t.Helper()
	var c net.PacketConn
	l.must(s.Do(func() (err error) {
		c, err = (&net.ListenConfig{}).ListenPacket(l.t.Context(), "udp", address)
		return err
	}))
	l.t.Cleanup(func() { _ = c.Close() })
	go func() {
		buf := make([]byte, 2048)
		for {
			_, from, err := c.ReadFrom(buf)
			if err != nil {
				return
			}
			ip, _, _ := net.SplitHostPort(from.String())
			_, _ = c.WriteTo([]byte(word+" "+ip), from)
		}
	}()
}

// Dial connects from a namespace.
func (l *Lab) Dial(s *vnet.Space, network, address string, patience time.Duration) (net.Conn, error) {
	return l.DialFrom(s, nil, network, address, patience)
}

// DialFrom connects from an address and port in a namespace.
func (l *Lab) DialFrom(s *vnet.Space, from net.Addr, network, address string, patience time.Duration) (net.Conn, error) {
	var c net.Conn
	err := s.Do(func() (err error) {
		c, err = (&net.Dialer{Timeout: patience, LocalAddr: from}).DialContext(l.t.Context(), network, address)
		return err
	})
	return c, err
}

// Short is how long tests wait for what is not to come, Long for what is.
const (
	Short = 300 * time.Millisecond
	Long  = 30 * time.Second
)

// Ask sends a line to an address and gives the answer, "" where there is none.
func (l *Lab) Ask(s *vnet.Space, network, address string, patience time.Duration) string {
	l.t.Helper()
	c, err := l.Dial(s, network, address, patience)
	if err != nil {
		return ""
	}
	defer c.Close()
	return Say(c, "hello", patience)
}

// Say sends a line over a connection and gives the answer, "" where there is none.
func Say(c net.Conn, line string, patience time.Duration) string {
	_ = c.SetDeadline(time.Now().Add(patience))
	if _, err := c.Write([]byte(line)); err != nil {
		return ""
	}
	buf := make([]byte, 64<<10)
	n, err := c.Read(buf)
	if err != nil {
		return ""
	}
	return string(buf[:n])
}

// Answered fails the test unless an answer begins with some words.
func (l *Lab) Answered(s *vnet.Space, network, address, want string) {
	l.t.Helper()
	if got := l.Ask(s, network, address, Long); !strings.HasPrefix(got, want) {
		l.t.Errorf("%s asks %s: %q, want %q", strings.TrimPrefix(s.Name, l.name), address, got, want)
	}
}

// Refused fails the test when there is an answer.
func (l *Lab) Refused(s *vnet.Space, network, address string) {
	l.t.Helper()
	if got := l.Ask(s, network, address, Short); got != "" {
		l.t.Errorf("%s asks %s and is answered: %q", strings.TrimPrefix(s.Name, l.name), address, got)
	}
}

// Run runs a program in a namespace and gives what it wrote; the test fails when it fails.
func (l *Lab) Run(s *vnet.Space, argv ...string) string {
	l.t.Helper()
	ctx, cancel := context.WithTimeout(l.t.Context(), 2*Long)
	defer cancel()
	out, err := s.Run(ctx, "", argv...)
	if err != nil {
		l.t.Fatal(err)
	}
	return string(out)
}

// Links are the names of the links in a namespace, but for loopback.
func (l *Lab) Links(s *vnet.Space) []string {
	l.t.Helper()
	links, err := s.Links()
	l.must(err)
	var names []string
	for _, link := range links {
		if name := link.Attrs().Name; name != "lo" {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names
}

func (l *Lab) must(err error) {
	l.t.Helper()
	if err != nil {
		l.t.Fatal(err)
	}
}
