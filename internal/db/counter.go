package db

import (
	"context"
	"sync"
)

// counterBlock is how many numbers a server takes at once: big enough that taking them costs nothing per number.
const counterBlock = 512

// Counter gives serial numbers that no server gives twice. Numbers that a server took and did not use before it ended are
// lost; that is the price for not making every caller wait for one row's lock.
type Counter struct {
	db   *DB
	name string
	mu   sync.Mutex
	next int64
	end  int64
}

// Counter is the counter of that name, which starts at 1.
func (d *DB) Counter(name string) *Counter {
	c, _ := d.counters.LoadOrStore(name, &Counter{db: d, name: name})
	return c.(*Counter)
}

// Take gives n numbers, first to first+n-1. It writes now and then, so it must not be called inside a [DB.Write].
func (c *Counter) Take(ctx context.Context, n int64) (first int64, err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.next+n > c.end {
		size := max(n, counterBlock)
		var end int64
		err := c.db.Write(ctx, func(ctx context.Context, tx Tx) error {
			return tx.NewRaw(`insert into counters (name, next) values (?, ?)
				on conflict (name) do update set next = counters.next + ? returning next`,
				c.name, 1+size, size).Scan(ctx, &end)
		})
		if err != nil {
			return 0, err
		}
		c.next, c.end = end-size, end
	}
	first = c.next
	c.next += n
	return first, nil
}

// Serial gives the next number of a counter in a transaction: where numbers are taken seldom, and none is to be lost. Others who want one
// wait for the transaction's end. A counter has its numbers from here or from [Counter.Take].
func (tx Tx) Serial(ctx context.Context, name string) (next int64, err error) {
	err = tx.NewRaw(`insert into counters (name, next) values (?, 2)
		on conflict (name) do update set next = counters.next + 1 returning next - 1`, name).Scan(ctx, &next)
	return next, err
}
