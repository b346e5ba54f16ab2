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

// Start lets the service give routers their documents when it is woken, until the function that it gives is called.
func (s *Service) Start(ctx context.Context) (stop func()) { return s.crew.Start(ctx) }

// Wake begins to give the router of a network, which has one, its newest document, for who does not wait for that.
func (s *Service) Wake(id uid.Network) { s.crew.Wake(Site{Network: id}) } // where nobody works the keeper will see it

const (
	// patience is how many failures in a row are worth an alert.
	patience = 4
	// answer is how long a host may take for a document.
	answer = time.Minute
)

// complain records that a router could not be given its document, with an alert when that has gone on for long.
func (s *Service) complain(ctx context.Context, at Site, failures int, cause error) {
	if failures != 1 && failures != patience {
		return
	}
	s.log.Warn("a virtual router can't be given its document", "network", at.Network, "failures", failures, "error", cause)
	err := s.db.Write(ctx, func(ctx context.Context, tx db.Tx) error {
		r, err := of(ctx, tx, at)
		if err != nil || r.ID == "" {
			return err
		}
		if err := setProblem(ctx, tx, r.ID, cause.Error()); err != nil || failures < patience {
			return err
		}
		return alert.Raise(ctx, tx, alert.Router, string(r.ID), "virtual router %s can't be given its configuration: %v", r.Name, cause)
	})
	if err != nil && ctx.Err() == nil {
		s.log.Error("can't record that", "network", at.Network, "error", err)
	}
}

// apply gives a site's router its newest document, if it has not got it yet, and is to do its work.
func (s *Service) apply(ctx context.Context, at Site) error {
	r, err := of(ctx, s.db.Read(), at)
	if err != nil || r.ID == "" || !r.State.wanted() {
		return err
	}
	networks, err := network.ByID(ctx, s.db.Read(), []uid.Network{r.Network})
	if n := networks[r.Network]; err != nil || n.State == network.Destroyed || !n.Removed.IsZero() {
		return err
	} else if r.Applied >= n.Revision {
		s.crew.Publish(at, r.Applied)
		return nil
	}
	err = s.tell(ctx, r)
	if r.Applied > 0 && fault.Is(err, fault.Conflict) { // its host has lost it, or what it was
		r.Applied = 0
		err = s.tell(ctx, r)
	}
	return err
}

// tell gives a router what it must be now: what has changed, if it has been told before.
func (s *Service) tell(ctx context.Context, r Router) error {
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
		if doc.Since == 0 || len(doc.Gone) > 0 {
			known, err := lateGone(ctx, tx, r, doc.Version)
			if err == nil {
				err = network.ForgetGone(ctx, tx, r.Network, known)
			}
			if err != nil {
				return err
			}
		}
		if still, err = setApplied(ctx, tx, r, doc.Version); err != nil || r.Problem == "" {
			return err
		}
		return alert.Resolve(ctx, tx, alert.Router, string(r.ID))
	})
	if err != nil {
		return err
	}
	if still {
		s.crew.Publish(r.Site(), doc.Version)
		return nil
	}
	// Meanwhile it was stopped, moved or removed, by who may have come before the document.
	now, err := find(ctx, s.db.Read(), r.ID)
	if err != nil {
		return err
	}
	if now.State.wanted() && now.Host == r.Host && now.Removed.IsZero() { // another server was faster
		s.crew.Publish(r.Site(), now.Applied)
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
	s.countLast(ctx, driver, r)
	return driver.DropRouter(ctx, r.Host, r.ID)
}

// lookAgain is how long [Service.Reached] waits for a router at most.
const lookAgain = time.Second

// enough is how long a machine waits for a router that is doing well.
const enough = 100 * time.Millisecond

// Announced is [Service.Reached] for machines that are about to start on a host, and for those routers that serve it. Where machines come
// faster than a large network's documents it does not insist: a router that has got its last document, and is being given the next one,
// knows the machine by the time that the machine has booted and asks.
//
// A network whose router has gone meanwhile, since nothing ran there, gets another one.
func (s *Service) Announced(ctx context.Context, q db.Tx, on uid.Host, want map[uid.Network]int64) (bool, error) {
	timeout, stop := context.WithTimeout(ctx, lookAgain)
	defer stop()
	short, stopShort := context.WithTimeout(timeout, enough)
	defer stopShort()
	for id, revision := range want {
		w := waiting{
			whatever: timeout.Done(), well: short.Done(), at: Site{Network: id},
			find: func() (Router, error) { return serving(ctx, q, id, on) }, make: func() error { return s.make(ctx, id, on) },
		}
		if ok, err := s.reach(ctx, w, revision); err != nil || !ok {
			return false, err
		}
	}
	return true, nil
}

// Reached tells whether the routers of some networks have got documents of at least these revisions: those that are to do their work.
// It wakes those that have not, and waits a moment for them, so that most operations need not look again.
func (s *Service) Reached(ctx context.Context, q db.Tx, want map[uid.Network]int64) (bool, error) {
	sites := map[Site]int64{}
	for id, revision := range want {
		all, err := ofNetwork(ctx, q, id)
		if err != nil {
			return false, err
		}
		for _, r := range all {
			sites[r.Site()] = revision
		}
	}
	return s.reachAll(ctx, q, sites)
}

func (s *Service) reachAll(ctx context.Context, q db.Tx, want map[Site]int64) (bool, error) {
	timeout, stop := context.WithTimeout(ctx, lookAgain)
	defer stop()
	for at, revision := range want {
		w := waiting{whatever: timeout.Done(), at: at, find: func() (Router, error) { return of(ctx, q, at) }}
		if ok, err := s.reach(ctx, w, revision); err != nil || !ok {
			return false, err
		}
	}
	return true, nil
}

// waiting is how long somebody waits for a router: until the first is closed in any case, until the second for one that does well. Who
// has a second is a machine that is about to start, and needs a router: where there is none one is made.
type waiting struct {
	whatever, well <-chan struct{}
	at             Site // which it serves, as far as that is known
	find           func() (Router, error)
	make           func() error
}

func (s *Service) reach(ctx context.Context, w waiting, revision int64) (bool, error) {
	for {
		p := s.crew.Watch(w.at) // before it is asked for, so that nothing is missed
		r, err := w.find()
		if err != nil {
			return false, err
		}
		if r.ID != "" && r.Site() != w.at { // it is a pod's
			w.at = r.Site()
			continue
		}
		switch {
		case w.well != nil && r.State == Stopping:
			return false, nil // then there is none
		case w.well != nil && r.ID == "":
			return false, again(w.make())
		case r.ID == "" || !r.State.wanted() || r.Applied >= revision:
			return true, nil
		}
		if !s.crew.Wake(r.Site()) { // nobody works here but who waits
			return false, again(s.apply(ctx, r.Site()))
		}
		well := w.well
		if r.Applied == 0 || r.Problem != "" {
			well = nil
		}
		select {
		case <-p.Made:
			if p.Version >= revision {
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
