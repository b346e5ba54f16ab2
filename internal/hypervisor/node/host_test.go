package node

import (
	"log/slog"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/virga-cloud/virga/internal/fault"
	"github.com/virga-cloud/virga/internal/hypervisor"
	"github.com/virga-cloud/virga/internal/hypervisor/vnet"
	"github.com/virga-cloud/virga/internal/hypervisor/vnet/vnettest"
	"github.com/virga-cloud/virga/uid"
)

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// A host is put together, does what it is asked, is found again, and leaves nothing when it is cleared.
func TestHost(t *testing.T) {
	t.Parallel()
	l := vnettest.New(t, "nft", "dnsmasq")
	for _, name := range []string{"qemu-system-x86_64", "qemu-img"} {
		if _, err := exec.LookPath(name); err != nil {
			if slices.Contains(strings.Split(os.Getenv("VIRGA_REQUIRE"), ","), "qemu") {
				t.Fatalf("VIRGA_REQUIRE asks for qemu, but there is no %s", name)
			}
			t.Skipf("needs %s", name)
		}
	}
	space, id := l.Space("host"), uid.New[uid.Host]()
	above, err := os.MkdirTemp("", "vn") // a short path: there are sockets below
	must(t, err)
	t.Cleanup(func() { must(t, os.RemoveAll(above)) })
	dir, log := filepath.Join(above, "h"), slog.New(slog.DiscardHandler)
	open := func() (m Machine, err error) {
		err = space.Do(func() error {
			m, err = OpenHost(t.Context(), id, HostOptions{
				Dir: dir, Accelerator: "tcg", Log: log, Outside: &vnet.Outside{Gateways: []netip.Prefix{netip.MustParsePrefix("198.51.100.1/24")}},
			})
			return err
		})
		return m, err
	}
	if _, err := open(); err == nil || !strings.Contains(err.Error(), above+" keeps others out") {
		t.Errorf("in a folder that others can't get to: %v", err)
	}
	must(t, os.Chmod(above, 0o711))
	m, err := open()
	must(t, err)
	for _, name := range []string{"qemu", "netns", "nft", "root"} {
		if !slices.Contains(m.Capabilities, name) {
			t.Errorf("there is no %s among %v", name, m.Capabilities)
		}
	}
	must(t, m.Driver.Recover(t.Context()))
	network := uid.New[uid.Network]()
	r := hypervisor.Router{
		ID: uid.New[uid.Router](), Name: "r-1-VM", Version: 1,
		Segments: []hypervisor.RouterSegment{{Network: network, VLAN: 100, Gateway: "10.1.1.1/24", Serves: hypervisor.Services{DHCP: true}}},
		Uplink:   []hypervisor.RouterAddress{{ID: uid.New[uid.PublicIP](), IP: "198.51.100.10/24", Gateway: "198.51.100.1", Network: network, SourceNAT: true}},
	}
	networker, ok := m.Driver.(hypervisor.Networker)
	if !ok {
		t.Fatal("it has no virtual routers")
	}
	if err := networker.ApplyRouter(t.Context(), uid.New[uid.Host](), r); !fault.Is(err, fault.Unavailable) {
		t.Errorf("another host's router gives %v", err)
	}
	must(t, networker.ApplyRouter(t.Context(), id, r))
	there, err := vnet.FindSpace("virga-r-" + vnet.Tag(id) + "-" + string(r.ID))
	must(t, err)
	if text := l.Run(there, "ip", "-br", "address", "show", "u0"); !strings.Contains(text, "198.51.100.10/24") {
		t.Errorf("outside the router is %s", text)
	}
	there.Close()
	must(t, m.Close())

	m, err = open()
	must(t, err)
	must(t, m.Driver.Recover(t.Context()))
	again, ok := m.Driver.(hypervisor.Networker)
	if reports, err := again.Routers(t.Context(), id); !ok || err != nil || len(reports) != 1 || reports[0].Version != 1 {
		t.Errorf("after a restart: %+v %v", reports, err)
	}
	must(t, (&folder{path: dir}).save(state{Host: id, Name: "h", CA: "none"}))
	end := func() (n int, err error) {
		err = space.Do(func() error { n, err = Clear(t.Context(), dir, log); return err })
		return n, err
	}
	if _, err := end(); err == nil {
		t.Error("a host was cleared whose agent is there")
	}
	must(t, m.Close())
	for range 2 {
		if n, err := end(); n != 0 || err != nil {
			t.Errorf("%d machines were ended: %v", n, err)
		}
	}
	if links := l.Links(space); len(links) > 1 {
		t.Errorf("links are left: %v", links)
	}
	spaces, err := vnet.SpaceNames("virga-")
	must(t, err)
	if slices.ContainsFunc(spaces, func(name string) bool { return strings.Contains(name, vnet.Tag(id)) }) {
		t.Errorf("namespaces are left: %v", spaces)
	}
}
