package host

import (
	"context"
	"fmt"
	"maps"
	"time"

	"github.com/virga-cloud/virga/internal/alert"
	"github.com/virga-cloud/virga/internal/crew"
	"github.com/virga-cloud/virga/internal/db"
	"github.com/virga-cloud/virga/internal/event"
	"github.com/virga-cloud/virga/internal/fault"
	"github.com/virga-cloud/virga/internal/hypervisor"
	"github.com/virga-cloud/virga/internal/setting"
	"github.com/virga-cloud/virga/uid"
)

// A health round asks this many hosts at a time, in pages of this size.
const (
	probes   = 32
	pageSize = 1000
)

// early is the period in which a keeper looks whether a round is due.
const early = 5 * time.Second

// seenEvery is how old a host's last_seen becomes before it is written again: a probe must not cost a write each.
const seenEvery = time.Minute

// CheckHealth asks every host whether it is there, and records those whose answer changed. A host that was Up and does not
// answer becomes Alert, and Down when it has not for as long as the settings say; one that answers again is Up. It is a
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
	outcomes, err := s.probeAll(ctx, hosts)
	if err != nil {
		return err
	}
	var seen []uid.Host // and to be noted
	for i, h := range hosts {
		if err := s.note(ctx, h, outcomes[i]); err != nil {
			return err
		}
		if outcomes[i] == nil && s.db.Now().Sub(h.LastSeen) >= seenEvery {
			seen = append(seen, h.ID)
		}
	}
	if len(seen) == 0 {
		return nil
	}
	return s.db.Write(ctx, func(ctx context.Context, tx db.Tx) error { return setSeen(ctx, tx, seen) })
}

// probeAll gives what came of asking each of some hosts, nil for those that answer; so many are asked at a time. Those that their
// driver knows to answer are not asked.
func (s *Service) probeAll(ctx context.Context, hosts []Host) ([]error, error) {
	known, err := s.answering(ctx, hosts)
	if err != nil {
		return nil, err
	}
	outcomes := make([]error, len(hosts))
	var ask []int
	for i, h := range hosts {
		if !known[h.ID] {
			ask = append(ask, i)
		}
	}
	err = crew.Each(ctx, len(ask), probes, func(i int) { outcomes[ask[i]] = s.askHost(ctx, hosts[ask[i]]) })
	return outcomes, err
}

// answering gives the hosts, of some, that their drivers know to answer.
func (s *Service) answering(ctx context.Context, hosts []Host) (map[uid.Host]bool, error) {
	of := map[string][]uid.Host{}
	for _, h := range hosts {
		of[h.Hypervisor] = append(of[h.Hypervisor], h.ID)
	}
	known := map[uid.Host]bool{}
	for name, ids := range of {
		driver, err := s.drivers.Find(name)
		watcher, ok := driver.(hypervisor.Watcher)
		if err != nil || !ok {
			continue
		}
		some, err := watcher.Answering(ctx, ids)
		if err != nil {
			return nil, fmt.Errorf("look which hosts answer: %w", err)
		}
		maps.Copy(known, some)
	}
	return known, nil
}

func (s *Service) askHost(ctx context.Context, h Host) error {
	driver, err := s.drivers.Find(h.Hypervisor)
	if err == nil {
		_, err = driver.Probe(ctx, h.ID)
	}
	return err
}

// note records what came of asking a host, where that changes its state.
func (s *Service) note(ctx context.Context, h Host, outcome error) error {
	next := h.State.after(outcome, s.db.Now().Sub(h.Lost) >= s.patience())
	if next == h.State {
		return nil
	}
	return s.db.Write(ctx, func(ctx context.Context, tx db.Tx) error {
		changed, err := setState(ctx, tx, h.ID, h.State, next)
		if err != nil || !changed {
			return err
		}
		e := event.Event{Type: event.HostUp, Description: fmt.Sprintf("host %s is %s, was %s", h.Name, next, h.State), ResourceID: string(h.ID)}
		if outcome != nil {
			e.Type, e.Level, e.Description = event.HostDown, event.Warn, e.Description+": "+outcome.Error()
		}
		if _, err := event.Write(ctx, tx, e); err != nil {
			return err
		}
		if outcome == nil {
			return alert.Resolve(ctx, tx, alert.Host, string(h.ID))
		}
		return alert.Raise(ctx, tx, alert.Host, string(h.ID), "host %s (%s) does not answer: %v", h.Name, h.IPAddress, outcome)
	})
}

// patience is for how long after the first look that a host did not answer it is not Down yet. Before that look it was silent for up
// to one interval. Rounds may come half a look early.
func (s *Service) patience() time.Duration {
	interval := setting.PingInterval.Of(s.settings)
	return time.Duration((setting.PingTimeout.Of(s.settings)-1)*float64(interval)) - min(interval, early)/2
}

// after is the state that follows a probe with this outcome; long tells whether the host has been silent for too long.
func (s State) after(probe error, long bool) State {
	switch {
	case probe == nil:
		return Up
	case !fault.Is(probe, fault.Unavailable):
		return s // the driver is at fault and not the host
	case s == Up || s == Connecting:
		return Alert
	case s == Alert && !long:
		return Alert
	default:
		return Down
	}
}
