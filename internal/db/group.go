package db

import (
	"context"
	"database/sql"
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
	conn    bun.Conn
	known   *statements
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

func newGroup(ctx context.Context, d *DB) (*group, error) {
	conn, err := d.writer.Conn(ctx)
	if err != nil {
		return nil, err
	}
	g := &group{
		db: d, conn: conn, known: &statements{conn: conn.Conn, known: map[*Statement]*sql.Stmt{}},
		queue: make(chan *write, groupLimit), stopped: make(chan struct{}),
	}
	g.done.Go(g.run)
	return g, nil
}

func (g *group) stop() {
	g.once.Do(func() { close(g.stopped) })
	g.done.Wait()
	for _, st := range g.known.known { // else they would keep the file open
		_ = st.Close()
	}
	_ = g.conn.Close()
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
	err := g.exec(begin)
	if err == nil {
		err = g.runAll(batch)
		if err == nil {
			err = g.exec(commit)
		}
		if err != nil {
			_ = g.exec(rollback)
		}
	}
	if err == nil || errors.Is(err, errAlone) {
		return
	}
	for _, w := range batch {
		if w.err == nil && w.panic == nil {
			w.err = fmt.Errorf("write: %w", err)
		}
	}
}

// errAlone: the only closure of a batch failed, so all of it is rolled back and no savepoint was needed.
var errAlone = errors.New("alone")

func (g *group) runAll(batch []*write) error {
	if len(batch) == 1 {
		if g.call(batch[0]); batch[0].failed() {
			return errAlone
		}
		return nil
	}
	for _, w := range batch {
		if err := g.exec(savepoint); err != nil {
			return err
		}
		if g.call(w); w.failed() {
			if err := g.exec(backTo); err != nil {
				return err
			}
		}
		if err := g.exec(endOf); err != nil {
			return err
		}
	}
	return nil
}

func (w *write) failed() bool { return w.err != nil || w.panic != nil }

// The statements around closures.
var (
	begin, commit, rollback  = Prepare("begin immediate"), Prepare("commit"), Prepare("rollback")
	savepoint, backTo, endOf = Prepare("savepoint one"), Prepare("rollback to one"), Prepare("release one")
)

func (g *group) exec(s *Statement) error {
	ctx := context.Background()
	st, err := g.known.of(ctx, s)
	if err == nil {
		_, err = st.ExecContext(ctx)
	}
	return err
}

func (g *group) call(w *write) {
	if w.err = w.ctx.Err(); w.err != nil {
		return
	}
	defer func() {
		if p := recover(); p != nil {
			w.panic = fmt.Sprintf("%v\n%s", p, debug.Stack())
		}
	}()
	w.err = w.fn(context.WithoutCancel(w.ctx), Tx{IDB: g.conn, Now: g.db.Now(), db: g.db, hooks: &w.hooks, prepared: g.known})
}
