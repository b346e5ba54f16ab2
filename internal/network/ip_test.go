package network

import (
	"testing"
)

func TestServers(t *testing.T) {
	t.Parallel()
	for text, six := range map[string]bool{"": true, "8.8.8.8": false, "2001:db8::53": true} {
		if err := checkServer("dns", text, six); err != nil {
			t.Error(err)
		}
	}
	for text, six := range map[string]bool{"8.8.8.8": true, "2001:db8::53": false, "::ffff:8.8.8.8": true, "fe80::1%eth0": true, "2001:db8::/64": true} {
		if checkServer("dns", text, six) == nil {
			t.Errorf("%s is taken for a DNS server's address", text)
		}
	}
}
