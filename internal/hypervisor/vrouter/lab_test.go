package vrouter_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/virga-cloud/virga/internal/hypervisor"
	"github.com/virga-cloud/virga/internal/hypervisor/metadata"
	"github.com/virga-cloud/virga/internal/hypervisor/vnet"
	"github.com/virga-cloud/virga/internal/hypervisor/vnet/vnettest"
	"github.com/virga-cloud/virga/internal/hypervisor/vrouter"
	"github.com/virga-cloud/virga/uid"
)

// TestMain is the metadata server, too: routers start this program as one.
func TestMain(m *testing.M) {
	if len(os.Args) > 1 && os.Args[1] == "metadata" {
		if err := metadata.Child(context.Background()); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	os.Exit(m.Run())
}

const nobody = 65534

// site is a host with routers, and the world outside.
type site struct {
	t       testing.TB
	lab     *vnettest.Lab
	host    *vnet.Space
	world   *vnet.Space // 198.51.100.1, the gateway of public addresses; 203.0.113.9 and .10 are somewhere behind it
	config  vnet.Config
	fabric  *vnet.Fabric
	routers *vrouter.Routers
	state   string
	network uid.Network
	id      uid.Router
}

func newSite(t testing.TB, capabilities ...string) *site {
	t.Helper()
	l := vnettest.New(t, append([]string{"nft", "dnsmasq"}, capabilities...)...)
	s := &site{
		t: t, lab: l, host: l.Space("host"), world: l.Space("world"), state: openToOthers(t),
		network: uid.New[uid.Network](), id: uid.New[uid.Router](),
	}
	l.Bridge(s.host, "public", "")
	l.Join("w0", s.host, "", s.world, "198.51.100.1/24")
	l.Run(s.host, "ip", "link", "set", "w0", "master", "public")
	l.Address(s.world, "lo", "203.0.113.9/32", "203.0.113.10/32")
	s.config = vnet.Config{Host: uid.New[uid.Host](), State: t.TempDir(), Space: l.Space("bridges").Name, Public: "public"}
	s.open()
	t.Cleanup(func() {
		if err := s.routers.Sweep(context.Background(), nil); err != nil {
			t.Error(err)
		}
		if err := s.fabric.Sweep(context.Background(), nil, nil); err != nil {
			t.Error(err)
		}
		s.fabric.Close()
		left, err := vnet.SpaceNames(l.Prefix() + "r-")
		if len(left) != 0 || err != nil {
			t.Errorf("routers are left: %v %v", left, err)
		}
	})
	return s
}

// openToOthers makes a folder that services, who are nobody, can go through.
func openToOthers(t testing.TB) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "vrouter") // those of the test are for its user only
	must(t, err)
	must(t, os.Chmod(dir, 0o711))
	t.Cleanup(func() { must(t, os.RemoveAll(dir)) })
	return dir
}

func (s *site) open() {
	s.t.Helper()
	must(s.t, s.host.Do(func() (err error) {
		s.fabric, err = vnet.Open(s.t.Context(), s.config)
		return err
	}))
	var err error
	s.routers, err = vrouter.Open(vrouter.Config{
		Fabric: s.fabric, State: s.state, Spaces: s.lab.Prefix() + "r-", Metadata: []string{"/proc/self/exe", "metadata"}, User: nobody,
	})
	must(s.t, err)
}

// restart is another process on the same host.
func (s *site) restart() {
	s.t.Helper()
	s.fabric.Close()
	s.open()
}

// space is the router's own.
func (s *site) space() *vnet.Space {
	s.t.Helper()
	space, err := vnet.FindSpace(s.lab.Prefix() + "r-" + string(s.id))
	must(s.t, err)
	s.t.Cleanup(space.Close)
	return space
}

func (s *site) apply(doc hypervisor.Router) {
	s.t.Helper()
	must(s.t, s.routers.ApplyRouter(s.t.Context(), doc))
}

// doc is a router with one network and some guests, its address outside, and nothing more.
func (s *site) doc(guests ...hypervisor.RouterGuest) hypervisor.Router {
	return hypervisor.Router{
		ID: s.id, Name: "r-1-VM", Version: 1,
		Segments: []hypervisor.RouterSegment{{
			Network: s.network, VLAN: 100, Gateway: "10.1.1.1/24", Gateway6: "2001:db8:1::1/64", Search: "cs1.internal", DNS: []string{"203.0.113.9"},
			Serves: hypervisor.Services{DHCP: true, DNS: true, UserData: true}, Guests: guests, EgressAllowed: true,
		}},
		Uplink: []hypervisor.RouterAddress{s.address("198.51.100.10")},
	}
}

// address is a public address, which is the network's source where it ends in 10.
func (s *site) address(ip string) hypervisor.RouterAddress {
	return hypervisor.RouterAddress{
		ID: uid.New[uid.PublicIP](), IP: ip + "/24", Gateway: "198.51.100.1", Network: s.network, SourceNAT: strings.HasSuffix(ip, ".10"),
	}
}

func guest(n int) hypervisor.RouterGuest {
	return hypervisor.RouterGuest{
		NIC: uid.New[uid.NIC](), VM: uid.New[uid.VM](), MAC: fmt.Sprintf("02:00:00:00:01:%02x", n), IP: fmt.Sprintf("10.1.1.%d", n),
		IP6: fmt.Sprintf("2001:db8:1::%x", n), Name: fmt.Sprintf("vm%d", n), Default: true,
		UserData: fmt.Appendf(nil, "#!/bin/sh\necho %d\n", n),
		Meta: map[string]string{
			"instance-id": fmt.Sprintf("i-%d", n), "local-hostname": fmt.Sprintf("vm%d", n), "public-keys": "ssh-ed25519 AAAA someone\n",
			"local-ipv4": fmt.Sprintf("10.1.1.%d", n), "availability-zone": "zone1", "service-offering": "Small Instance",
		},
	}
}

// boot plugs a guest in and gives the namespace that is its machine, without an address.
func (s *site) boot(g hypervisor.RouterGuest) *vnet.Space {
	s.t.Helper()
	space := s.lab.Space(g.Name)
	nic := hypervisor.NIC{ID: g.NIC, Network: s.network, MAC: g.MAC, IP: g.IP, IP6: g.IP6, VLAN: 100}
	_, err := s.fabric.PlugInto(s.t.Context(), nic, space, "eth0")
	must(s.t, err)
	s.lab.Address(space, "eth0", "")
	return space
}

// up boots a guest and gives it its address and its way out, as DHCP would.
func (s *site) up(g hypervisor.RouterGuest) *vnet.Space {
	s.t.Helper()
	space := s.boot(g)
	s.lab.Address(space, "eth0", g.IP+"/24", g.IP6+"/64")
	s.lab.Route(space, "10.1.1.1")
	return space
}

// lease asks for an address by DHCP and takes it. It gives what the server said, by busybox's names.
func (s *site) lease(space *vnet.Space) map[string]string {
	s.t.Helper()
	dir := s.t.TempDir()
	script := filepath.Join(dir, "lease")
	must(s.t, os.WriteFile(script, []byte(`#!/bin/sh
[ "$1" = bound ] || exit 0
env >`+dir+`/env
ip addr add "$ip/$mask" dev "$interface"
[ -z "$router" ] || ip route replace default via "$router"
`), 0o700))
	s.lab.Run(space, "busybox", "udhcpc", "-O", "search", "-O", "mtu", "-i", "eth0", "-n", "-q", "-f", "-t", "30", "-T", "1", "-s", script)
	text, err := os.ReadFile(filepath.Join(dir, "env"))
	must(s.t, err)
	said := map[string]string{}
	for line := range strings.Lines(string(text)) {
		name, value, _ := strings.Cut(strings.TrimSpace(line), "=")
		said[name] = value
	}
	return said
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
