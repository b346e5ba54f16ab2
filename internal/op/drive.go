package op

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"sync/atomic"
	"time"

	"github.com/virga-cloud/virga/internal/auth"
	"github.com/virga-cloud/virga/internal/db"
	"github.com/virga-cloud/virga/internal/fault"
)

// run is an operation that this server is working on.
type run struct {
	Record
	plan     *plan
	canceled atomic.Bool
	stop     atomic.Pointer[context.CancelCauseFunc] // ends the step that runs now; nil where it may not be ended
}

// interrupt ends the running step, if it is one that a cancel may end.
func (r *run) interrupt() {
	r.canceled.Store(true)
	if stop := r.stop.Load(); stop != nil {
		(*stop)(errCanceled)
	}
}

// do runs a Do step in a context that a cancel ends, as long as there is a way back.
func (r *run) do(ctx context.Context, fn func(ctx context.Context) error) error {
	if r.plan.past(r.Step) {
		return fn(ctx)
	}
	ctx, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	r.stop.Store(&stop)
	defer r.stop.Store(nil)
	if r.canceled.Load() { // it came in just before there was something to stop
		return errCanceled
	}
	return fn(ctx)
}

// drive runs an operation's steps until it ends, waits, or is not this server's any more.
func (e *Engine) drive(ctx context.Context, r *run) {
	ctx = context.WithValue(ctx, jobKey{}, r.ID)
	if err := r.known(); err != nil {
		e.log.Error("an operation can't go on", "job", r.ID, "plan", r.Plan, "step", r.StepName, "error", err)
		_ = e.stick(ctx, r, "", err)
		return
	}
	for failures := 0; ; {
		again, err := e.advance(ctx, r)
		switch {
		case errors.Is(context.Cause(ctx), errStopped) || e.isCrashed():
			return // this life is over; the next owner goes on from what is recorded
		case errors.Is(err, errFenced):
			if !e.reload(ctx, r) {
				e.log.Warn("an operation was taken over by another server", "job", r.ID)
				return
			}
		case err != nil:
			// The database did not take the record. The operation stays ours, and is where it was.
			e.log.Error("can't record a step", "job", r.ID, "plan", r.Plan, "step", r.StepName, "error", err)
			if !e.sleep(ctx, min(e.pause<<min(failures, 10), 10*time.Second)) {
				return
			}
			failures++
		case !again:
			return
		}
	}
}

// reload reads the operation's standing after a record was refused, and tells whether it is still this server's: so it is
// after a commit whose answer was lost.
func (e *Engine) reload(ctx context.Context, r *run) bool {
	now, err := Find(ctx, e.db.Read(), auth.Scope{All: true}, r.ID)
	if err != nil || !now.Open() || now.Owner != r.Owner || now.Fence != r.Fence {
		return false
	}
	r.Record = now
	return true
}

// known tells whether this server's plans know where the operation stands.
func (r *run) known() error {
	switch {
	case r.plan == nil:
		return fmt.Errorf("this server knows no plan called %q", r.Plan)
	case r.Step > len(r.plan.steps):
		return fmt.Errorf("plan %s has no step number %d", r.Plan, r.Step)
	case r.State == Running && r.Step < len(r.plan.steps) && r.plan.steps[r.Step].name != r.StepName:
		return fmt.Errorf("plan %s has no step %q in place %d: a newer or older version of Virga wrote this", r.Plan, r.StepName, r.Step)
	}
	return nil
}

// advance does the next thing and tells whether there is more to do at once.
func (e *Engine) advance(ctx context.Context, r *run) (again bool, err error) {
	if r.State == Undoing {
		return e.undoNext(ctx, r)
	}
	if r.canceled.Load() && !r.plan.past(r.Step) {
		return true, e.turnBack(ctx, r, "", errCanceled)
	}
	if r.Step == len(r.plan.steps) {
		_, err := e.record(ctx, r, r.Record, work{})
		return false, err
	}
	st := &r.plan.steps[r.Step]
	s, err := r.plan.decode([]byte(r.Data))
	if err != nil {
		return false, e.stick(ctx, r, st.name, err)
	}
	w := work{step: st.name, action: "do", state: s}
	switch st.kind {
	case txStep:
		w.inTx = st.inTx
	case doStep:
		err = r.do(ctx, func(ctx context.Context) error {
			return e.outside(r, st.name, "do", func() error { return st.do(ctx, s) })
		})
	case waitStep:
		var ready bool
		err = safely(func() (err error) { ready, err = st.ready(ctx, e.db.Read(), s); return err })
		if err == nil && !ready {
			err = Retry(fault.Unavailablef("still waiting for %s", st.name))
		}
	}
	if err == nil {
		err = e.recordOn(ctx, r, w)
		st = &r.plan.steps[min(r.Step, len(r.plan.steps)-1)] // it may have come a step further before it failed
	}
	if err == nil {
		return r.Open(), nil
	}
	return e.failed(ctx, r, st, err)
}

// recordOn records a step; one outside the database together with waits that follow and are over, and with the step inside the
// database that follows then, which spares commits. If that one fails the first is recorded alone.
func (e *Engine) recordOn(ctx context.Context, r *run, w work) error {
	works := []work{w}
	for next := r.Step + 1; w.inTx == nil && next < len(r.plan.steps) && !r.canceled.Load(); next++ {
		st := r.plan.steps[next]
		if st.kind == waitStep && e.over(ctx, st, w.state) {
			works = append(works, work{step: st.name, action: "do"})
			continue
		}
		if st.kind == txStep {
			works = append(works, work{step: st.name, action: "do", inTx: st.inTx})
		}
		break
	}
	done, err := e.record(ctx, r, r.Record, works...)
	if bad, _ := errors.AsType[*recordError](err); bad == nil && err != nil && done > 0 {
		if _, alone := e.record(ctx, r, r.Record, w); alone != nil {
			return alone
		}
	}
	return err
}

// over tells whether what a Wait step waits for is so already. If it can't be told, the step will say why when it is its turn.
func (e *Engine) over(ctx context.Context, st step, s any) (ready bool) {
	_ = safely(func() (err error) { ready, err = st.ready(ctx, e.db.Read(), s); return err })
	return ready
}

// past tells whether there is no way back any more once n steps are done.
func (p *plan) past(n int) bool { return p.forward >= 0 && n >= p.forward }

// failed decides what an error of a step means: again later, back, or nothing that the step is to blame for.
func (e *Engine) failed(ctx context.Context, r *run, st *step, err error) (again bool, _ error) {
	bad, _ := errors.AsType[*recordError](err)
	switch {
	case bad != nil:
		return true, bad.err
	case ctx.Err() != nil && errors.Is(context.Cause(ctx), errStopped):
		return false, nil
	case r.canceled.Load() && !r.plan.past(r.Step):
		return true, e.turnBack(ctx, r, st.name, errCanceled)
	case r.plan.past(r.Step), (isRetry(err) || db.IsPassing(err)) && !r.impatient(e.db.Now()):
		return false, e.park(ctx, r, st.name, err)
	}
	return true, e.turnBack(ctx, r, st.name, err)
}

// impatient tells whether the present step has been tried for as long as its plan has patience.
func (r *run) impatient(now time.Time) bool {
	return !r.TriedSince.IsZero() && now.Sub(r.TriedSince) >= r.plan.patience
}

// undoNext undoes the last step that is not undone yet, or ends the operation.
func (e *Engine) undoNext(ctx context.Context, r *run) (again bool, err error) {
	base := r.Record
	for base.Step > 0 && !r.plan.steps[base.Step-1].undoable() {
		base.Step--
	}
	w := work{step: "accept", action: "undo", inTx: r.plan.giveUp}
	if base.Step > 0 {
		st := &r.plan.steps[base.Step-1]
		w.step, w.inTx = st.name, st.undoTx
		if st.undo != nil {
			var s any
			if s, err = r.plan.decode([]byte(r.Data)); err == nil {
				err = e.outside(r, st.name, "undo", func() error { return st.undo(ctx, s) })
			}
		}
	}
	if err == nil {
		_, err = e.record(ctx, r, base, w)
	}
	bad, _ := errors.AsType[*recordError](err)
	switch {
	case err == nil:
		return r.Open(), nil
	case bad != nil:
		return true, bad.err
	case errors.Is(context.Cause(ctx), errStopped):
		return false, nil
	case (isRetry(err) || db.IsPassing(err)) && !r.impatient(e.db.Now()):
		return false, e.park(ctx, r, w.step, err)
	}
	e.log.Error("an undo failed, the operation is stuck", "job", r.ID, "plan", r.Plan, "step", w.step, "error", err)
	return false, e.stick(ctx, r, w.step, err)
}

// outside runs a Do step's function, or its undo.
func (e *Engine) outside(r *run, step, action string, fn func() error) error {
	err := e.at(r, step, action, fn)
	if errors.Is(err, ErrRepeat) {
		err = e.at(r, step, action, fn)
	}
	return err
}

// sleep waits, and tells whether ctx is still on.
func (e *Engine) sleep(ctx context.Context, d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-ctx.Done():
		return false
	}
}

// safely makes an error of a panic: one bad step must not take the server along.
func safely(fn func() error) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("panic: %v\n%s", p, debug.Stack())
		}
	}()
	return fn()
}
