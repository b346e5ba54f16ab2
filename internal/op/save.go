package op

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/virga-cloud/virga/internal/db"
	"github.com/virga-cloud/virga/internal/fault"
)

// recordError is an error of recording and not of the step: the step is not to blame, and is not undone for it.
type recordError struct{ err error }

func (e *recordError) Error() string { return e.err.Error() }
func (e *recordError) Unwrap() error { return e.err }

// work is what a step or an undo has to record: its name, and the state it left, or what it still does in the transaction.
type work struct {
	step   string
	action string // do, undo
	inTx   func(ctx context.Context, tx db.Tx, s any) error
	state  any // where inTx is nil; nil leaves the state as it was
}

// record writes that a step (or undo) succeeded, in one transaction with what its inTx does, and makes it the run's new
// standing. base is the standing it starts from: the run's own, or with undos skipped that there are none of. Several works
// are recorded together, or none of them; where one's own error is the reason, done tells how many before it were well.
func (e *Engine) record(ctx context.Context, r *run, base Record, works ...work) (done int, err error) {
	var next Record
	var stepErr error
	err = e.write(ctx, func(ctx context.Context, tx db.Tx) error {
		next, done = base, 0
		var steps []string
		for _, w := range works {
			if stepErr = e.apply(ctx, tx, r, &next, w); stepErr != nil {
				return stepErr
			}
			done++
			next.succeeded(r.plan, tx.Now)
			steps = append(steps, named(w.step)...)
		}
		next.Seq += int64(len(steps))
		return e.save(ctx, tx, change{old: r.Record, record: next, steps: steps, action: works[0].action})
	})
	switch {
	case errors.Is(stepErr, ErrRepeat):
		return e.record(ctx, r, base, works...)
	case errors.Is(err, errFenced):
		return done, &recordError{errFenced}
	case stepErr != nil:
		return done, err
	case db.IsLate(err): // a statement of the last step's own failed at the commit
		return len(works) - 1, err
	case err != nil:
		return done, &recordError{err}
	}
	r.Record = next
	if !r.Open() {
		e.ended(r.Record)
	}
	for _, w := range works {
		if err := e.recorded(r, w.step, w.action); err != nil {
			return done, &recordError{err}
		}
	}
	return done, nil
}

// apply runs what the step does in the transaction, on a state that is decoded anew for each try of it.
func (e *Engine) apply(ctx context.Context, tx db.Tx, r *run, next *Record, w work) error {
	s := w.state
	if w.inTx != nil {
		var err error
		if s, err = r.plan.decode([]byte(next.Data)); err != nil {
			return err
		}
		if err := e.at(r, w.step, w.action, func() error { return w.inTx(ctx, tx, s) }); err != nil {
			return err
		}
	}
	if s == nil || w.action == "undo" {
		return nil
	}
	data, err := json.Marshal(s)
	if err != nil {
		return fmt.Errorf("write the state of %s: %w", r.Plan, err)
	}
	next.Data = string(data)
	return nil
}

// succeeded moves the record past its present step or undo.
func (r *Record) succeeded(p *plan, now time.Time) {
	// RunAt stays: a row whose indexed columns don't change is updated in place by PostgreSQL.
	r.Attempt, r.TriedSince = 0, time.Time{}
	switch {
	case r.State == Undoing && r.Step == 0:
		r.State, r.Finished = Failed, now
	case r.State == Undoing:
		r.Step--
		if r.Step > 0 {
			r.StepName = p.steps[r.Step-1].name
		} else {
			r.StepName = "accept"
		}
	default:
		r.FaultKind, r.FaultText, r.FaultDetail = "", "", ""
		r.Step = min(r.Step+1, len(p.steps))
		if r.Step == len(p.steps) {
			r.State, r.Finished, r.StepName = Done, now, ""
		} else {
			r.StepName = p.steps[r.Step].name
		}
	}
}

// turnBack records that the operation is to be undone, and why. The undo of a Do step that failed runs too, for it may have
// half happened; and that of one which an earlier owner may have begun.
func (e *Engine) turnBack(ctx context.Context, r *run, name string, cause error) error {
	next := r.Record
	next.State, next.Attempt, next.TriedSince = Undoing, 0, time.Time{}
	next.setFault(cause)
	if next.FaultKind == fault.Internal {
		e.log.Error("an operation failed", "job", r.ID, "plan", r.Plan, "step", r.StepName, "error", cause)
	}
	if begun := name != "" || r.Fence > 1; begun && r.Step < len(r.plan.steps) && r.plan.steps[r.Step].kind == doStep {
		next.Step++
	}
	return e.put(ctx, r, change{record: next, steps: named(name), action: "do", stepErr: cause})
}

// park records that a step is to be tried again after a pause, by whoever is free then.
func (e *Engine) park(ctx context.Context, r *run, name string, cause error) error {
	next, now := r.Record, e.db.Now()
	if next.TriedSince.IsZero() {
		next.TriedSince = now
	}
	pause := min(e.pause<<min(next.Attempt, 10), 10*time.Second)
	next.Attempt++
	next.RunAt = now.Add(pause)
	if next.State == Running {
		next.setFault(cause)
	}
	// A wait that goes on is not worth a row each time.
	change := change{record: next, release: true, steps: named(name), action: r.action(), stepErr: cause}
	if next.Attempt > 3 {
		change.steps = nil
	}
	err := e.put(ctx, r, change)
	if err == nil {
		time.AfterFunc(pause, e.Kick)
	}
	return err
}

func (r *run) action() string {
	if r.State == Undoing {
		return "undo"
	}
	return "do"
}

// stick records that the operation can't go on without an operator.
func (e *Engine) stick(ctx context.Context, r *run, name string, cause error) error {
	next := r.Record
	next.State = Stuck
	if next.FaultText == "" {
		next.setFault(cause)
	}
	next.FaultDetail = fmt.Sprintf("stuck at undoing %s: %v", name, cause)
	if name != "" {
		next.StepName = name
	}
	return e.put(ctx, r, change{record: next, release: true, steps: named(name), action: r.action(), stepErr: cause})
}

// named is a step that ran; "" is none.
func named(step string) []string {
	if step == "" {
		return nil
	}
	return []string{step}
}

func (e *Engine) put(ctx context.Context, r *run, c change) error {
	c.old = r.Record
	c.record.Seq += int64(len(c.steps))
	if e.isCrashed() {
		return &recordError{errStopped}
	}
	err := e.db.Write(context.WithoutCancel(ctx), func(ctx context.Context, tx db.Tx) error { return save(ctx, tx, c) })
	if err == nil {
		r.Record = c.record
	}
	return err
}

// write is db.Write for a server that is alive: one that a test has made crash writes nothing any more.
func (e *Engine) write(ctx context.Context, fn func(context.Context, db.Tx) error) error {
	if e.isCrashed() {
		return &recordError{errStopped}
	}
	err := e.db.Write(context.WithoutCancel(ctx), fn)
	if err != nil && e.isCrashed() {
		return &recordError{errStopped}
	}
	return err
}

func (e *Engine) save(ctx context.Context, tx db.Tx, c change) error {
	if !c.record.Open() && e.finished != nil {
		if err := e.finished(ctx, tx, c.record); err != nil {
			return err
		}
	}
	return save(ctx, tx, c)
}

// ended tells those who wait for the operation, and lets the next one on its thing begin.
func (e *Engine) ended(r Record) {
	e.mu.Lock()
	waiting := e.waiting[r.ID]
	delete(e.waiting, r.ID)
	next := e.queued[r.Thing]
	delete(e.queued, r.Thing)
	e.mu.Unlock()
	for _, c := range waiting {
		c <- r
	}
	if next {
		e.Kick()
	}
}

// setFault keeps an error in the form in which users see it. The text of an error without a kind is for operators only.
func (r *Record) setFault(err error) {
	if errors.Is(err, errCanceled) {
		r.FaultKind, r.FaultText, r.FaultDetail = fault.Conflict, "the job was cancelled", ""
		return
	}
	if f, ok := errors.AsType[*fault.Error](err); ok && f.Kind != fault.Internal {
		r.FaultKind, r.FaultText, r.FaultDetail = f.Kind, f.Text, f.Detail
		return
	}
	r.FaultKind, r.FaultText, r.FaultDetail = fault.Internal, "internal error", err.Error()
}
