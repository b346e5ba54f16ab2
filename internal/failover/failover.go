package failover

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/virga-cloud/virga/internal/alert"
	"github.com/virga-cloud/virga/internal/auth"
	"github.com/virga-cloud/virga/internal/compute"
	"github.com/virga-cloud/virga/internal/db"
	"github.com/virga-cloud/virga/internal/fault"
	"github.com/virga-cloud/virga/internal/host"
	"github.com/virga-cloud/virga/internal/op"
	"github.com/virga-cloud/virga/uid"
)

// Service looks after machines whose hosts fell silent.
type Service struct {
	db       *db.DB
	engine   *op.Engine
	hosts    *host.Service
	machines *compute.Service

	mu      sync.Mutex // one round at a time
	seen    map[place]sighting
	swept   time.Time                               // when some of the hosts that answer were asked what runs there
	last    uid.Host                                // the last of them; "": the next is the first of all
	asked   map[question]map[uid.Pool]time.Duration // how quiet pools were when a question was first seen
	alerted map[uid.Host]bool                       // whether there is an alert about its machines; absent: not known
}

// New makes a service.
func New(d *db.DB, e *op.Engine, hosts *host.Service, machines *compute.Service) *Service {
	return &Service{
		db: d, engine: e, hosts: hosts, machines: machines,
		seen: map[place]sighting{}, asked: map[question]map[uid.Pool]time.Duration{}, alerted: map[uid.Host]bool{},
	}
}

// Round looks once after silent hosts, hosts that are back, and machines that are to run again. It is a keeper's.
func (s *Service) Round(ctx context.Context) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	ctx = auth.With(ctx, auth.System())
	return errors.Join(s.watch(ctx), s.settle(ctx), s.resume(ctx), s.restart(ctx))
}

// watch looks at the storage of hosts that are silent. The machines of those that are Down are Stopped, once it is proven that they
// have ended.
func (s *Service) watch(ctx context.Context) error {
	silent, err := host.Silent(ctx, s.db.Read())
	if err != nil {
		return err
	}
	s.forgetOthers(silent)
	var failed []error
	for _, h := range silent {
		if err := s.watchOne(ctx, h); err != nil {
			failed = append(failed, fmt.Errorf("look what became of the machines of host %s: %w", h.Name, err))
		}
	}
	return errors.Join(failed...)
}

func (s *Service) watchOne(ctx context.Context, h host.Host) error {
	running, err := s.running(ctx, h.ID) // before the storage is looked at: see [compute.Finding]
	if err != nil {
		return err
	}
	asked, inHand, err := s.inHand(ctx, h.ID)
	if err != nil {
		return err
	}
	p, err := s.look(ctx, h, slices.Concat(running, inHand))
	if err != nil || h.State != host.Down {
		return err
	}
	stay, err := s.answer(ctx, p, asked, inHand)
	if err != nil {
		return err
	}
	for _, vm := range running {
		verdict := p.judge(ctx, vm, false)
		switch {
		case verdict.ended:
			why := fmt.Sprintf("host %s is down, and %s", h.Name, verdict.why)
			if err := s.end(ctx, compute.Finding{VM: vm.ID, Host: h.ID, Version: vm.Version, Why: why}); err != nil {
				return err
			}
		case verdict.why != "":
			stay = append(stay, fmt.Sprintf("%s (%s)", vm.InstanceName, verdict.why))
		}
	}
	return s.tell(ctx, h, stay)
}

// end begins to record that a machine has ended. One that something is being done with has its turn in a later round.
func (s *Service) end(ctx context.Context, f compute.Finding) error {
	_, err := s.machines.Settle(ctx, f)
	if fault.Is(err, fault.Conflict) || fault.Is(err, fault.NotFound) {
		return nil
	}
	return err
}

// running gives the machines that are believed to run on a host.
func (s *Service) running(ctx context.Context, on uid.Host) ([]compute.VM, error) {
	vms, _, err := s.machines.List(ctx, compute.Filter{Scope: auth.Scope{All: true}, Host: on, State: compute.Running})
	return vms, err
}

// few is how many machines an alert names.
const few = 5

// about is what alerts about the machines of a host are about: it may be silent besides.
func about(id uid.Host) string { return "machines of " + string(id) }

// tell keeps the alert of a host of whose machines it is not known what became of them.
func (s *Service) tell(ctx context.Context, h host.Host, stay []string) error {
	if told, known := s.alerted[h.ID]; known && told == (len(stay) > 0) {
		return nil
	}
	err := s.db.Write(ctx, func(ctx context.Context, tx db.Tx) error {
		if len(stay) == 0 {
			return alert.Resolve(ctx, tx, alert.Host, about(h.ID))
		}
		more := ""
		if n := len(stay) - few; n > 0 {
			stay, more = stay[:few], fmt.Sprintf("; and %d more", n)
		}
		return alert.Raise(ctx, tx, alert.Host, about(h.ID), "host %s is down, and its machines are neither stopped nor started elsewhere, "+
			"since they may run on: %s%s", h.Name, strings.Join(stay, "; "), more)
	})
	if err == nil {
		s.alerted[h.ID] = len(stay) > 0
	}
	return err
}

// forgetOthers forgets what was seen of hosts that answer again.
func (s *Service) forgetOthers(silent []host.Host) {
	still := map[uid.Host]bool{}
	for _, h := range silent {
		still[h.ID] = true
	}
	for at := range s.seen {
		if !still[at.host] {
			delete(s.seen, at)
		}
	}
	for q := range s.asked {
		if !still[q.host] {
			delete(s.asked, q)
		}
	}
	for id := range s.alerted {
		if !still[id] {
			delete(s.alerted, id)
		}
	}
}

// Patience of tries to start a machine again: they double from the first to the last.
const (
	busyPause  = time.Second // after a first one that met somebody at work at the machine
	firstPause = 10 * time.Second
	lastPause  = 5 * time.Minute
)
