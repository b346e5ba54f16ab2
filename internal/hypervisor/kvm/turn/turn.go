// Package turn lets one after the other have a thing.
package turn

import (
	"context"
	"sync"
)

// Turns are the turns at things, by what they are called. The zero value is ready.
type Turns[K comparable] struct {
	mu  sync.Mutex
	had map[K]*turn
}

type turn struct {
	free  chan struct{} // has an element while nobody has the turn
	users int           // who have it or wait for it
}

// Take waits for a turn at a thing. What it gives ends it.
func (t *Turns[K]) Take(ctx context.Context, thing K) (func(), error) {
	t.mu.Lock()
	if t.had == nil {
		t.had = map[K]*turn{}
	}
	at := t.had[thing]
	if at == nil {
		at = &turn{free: make(chan struct{}, 1)}
		at.free <- struct{}{}
		t.had[thing] = at
	}
	at.users++
	t.mu.Unlock()
	leave := func() {
		t.mu.Lock()
		defer t.mu.Unlock()
		if at.users--; at.users == 0 {
			delete(t.had, thing)
		}
	}
	select {
	case <-at.free:
		return func() { at.free <- struct{}{}; leave() }, nil
	case <-ctx.Done():
		leave()
		return nil, ctx.Err()
	}
}
