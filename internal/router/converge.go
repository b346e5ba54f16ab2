package router

import (
	"context"
	"time"

	"github.com/virga-cloud/virga/internal/alert"
	"github.com/virga-cloud/virga/internal/db"
	"github.com/virga-cloud/virga/internal/fault"
	"github.com/virga-cloud/virga/internal/hypervisor"
	"github.com/virga-cloud/virga/internal/network"
	"github.com/virga-cloud/virga/internal/op"
	"github.com/virga-cloud/virga/uid"
)

// worker gives one router its documents, one after the other, as long as there are newer ones.
type worker struct {
	again bool // it was woken since it began with the present one
}

// Start lets the service give routers their documents when it is woken, until the function that it gives is called.
func (s *Service) Start(ctx context.Context) (stop func()) {
	ctx, cancel := context.WithCancel(context.WithoutCancel(ctx))
	s.mu.Lock()
	s.ctx = ctx
	s.mu.Unlock()
	return func() {
		cancel()
		s.mu.Lock()
		s.ctx = nil
		s.mu.Unlock()
		s.work.Wait()
	}
}

// wake begins to give a router its newest document, or has its worker look once more, and tells whether there are workers at all.
func (s *Service) wake(id uid.Router) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.ctx == nil {
		return false
	}
	if w := s.workers[id]; w != nil {
		w.again = true
		return true
	}
	w, ctx := &worker{}, s.ctx
	s.workers[id] = w
	s.work.Go(func() { s.run(ctx, id, w) })
	return true
}

const (
	// rest is how much longer than giving a document took its worker rests before the next one: what changes meanwhile is in that one
	// document, so that a network of thousands of guests costs a part of a processor, however fast they come and go.
	rest = 9
	// longestRest bounds that, and how long after a failure a router is tried again.
	longestRest = 5 * time.Second
	firstRetry  = 100 * time.Millisecond
	// patience is how many failures in a row are worth an alert.
	patience = 4
	// answer is how long a host may take for a document.
	answer = time.Minute
)

func (s *Service) run(ctx context.Context, id uid.Router, w *worker) {
	for failures := 0; ; {
		s.mu.Lock()
		w.again = false
		s.mu.Unlock()
		began := s.db.Now()
		err := s.inTurn(ctx, id)
		pause := min(rest*s.db.Now().Sub(began), longestRest)
		if err != nil {
			pause = min(firstRetry<<min(failures, 10), longestRest)
			failures++
			s.complain(ctx, id, failures, err)
		} else {
			failures = 0
		}
		s.mu.Lock()
		done := ctx.Err() != nil || err == nil && !w.again
		if done {
			delete(s.workers, id)
		}
		s.mu.Unlock()
		if done {
			return
		}
		t := time.NewTimer(max(pause, 0))
		select {
		case <-t.C:
		case <-ctx.Done():
			t.Stop()
		}
	}
}

// inTurn gives a router its newest document when a slot is free.
func (s *Service) inTurn(ctx context.Context, id uid.Router) error {
	select {
	case s.slots <- struct{}{}:
		defer func() { <-s.slots }()
		return s.apply(ctx, id)
	case <-ctx.Done():
		return ctx.Err()
	}
}

// complain records that a router could not be given its document, with an alert when that has gone on for long.
func (s *Service) complain(ctx context.Context, id uid.Router, failures int, cause error) {
	if ctx.Err() != nil || failures != 1 && failures != patience {
		return
	}
	s.log.Warn("a virtual router can't be given its document", "router", id, "failures", failures, "error", cause)
	err := s.db.Write(ctx, func(ctx context.Context, tx db.Tx) error {
		if err := setProblem(ctx, tx, id, cause.Error()); err != nil || failures < patience {
			return err
		}
		return alert.Raise(ctx, tx, alert.Router, string(id), "virtual router %s can't be given its configuration: %v", id, cause)
	})
	if err != nil && ctx.Err() == nil {
		s.log.Error("can't record that", "router", id, "error", err)
	}
}

// apply gives a router its newest document, if it has not got it yet, and is to do its work.
func (s *Service) apply(ctx context.Context, id uid.Router) error {
	r, err := find(ctx, s.db.Read(), id)
	if fault.Is(err, fault.NotFound) {
		return nil
	}
	if err != nil || !r.Removed.IsZero() || !r.State.wanted() {
		return err
	}
	networks, err := network.ByID(ctx, s.db.Read(), []uid.Network{r.Network})
	if n := networks[r.Network]; err != nil || n.State == network.Destroyed || !n.Removed.IsZero() {
		return err
	} else if r.Applied >= n.Revision {
		s.publish(r.Network, r.Applied)
		return nil
	}
	doc, err := s.Desired(ctx, s.db.Read(), r)
	if err != nil {
		return err
	}
	return s.give(ctx, r, doc)
}

func (s *Service) give(ctx context.Context, r Router, doc hypervisor.Router) error {
	driver, err := s.networker(r.Hypervisor)
	if err != nil {
		return err
	}
	within, cancel := context.WithTimeout(ctx, answer)
	err = driver.ApplyRouter(within, r.Host, doc)
	cancel()
	if err != nil {
		return err
	}
	ctx = context.WithoutCancel(ctx) // it is there now, and that is to be known
	still := false
	err = s.db.Write(ctx, func(ctx context.Context, tx db.Tx) (err error) {
		if still, err = setApplied(ctx, tx, r, doc.Version); err != nil || r.Problem == "" {
			return err
		}
		return alert.Resolve(ctx, tx, alert.Router, string(r.ID))
	})
	if err != nil {
		return err
	}
	if still {
		s.publish(r.Network, doc.Version)
		return nil
	}
	// Meanwhile it was stopped, moved or removed, by who may have come before the document.
	now, err := find(ctx, s.db.Read(), r.ID)
	if err != nil {
		return err
	}
	if now.State.wanted() && now.Host == r.Host && now.Removed.IsZero() { // another server was faster
		s.publish(r.Network, now.Applied)
		return nil
	}
	return driver.DropRouter(ctx, r.Host, r.ID)
}

// networker is the driver of hosts that run routers.
func (s *Service) networker(name string) (hypervisor.Networker, error) {
	driver, err := s.hosts.Driver(name)
	if err != nil {
		return nil, err
	}
	n, ok := driver.(hypervisor.Networker)
	if !ok {
		return nil, fault.Conflictf("hosts of hypervisor %s run no virtual routers", name)
	}
	return n, nil
}

// drop ends a router on its host.
func (s *Service) drop(ctx context.Context, r Router) error {
	driver, err := s.networker(r.Hypervisor)
	if err != nil {
		return err
	}
	return driver.DropRouter(ctx, r.Host, r.ID)
}

// publish tells those who wait for it how far a network's router has come.
func (s *Service) publish(id uid.Network, version int64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if p := s.progress[id]; p != nil {
		p.version = version
		close(p.made)
		delete(s.progress, id)
	}
}

// progress is what those who wait for a network's router share, until it has come further.
type progress struct {
	made    chan struct{}
	version int64 // once made is closed
}

func (s *Service) watch(id uid.Network) *progress {
	s.mu.Lock()
	defer s.mu.Unlock()
	p := s.progress[id]
	if p == nil {
		p = &progress{made: make(chan struct{})}
		s.progress[id] = p
	}
	return p
}

// Wake begins to give a network's router its newest document, for who does not wait for that.
func (s *Service) Wake(ctx context.Context, id uid.Network) {
	if r, err := ofNetwork(ctx, s.db.Read(), id); err == nil && r.ID != "" {
		s.wake(r.ID) // where nobody works the keeper will see it
	}
}

// lookAgain is how long [Service.Reached] waits for a router at most.
const lookAgain = time.Second

// enough is how long a machine waits for a router that is doing well.
const enough = 100 * time.Millisecond

// Announced is [Service.Reached] for machines that are about to start. Where machines come faster than a large network's documents
// it does not insist: a router that has got its last document, and is being given the next one, knows the machine by the time that
// the machine has booted and asks.
func (s *Service) Announced(ctx context.Context, q db.Tx, want map[uid.Network]int64) (bool, error) {
	return s.reachAll(ctx, q, want, enough)
}

// Reached tells whether the routers of some networks have got documents of at least these revisions: those that are to do their work.
// It wakes those that have not, and waits a moment for them, so that most operations need not look again.
func (s *Service) Reached(ctx context.Context, q db.Tx, want map[uid.Network]int64) (bool, error) {
	return s.reachAll(ctx, q, want, 0)
}

// reachAll waits for the routers of some networks; insisting, if patience is 0, and else only for so long on those that do well.
func (s *Service) reachAll(ctx context.Context, q db.Tx, want map[uid.Network]int64, patience time.Duration) (bool, error) {
	timeout, stop := context.WithTimeout(ctx, lookAgain)
	defer stop()
	var soon <-chan struct{}
	if patience > 0 {
		short, stop := context.WithTimeout(timeout, patience)
		defer stop()
		soon = short.Done()
	}
	for id, revision := range want {
		if ok, err := s.reach(ctx, waiting{timeout.Done(), soon}, q, id, revision); err != nil || !ok {
			return false, err
		}
	}
	return true, nil
}

// waiting is for how long somebody waits: until the first is closed for all routers, until the second for those that do well.
type waiting struct{ whatever, well <-chan struct{} }

func (s *Service) reach(ctx context.Context, w waiting, q db.Tx, id uid.Network, revision int64) (bool, error) {
	for p := s.watch(id); ; p = s.watch(id) { // before it is asked for, so that nothing is missed
		r, err := ofNetwork(ctx, q, id)
		if err != nil {
			return false, err
		}
		if r.ID == "" || !r.State.wanted() || r.Applied >= revision {
			return true, nil
		}
		if !s.wake(r.ID) { // nobody works here but who waits
			return false, again(s.apply(ctx, r.ID))
		}
		well := w.well
		if r.Applied == 0 || r.Problem != "" {
			well = nil
		}
		select {
		case <-p.made:
			if p.version >= revision {
				return true, nil
			}
		case <-well:
			return true, nil
		case <-w.whatever:
			return false, ctx.Err()
		}
	}
}

// again makes a host that does not answer worth another try.
func again(err error) error {
	if fault.Is(err, fault.Unavailable) {
		return op.Retry(err)
	}
	return err
}
