package ldap

import (
	"strings"
	"sync"
	"time"

	"github.com/virga-cloud/virga/internal/auth"
	"github.com/virga-cloud/virga/internal/setting"
	"github.com/virga-cloud/virga/uid"
)

// guesses counts wrong passwords of people who are no users here by the name that was given: they have not come yet, or the directory
// finds them by that name, too, in other letters for instance. It is in memory: servers count for themselves. Users are counted in the
// database.
type guesses struct {
	now      func() time.Time
	settings *setting.Settings

	mu sync.Mutex
	of map[person]tries
}

type person struct {
	domain uid.Domain
	dn     string
}

type tries struct {
	failed int
	until  time.Time
}

// mostGuessed is of how many people wrong passwords are counted at once.
const mostGuessed = 10_000

func newGuesses(now func() time.Time, settings *setting.Settings) *guesses {
	return &guesses{now: now, settings: settings, of: map[person]tries{}}
}

// begin counts a try as failed until right says otherwise, and tells whether it may go on.
func (g *guesses) begin(domain uid.Domain, dn string) (right func(), ok bool) {
	attempts := int(setting.LoginAttempts.Of(g.settings))
	if attempts <= 0 {
		return func() {}, true
	}
	p := person{domain, strings.ToLower(dn)}
	now := g.now()
	g.mu.Lock()
	defer g.mu.Unlock()
	t := g.of[p]
	if t.until.After(now) {
		return nil, false
	}
	if t.failed++; t.failed%attempts == 0 {
		t.until = now.Add(auth.LockTime(setting.LoginLock.Of(g.settings), setting.LongestLock.Of(g.settings), t.failed/attempts))
	}
	g.makeRoom(now)
	g.of[p] = t
	return func() {
		g.mu.Lock()
		defer g.mu.Unlock()
		delete(g.of, p)
	}, true
}

// makeRoom keeps the memory bounded: who is not locked out goes first, then whoever comes up.
func (g *guesses) makeRoom(now time.Time) {
	if len(g.of) < mostGuessed {
		return
	}
	for p, t := range g.of {
		if !t.until.After(now) {
			delete(g.of, p)
		}
	}
	for p := range g.of {
		if len(g.of) < mostGuessed {
			return
		}
		delete(g.of, p)
	}
}
