package apilimit

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/virga-cloud/virga/internal/auth"
	"github.com/virga-cloud/virga/internal/db"
	"github.com/virga-cloud/virga/internal/event"
	"github.com/virga-cloud/virga/internal/fault"
	"github.com/virga-cloud/virga/internal/setting"
	"github.com/virga-cloud/virga/uid"
)

// Service counts requests. All methods may be called concurrently; those of nil let everything through.
type Service struct {
	db       *db.DB
	settings *setting.Settings
	servers  func(ctx context.Context, q db.Tx) (int, error)

	known   atomic.Int64 // how many servers there are; 0 where that was not asked yet
	loading sync.Mutex
	resets  map[uid.Account]int64 // how often each account's count was reset, as it was read last; "" for all at once

	mu     sync.Mutex
	counts map[uid.Account]*count
	swept  int64 // the window in which old counts were last dropped
}

// count is what an account has done on this server in one window.
type count struct {
	mu       sync.Mutex
	window   int64
	issued   int64 // requests
	admitted int64 // of these
	drawn    int64 // taken from what all servers share
	empty    int64 // how much was shared when nothing was left of it; 0: there may be something
}

// New makes a service. servers says how many servers share the database.
func New(d *db.DB, s *setting.Settings, servers func(ctx context.Context, q db.Tx) (int, error)) *Service {
	return &Service{db: d, settings: s, servers: servers, counts: map[uid.Account]*count{}, resets: map[uid.Account]int64{}}
}

// On tells whether requests are counted.
func (s *Service) On() bool { return s != nil && setting.ThrottlingEnabled.Of(s.settings) }

// plan is how one window's requests of an account are divided among servers.
type plan struct {
	window int64 // when it began, in milliseconds since 1970
	ends   time.Time
	most   int64 // requests of an account
	own    int64 // of these each server's own
	shared int64 // what they take from the row in the database
	block  int64 // at a time
}

// own parts are a quarter of the whole: an account that uses one server only has three quarters of it at least.
const ownPart = 4

// blocks are how often at most something is taken from what is shared.
const blocks = 8

// plan is the present one. Windows begin at multiples of their length, so that servers agree about them.
func (s *Service) plan() plan {
	now, length := s.db.Now(), setting.ThrottlingInterval.Of(s.settings)
	begin := now.Truncate(length)
	p := plan{window: begin.UnixMilli(), ends: begin.Add(length), most: setting.ThrottlingMax.Of(s.settings)}
	n := s.known.Load()
	if n <= 1 {
		p.own = p.most
		return p
	}
	p.own = p.most / (ownPart * n)
	p.shared = p.most - n*p.own
	p.block = (p.shared + blocks - 1) / blocks
	return p
}

// Admit counts a request. It gives how long its caller has to wait where the account has had too many, and 0 where it is let
// through. Root admins are not counted.
func (s *Service) Admit(ctx context.Context, c auth.Caller) (wait time.Duration, err error) {
	if !s.On() || c.IsRoot() || c.IsNobody() {
		return 0, nil
	}
	if err := s.ready(ctx); err != nil {
		return 0, err
	}
	k := s.count(c.Account)
	k.mu.Lock()
	defer k.mu.Unlock()
	p := s.plan()
	k.begin(p)
	k.issued++
	if k.admitted >= p.own+k.drawn && k.empty < p.shared {
		if err := s.draw(ctx, c.Account, k, p); err != nil {
			return 0, err
		}
	}
	if k.admitted >= p.own+k.drawn {
		return max(p.ends.Sub(s.db.Now()), time.Millisecond), nil
	}
	k.admitted++
	return 0, nil
}

// draw takes a block of what all servers share.
func (s *Service) draw(ctx context.Context, account uid.Account, k *count, p plan) error {
	var got int64
	err := s.db.Write(ctx, func(ctx context.Context, tx db.Tx) (err error) {
		got, err = take(ctx, tx, account, p)
		return err
	})
	if err != nil {
		return fmt.Errorf("count a request of account %s: %w", account, err)
	}
	k.drawn += got
	if got == 0 {
		k.empty = p.shared
	}
	return nil
}

// begin forgets what was in another window.
func (k *count) begin(p plan) {
	if k.window != p.window {
		k.window, k.issued, k.admitted, k.drawn, k.empty = p.window, 0, 0, 0, 0
	}
}

// count finds an account's count, or makes one and room for it.
func (s *Service) count(account uid.Account) *count {
	s.mu.Lock()
	defer s.mu.Unlock()
	k := s.counts[account]
	if k != nil {
		return k
	}
	s.makeRoom(s.plan().window)
	k = &count{}
	s.counts[account] = k
	return k
}

// makeRoom drops the counts of windows that are over, once a window, and whoever comes up where that is not enough.
func (s *Service) makeRoom(window int64) {
	room := int(setting.ThrottlingCache.Of(s.settings))
	if len(s.counts) < room {
		return
	}
	if s.swept != window {
		s.swept = window
		for account, k := range s.counts {
			if k.mu.TryLock() { // who is at work counts in this window
				if k.window != window {
					delete(s.counts, account)
				}
				k.mu.Unlock()
			}
		}
	}
	for account := range s.counts {
		if len(s.counts) < room {
			return
		}
		delete(s.counts, account)
	}
}

// Status is how an account stands in the present window.
type Status struct {
	Issued  int64 // requests so far
	Allowed int64 // how many more are let through
	Left    time.Duration
}

// Of gives how the caller's account stands. With several servers Issued has what was refused here, and of what others let through
// what they took from the shared part; Allowed is what this server can still let through.
func (s *Service) Of(ctx context.Context, c auth.Caller) (Status, error) {
	if err := s.ready(ctx); err != nil {
		return Status{}, err
	}
	k := s.count(c.Account)
	k.mu.Lock()
	defer k.mu.Unlock()
	p := s.plan()
	k.begin(p)
	var taken int64
	if p.shared > 0 {
		var err error
		if taken, err = takenOf(ctx, s.db.Read(), c.Account, p.window); err != nil {
			return Status{}, err
		}
	}
	return Status{
		Issued: k.issued + max(taken-k.drawn, 0), Allowed: max(p.own+k.drawn-k.admitted, 0) + max(p.shared-taken, 0),
		Left: p.ends.Sub(s.db.Now()),
	}, nil
}

// Reset lets an account, or with "" all of them, begin anew: on this server at once, on others when they have loaded it.
func (s *Service) Reset(ctx context.Context, account uid.Account) error {
	if !auth.From(ctx).IsRoot() {
		return fault.Deniedf("only root admins may reset what is counted")
	}
	err := s.db.Write(ctx, func(ctx context.Context, tx db.Tx) error {
		text := "the requests of all accounts are counted anew"
		if account != "" {
			there, err := db.Exists(ctx, tx, "accounts", string(account))
			if err != nil {
				return err
			}
			if !there {
				return fault.Missing(account)
			}
			text = fmt.Sprintf("the requests of account %s are counted anew", account)
		}
		if err := reset(ctx, tx, account); err != nil {
			return fmt.Errorf("reset the count of requests: %w", err)
		}
		_, err := event.Write(ctx, tx, event.Event{Type: event.APILimitReset, Description: text})
		return err
	})
	if err != nil {
		return err
	}
	s.forget(account)
	return s.Load(ctx)
}

func (s *Service) forget(account uid.Account) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if account == "" {
		clear(s.counts)
	}
	delete(s.counts, account)
}

// ready makes sure that it is known how many servers there are.
func (s *Service) ready(ctx context.Context) error {
	if s.known.Load() > 0 {
		return nil
	}
	return s.Load(ctx)
}

// Load reads how many servers there are, and what was reset by others. While nothing is counted it does nothing.
func (s *Service) Load(ctx context.Context) error {
	if !s.On() {
		s.known.Store(0)
		return nil
	}
	s.loading.Lock()
	defer s.loading.Unlock()
	n, err := s.servers(ctx, s.db.Read())
	if err != nil {
		return fmt.Errorf("count the servers: %w", err)
	}
	resets, err := readResets(ctx, s.db.Read())
	if err != nil {
		return fmt.Errorf("load what was reset: %w", err)
	}
	for account, times := range resets {
		if s.resets[account] != times {
			s.forget(account)
		}
	}
	s.resets = resets
	s.known.Store(int64(max(n, 1)))
	return nil
}

// Start goes on loading every so often, in the background, until the function that it gives is called.
func (s *Service) Start(ctx context.Context, every time.Duration, failed func(error)) (stop func(), err error) {
	return db.Follow(ctx, every, s.Load, failed)
}
