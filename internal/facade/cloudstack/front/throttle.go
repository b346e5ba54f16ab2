package front

import (
	"net/netip"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/virga-cloud/virga/internal/setting"
)

// throttle limits the failures of one address: logins, or signatures. It is in memory: servers count for themselves, which bounds guesses well
// enough, and the lock of a user's account is counted in the database.
type throttle struct {
	most func() int // failures that an address may have at once; it gets as many again in a minute. 0 for no limit

	mu   sync.Mutex
	seen map[netip.Prefix]bucket
}

type bucket struct {
	failures float64
	at       time.Time
}

const maxAddresses = 10_000

func newThrottle(most func() int) *throttle {
	return &throttle{most: most, seen: map[netip.Prefix]bucket{}}
}

func (t *throttle) burst() float64 { return float64(max(t.most(), 0)) }

// begin counts a try as failed until settle says otherwise, so that many at the same time are counted, too. Where the address has
// failed too often it tells how long to wait.
func (t *throttle) begin(remote string, now time.Time) (settle func(), wait time.Duration) {
	from, known := addressBlock(remote)
	burst := t.burst()
	if burst == 0 || !known {
		return func() {}, 0
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	b := t.level(from, now)
	if over := b.failures + 1 - burst; over > 0 {
		return nil, max(time.Duration(over/burst*float64(time.Minute)), time.Millisecond)
	}
	b.failures++
	t.makeRoom(now)
	t.seen[from] = b
	return func() { t.forgive(from) }, 0
}

func (t *throttle) forgive(from netip.Prefix) {
	t.mu.Lock()
	defer t.mu.Unlock()
	b := t.seen[from]
	if b.failures--; b.failures <= 0 {
		delete(t.seen, from)
		return
	}
	t.seen[from] = b
}

// level is what an address's failures amount to by now.
func (t *throttle) level(from netip.Prefix, now time.Time) bucket {
	b := t.seen[from]
	b.failures = max(0, b.failures-t.burst()*now.Sub(b.at).Minutes())
	b.at = now
	return b
}

// makeRoom keeps the memory bounded: what has been forgiven by time goes first, then whoever comes up.
func (t *throttle) makeRoom(now time.Time) {
	if len(t.seen) < maxAddresses {
		return
	}
	for from := range t.seen {
		if t.level(from, now).failures == 0 {
			delete(t.seen, from)
		}
	}
	for from := range t.seen {
		if len(t.seen) < maxAddresses {
			return
		}
		delete(t.seen, from)
	}
}

// addressBlock is whom an address belongs to: one host, or in IPv6 the /64 that a host may choose its addresses from.
func addressBlock(remote string) (netip.Prefix, bool) {
	ip, known := addressOf(remote)
	if !known {
		return netip.Prefix{}, false
	}
	bits := 64
	if ip.Is4() {
		bits = 32
	}
	prefix, err := ip.Prefix(bits)
	return prefix, err == nil
}

// addressOf reads an address with a port or without.
func addressOf(text string) (netip.Addr, bool) {
	text = strings.TrimSpace(text)
	if at, err := netip.ParseAddrPort(text); err == nil {
		return at.Addr().Unmap().WithZone(""), true
	}
	ip, err := netip.ParseAddr(strings.Trim(text, "[]"))
	return ip.Unmap().WithZone(""), err == nil
}

// remote is where a request comes from. Behind a proxy that is believed it is what the proxy says, and so on from proxy to proxy: the
// last one in X-Forwarded-For that is none of them. What stands before it anybody may have written there.
func (c *call) remote() string {
	if !setting.ProxyVerify.Of(c.front.settings) {
		return c.r.RemoteAddr
	}
	proxies, _ := setting.Networks(setting.ProxyCIDR.Of(c.front.settings)) // checked when it was set
	from := c.r.RemoteAddr
	said := strings.Split(strings.Join(c.r.Header.Values("X-Forwarded-For"), ","), ",")
	for _, before := range slices.Backward(said) {
		ip, known := addressOf(from)
		next, ok := addressOf(before)
		if !known || !ok || !slices.ContainsFunc(proxies, func(p netip.Prefix) bool { return p.Contains(ip) }) {
			break
		}
		from = next.String()
	}
	return from
}
