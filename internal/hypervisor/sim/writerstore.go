package sim

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"github.com/virga-cloud/virga/internal/fault"
	"github.com/virga-cloud/virga/internal/hypervisor"
)

// groupLimit bounds how many writes share a transaction, and so how long other processes wait for this one.
const groupLimit = 256

// writer runs writes one after the other, those that wait at the same time in one transaction: beginning and committing cost
// more than most writes.
type writer struct {
	on      *prepared
	queue   chan *write // unbuffered: what was taken will be answered
	stopped chan struct{}
	done    sync.WaitGroup
}

type write struct {
	ctx  context.Context
	fn   func(*tx) error
	err  error
	done chan struct{}
}

// tx is a turn at the writer, with the world locked against other processes.
type tx struct {
	*prepared
	rules  []hypervisor.Rule
	loaded bool // rules are those of the file
}

func newWriter(on *prepared) *writer {
	w := &writer{on: on, queue: make(chan *write), stopped: make(chan struct{})}
	w.done.Go(w.run)
	return w
}

func (w *writer) stop() {
	close(w.stopped)
	w.done.Wait()
}

// write runs fn when it is its turn and returns when what it wrote is in the file. A function that fails with a fault has
// refused before it wrote anything; any other error undoes the whole group that it ran in.
func (w *writer) write(ctx context.Context, fn func(*tx) error) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	job := &write{ctx: ctx, fn: fn, done: make(chan struct{})}
	select {
	case w.queue <- job:
		<-job.done
		return job.err
	case <-ctx.Done():
		return ctx.Err()
	case <-w.stopped:
		return fault.Unavailablef("the simulated world is closed")
	}
}

func (w *writer) run() {
	group := make([]*write, 0, groupLimit)
	for {
		select {
		case job := <-w.queue:
			group = append(group[:0], job)
		case <-w.stopped:
			return
		}
	more:
		for len(group) < groupLimit {
			select {
			case job := <-w.queue:
				group = append(group, job)
			default:
				break more
			}
		}
		if err := w.commit(group); err != nil {
			for _, job := range group {
				job.err = fmt.Errorf("write simulated world: %w", err)
			}
		}
		for _, job := range group {
			close(job.done)
		}
	}
}

func (w *writer) commit(group []*write) (err error) {
	if _, err := w.on.exec("begin immediate"); err != nil {
		return err
	}
	defer func() {
		if err != nil {
			_, _ = w.on.exec("rollback")
		}
	}()
	t := &tx{prepared: w.on}
	for _, job := range group {
		if job.err = job.ctx.Err(); job.err != nil {
			continue
		}
		if job.err = job.fn(t); job.err == nil {
			continue
		}
		if _, refused := errors.AsType[*fault.Error](job.err); !refused {
			return job.err
		}
	}
	_, err = w.on.exec("commit")
	return err
}
