package db

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"sync"

	"github.com/uptrace/bun"
)

// groupLimit bounds how many closures share a commit, and so how long the first one waits for the last.
const groupLimit = 256

// group is SQLite's one writer. Closures that wait at the same time run one after the other in one transaction, each in a
// savepoint of its own, and share its fsync: durability costs one disk flush per group and not per closure.
type group struct {
	db      *DB
	queue   chan *write
	stopped chan struct{}
	once    sync.Once
	done    sync.WaitGroup
}

type write struct {
	ctx   context.Context
	fn    func(context.Context, Tx) error
	err   error
	hooks []func()
	panic any
	done  chan struct{}
}

var errClosed = errors.New("the database is closed")

func newGroup(d *DB) *group {
	g := &group{db: d, queue: make(chan *write, groupLimit), stopped: make(chan struct{})}
	g.done.Go(g.run)
	return g
}

func (g *group) stop() {
	g.once.Do(func() { close(g.stopped) })
	g.done.Wait()
}

func (g *group) write(ctx context.Context, fn func(context.Context, Tx) error) error {
	w := &write{ctx: ctx, fn: fn, done: make(chan struct{})}
	select {
	case g.queue <- w:
	case <-g.stopped:
		return errClosed
	case <-ctx.Done():
		return ctx.Err()
	}
	select {
	case <-w.done:
	case <-g.stopped:
		// The writer finishes what it has begun; only what it never took stays without an answer.
		g.done.Wait()
		select {
		case <-w.done:
		default:
			return errClosed
		}
	}
	if w.panic != nil {
		panic(w.panic)
	}
	if w.err == nil {
		for _, hook := range w.hooks {
			hook()
		}
	}
	return w.err
}

func (g *group) run() {
	batch := make([]*write, 0, groupLimit)
	for {
		batch = batch[:0]
		select {
		case w := <-g.queue:
			batch = append(batch, w)
		case <-g.stopped:
			return
		}
	more:
		for len(batch) < groupLimit {
			select {
			case w := <-g.queue:
				batch = append(batch, w)
			default:
				break more
			}
		}
		g.commit(batch)
		for _, w := range batch {
			close(w.done)
		}
	}
}

// commit runs a batch. A closure that fails is rolled back alone; a failing commit fails the whole batch.
func (g *group) commit(batch []*write) {
	ctx := context.Background()
	tx, err := g.db.writer.BeginTx(ctx, nil)
	if err == nil {
		err = g.runAll(ctx, tx, batch)
	}
	if err != nil {
		if tx.Tx != nil {
			_ = tx.Rollback()
		}
		for _, w := range batch {
			if w.err == nil && w.panic == nil {
				w.err = fmt.Errorf("write: %w", err)
			}
		}
	}
}

func (g *group) runAll(ctx context.Context, tx bun.Tx, batch []*write) error {
	if len(batch) == 1 {
		if g.call(batch[0], tx); batch[0].err != nil || batch[0].panic != nil {
			return tx.Rollback()
		}
		return tx.Commit()
	}
	for _, w := range batch {
		if _, err := tx.Tx.ExecContext(ctx, "savepoint one"); err != nil {
			return err
		}
		end := "release one"
		if g.call(w, tx); w.err != nil || w.panic != nil {
			end = "rollback to one; release one"
		}
		if _, err := tx.Tx.ExecContext(ctx, end); err != nil {
			return err
		}
	}
	return tx.Commit()
}

func (g *group) call(w *write, tx bun.Tx) {
	if w.err = w.ctx.Err(); w.err != nil {
		return
	}
	defer func() {
		if p := recover(); p != nil {
			w.panic = fmt.Sprintf("%v\n%s", p, debug.Stack())
		}
	}()
	w.err = w.fn(context.WithoutCancel(w.ctx), Tx{IDB: tx, Now: g.db.Now(), hooks: &w.hooks})
}
