package host

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/virga-cloud/virga/internal/alert"
	"github.com/virga-cloud/virga/internal/db"
	"github.com/virga-cloud/virga/internal/event"
	"github.com/virga-cloud/virga/internal/fault"
	"github.com/virga-cloud/virga/uid"
)

// A health round asks this many hosts at a time, in pages of this size.
const (
	probes   = 32
	pageSize = 1000
)

// seenEvery is how old a host's last_seen becomes before it is written again: a probe must not cost a write each.
const seenEvery = time.Minute

// CheckHealth asks every host whether it is there, and records those whose answer changed. A host that was Up and does not
// answer becomes Alert, and Down when it does not answer in the next round either; one that answers again is Up. It is a
// keeper's work: it may be stopped at any moment and starts from the world as it finds it. When a host that stays Up was last
// seen is written seldom, and for a whole page at once.
func (s *Service) CheckHealth(ctx context.Context) error {
	var last Host
	for {
		hosts, err := page(ctx, s.db.Read(), last.ID, pageSize)
		if err != nil || len(hosts) == 0 {
			return err
		}
		if err := s.checkPage(ctx, hosts); err != nil {
			return err
		}
		last = hosts[len(hosts)-1]
	}
}

func (s *Service) checkPage(ctx context.Context, hosts []Host) error {
	var all sync.WaitGroup
	var mu sync.Mutex
	var first error
	var seen []uid.Host // and to be noted
	free := make(chan struct{}, probes)
	for _, h := range hosts {
		free <- struct{}{}
		all.Go(func() {
			defer func() { <-free }()
			up, err := s.check(ctx, h)
			mu.Lock()
			defer mu.Unlock()
			if err != nil && first == nil {
				first = err
			}
			if up && s.db.Now().Sub(h.LastSeen) >= seenEvery {
				seen = append(seen, h.ID)
			}
		})
	}
	all.Wait()
	if first != nil || len(seen) == 0 {
		return first
	}
	return s.db.Write(ctx, func(ctx context.Context, tx db.Tx) error { return setSeen(ctx, tx, seen) })
}

// check asks one host, records a change, and tells whether it answered.
func (s *Service) check(ctx context.Context, h Host) (up bool, err error) {
	driver, err := s.drivers.Find(h.Hypervisor)
	if err == nil {
		_, err = driver.Probe(ctx, h.ID)
	}
	if ctx.Err() != nil {
		return false, ctx.Err()
	}
	up = err == nil
	next := h.State.after(err)
	if next == h.State {
		return up, nil
	}
	return up, s.db.Write(ctx, func(ctx context.Context, tx db.Tx) error {
		changed, err2 := setState(ctx, tx, h.ID, h.State, next)
		if err2 != nil || !changed {
			return err2
		}
		e := event.Event{Type: event.HostUp, Description: fmt.Sprintf("host %s is %s, was %s", h.Name, next, h.State), ResourceID: string(h.ID)}
		if err != nil {
			e.Type, e.Level, e.Description = event.HostDown, event.Warn, e.Description+": "+err.Error()
		}
		if _, err2 = event.Write(ctx, tx, e); err2 != nil {
			return err2
		}
		if err == nil {
			return alert.Resolve(ctx, tx, alert.Host, string(h.ID))
		}
		return alert.Raise(ctx, tx, alert.Host, string(h.ID), "host %s (%s) does not answer: %v", h.Name, h.IPAddress, err)
	})
}

// after is the state that follows a probe with this outcome.
func (s State) after(probe error) State {
	switch {
	case probe == nil:
		return Up
	case !fault.Is(probe, fault.Unavailable):
		return s // the driver is at fault and not the host
	case s == Up || s == Connecting:
		return Alert
	default:
		return Down
	}
}
