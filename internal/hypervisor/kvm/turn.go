package kvm

import (
	"context"
	"sync"
)

// turns lets one after the other have a thing.
type turns[K comparable] struct {
	mu  sync.Mutex
	had map[K]*turn
}

type turn struct {
	free  chan struct{} // has an element while nobody has the turn
	users int           // who have it or wait for it
}

// take waits for a turn at a thing. What it gives ends it.
func (t *turns[K]) take(ctx context.Context, thing K) (func(), error) {
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
