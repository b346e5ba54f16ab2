package cloudtest_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/virga-cloud/virga/internal/auth"
	"github.com/virga-cloud/virga/internal/cloudtest"
	"github.com/virga-cloud/virga/internal/compute"
	"github.com/virga-cloud/virga/internal/db/dbtest"
	"github.com/virga-cloud/virga/internal/host"
	"github.com/virga-cloud/virga/internal/hypervisor"
	"github.com/virga-cloud/virga/internal/hypervisor/sim"
	"github.com/virga-cloud/virga/internal/op"
	"github.com/virga-cloud/virga/internal/volume"
	"github.com/virga-cloud/virga/uid"
)

// death is a cloud in which a host dies in the middle of a job.
type death struct {
	*outage
	*rand.Rand
	box   cloudtest.Sandbox
	hosts []uid.Host

	mu     sync.Mutex
	strike func(op.Point) // nil: nobody is to die
	dead   uid.Host
	proven map[op.ID]bool // jobs to which it was proven that their machine had ended
}

// at is the engine's Fault: it never makes a step fail itself.
func (d *death) at(p op.Point) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.strike != nil {
		d.strike(p)
	}
	return nil
}

// aim has a host of a machine die at a moment of the job that is begun next: before a step, after it, or once it was done and the answer
// was lost.
func (d *death) aim(t *testing.T, step string, command hypervisor.Command, of func(compute.VM) uid.Host) (what string) {
	t.Helper()
	trouble := []sim.Trouble{{Silent: true, Mute: true}, {PowerOff: true}}[d.IntN(2)]
	when := []op.When{op.Before, op.After, "lost"}[d.IntN(3)]
	canceled := d.IntN(3) == 0
	tries := 0
	d.dead = ""
	d.strike = func(p op.Point) {
		if p.Step != step || p.Action != "do" || when == op.After && p.When != op.After || when != op.After && p.When != op.Before {
			return
		}
		r, err := op.Find(d.ctx, d.DB.Read(), auth.Scope{All: true}, p.Operation)
		must(t, err)
		_, id, _ := strings.Cut(string(r.Thing), "/")
		vms, err := compute.ByID(d.ctx, d.DB.Read(), []uid.VM{uid.VM(id)})
		must(t, err)
		on := of(vms[uid.VM(id)])
		if tries++; when == "lost" && tries == 1 {
			must(t, d.World.Script(d.ctx, hypervisor.Rule{Host: on, Command: command, Lost: true, Count: 1}))
			return
		}
		d.dead, d.strike = on, nil
		must(t, d.World.Befall(d.ctx, on, trouble))
		if canceled {
			must(t, d.Engine.Cancel(d.ctx, auth.Scope{All: true}, p.Operation))
		}
	}
	return fmt.Sprintf("%+v %s %s, cancelled %v", trouble, when, step, canceled)
}

// wears on until the job has ended, and the machine is where it stays, or for so long.
func (d *death) wears(t *testing.T, long time.Duration, done func() bool) bool {
	t.Helper()
	for ; long > 0; long -= 8 * time.Second {
		d.Clock.Forward(8 * time.Second)
		must(t, d.Hosts.CheckHealth(d.ctx))
		must(t, d.Failover.Round(d.ctx))
		open, _, err := op.List(d.ctx, d.DB.Read(), op.Filter{Scope: auth.Scope{All: true}, OnlyOpen: true})
		must(t, err)
		for _, job := range open { // each has a moment to come on
			wait, stop := context.WithTimeout(d.ctx, 40*time.Millisecond)
			_, _ = d.Engine.Wait(wait, job.ID)
			stop()
		}
		var proven []op.ID
		must(t, d.DB.Read().NewRaw("select operation_id from inquests where proven is not null").Scan(d.ctx, &proven))
		for _, id := range proven {
			d.proven[id] = true
		}
		if done() {
			return true
		}
	}
	return false
}

// In whatever moment of a deployment, a start or a move one of its hosts dies for good, the job ends while it is dead; no machine runs twice; one that is
// highly available runs elsewhere, and nothing else is left of it but what an outage leaves.
func TestHostsDieUnderJobs(t *testing.T) {
	t.Parallel()
	for n, c := range []struct {
		name string
		url  func(testing.TB) string
		runs int
	}{{"sqlite", dbtest.SQLite, 50}, {"without locks", dbtest.SQLite, 50}, {"postgres", dbtest.Unmade, 20}} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			runs := c.runs
			d := &death{proven: map[op.ID]bool{}}
			d.outage = newOutageIn(t, c.url(t), cloudtest.Options{Hosts: 4, Engine: op.Options{Fault: d.at}})
			d.World.ForgetLocks(n == 1)
			d.box = d.Sandbox(t)
			all, _, err := d.Hosts.List(d.ctx, host.Filter{})
			must(t, err)
			for _, h := range all {
				d.hosts = append(d.hosts, h.ID)
			}
			vm, job, err := d.Machines.Deploy(d.ctx, d.deployed())
			must(t, err)
			_, err = d.Engine.Wait(d.ctx, job)
			must(t, err)
			must(t, d.Machines.Update(d.ctx, vm, compute.Change{HAEnabled: new(true)}))
			struck := 0
			for seed := range uint64(runs) {
				d.Rand = rand.New(rand.NewPCG(seed, uint64(n)))
				what := d.once(t, vm)
				if d.dead != "" {
					struck++
				}
				if t.Failed() {
					t.Fatalf("seed %d: %s", seed, what)
				}
			}
			t.Logf("a host died in %d of %d jobs, and to %d it was proven that their machine had ended", struck, runs, len(d.proven))
			if struck < runs*2/3 || len(d.proven) < runs/4 {
				t.Error("that is too few")
			}
		})
	}
}

func (d *death) deployed() compute.DeployIn {
	return compute.DeployIn{Zone: d.box.Zone, Offering: d.box.Small, Template: d.box.Template}
}

// once is one death, and the end of it.
func (d *death) once(t *testing.T, vm uid.VM) (what string) {
	t.Helper()
	var job op.ID
	var err error
	subject := vm
	from := func(vm compute.VM) uid.Host { return vm.Host }
	switch kind := d.IntN(5); kind {
	case 0:
		what = "deploy: " + d.aim(t, "disks", hypervisor.CommandMakeDisk, from)
		if d.IntN(2) == 0 {
			what = "deploy: " + d.aim(t, "start", hypervisor.CommandStart, from)
		}
		subject, job, err = d.Machines.Deploy(d.ctx, d.deployed())
	case 1:
		stop, failed := d.Machines.Stop(d.ctx, vm, true)
		must(t, failed)
		_, failed = d.Engine.Wait(d.ctx, stop)
		must(t, failed)
		what = "start: " + d.aim(t, "start", hypervisor.CommandStart, from)
		job, err = d.Machines.Start(d.ctx, compute.StartIn{ID: vm})
	case 2:
		what = "migrate, the old host: " + d.aim(t, "move", hypervisor.CommandSend, from)
		job, err = d.Machines.Migrate(d.ctx, vm, "")
	case 3:
		what = "attach: " + d.aim(t, "disk", hypervisor.CommandMakeDisk, from)
		if d.IntN(2) == 0 {
			what = "attach: " + d.aim(t, "plug", hypervisor.CommandPlug, from)
		}
		_, job, err = d.Machines.CreateVolume(d.ctx, volume.CreateIn{Name: "more", Zone: d.box.Zone, Offering: d.box.DiskOffering["Small"]}, vm)
	default:
		what = "migrate, the new host: " + d.aim(t, "move", hypervisor.CommandReceive, func(vm compute.VM) uid.Host { return vm.ToHost })
		job, err = d.Machines.Migrate(d.ctx, vm, "")
	}
	must(t, err)
	ended := d.wears(t, time.Hour, func() bool {
		r, err := op.Find(d.ctx, d.DB.Read(), auth.Scope{All: true}, job)
		must(t, err)
		return !r.Open()
	})
	d.mu.Lock()
	d.strike = nil
	d.mu.Unlock()
	if !ended {
		r, err := op.Find(d.ctx, d.DB.Read(), auth.Scope{All: true}, job)
		t.Errorf("after an hour its job is %s at %s: %v %s %v", r.State, r.StepName, r.Err(), r.FaultDetail, err)
		return what
	}
	settled := func() bool {
		now, at := d.outage.at(t, subject)
		return now.State == compute.Running && now.Host == at && at != d.dead || subject != vm && (!now.Removed.IsZero() || now.State == compute.Stopped)
	}
	if subject == vm && what[:5] == "start" { // a start that fails leaves it stopped, as its user sees
		settled = func() bool {
			now, at := d.outage.at(t, vm)
			return now.State == compute.Running && now.Host == at && at != d.dead || now.State == compute.Stopped && now.Host == "" && at == ""
		}
	}
	if !d.wears(t, time.Hour, settled) {
		now, at := d.outage.at(t, subject)
		t.Errorf("the machine is %s on %q, and runs on %q; %q is dead", now.State, now.Host, at, d.dead)
	}
	if n := d.World.Doubles(); n > 0 {
		t.Errorf("%d times a machine was to be started that ran elsewhere", n)
	}
	for _, h := range d.hosts {
		d.befall(t, h, sim.Trouble{})
	}
	d.wears(t, time.Minute, func() bool { return false })
	if !d.wears(t, time.Hour, func() bool {
		open, _, err := op.List(d.ctx, d.DB.Read(), op.Filter{Scope: auth.Scope{All: true}, OnlyOpen: true})
		must(t, err)
		return len(open) == 0
	}) {
		t.Error("with all hosts well there is no end of jobs")
	}
	for _, err := range cloudtest.Check(d.ctx, d.DB, d.World) {
		t.Errorf("not whole: %v", err)
	}
	if now, _ := d.outage.at(t, vm); now.State == compute.Stopped {
		start, err := d.Machines.Start(d.ctx, compute.StartIn{ID: vm})
		must(t, err)
		_, err = d.Engine.Wait(d.ctx, start)
		must(t, err)
	}
	return what
}
