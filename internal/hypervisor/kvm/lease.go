package kvm

import (
	"context"
	"errors"
	"time"

	"github.com/virga-cloud/virga/internal/fault"
	"github.com/virga-cloud/virga/internal/hypervisor"
	"github.com/virga-cloud/virga/internal/hypervisor/kvm/pulse"
	"github.com/virga-cloud/virga/internal/hypervisor/kvm/qcow"
	"github.com/virga-cloud/virga/uid"
)

// looking is how long it may take to look into a pool for somebody else.
const looking = 5 * time.Second

// lease leaves a sign of life in all pools of a machine that is to have a lease, before it runs: who looks at an old one must not take
// the machine for ended.
func (d *Driver) lease(ctx context.Context, m hypervisor.Machine) error {
	for _, dir := range d.leasedIn(m) {
		_, err := pulse.Within(ctx, d.Lease/2, func() (bool, error) { return true, d.pulse.Leave(dir) })
		if ctx.Err() != nil {
			return ctx.Err()
		} else if err != nil {
			return fault.Conflictf("machine %s can't run here: host %s can leave no sign of life in %s: %v", m.VM, d.Host, dir, err)
		}
	}
	return nil
}

// leasedIn gives the pools in which a machine needs its host's signs of life.
func (d *Driver) leasedIn(m hypervisor.Machine) (dirs []string) {
	if !m.Leased {
		return nil
	}
	for _, a := range m.Disks {
		if dir, err := d.place(a.PoolURL); err == nil {
			dirs = append(dirs, dir)
		}
	}
	return dirs
}

// keepLeases leaves signs of life for as long as the driver is there, and ends machines whose lease is out.
func (d *Driver) keepLeases() {
	tick := time.NewTicker(d.Lease / 6)
	defer tick.Stop()
	for {
		select {
		case <-d.life.Done():
			return
		case <-tick.C:
			d.renewLeases()
		}
	}
}

func (d *Driver) renewLeases() {
	leased, dirs := map[*guest][]string{}, map[string]bool{}
	d.mu.Lock()
	for _, g := range d.guests {
		if g.runs() {
			leased[g] = d.leasedIn(g.Machine)
			for _, dir := range leased[g] {
				dirs[dir] = true
			}
		}
	}
	d.mu.Unlock()
	silent := d.pulse.Renew(dirs, func(dir string, err error) { d.Log.Warn("no sign of life can be left", "pool", dir, "error", err) })
	for g, in := range leased {
		for _, dir := range in {
			if silent[dir] <= d.Lease {
				continue
			}
			d.Log.Error("a machine is ended: its host can leave no sign of life in the pool of its disks, and it may be started elsewhere",
				"machine", g.vm, "pool", dir, "since", silent[dir])
			if err := g.Process.kill(); err != nil {
				d.Log.Error("it can't be ended", "machine", g.vm, "error", err)
			}
		}
	}
}

// Sign implements [hypervisor.Witness].
func (d *Driver) Sign(ctx context.Context, on uid.Host, p hypervisor.PoolRef, of uid.Host) (string, error) {
	if err := errors.Join(d.here(ctx, on), checkID(of)); err != nil {
		return "", err
	}
	dir, err := d.place(p.URL)
	if err != nil {
		return "", err
	}
	sign, err := pulse.Within(ctx, looking, func() (string, error) { return pulse.Read(dir, string(of)) })
	return sign, unseen(ctx, on, dir, err)
}

// Held implements [hypervisor.Witness].
func (d *Driver) Held(ctx context.Context, on uid.Host, ref hypervisor.DiskRef) (bool, error) {
	if err := d.here(ctx, on); err != nil {
		return false, err
	}
	path, err := d.path(ref)
	if err != nil {
		return false, err
	}
	held, err := pulse.Within(ctx, looking, func() (bool, error) { return qcow.InUse(path) })
	return held, unseen(ctx, on, path, err)
}

// unseen is the error of a look that failed; nil for one that did not.
func unseen(ctx context.Context, on uid.Host, path string, err error) error {
	if err == nil || ctx.Err() != nil {
		return ctx.Err()
	}
	return fault.Conflictf("host %s can't look at %s: %v", on, path, err)
}
