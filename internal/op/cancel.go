package op

import (
	"context"
	"slices"
	"time"

	"github.com/virga-cloud/virga/internal/auth"
	"github.com/virga-cloud/virga/internal/db"
	"github.com/virga-cloud/virga/internal/fault"
)

// Cancel asks for an operation within the scope to be undone as far as it has come; a stuck one has its undo tried again.
// It returns when the wish is recorded. One that has ended, or has no way back any more, is refused.
func (e *Engine) Cancel(ctx context.Context, scope auth.Scope, id ID) error {
	err := e.db.Write(ctx, func(ctx context.Context, tx db.Tx) error {
		r, err := Find(ctx, tx, scope, id)
		if err != nil {
			return err
		}
		if !r.Open() {
			return fault.Conflictf("job %s has ended (%s) and can't be cancelled", id, r.State)
		}
		if p := e.plans[r.Plan]; r.State == Running && p != nil && p.past(r.Step) {
			return fault.Conflictf("job %s can't be cancelled any more: at step %q there is no way back", id, r.StepName)
		}
		next, canceled := r.State, true
		if r.State == Stuck {
			if next = Undoing; e.goesForward(r) {
				next, canceled = Running, false // there is no way back: what is stuck is tried again
			}
		}
		_, err = tx.NewRaw("update operations set canceled = ?, run_at = ?, state = ?, updated = ? where id = ? and state = ? and finished is null",
			canceled, tx.Now, next, tx.Now, id, r.State).Exec(ctx)
		return err
	})
	if err != nil {
		return err
	}
	e.tellCancel(id)
	e.Kick()
	return nil
}

// goesForward tells whether a stuck operation was on its way where there is no way back. Its step's name tells: one that was
// being undone is at the step before the count.
func (e *Engine) goesForward(r Record) bool {
	p := e.plans[r.Plan]
	return p != nil && p.past(r.Step) && r.Step < len(p.steps) && p.steps[r.Step].name == r.StepName
}

// tellCancel lets a step that runs here know at once; other servers notice at their next heartbeat.
func (e *Engine) tellCancel(id ID) {
	e.mu.Lock()
	r := e.running[id]
	e.mu.Unlock()
	if r != nil {
		r.interrupt()
	}
}

func (e *Engine) noticeCancels(ctx context.Context, server string) {
	var ids []ID
	err := e.db.Read().NewRaw(`select id from operations where owner = ? and finished is null and canceled and state = 'running'`,
		server).Scan(ctx, &ids)
	if err != nil {
		e.log.Error("can't look for cancelled operations", "error", err)
	}
	for _, id := range ids {
		e.tellCancel(id)
	}
}

// Wait returns when an operation has ended or is stuck, with its record, or when ctx ends.
func (e *Engine) Wait(ctx context.Context, id ID) (Record, error) {
	ended := make(chan Record, 1)
	e.mu.Lock()
	e.waiting[id] = append(e.waiting[id], ended)
	e.mu.Unlock()
	defer e.forget(id, ended)
	// An operation that runs here tells its end. Others may run on another server or have ended, so the table is asked.
	for {
		if !e.runs(id) {
			r, err := Find(ctx, e.db.Read(), auth.Scope{All: true}, id)
			if err != nil || !r.Open() || r.State == Stuck {
				return r, err
			}
		}
		t := time.NewTimer(e.poll)
		select {
		case r := <-ended:
			t.Stop()
			return r, nil
		case <-t.C:
		case <-ctx.Done():
			t.Stop()
			return Record{}, ctx.Err()
		}
	}
}

func (e *Engine) runs(id ID) bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.running[id] != nil
}

func (e *Engine) forget(id ID, c chan Record) {
	e.mu.Lock()
	defer e.mu.Unlock()
	left := slices.DeleteFunc(e.waiting[id], func(other chan Record) bool { return other == c })
	if e.waiting[id] = left; len(left) == 0 {
		delete(e.waiting, id)
	}
}
