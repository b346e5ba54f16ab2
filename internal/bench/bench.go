package bench

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/virga-cloud/virga/api"
	"github.com/virga-cloud/virga/internal/remote"
)

// The workloads.
const (
	Lists     = "lists"     // list commands, one after the other
	Deploy    = "deploy"    // machines, from the call until they run
	Lifecycle = "lifecycle" // machines that are deployed, stopped, started, rebooted and destroyed
)

// In says what to measure.
type In struct {
	Cloud    remote.Cloud
	Workload string
	Clients  int           // how many at once
	Count    int           // calls of each list, or machines; 0: as many as Duration lets
	Duration time.Duration // how long, of all lists together
	WarmUp   int           // what is done before it counts, as Count; each list is always asked once
	Lists    []List
	Machines MachinesIn
	Note     func(text string) // is told what a user should know meanwhile
}

// List is a list command and how it is called.
type List struct {
	Name   string
	Params api.Params
}

// Measure measures. When the context ends there is a report of what was measured until then. An error beside a report is of what
// could not be removed.
func Measure(ctx context.Context, in In) (*Report, error) {
	r := &recorder{now: in.Cloud.Now, began: in.Cloud.Now()}
	// The first call signs in, and makes the connection: both are before the first that counts.
	if _, err := in.Cloud.Send(ctx, "listCapabilities", nil); err != nil {
		return nil, err
	}
	var err error
	if in.Workload == Lists {
		err = lists(ctx, in, r)
	} else {
		err = machines(ctx, in, r)
	}
	report := r.report(in)
	report.Interrupted = ctx.Err() != nil
	if left, ok := errors.AsType[*LeftoverError](err); ok && report.Interrupted {
		return report, left
	}
	if report.Interrupted {
		err = nil // the report says so
	}
	return report, err
}

// lists measures one list after the other: a slow one does not spoil another's figures.
func lists(ctx context.Context, in In, r *recorder) error {
	var good []List
	for _, list := range in.Lists {
		err := in.ask(ctx, list, max(1, in.WarmUp))
		switch {
		case ctx.Err() != nil:
			return ctx.Err()
		case err != nil:
			r.skip(list.Name, err)
		default:
			good = append(good, list)
		}
	}
	for _, list := range good {
		row := r.row(list.Name)
		in.each(ctx, row, in.Duration/time.Duration(len(good)), func(ctx context.Context, _ int) {
			row.time(ctx, func() error { return in.ask(ctx, list, 1) })
		})
		if ctx.Err() != nil {
			return ctx.Err()
		}
	}
	return nil
}

func (in *In) ask(ctx context.Context, list List, times int) error {
	for range times {
		if _, err := in.Cloud.Send(ctx, list.Name, list.Params); err != nil {
			return err
		}
	}
	return nil
}

// each lets the clients do something until it was done often enough or for long enough, and gives the row its time. The n of a
// turn is its number.
func (in *In) each(ctx context.Context, row *row, duration time.Duration, turn func(ctx context.Context, n int)) {
	began := in.Cloud.Now()
	var turns atomic.Int64
	var clients sync.WaitGroup
	for range max(1, in.Clients) {
		clients.Go(func() {
			for ctx.Err() == nil {
				n := int(turns.Add(1))
				if in.Count > 0 && n > in.Count || in.Count <= 0 && in.Cloud.Now().Sub(began) >= duration {
					return
				}
				turn(ctx, n)
			}
		})
	}
	clients.Wait()
	if row != nil {
		row.took = in.Cloud.Now().Sub(began)
	}
}

// Check refuses what can't be measured.
func (in *In) Check() error {
	switch {
	case in.Clients < 1 || in.Clients > 10_000:
		return fmt.Errorf("clients %d: want 1 to 10000", in.Clients)
	case in.Count < 0 || in.Duration < 0 || in.WarmUp < 0:
		return errors.New("counts and durations can't be below 0")
	case in.Count == 0 && in.Duration == 0:
		return errors.New("want a count or a duration, or nothing would be measured")
	case in.Workload == Lists && len(in.Lists) == 0:
		return errors.New("there is no list to measure")
	}
	return nil
}
