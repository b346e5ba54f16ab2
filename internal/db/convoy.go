package db

import (
	"context"
	"sync"
)

// convoy takes transactions that ask nothing, as the records of operations' steps are, to PostgreSQL: those that are waiting
// when one sets out travel together, in one journey and with one commit. Nobody waits for others to come.
type convoy struct {
	db      *DB
	mu      sync.Mutex
	waiting []*passenger
	sent    int // convoys under way
}

const (
	// convoys is how many are under way at the same time: a second one, for a transaction in the first may have to wait for
	// a row that another transaction has locked.
	convoys     = 3
	convoyLimit = 64 // transactions in one
)

type passenger struct {
	items []*item
	err   error
	alone bool
	done  chan struct{}
}

// commit runs a transaction's statements and returns when they are durable. If one in its convoy failed, none of them has
// had an effect, and each has to go alone.
func (c *convoy) commit(items []*item) (alone bool, err error) {
	p := &passenger{items: items, done: make(chan struct{})}
	c.mu.Lock()
	c.waiting = append(c.waiting, p)
	set := c.sent < convoys
	if set {
		c.sent++
	}
	c.mu.Unlock()
	if set {
		go c.run()
	}
	<-p.done
	return p.alone, p.err
}

// run sends convoys for as long as somebody is waiting.
func (c *convoy) run() {
	for {
		c.mu.Lock()
		n := min(len(c.waiting), convoyLimit)
		if n == 0 {
			c.sent--
			c.mu.Unlock()
			return
		}
		group := c.waiting[:n:n]
		c.waiting = c.waiting[n:]
		c.mu.Unlock()
		alone, err := c.send(context.Background(), group)
		for _, p := range group {
			p.alone, p.err = alone, err
			close(p.done)
		}
	}
}

func (c *convoy) send(ctx context.Context, group []*passenger) (alone bool, err error) {
	items := []*item{beginning()}
	for _, p := range group {
		items = append(items, p.items...)
	}
	conn, err := c.db.writer.DB.Conn(ctx)
	if err != nil {
		return false, err
	}
	defer func() { _ = conn.Close() }()
	err = conn.Raw(func(raw any) error {
		if _, err := travel(ctx, raw, append(items, committing())); err != nil {
			// A connection that still obeys has refused the convoy; of one that broke nobody knows how far it came.
			_, broken := pgxOf(raw).Exec(ctx, "rollback")
			alone = broken == nil
			return err
		}
		return nil
	})
	return alone, err
}
