package op

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/virga-cloud/virga/internal/db"
	"github.com/virga-cloud/virga/internal/once"
	"github.com/virga-cloud/virga/uid"
)

// Options say how an engine works. Name is required where several servers share a database.
type Options struct {
	// Name is the server's own and stays over restarts; at its start it takes over what its earlier self left.
	Name string
	// Workers is how many operations have a step running at the same time.
	Workers int
	// Lease is how long a silent server counts as alive.
	Lease time.Duration
	// Poll is how often the table is asked for work that came from elsewhere or whose time has come.
	Poll time.Duration
	// Pause is the first pause before a step is tried again or a condition asked again; it doubles up to 10 s.
	Pause time.Duration
	Log   *slog.Logger
	// Finished is called in the transaction that ends an operation, for events.
	Finished func(ctx context.Context, tx db.Tx, r Record) error
	// Fault is where tests make accidents happen; see [Point].
	Fault func(Point) error
}

// Engine runs operations. Plans are registered, then it is started.
type Engine struct {
	db       *db.DB
	name     string
	lease    time.Duration
	poll     time.Duration
	pause    time.Duration
	log      *slog.Logger
	finished func(context.Context, db.Tx, Record) error
	fault    func(Point) error

	plans map[string]*plan
	slots chan struct{} // one per running operation
	wake  chan struct{} // asks for a claim now
	work  sync.WaitGroup

	mu      sync.Mutex
	id      string // of this server's present life
	ctx     context.Context
	cancel  context.CancelCauseFunc
	running map[ID]*run
	waiting map[ID][]chan Record
	queued  map[Key]bool // things for which this server has queued operations
	crashed bool
}

// NewEngine makes an engine that is not started yet.
func NewEngine(d *db.DB, o Options) *Engine {
	def(&o.Workers, 256)
	def(&o.Lease, 5*time.Second)
	def(&o.Poll, 200*time.Millisecond)
	def(&o.Pause, 100*time.Millisecond)
	def(&o.Name, "virga")
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	return &Engine{
		db: d, name: o.Name, lease: o.Lease, poll: o.Poll, pause: o.Pause, log: o.Log, finished: o.Finished, fault: o.Fault,
		plans: map[string]*plan{}, slots: make(chan struct{}, o.Workers), wake: make(chan struct{}, 1),
		running: map[ID]*run{}, waiting: map[ID][]chan Record{}, queued: map[Key]bool{},
	}
}

func def[T comparable](p *T, value T) {
	var zero T
	if *p == zero {
		*p = value
	}
}

// Runner starts operations of one plan.
type Runner[S any] struct {
	engine *Engine
	plan   *plan
}

// Register makes a plan known to the engine, which must not be started yet.
func Register[S any](e *Engine, p *Plan[S]) *Runner[S] {
	if _, dup := e.plans[p.erased.name]; dup {
		panic("two plans are called " + p.erased.name)
	}
	e.plans[p.erased.name] = &p.erased
	return &Runner[S]{e, &p.erased}
}

// Start accepts an operation in a transaction of its own. s is the state to begin with; what Accept made of it is given back.
func (r *Runner[S]) Start(ctx context.Context, q Request, s S) (id ID, accepted S, err error) {
	err = r.engine.db.Write(ctx, func(ctx context.Context, tx db.Tx) error {
		request := q
		accepted = s // the closure may run again after a deadlock
		id, err = r.StartTx(ctx, tx, &request, &accepted)
		return err
	})
	return id, accepted, err
}

// StartTx accepts an operation in the caller's transaction: it begins when that commits, and is never heard of otherwise.
func (r *Runner[S]) StartTx(ctx context.Context, tx db.Tx, q *Request, s *S) (ID, error) {
	if r.plan.accept != nil {
		if err := r.plan.accept(ctx, tx, q, s); err != nil {
			return "", err
		}
	}
	if r.plan.refuse {
		if err := refuseOpen(ctx, tx, q.Thing); err != nil {
			return "", err
		}
	}
	data, err := json.Marshal(s)
	if err != nil {
		return "", fmt.Errorf("write the state of %s: %w", r.plan.name, err)
	}
	if q.Account == "" {
		q.Account, q.Domain = q.Caller.Account, q.Caller.Domain
	}
	rec := Record{
		ID: uid.New[ID](), Plan: r.plan.name, Thing: q.Thing, State: Running, Data: string(data), RunAt: tx.Now,
		Command: q.Command, UserID: q.Caller.User, AccountID: q.Account, DomainID: q.Domain,
		SubjectKind: q.SubjectKind, SubjectID: q.SubjectID, EventID: q.Event, Created: tx.Now, Updated: tx.Now,
	}
	if len(r.plan.steps) > 0 {
		rec.StepName = r.plan.steps[0].name
	}
	e := r.engine
	if err := insert(ctx, tx, &rec, e.owner(), q.Fresh); err != nil {
		return "", err
	}
	if err := once.Record(ctx, tx, q.SubjectID, rec.ID); err != nil {
		return "", err
	}
	tx.OnCommit(func() { e.accepted(rec) })
	return rec.ID, nil
}

func (e *Engine) owner() string {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.ctx == nil || e.ctx.Err() != nil {
		return "" // not running: whoever runs next claims it
	}
	return e.id
}

// accepted goes on with an operation that this server has just committed.
func (e *Engine) accepted(r Record) {
	var here *run
	e.mu.Lock()
	if r.Owner == "" {
		if len(e.queued) >= queuedLimit {
			clear(e.queued) // they are found by polling then
		}
		e.queued[r.Thing] = true
		e.mu.Unlock()
		return
	}
	ctx := e.ctx
	mine := ctx != nil && ctx.Err() == nil && r.Owner == e.id
	if mine {
		e.work.Add(1)
		here = &run{Record: r, plan: e.plans[r.Plan]}
		here.canceled.Store(r.Canceled)
		e.running[r.ID] = here
	}
	e.mu.Unlock()
	if !mine {
		return // stopped in between: the next life takes it over
	}
	go func() {
		defer e.work.Done()
		defer e.leave(here)
		select {
		case e.slots <- struct{}{}:
			defer func() { <-e.slots }()
			e.drive(ctx, here)
		case <-ctx.Done():
		}
	}()
}

// leave forgets a run. A later life of this server may be running the same operation by now.
func (e *Engine) leave(r *run) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.running[r.ID] == r {
		delete(e.running, r.ID)
	}
}

// queuedLimit bounds what a server remembers of things for which it has queued operations.
const queuedLimit = 4096

// Start begins to work: it takes over what earlier lives of this server left, and runs until the function that it gives is
// called, which lets running steps go and gives back what is owned.
func (e *Engine) Start(ctx context.Context) (stop func(), err error) {
	if err := e.begin(ctx, true); err != nil {
		return nil, err
	}
	quit, done := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(done)
		e.loop(quit)
	}()
	return sync.OnceFunc(func() { close(quit); <-done; e.end() }), nil
}

// begin starts a life of this server. The first one of a process takes the name from whoever has it, for that is its own
// earlier self; a later one leaves it to a newer process of that name.
func (e *Engine) begin(ctx context.Context, first bool) error {
	id := string(uid.New[uid.Server]())
	if err := e.register(ctx, id, first); err != nil {
		return fmt.Errorf("register this server: %w", err)
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	e.id = id
	e.ctx, e.cancel = context.WithCancelCause(context.WithoutCancel(ctx))
	return nil
}

func (e *Engine) loop(quit chan struct{}) {
	beat := time.NewTicker(e.lease / 4)
	defer beat.Stop()
	poll := time.NewTicker(e.poll)
	defer poll.Stop()
	for {
		e.claim()
		select {
		case <-quit:
			return
		case <-beat.C:
			e.heartbeat()
		case <-poll.C:
		case <-e.wake:
		}
	}
}

// heartbeat renews the lease. A server that was taken for dead drops all it was doing, for others do it now, and begins a
// new life, if need be at a later beat.
func (e *Engine) heartbeat() {
	ctx, id := e.life()
	if e.isCrashed() {
		return
	}
	if ctx.Err() == nil {
		alive, err := e.beat(ctx, id)
		if err != nil {
			e.log.Error("can't renew this server's lease", "error", err)
			return
		}
		if alive {
			e.noticeCancels(ctx, id)
			e.giveBackUnknown(ctx, id)
			return
		}
		e.log.Warn("this server was taken for dead; it begins again", "server", id)
		e.cancel(errStopped)
	}
	if err := e.begin(context.WithoutCancel(ctx), false); err != nil {
		e.log.Error("can't begin again", "error", err)
	}
}

// giveBackUnknown frees operations that the table says are this server's and that it knows nothing of: their acceptance or
// claim was committed, but the answer to that was lost.
func (e *Engine) giveBackUnknown(ctx context.Context, server string) {
	ids, err := idle(ctx, e.db.Read(), server, e.db.Now().Add(-e.lease))
	if err != nil {
		e.log.Error("can't look for lost operations", "error", err)
		return
	}
	ids = slices.DeleteFunc(ids, e.runs)
	if len(ids) == 0 {
		return
	}
	e.log.Warn("operations of this server that it lost sight of are free again", "jobs", ids)
	err = e.db.Write(ctx, func(ctx context.Context, tx db.Tx) error { return giveBack(ctx, tx, server, ids) })
	if err != nil {
		e.log.Error("can't give lost operations back", "error", err)
	}
}

func (e *Engine) life() (context.Context, string) {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.ctx, e.id
}

// claim takes free operations for the slots that are free.
func (e *Engine) claim() {
	ctx, id := e.life()
	free := cap(e.slots) - len(e.slots)
	if free == 0 || ctx.Err() != nil {
		return
	}
	var some []Record
	err := e.db.Write(ctx, func(ctx context.Context, tx db.Tx) (err error) {
		some, err = claim(ctx, tx, id, free)
		return err
	})
	if err != nil && !db.IsUnique(err) { // unique: another server gave the turn in the same moment; the next poll sees it
		e.log.Error("can't claim operations", "error", err)
	}
	if err != nil {
		return
	}
	for _, r := range some {
		e.accepted(r)
	}
}

// Plans lists, a line each, the names that are stored with operations and must not change: plans, steps, state fields.
func (e *Engine) Plans() (lines []string) {
	for _, name := range slices.Sorted(maps.Keys(e.plans)) {
		lines = append(lines, e.plans[name].names()...)
	}
	return lines
}

// Ready tells why the engine does not work on operations now; nil when it does.
func (e *Engine) Ready() error {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.ctx == nil || e.ctx.Err() != nil {
		return errors.New("the operation engine is not running")
	}
	return nil
}

// Kick makes the engine look for work now.
func (e *Engine) Kick() {
	select {
	case e.wake <- struct{}{}:
	default:
	}
}

// stopPatience is how long a stopping engine waits for running steps, which have been told to stop.
const stopPatience = 400 * time.Millisecond

func (e *Engine) end() {
	ctx, id := e.life()
	e.cancel(errStopped)
	idle := make(chan struct{})
	go func() { e.work.Wait(); close(idle) }()
	select {
	case <-idle:
	case <-time.After(stopPatience):
	}
	if e.isCrashed() {
		return
	}
	err := e.db.Write(context.WithoutCancel(ctx), func(ctx context.Context, tx db.Tx) error { return release(ctx, tx, id) })
	if err != nil {
		e.log.Error("can't give operations back", "error", err)
	}
}
