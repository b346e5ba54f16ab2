package subnet_test

import (
	"strings"
	"testing"

	"github.com/virga-cloud/virga/internal/fault"
	"github.com/virga-cloud/virga/internal/subnet"
)

func TestParse(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ gateway, netmask, want string }{
		{"", "", "10.1.1.0/24"},
		{"1.0.0.1", "255.0.0.0", "1.0.0.0/8"},
		{"126.255.255.254", "255.0.0.0", "126.0.0.0/8"},
		{"128.0.0.1", "255.255.255.0", "128.0.0.0/24"},
		{"169.253.255.1", "255.255.0.0", "169.253.0.0/16"},
		{"169.255.0.1", "255.255.0.0", "169.255.0.0/16"},
		{"192.168.7.1", "255.255.255.252", "192.168.7.0/30"},
		{"223.255.255.1", "255.255.255.0", "223.255.255.0/24"},
	} {
		if s, err := subnet.Parse(c.gateway, c.netmask, "", ""); err != nil || s.CIDR != c.want {
			t.Errorf("%s/%s is %q, %v; want %s", c.gateway, c.netmask, s.CIDR, err, c.want)
		}
	}
}

// A guest network that touches addresses which no machine can have is refused, and the refusal says which.
func TestParseRefusesReserved(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ gateway, netmask, want string }{
		{"0.0.0.1", "255.255.255.0", "0.0.0.0/8"},
		{"10.1.1.1", "128.0.0.0", "0.0.0.0/8"},
		{"127.1.1.1", "255.255.255.0", "127.0.0.0/8"},
		{"96.0.0.1", "224.0.0.0", "127.0.0.0/8"},
		{"169.254.169.1", "255.255.255.0", "169.254.0.0/16"},
		{"224.0.0.1", "255.255.255.0", "224.0.0.0"},
		{"255.255.255.1", "255.255.255.0", "224.0.0.0"},
		{"128.0.0.1", "128.0.0.0", "169.254.0.0/16"},
	} {
		_, err := subnet.Parse(c.gateway, c.netmask, "", "")
		want := "gateway " + c.gateway + " with netmask " + c.netmask + " can't be a guest network's: " + c.want + " "
		if !fault.Is(err, fault.Invalid) || !strings.HasPrefix(err.Error(), want) {
			t.Errorf("%v, want %s…", err, want)
		}
	}
}
