package vrouter_test

import (
	"net/netip"
	"slices"
	"testing"

	"github.com/virga-cloud/virga/internal/hypervisor/vnet"
)

// TestOutside has a public network of the host's own, behind which guests see the world as the host does.
func TestOutside(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	l := s.lab
	s.config.Public = "own"
	s.restart()
	before := l.Links(s.host)
	l.Join("wan0", s.host, "192.0.2.7/24", s.world, "192.0.2.1/24")
	l.Echo(s.world, ":80", "world")
	outside := vnet.Outside{Gateways: []netip.Prefix{netip.MustParsePrefix("198.51.100.1/24")}, Hidden: true}
	for range 2 {
		must(t, s.fabric.MakeOutside(t.Context(), outside))
	}
	g := guest(11)
	s.apply(s.doc(g))
	vm := s.up(g)
	l.Answered(vm, "tcp", "192.0.2.1:80", "world 192.0.2.7")
	l.Echo(s.host, ":90", "host")
	l.Answered(vm, "tcp", "198.51.100.1:90", "host 198.51.100.10")
	must(t, s.routers.DropRouter(t.Context(), s.id))
	for range 2 {
		must(t, s.fabric.DropOutside(t.Context()))
	}
	if after := slices.DeleteFunc(l.Links(s.host), func(name string) bool { return name == "wan0" }); !slices.Equal(before, after) {
		t.Errorf("links are left: %v", after)
	}
	s.config.Public = "public" // there, and somebody else's
	s.restart()
	if err := s.fabric.MakeOutside(t.Context(), outside); err == nil {
		t.Error("a link that is somebody else's was taken")
	}
	must(t, s.fabric.DropOutside(t.Context()))
	if !slices.Contains(l.Links(s.host), "public") {
		t.Error("a link that is somebody else's was removed")
	}
}
