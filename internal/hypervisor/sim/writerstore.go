package sim

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"github.com/virga-cloud/virga/internal/fault"
	"github.com/virga-cloud/virga/internal/hypervisor"
	"github.com/virga-cloud/virga/uid"
)

// groupLimit bounds how many writes share a transaction, and so how long other processes wait for this one.
const groupLimit = 256

// writer runs writes one after the other, those that wait at the same time in one transaction: beginning and committing cost
// more than most writes.
type writer struct {
	on      *prepared
	known   known
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
	*known
}

// known is what every command asks for, kept from turn to turn for as long as no other process has written to the file.
type known struct {
	version int64 // SQLite's data_version, which another connection's commit changes
	hosts   map[uid.Host]hypervisor.Capacity
	rules   []hypervisor.Rule
	loaded  bool // rules are those of the file

	troubles map[uid.Host]trouble // of hosts that have any; nil: they are still to be read
}

func (k *known) forget() { *k = known{version: k.version, hosts: map[uid.Host]hypervisor.Capacity{}} }

// refresh forgets what another process may have changed.
func (t *tx) refresh() error {
	before := t.version
	_, err := t.one([]any{&t.version}, "pragma data_version")
	if t.version != before {
		t.forget()
	}
	return err
}

func newWriter(on *prepared) *writer {
	w := &writer{on: on, known: known{version: -1}, queue: make(chan *write), stopped: make(chan struct{})}
	w.done.Go(w.run)
	return w
}

func (w *writer) stop() {
	close(w.stopped)
	w.done.Wait()
}

// write runs fn when it is its turn and returns when what it wrote is in the file. A function that fails with a fault has
// left everything as it was; any other error undoes the whole group that it ran in.
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
			w.known.forget()
			_, _ = w.on.exec("rollback")
		}
	}()
	t := &tx{w.on, &w.known}
	if err := t.refresh(); err != nil {
		return err
	}
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
