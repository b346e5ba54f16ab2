package qmp

import (
	"context"
	"slices"
)

// remembered is how many events a watch keeps for who does not take them. Later ones are lost: events say when to look.
const remembered = 256

// Watch is a wish to be told of some events.
type Watch struct {
	C     <-chan Event
	c     chan Event
	names []string
	of    *Client
}

// Watch begins to keep events of these names. It must be closed.
func (c *Client) Watch(names ...string) *Watch {
	w := &Watch{c: make(chan Event, remembered), names: names, of: c}
	w.C = w.c
	c.mu.Lock()
	defer c.mu.Unlock()
	c.watches[w] = true
	return w
}

// Close forgets the watch.
func (w *Watch) Close() {
	w.of.mu.Lock()
	defer w.of.mu.Unlock()
	delete(w.of.watches, w)
}

// Next waits for an event.
func (w *Watch) Next(ctx context.Context) (Event, error) {
	select {
	case e := <-w.C:
		return e, nil
	default:
	}
	select {
	case e := <-w.C:
		return e, nil
	case <-w.of.done:
		return Event{}, ErrClosed
	case <-ctx.Done():
		return Event{}, ctx.Err()
	}
}

func (c *Client) tell(e Event) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for w := range c.watches {
		if slices.Contains(w.names, e.Name) {
			select {
			case w.c <- e:
			default:
			}
		}
	}
}
