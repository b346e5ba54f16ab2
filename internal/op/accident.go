package op

import (
	"errors"
	"fmt"
)

// When says where in a step a [Point] lies.
type When string

// The moments of a step.
const (
	Before   When = "before"   // nothing has happened yet
	After    When = "after"    // the step's function has returned, its record is not written
	Recorded When = "recorded" // the record is committed
)

// Point is a moment of an operation at which a test can make an accident happen, by giving the engine a Fault function.
// What that returns at Before and After counts as the step's own error; [ErrCrash] and [ErrRepeat] are special.
type Point struct {
	Operation ID
	Plan      string
	Step      string
	Action    string // do, undo
	When      When
}

// String names the point without the operation: "do place before".
func (p Point) String() string { return fmt.Sprintf("%s %s %s", p.Action, p.Step, p.When) }

var (
	// ErrCrash ends the engine as a kill of the process would: nothing is written any more.
	ErrCrash = errors.New("crash")
	// ErrRepeat, at After, runs the step's function a second time: a Do step's on top of the first, a Tx step's instead of it,
	// as after a deadlock.
	ErrRepeat = errors.New("repeat")
)

// at runs a step's function, with the accidents that a test wants.
func (e *Engine) at(r *run, step, action string, fn func() error) error {
	if e.fault == nil {
		return safely(fn)
	}
	p := Point{Operation: r.ID, Plan: r.Plan, Step: step, Action: action}
	if err := e.accident(p, Before); err != nil {
		return err
	}
	if err := safely(fn); err != nil {
		return err
	}
	return e.accident(p, After)
}

func (e *Engine) recorded(r *run, step, action string) error {
	if e.fault == nil || step == "" {
		return nil
	}
	return e.accident(Point{Operation: r.ID, Plan: r.Plan, Step: step, Action: action}, Recorded)
}

func (e *Engine) accident(p Point, when When) error {
	p.When = when
	err := safely(func() error { return e.fault(p) })
	if errors.Is(err, ErrCrash) {
		e.mu.Lock()
		e.crashed = true
		e.mu.Unlock()
		e.cancel(errStopped)
	}
	return err
}

func (e *Engine) isCrashed() bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.crashed
}
