package sim

import (
	"context"

	"github.com/virga-cloud/virga/internal/fault"
	"github.com/virga-cloud/virga/internal/hypervisor"
	"github.com/virga-cloud/virga/uid"
)

// Script sets a rule for every process that has this world open. Counted calls are counted among all of them.
func (w *World) Script(ctx context.Context, r hypervisor.Rule) error {
	return w.store.write(ctx, func(t *tx) error { return t.setRule(r) })
}

// do has a host carry out a command, as the rules will have it. The effect runs once at most, and leaves
// everything as it was if it fails.
func (w *World) do(ctx context.Context, host uid.Host, c hypervisor.Command, effect func(*tx) error) error {
	var r hypervisor.Rule
	err := w.store.write(ctx, func(t *tx) (err error) {
		if err = t.reach(host, w.now()); err != nil {
			return err
		}
		if r, err = t.meet(host, c); err != nil || !r.Idle() {
			return err
		}
		return effect(t)
	})
	if err != nil || r.Idle() {
		return err
	}
	if err := w.pause(ctx, r.Wait); err != nil {
		return err
	}
	if r.Fault == "" {
		err := w.store.write(ctx, func(t *tx) error {
			if err := t.reach(host, w.now()); err != nil {
				return err
			}
			return effect(t)
		})
		if err != nil {
			return err
		}
	}
	return r.Err()
}

// ask is do for a command that only reads: it spares the writer unless there are rules.
func (w *World) ask(ctx context.Context, host uid.Host, c hypervisor.Command) (hypervisor.Capacity, error) {
	if err := ctx.Err(); err != nil {
		return hypervisor.Capacity{}, err
	}
	at, scripted, err := w.store.read.asked(host)
	if err != nil || !scripted {
		return at, err
	}
	if err := w.do(ctx, host, c, func(*tx) error { return nil }); err != nil {
		return hypervisor.Capacity{}, err
	}
	return w.store.read.host(host)
}

// meet finds the host and the rule that the command meets there, an idle one if there is none, and counts the rule's call.
func (t *tx) meet(host uid.Host, c hypervisor.Command) (hypervisor.Rule, error) {
	at, err := t.host(host)
	if err != nil {
		return hypervisor.Rule{}, err
	}
	rules, err := t.allRules()
	if err != nil {
		return hypervisor.Rule{}, err
	}
	var met hypervisor.Rule
	for _, r := range rules {
		if r.Command == c && covers(r, host, at) && (met.Idle() || narrowness(r) > narrowness(met)) {
			met = r
		}
	}
	if met.Count > 0 {
		return met, t.countRule(met)
	}
	return met, nil
}

func covers(r hypervisor.Rule, host uid.Host, at hypervisor.Capacity) bool {
	return (r.Host == "" || r.Host == host) && (r.Cluster == "" || r.Cluster == at.Cluster) &&
		(r.Pod == "" || r.Pod == at.Pod) && (r.Zone == "" || r.Zone == at.Zone)
}

// narrowness orders rules that cover the same host: one that names a smaller thing is the narrower.
func narrowness(r hypervisor.Rule) (n int) {
	for i, named := range []bool{r.Zone != "", r.Pod != "", r.Cluster != "", r.Host != ""} {
		if named {
			n |= 1 << i
		}
	}
	return n
}

// unknown is the fault of a host that was never enrolled.
func unknown(host uid.Host) error { return fault.Unavailablef("host %s does not answer", host) }
