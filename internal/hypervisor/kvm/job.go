package kvm

import (
	"context"
	"errors"
	"maps"
	"slices"
	"time"

	"github.com/virga-cloud/virga/internal/fault"
	"github.com/virga-cloud/virga/internal/hypervisor/kvm/qmp"
)

// job is something long that QEMU does.
type job struct {
	ID     string `json:"id"`
	Status string `json:"status"`
	Error  string `json:"error"`
}

// again is how often QEMU is asked what it does not tell.
const again = 20 * time.Millisecond

// run has QEMU do something long, and waits until it is done. What is under way when the context ends is called off.
func (g *guest) run(ctx context.Context, id, command string, args map[string]any) error {
	if err := g.launchJob(ctx, id, command, args); err != nil {
		return err
	}
	return g.finish(ctx, id)
}

// launchJob starts a job; one of the same name that nobody waits for any more is called off first.
func (g *guest) launchJob(ctx context.Context, id, command string, args map[string]any) error {
	if err := g.callOff(ctx, id); err != nil {
		return err
	}
	args = maps.Clone(args)
	args["job-id"] = id
	if err := g.mon.Do(ctx, command, args, nil); err != nil {
		return g.failed(err)
	}
	return nil
}

// finish waits until a job is done.
func (g *guest) finish(ctx context.Context, id string) error {
	j, err := g.until(ctx, id, "concluded")
	if err != nil {
		clean, cancel := context.WithTimeout(context.WithoutCancel(ctx), quitting)
		defer cancel()
		return errors.Join(err, g.callOff(clean, id))
	}
	if err := g.mon.Do(ctx, "job-dismiss", map[string]string{"id": id}, nil); err != nil {
		return g.failed(err)
	}
	if j.Error != "" {
		return g.failed(&qmp.Error{Command: id, Desc: j.Error})
	}
	return nil
}

// until waits until a job has come to one of some states, or has ended.
func (g *guest) until(ctx context.Context, id string, states ...string) (job, error) {
	tick := time.NewTicker(again)
	defer tick.Stop()
	for {
		j, found, err := g.job(ctx, id)
		switch {
		case err != nil:
			return j, err
		case !found:
			return j, fault.Unavailablef("job %s of machine %s is gone", id, g.vm)
		case j.Status == "concluded":
			return j, nil
		}
		if slices.Contains(states, j.Status) {
			return j, nil
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return j, ctx.Err()
		}
	}
}

func (g *guest) job(ctx context.Context, id string) (job, bool, error) {
	var all []job
	if err := g.mon.Do(ctx, "query-jobs", nil, &all); err != nil {
		return job{}, false, g.failed(err)
	}
	for _, j := range all {
		if j.ID == id {
			return j, true, nil
		}
	}
	return job{}, false, nil
}

// callOff ends a job, whatever it has done. An absent one is nil.
func (g *guest) callOff(ctx context.Context, id string) error {
	j, found, err := g.job(ctx, id)
	if err != nil || !found {
		return err
	}
	if j.Status != "concluded" {
		_ = g.mon.Do(ctx, "job-cancel", map[string]string{"id": id}, nil) // it may have ended by itself
		if _, err := g.until(ctx, id); err != nil {
			return err
		}
	}
	if err := g.mon.Do(ctx, "job-dismiss", map[string]string{"id": id}, nil); err != nil {
		return g.failed(err)
	}
	return nil
}
