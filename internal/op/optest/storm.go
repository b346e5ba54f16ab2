// Package optest proves plans by accident: [Storm] runs one operation again and again, each time with another accident at
// another moment of it — an error, an error that is worth a retry, a panic, a repeated step, a crash of the server — in every
// step and in every undo, and looks each time whether all of it is there, or nothing of it is left.
package optest

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/virga-cloud/virga/internal/auth"
	"github.com/virga-cloud/virga/internal/db"
	"github.com/virga-cloud/virga/internal/fault"
	"github.com/virga-cloud/virga/internal/op"
)

// World is what one run of a plan happens in. It is made anew for each accident.
type World struct {
	DB *db.DB
	// Engine makes a server's engine with its plans, and the services around it. It is called again after each crash; what
	// it makes must find everything in the database and outside.
	Engine func(o op.Options) *op.Engine
	// Start begins the operation on the newest engine.
	Start func(ctx context.Context) (op.ID, error)
	// There checks, after an operation that is done, that everything it promised is there.
	There func(t *testing.T)
	// Nothing checks, after an operation that failed or was undone, that nothing of it is left.
	Nothing func(t *testing.T)
}

var errStorm = fault.Unavailablef("the storm made this step fail")

// limit is how long one run may take; a run that takes longer has lost its operation.
const limit = 2 * time.Minute

// Storm runs a plan's operation with every accident that there is.
func Storm(t *testing.T, fresh func(t *testing.T) World) {
	t.Helper()
	s := storm{fresh: fresh}
	var points []op.Point
	t.Run("calm", func(t *testing.T) {
		points = s.run(t, nil, op.Done)
	})
	if t.Failed() || t.Skipped() {
		return
	}
	points = each(points)
	last := s.lastWayBack(t, points)
	for i, p := range points {
		s.accident(t, p, "crash", op.ErrCrash, op.Done)
		if p.When == op.Recorded {
			continue
		}
		if !s.spared(p, "retry") {
			s.accident(t, p, "retry", op.Retry(errStorm), op.Done)
		}
		if p.When == op.After {
			s.accident(t, p, "repeat", op.ErrRepeat, op.Done)
		}
		want := op.Done // where there is no way back, an error is tried again
		if i <= last {
			want = op.Failed
		}
		s.accident(t, p, "error", errStorm, want)
		if !s.spared(p, "panic") {
			s.accident(t, p, "panic", nil, want)
		}
	}
	if last >= 0 {
		s.undos(t, points[last])
	}
}

// each gives every point once: one that is passed again, since its step was tried again, has its accident the first time.
func each(points []op.Point) (out []op.Point) {
	seen := map[string]bool{}
	for _, p := range points {
		if !seen[p.String()] {
			seen[p.String()] = true
			out = append(out, p)
		}
	}
	return out
}

// lastWayBack gives the last point at which an error still undoes everything, -1 where there is none.
func (s *storm) lastWayBack(t *testing.T, points []op.Point) int {
	t.Helper()
	for i, p := range slices.Backward(points) {
		if p.When == op.Recorded {
			continue
		}
		back := false
		t.Run(fmt.Sprintf("%s/way", p), func(t *testing.T) {
			back = s.until(t, s.fresh(t), onceAt(p, errStorm), nil).State == op.Failed
		})
		if back {
			return i
		}
	}
	return -1
}

// undos makes accidents in the undos that a failure at p causes.
func (s *storm) undos(t *testing.T, p op.Point) {
	fails := func(q op.Point) error {
		if q.String() == p.String() {
			return errStorm
		}
		return nil
	}
	var points []op.Point
	t.Run("undo", func(t *testing.T) { points = s.run(t, fails, op.Failed) })
	for _, u := range points {
		if u.Action != "undo" {
			continue
		}
		for name, err := range map[string]error{"crash": op.ErrCrash, "retry": op.Retry(errStorm), "repeat": op.ErrRepeat, "stuck": errStorm} {
			if u.When == op.Recorded && name != "crash" || u.When != op.After && name == "repeat" || s.spared(u, name) {
				continue
			}
			t.Run(fmt.Sprintf("%s/%s", u, name), func(t *testing.T) {
				t.Parallel()
				once := onceAt(u, err)
				s.run(t, func(q op.Point) error { return errors.Join(fails(q), once(q)) }, op.Failed)
			})
		}
	}
}

type storm struct {
	fresh    func(t *testing.T) World
	postgres bool
}

// spared tells of accidents that PostgreSQL, which takes long to be made anew, is spared but in the soak, since its database can't tell
// them from others: a panic, of which the engine makes an error, and an error worth a retry before anything has been done.
func (s *storm) spared(p op.Point, name string) bool {
	return s.postgres && os.Getenv("VIRGA_SOAK") == "" && (name == "panic" || name == "retry" && p.When == op.Before)
}

func (s *storm) accident(t *testing.T, p op.Point, name string, err error, want op.State) {
	t.Run(fmt.Sprintf("%s/%s", p, name), func(t *testing.T) {
		t.Parallel()
		s.run(t, onceAt(p, err), want)
	})
}

// onceAt makes an accident the first time a point is passed; err nil stands for a panic.
func onceAt(p op.Point, err error) func(op.Point) error {
	var once sync.Once
	return func(q op.Point) (result error) {
		if q.String() == p.String() {
			once.Do(func() {
				if result = err; err == nil {
					result = nil
					panic("the storm made this step panic")
				}
			})
		}
		return result
	}
}

// run runs one operation through its accident, and restarts the server when it crashed.
func (s *storm) run(t *testing.T, accident func(op.Point) error, want op.State) (passed []op.Point) {
	t.Helper()
	w := s.fresh(t)
	if accident == nil {
		s.postgres = w.DB.Postgres
	}
	var mu sync.Mutex
	r := s.until(t, w, accident, func(p op.Point) { mu.Lock(); defer mu.Unlock(); passed = append(passed, p) })
	if r.State != want {
		t.Fatalf("the operation ended %s (%v, %s), want %s", r.State, r.Err(), r.FaultDetail, want)
	}
	if want == op.Done {
		w.There(t)
	} else {
		w.Nothing(t)
	}
	mu.Lock()
	defer mu.Unlock()
	return passed
}

func (s *storm) until(t *testing.T, w World, accident func(op.Point) error, saw func(op.Point)) op.Record {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), limit)
	defer cancel()
	crashed := make(chan struct{}, 1)
	o := op.Options{Name: "storm", Poll: 5 * time.Millisecond, Pause: time.Millisecond, Fault: func(p op.Point) error {
		if saw != nil {
			saw(p)
		}
		if accident == nil {
			return nil
		}
		err := accident(p)
		if errors.Is(err, op.ErrCrash) {
			select {
			case crashed <- struct{}{}:
			default:
			}
		}
		return err
	}}
	e := w.Engine(o)
	stop := start(t, ctx, e)
	id, err := w.Start(ctx)
	if err != nil {
		t.Fatal("start:", err)
	}
	for {
		ended := make(chan op.Record, 1)
		wait, give := context.WithCancel(ctx)
		go func() {
			r, err := e.Wait(wait, id)
			if err == nil {
				ended <- r
			}
		}()
		select {
		case r := <-ended:
			give()
			if r.State == op.Stuck {
				if err := e.Cancel(ctx, auth.Scope{All: true}, id); err != nil {
					t.Fatal("try the undo again:", err)
				}
				continue
			}
			stop()
			return r
		case <-crashed:
			give()
			stop()
			e = w.Engine(o)
			stop = start(t, ctx, e)
		case <-ctx.Done():
			give()
			stop()
			r, _ := op.Find(context.Background(), w.DB.Read(), auth.Scope{All: true}, id)
			t.Fatalf("the operation is lost: %s at step %q, %v %s", r.State, r.StepName, r.Err(), r.FaultDetail)
		}
	}
}

func start(t *testing.T, ctx context.Context, e *op.Engine) func() {
	t.Helper()
	stop, err := e.Start(ctx)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(stop)
	return stop
}
