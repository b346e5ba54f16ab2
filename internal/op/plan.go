package op

import (
	"context"
	"encoding/json"
	"fmt"
	"reflect"
	"strings"
	"time"

	"github.com/virga-cloud/virga/internal/db"
)

// TxFunc is a step inside the database. It must not touch anything else: it commits with its record, or not at all, and
// may run again after a deadlock.
type TxFunc[S any] func(ctx context.Context, tx db.Tx, s *S) error

// AcceptFunc begins an operation. It may complete the request with what only it knows: the thing, the owner, the event.
type AcceptFunc[S any] func(ctx context.Context, tx db.Tx, q *Request, s *S) error

// DoFunc is a step outside the database. It may run twice, also at the same time as a copy of itself on a server that was
// wrongly taken for dead.
type DoFunc[S any] func(ctx context.Context, s *S) error

// WaitFunc tells whether what a Wait step waits for has come true.
type WaitFunc[S any] func(ctx context.Context, q db.Tx, s *S) (bool, error)

// Plan is how an operation goes, over a state S that is stored as JSON after each step.
type Plan[S any] struct{ erased plan }

// plan is a Plan without its type.
type plan struct {
	name     string
	accept   func(ctx context.Context, tx db.Tx, q *Request, s any) error
	giveUp   func(ctx context.Context, tx db.Tx, s any) error
	steps    []step
	forward  int // from this step on there is no way back
	refuse   bool
	patience time.Duration
	decode   func(data []byte) (any, error)
	state    reflect.Type
}

type stepKind string

const (
	txStep   stepKind = "tx"
	doStep   stepKind = "do"
	waitStep stepKind = "wait"
)

type step struct {
	name   string
	kind   stepKind
	inTx   func(ctx context.Context, tx db.Tx, s any) error
	undoTx func(ctx context.Context, tx db.Tx, s any) error
	do     func(ctx context.Context, s any) error
	undo   func(ctx context.Context, s any) error
	ready  func(ctx context.Context, q db.Tx, s any) (bool, error)
}

func (s *step) undoable() bool { return s.undo != nil || s.undoTx != nil }

// patience is how long a step is tried again, or waited for, before it counts as failed.
const patience = 5 * time.Minute

// New begins a plan. Its name ("vm.deploy") is stored with each operation and never changes.
func New[S any](name string) *Plan[S] {
	return &Plan[S]{plan{
		name: name, forward: -1, patience: patience, state: reflect.TypeFor[S](),
		decode: func(data []byte) (any, error) {
			s := new(S)
			if err := json.Unmarshal(data, s); err != nil {
				return nil, fmt.Errorf("read the state of %s: %w", name, err)
			}
			return s, nil
		},
	}}
}

// Accept runs in the transaction that starts the operation: it checks, and allocates what is new. Its undo, giveUp, runs
// last of all undos, in the transaction that ends the operation as failed.
func (p *Plan[S]) Accept(do AcceptFunc[S], giveUp TxFunc[S]) *Plan[S] {
	p.erased.accept = func(ctx context.Context, tx db.Tx, q *Request, s any) error { return do(ctx, tx, q, s.(*S)) }
	p.erased.giveUp = eraseTx(giveUp)
	return p
}

// Tx adds a step inside the database; undo may be nil where there is nothing to undo.
func (p *Plan[S]) Tx(name string, do, undo TxFunc[S]) *Plan[S] {
	return p.add(step{name: name, kind: txStep, inTx: eraseTx(do), undoTx: eraseTx(undo)})
}

// Do adds a step outside the database; undo may be nil where there is nothing to undo.
func (p *Plan[S]) Do(name string, do, undo DoFunc[S]) *Plan[S] {
	return p.add(step{name: name, kind: doStep, do: eraseDo(do), undo: eraseDo(undo)})
}

// Wait adds a step that goes on when ready says so. It is asked again with growing pauses, up to the plan's patience.
func (p *Plan[S]) Wait(name string, ready WaitFunc[S]) *Plan[S] {
	return p.add(step{name: name, kind: waitStep, ready: func(ctx context.Context, q db.Tx, s any) (bool, error) {
		return ready(ctx, q, s.(*S))
	}})
}

// NoWayBack marks that from the next step on the operation can't be undone or cancelled: errors are tried again for ever,
// and shown meanwhile. It is for destroying things.
func (p *Plan[S]) NoWayBack() *Plan[S] {
	p.erased.forward = len(p.erased.steps)
	return p
}

// Refuses makes the plan refuse a thing that another operation is working on, instead of queueing behind it.
func (p *Plan[S]) Refuses() *Plan[S] {
	p.erased.refuse = true
	return p
}

// Patience sets how long a step is tried again, or waited for, before it counts as failed.
func (p *Plan[S]) Patience(d time.Duration) *Plan[S] {
	p.erased.patience = d
	return p
}

func (p *Plan[S]) add(s step) *Plan[S] {
	for _, other := range p.erased.steps {
		if other.name == s.name {
			panic(fmt.Sprintf("plan %s: two steps are called %q", p.erased.name, s.name))
		}
	}
	p.erased.steps = append(p.erased.steps, s)
	return p
}

func eraseTx[S any](f TxFunc[S]) func(context.Context, db.Tx, any) error {
	if f == nil {
		return nil
	}
	return func(ctx context.Context, tx db.Tx, s any) error { return f(ctx, tx, s.(*S)) }
}

func eraseDo[S any](f DoFunc[S]) func(context.Context, any) error {
	if f == nil {
		return nil
	}
	return func(ctx context.Context, s any) error { return f(ctx, s.(*S)) }
}

// names tells, in a line each, all of a plan that is stored and hence never renamed: its steps and its state's fields.
func (p *plan) names() (lines []string) {
	for i, s := range p.steps {
		way := ""
		if p.past(i) {
			way = ", no way back"
		}
		lines = append(lines, fmt.Sprintf("%s step %d %s %s%s", p.name, i+1, s.kind, s.name, way))
	}
	for f := range p.state.Fields() {
		if name, _, _ := strings.Cut(f.Tag.Get("json"), ","); name != "" && name != "-" {
			lines = append(lines, fmt.Sprintf("%s state %s %s", p.name, name, f.Type))
		}
	}
	return lines
}
