package front

import (
	"net/netip"
	"sync"
	"time"
)

// throttle limits the failed logins of one address. It is in memory: servers count for themselves, which bounds guesses well
// enough, and the lock of a user's account is counted in the database.
type throttle struct {
	burst float64 // failures that an address may have at once; it gets as many again in a minute. 0 for no limit

	mu   sync.Mutex
	seen map[netip.Prefix]bucket
}

type bucket struct {
	failures float64
	at       time.Time
}

const (
	defaultLoginFailures = 20
	maxAddresses         = 10_000
)

func newThrottle(failures int) *throttle {
	if failures == 0 {
		failures = defaultLoginFailures
	}
	return &throttle{burst: float64(max(failures, 0)), seen: map[netip.Prefix]bucket{}}
}

// begin counts a login as failed until settle says otherwise, so that many at the same time are counted, too. It is not ok
// when the address has failed too often.
func (t *throttle) begin(remote string, now time.Time) (settle func(), ok bool) {
	from, known := addressBlock(remote)
	if t.burst == 0 || !known {
		return func() {}, true
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	b := t.level(from, now)
	if b.failures+1 > t.burst {
		return nil, false
	}
	b.failures++
	t.makeRoom(now)
	t.seen[from] = b
	return func() { t.forgive(from) }, true
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
	b.failures = max(0, b.failures-t.burst*now.Sub(b.at).Minutes())
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
	at, err := netip.ParseAddrPort(remote)
	if err != nil {
		return netip.Prefix{}, false
	}
	ip := at.Addr().Unmap().WithZone("")
	bits := 64
	if ip.Is4() {
		bits = 32
	}
	prefix, err := ip.Prefix(bits)
	return prefix, err == nil
}
