package front

import (
	"fmt"
	"net/http"
	"testing"
	"time"

	"github.com/virga-cloud/virga/internal/setting"
)

func TestTheThrottleForgivesAndForgets(t *testing.T) {
	t.Parallel()
	now := time.Unix(1_800_000_000, 0)
	th := newThrottle(func() int { return 3 })
	try := func(remote string) bool { _, wait := th.begin(remote, now); return wait == 0 }
	for i := range 4 {
		if got := try("192.0.2.1:1000"); got != (i < 3) {
			t.Errorf("try %d: %v", i, got)
		}
	}
	if !try("192.0.2.2:1") {
		t.Error("another address suffers")
	}
	now = now.Add(20 * time.Second) // a third of a minute gives one of three back
	if !try("192.0.2.1:2") || try("192.0.2.1:3") {
		t.Error("it isn't forgiven one by one")
	}
	for i := range 4 { // one machine has as many addresses as it likes
		if got := try(fmt.Sprintf("[2001:db8::%d]:1", i)); got != (i < 3) {
			t.Errorf("IPv6 try %d: %v", i, got)
		}
	}
	if settle, wait := th.begin("[::ffff:192.0.2.2]:1", now); wait > 0 {
		t.Error("a second try from there")
	} else {
		settle()
	}
	if free := newThrottle(func() int { return -1 }); free.burst() != 0 {
		t.Error("less than 0 is no limit")
	}
	for i := range maxAddresses + 10 {
		try(fmt.Sprintf("10.%d.%d.%d:1", i>>16, i>>8&255, i&255))
	}
	if len(th.seen) > maxAddresses {
		t.Errorf("%d addresses in memory", len(th.seen))
	}
}

// What is written into X-Forwarded-For counts only as far as proxies that are believed have written it.
func TestWhereARequestComesFrom(t *testing.T) {
	t.Parallel()
	behind := setting.New(nil, nil, setting.ProxyVerify.Initially(true), setting.ProxyCIDR.Initially("10.0.0.0/8, 2001:db8::/32,"))
	off := setting.New(nil, nil, setting.ProxyCIDR.Initially("10.0.0.0/8"))
	for _, c := range []struct {
		settings *setting.Settings
		peer     string
		said     []string
		want     string
	}{
		{behind, "192.0.2.1:1", []string{"198.51.100.1"}, "192.0.2.1:1"},
		{behind, "10.0.0.1:1", nil, "10.0.0.1:1"},
		{behind, "10.0.0.1:1", []string{"198.51.100.1"}, "198.51.100.1"},
		{behind, "10.0.0.1:1", []string{"203.0.113.9, 198.51.100.1"}, "198.51.100.1"},
		{behind, "10.0.0.1:1", []string{"203.0.113.9", "198.51.100.1,10.0.0.2"}, "198.51.100.1"},
		{behind, "10.0.0.1:1", []string{"10.0.0.3, 10.0.0.2"}, "10.0.0.3"},
		{behind, "10.0.0.1:1", []string{"198.51.100.1:4711"}, "198.51.100.1"},
		{behind, "[2001:db8::1]:1", []string{"[2001:db9::1]:80"}, "2001:db9::1"},
		{behind, "10.0.0.1:1", []string{"198.51.100.1, nonsense"}, "10.0.0.1:1"},
		{behind, "10.0.0.1:1", []string{"nonsense, 10.0.0.2"}, "10.0.0.2"},
		{behind, "[::ffff:10.0.0.1]:1", []string{"198.51.100.1"}, "198.51.100.1"},
		{off, "10.0.0.1:1", []string{"198.51.100.1"}, "10.0.0.1:1"},
		{nil, "10.0.0.1:1", []string{"198.51.100.1"}, "10.0.0.1:1"},
	} {
		r := &http.Request{RemoteAddr: c.peer, Header: http.Header{"X-Forwarded-For": c.said}}
		if got := (&call{front: &Front{settings: c.settings}, r: r}).remote(); got != c.want {
			t.Errorf("%s, %q: %s, want %s", c.peer, c.said, got, c.want)
		}
	}
}

// FuzzRemote wants nothing that comes from an address that is no proxy to be taken for another one's.
func FuzzRemote(f *testing.F) {
	f.Add("192.0.2.1:1", "198.51.100.1, 10.0.0.1")
	f.Add("10.0.0.1:1", ",,[::1%eth0]:x")
	settings := setting.New(nil, nil, setting.ProxyVerify.Initially(true), setting.ProxyCIDR.Initially("10.0.0.0/8"))
	f.Fuzz(func(t *testing.T, peer, said string) {
		r := &http.Request{RemoteAddr: peer, Header: http.Header{"X-Forwarded-For": {said}}}
		got := (&call{front: &Front{settings: settings}, r: r}).remote()
		if ip, ok := addressOf(peer); (!ok || ip.Is6() || ip.As4()[0] != 10) && got != peer {
			t.Errorf("%q with %q is %q", peer, said, got)
		}
		if _, ok := addressOf(got); !ok && got != peer {
			t.Errorf("%q with %q is %q", peer, said, got)
		}
	})
}
