package sim

import (
	"cmp"
	"context"
	"slices"

	"github.com/virga-cloud/virga/internal/fault"
	"github.com/virga-cloud/virga/internal/hypervisor"
	"github.com/virga-cloud/virga/uid"
)

// What a host has if nothing else was said, as in CloudStack's simulator.
const (
	defaultCores    = 4
	defaultSpeedMHz = 8000
	defaultMemoryMB = 8192
)

// poolBytes is how large every pool is.
const poolBytes = 1 << 40

// Enrolment is a host to be made known.
type Enrolment struct {
	Host     uid.Host
	Capacity hypervisor.Capacity
}

// Enroll makes a host known, or changes what is known of it. Its capacity is reported but not enforced: whoever places
// machines decides how far to overcommit.
func (w *World) Enroll(ctx context.Context, host uid.Host, c hypervisor.Capacity) error {
	return w.EnrollAll(ctx, []Enrolment{{host, c}})
}

// EnrollAll is Enroll for many hosts, all or none of them.
func (w *World) EnrollAll(ctx context.Context, hosts []Enrolment) error {
	return w.store.write(ctx, func(t *tx) error {
		for _, e := range hosts {
			c := e.Capacity
			c.CPUCores = cmp.Or(c.CPUCores, defaultCores)
			c.CPUSpeedMHz = cmp.Or(c.CPUSpeedMHz, defaultSpeedMHz)
			c.MemoryMB = cmp.Or(c.MemoryMB, defaultMemoryMB)
			if err := t.putHost(e.Host, c); err != nil {
				return err
			}
		}
		return nil
	})
}

// Probe implements [hypervisor.Driver]. The host has what it was enrolled with.
func (w *World) Probe(ctx context.Context, host uid.Host) (hypervisor.Report, error) {
	c, err := w.ask(ctx, host, hypervisor.CommandProbe)
	if err != nil {
		return hypervisor.Report{}, err
	}
	return hypervisor.Report{
		CPUCores: c.CPUCores, CPUSpeedMHz: c.CPUSpeedMHz, MemoryMB: c.MemoryMB, Hypervisor: "Simulator", Version: "1",
	}, nil
}

// Answering implements [hypervisor.Watcher]. What a host does that a rule is about shows when it is asked.
func (w *World) Answering(ctx context.Context, hosts []uid.Host) (map[uid.Host]bool, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	rules, err := w.store.read.readRules()
	if err != nil {
		return nil, err
	}
	places, err := w.store.read.places(hosts)
	if err != nil {
		return nil, err
	}
	answering := make(map[uid.Host]bool, len(places))
	for host, at := range places {
		scripted := slices.ContainsFunc(rules, func(r hypervisor.Rule) bool { return r.Command == hypervisor.CommandProbe && covers(r, host, at) })
		if !scripted {
			answering[host] = true
		}
	}
	return answering, nil
}

// Guests implements [hypervisor.Driver].
func (w *World) Guests(ctx context.Context, host uid.Host) ([]hypervisor.Guest, error) {
	if _, err := w.ask(ctx, host, hypervisor.CommandGuests); err != nil {
		return nil, err
	}
	return w.store.read.guestsOn(host)
}

// EnrollMany is EnrollAll for hosts that are all alike.
func (w *World) EnrollMany(ctx context.Context, hosts []uid.Host, c hypervisor.Capacity) error {
	all := make([]Enrolment, len(hosts))
	for i, h := range hosts {
		all[i] = Enrolment{Host: h, Capacity: c}
	}
	return w.EnrollAll(ctx, all)
}

// Forget implements [hypervisor.Enroller].
func (w *World) Forget(ctx context.Context, host uid.Host) error {
	return w.store.write(ctx, func(t *tx) error {
		guests, err := t.guestsOn(host)
		if err != nil {
			return err
		}
		if len(guests) > 0 {
			return fault.Conflictf("host %s has %d machines on it", host, len(guests))
		}
		if err := t.dropRouters(host); err != nil {
			return err
		}
		if err := t.dropGuards(host); err != nil {
			return err
		}
		return t.dropHost(host)
	})
}

// Pool implements [hypervisor.Storer]. All pools are equally large, and every host reaches them.
func (w *World) Pool(ctx context.Context, host uid.Host, p hypervisor.PoolRef) (hypervisor.PoolReport, error) {
	if _, err := w.ask(ctx, host, hypervisor.CommandPool); err != nil {
		return hypervisor.PoolReport{}, err
	}
	used, err := w.store.read.usedIn(p.Pool)
	return hypervisor.PoolReport{Bytes: poolBytes, Used: used}, err
}
