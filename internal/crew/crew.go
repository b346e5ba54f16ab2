// Package crew has things looked after by workers: one per thing at a time, woken when there is something to do, resting after
// each look so that what changes in quick succession is done in one go, and trying again with growing pauses what fails.
package crew

import (
	"context"
	"sync"
	"time"
)

// Options say what a crew does.
type Options[ID comparable] struct {
	Now    func() time.Time
	AtOnce int // how many things are looked after at the same time
	// Shared makes rests so much longer, the more things change at a time, that all of them together cost no more than one would alone.
	// It is for looks that take long, at things for which nobody has to wait.
	Shared bool
	// Do looks at a thing, and does what there is to do.
	Do func(ctx context.Context, id ID) error
	// Failed gets to know that Do has failed, for how many times in a row.
	Failed func(ctx context.Context, id ID, failures int, cause error)
}

// Crew is a crew of workers.
type Crew[ID comparable] struct {
	o     Options[ID]
	slots chan struct{} // one per thing that is being looked at

	mu       sync.Mutex
	ctx      context.Context // of the workers; nil while there are none
	workers  map[ID]*worker
	progress map[ID]*Progress
	work     sync.WaitGroup
}

// worker looks after one thing as long as it is woken.
type worker struct {
	again bool // it was woken since it began to look
}

// New makes a crew, which does nothing yet.
func New[ID comparable](o Options[ID]) *Crew[ID] {
	return &Crew[ID]{o: o, slots: make(chan struct{}, o.AtOnce), workers: map[ID]*worker{}, progress: map[ID]*Progress{}}
}

// Start lets the crew work when it is woken, until the function that it gives is called.
func (c *Crew[ID]) Start(ctx context.Context) (stop func()) {
	ctx, cancel := context.WithCancel(context.WithoutCancel(ctx))
	c.mu.Lock()
	c.ctx = ctx
	c.mu.Unlock()
	return func() {
		cancel()
		c.mu.Lock()
		c.ctx = nil
		c.mu.Unlock()
		c.work.Wait()
	}
}

// Wake has a thing looked at, once more if that is being done, and tells whether there are workers at all.
func (c *Crew[ID]) Wake(id ID) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.ctx == nil {
		return false
	}
	if w := c.workers[id]; w != nil {
		w.again = true
		return true
	}
	w, ctx := &worker{}, c.ctx
	c.workers[id] = w
	c.work.Go(func() { c.run(ctx, id, w) })
	return true
}

const (
	// rest is how much longer than a look took its worker rests before the next one: what changes meanwhile is done in that one, so
	// that a thing that changes all the time costs a part of a processor, however fast it changes.
	rest = 9
	// longestRest bounds that, and how long after a failure a thing is looked at again.
	longestRest = 5 * time.Second
	firstRetry  = 100 * time.Millisecond
)

func (c *Crew[ID]) run(ctx context.Context, id ID, w *worker) {
	for failures := 0; ; {
		c.mu.Lock()
		w.again = false
		c.mu.Unlock()
		began := c.o.Now()
		err := c.inTurn(ctx, id)
		pause := min(time.Duration(rest*c.sharing())*c.o.Now().Sub(began), longestRest)
		if err != nil {
			pause = min(firstRetry<<min(failures, 10), longestRest)
			if failures++; ctx.Err() == nil {
				c.o.Failed(ctx, id, failures, err)
			}
		} else {
			failures = 0
		}
		c.mu.Lock()
		done := ctx.Err() != nil || err == nil && !w.again
		if done {
			delete(c.workers, id)
		}
		c.mu.Unlock()
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

// sharing is among how many things a processor's part is shared.
func (c *Crew[ID]) sharing() int {
	if !c.o.Shared {
		return 1
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	return len(c.workers)
}

// inTurn looks at a thing when a slot is free.
func (c *Crew[ID]) inTurn(ctx context.Context, id ID) error {
	select {
	case c.slots <- struct{}{}:
		defer func() { <-c.slots }()
		return c.o.Do(ctx, id)
	case <-ctx.Done():
		return ctx.Err()
	}
}

// Progress is what those who wait for a thing share, until it has come further.
type Progress struct {
	Made    chan struct{} // closed when it has
	Version int64         // that it has come to, once Made is closed
}

// Watch gives the next progress of a thing. It is called before one looks how far the thing is, so that nothing is missed.
func (c *Crew[ID]) Watch(id ID) *Progress {
	c.mu.Lock()
	defer c.mu.Unlock()
	p := c.progress[id]
	if p == nil {
		p = &Progress{Made: make(chan struct{})}
		c.progress[id] = p
	}
	return p
}

// Publish tells those who wait for it how far a thing has come.
func (c *Crew[ID]) Publish(id ID, version int64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if p := c.progress[id]; p != nil {
		p.Version = version
		close(p.Made)
		delete(c.progress, id)
	}
}
