package cloudtest_test

import (
	"context"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/virga-cloud/virga/api"
	cs "github.com/virga-cloud/virga/api/cloudstack"
	"github.com/virga-cloud/virga/internal/alert"
	"github.com/virga-cloud/virga/internal/auth"
	"github.com/virga-cloud/virga/internal/cloudtest"
	"github.com/virga-cloud/virga/internal/compute"
	"github.com/virga-cloud/virga/internal/db/dbtest"
	"github.com/virga-cloud/virga/internal/failover"
	"github.com/virga-cloud/virga/internal/host"
	"github.com/virga-cloud/virga/internal/hypervisor/sim"
	"github.com/virga-cloud/virga/internal/op"
	"github.com/virga-cloud/virga/internal/op/optest"
	"github.com/virga-cloud/virga/uid"
)

// outage is a cloud some of whose hosts are in trouble.
type outage struct {
	*cloudtest.Cloud
	ctx context.Context
}

func newOutage(t *testing.T, o cloudtest.Options) *outage {
	t.Helper()
	return newOutageIn(t, dbtest.SQLite(t), o)
}

func newOutageIn(t *testing.T, url string, o cloudtest.Options) *outage {
	t.Helper()
	return &outage{cloudtest.New(t, url, o), auth.With(context.Background(), auth.System())}
}

// pass lets time pass, in steps in which the keepers have their rounds, and whatever they begin is done.
func (o *outage) pass(t *testing.T, long time.Duration) {
	t.Helper()
	for ; long > 0; long -= 8 * time.Second {
		o.Clock.Forward(min(long, 8*time.Second))
		must(t, o.Hosts.CheckHealth(o.ctx))
		must(t, o.Failover.Round(o.ctx))
		o.still(t)
	}
	must(t, o.Failover.Round(o.ctx))
}

// still waits until no job is at work.
func (o *outage) still(t *testing.T) {
	t.Helper()
	open, _, err := op.List(o.ctx, o.DB.Read(), op.Filter{Scope: auth.Scope{All: true}, OnlyOpen: true})
	must(t, err)
	for _, job := range open {
		_, err := o.Engine.Wait(o.ctx, job.ID)
		must(t, err)
	}
}

func (o *outage) befall(t *testing.T, on uid.Host, what sim.Trouble) {
	t.Helper()
	must(t, o.World.Befall(o.ctx, on, what))
}

// at is a machine as it is believed to be, and where its host has it running; "" for nowhere.
func (o *outage) at(t *testing.T, id uid.VM) (compute.VM, uid.Host) {
	t.Helper()
	vms, err := compute.ByID(o.ctx, o.DB.Read(), []uid.VM{id})
	must(t, err)
	there, err := o.World.Inspect(o.ctx)
	must(t, err)
	if g := there.Guests[id]; g.Running {
		return vms[id], g.Host
	}
	return vms[id], ""
}

// warnings are the texts of the alerts that last.
func (o *outage) warnings(t *testing.T, kind alert.Type) (texts []string) {
	t.Helper()
	all, _, err := alert.List(o.ctx, o.DB.Read(), alert.Filter{Types: []alert.Type{kind}})
	must(t, err)
	for _, a := range all {
		if a.Resolved.IsZero() {
			texts = append(texts, a.Description)
		}
	}
	return texts
}

func (o *outage) warned(t *testing.T, kind alert.Type, text string) bool {
	t.Helper()
	return slices.ContainsFunc(o.warnings(t, kind), func(a string) bool { return strings.Contains(a, text) })
}

// What is highly available runs again once its host has ended it for sure, the rest is stopped; what may run on is left alone, and an
// alert says why.
func TestFailover(t *testing.T) {
	t.Parallel()
	o := newOutage(t, cloudtest.Options{Hosts: 3, Rest: []string{"host-health", "failover"}})
	box := o.Sandbox(t)
	hosts, _, err := o.Hosts.List(o.ctx, host.Filter{})
	must(t, err)
	on := hosts[0].ID
	deploy := func(available bool) uid.VM {
		t.Helper()
		in := box.Deploy()
		in.HostID = on
		id := run(t, o.Client, cs.DeployVirtualMachine, in).ID
		if available {
			_, err := o.Client.Call(o.ctx, "updateVirtualMachine", api.Params{"id": string(id), "haenable": "true"})
			must(t, err)
		}
		return id
	}
	dear, cheap := deploy(true), deploy(false)
	runs := func(what string, id uid.VM, where uid.Host) {
		t.Helper()
		if vm, at := o.at(t, id); vm.State != compute.Running || vm.Host != where || at != where {
			t.Errorf("%s: it is %s on %q and runs on %q, want %q", what, vm.State, vm.Host, at, where)
		}
	}
	stays := func(what string, trouble sim.Trouble, warning string) {
		t.Helper()
		o.befall(t, on, trouble)
		o.pass(t, 4*time.Minute)
		if !o.warned(t, alert.Host, warning) {
			t.Errorf("%s: there is no alert that says %q", what, warning)
		}
		o.befall(t, on, sim.Trouble{})
		o.pass(t, 8*time.Second)
		runs(what, dear, on)
		runs(what, cheap, on)
		if o.warned(t, alert.Host, "") {
			t.Errorf("%s: an alert lasts", what)
		}
	}
	stays("cut off from us alone", sim.Trouble{Silent: true}, "cut off from us alone")
	stays("without its agent", sim.Trouble{NoAgent: true}, "is in use: it runs on")

	// Nowhere to go: it is tried again and again.
	for _, h := range hosts[1:] {
		_, err := o.Client.Call(o.ctx, "updateHost", api.Params{"id": string(h.ID), "allocationstate": "Disable"})
		must(t, err)
	}
	o.befall(t, on, sim.Trouble{Silent: true, Mute: true})
	o.pass(t, 40*time.Second)
	runs("too early to tell", dear, on)
	o.pass(t, 3*time.Minute)
	for _, id := range []uid.VM{dear, cheap} {
		if vm, at := o.at(t, id); vm.State != compute.Stopped || vm.Host != "" || at != "" {
			t.Errorf("after the lease it is %s on %q, and runs on %q", vm.State, vm.Host, at)
		}
	}
	if !o.warned(t, alert.Machine, "no host has room") {
		t.Error("nobody is told that the machine can't be started again")
	}
	for _, h := range hosts[1:] {
		_, err := o.Client.Call(o.ctx, "updateHost", api.Params{"id": string(h.ID), "allocationstate": "Enable"})
		must(t, err)
	}
	o.pass(t, 6*time.Minute)
	vm, at := o.at(t, dear)
	if vm.State != compute.Running || at == on || at != vm.Host || o.warned(t, alert.Machine, "") {
		t.Errorf("with room elsewhere it is %s on %q, and runs on %q", vm.State, vm.Host, at)
	}

	// The host is back: nothing changes, and nothing of the machines is left there.
	elsewhere := vm.Host
	o.befall(t, on, sim.Trouble{})
	o.pass(t, 16*time.Second)
	runs("its old host is back", dear, elsewhere)
	guests, err := o.World.Guests(o.ctx, on)
	if must(t, err); len(guests) > 0 || o.warned(t, alert.Host, "") {
		t.Errorf("it still has %+v", guests)
	}

	// The power fails; and a host that comes back by itself says what it has lost.
	o.befall(t, elsewhere, sim.Trouble{PowerOff: true})
	o.befall(t, elsewhere, sim.Trouble{Silent: true})
	o.pass(t, 8*time.Second)
	o.befall(t, elsewhere, sim.Trouble{})
	o.pass(t, 16*time.Second)
	if vm, at := o.at(t, dear); vm.State != compute.Running || at != vm.Host {
		t.Errorf("after its host was off and on it is %s on %q, and runs on %q", vm.State, vm.Host, at)
	}
	if n := o.World.Doubles(); n > 0 {
		t.Errorf("%d times a machine was to be started that ran elsewhere", n)
	}
}

// Where the rounds of several servers meet, a machine that has ended is started again by one of them, and nobody is told that it can't be.
func TestRoundsOfSeveralServersMeet(t *testing.T) {
	t.Parallel()
	dbtest.EachUnmade(t, func(t *testing.T, url string) {
		o := newOutageIn(t, url, cloudtest.Options{Hosts: 3, Rest: []string{"host-health", "failover"}})
		box := o.Sandbox(t)
		var machines []uid.VM
		for range 6 {
			vm := run(t, o.Client, cs.DeployVirtualMachine, box.Deploy()).ID
			must(t, o.Machines.Update(o.ctx, vm, compute.Change{HAEnabled: new(true)}))
			machines = append(machines, vm)
		}
		for _, vm := range machines {
			must(t, o.World.Halt(o.ctx, vm))
		}
		var servers []*failover.Service
		for range 4 {
			servers = append(servers, failover.New(o.DB, o.Engine, o.Hosts, o.Machines))
		}
		for range 4 { // it is found that they have ended; they are started; they run
			o.Clock.Forward(12 * time.Second)
			var all sync.WaitGroup
			for _, s := range servers {
				all.Go(func() {
					if err := s.Round(o.ctx); err != nil {
						t.Error(err)
					}
				})
			}
			all.Wait()
			if texts := o.warnings(t, alert.Machine); len(texts) > 0 {
				t.Errorf("somebody is told of %q", texts)
			}
			o.still(t)
		}
		for _, id := range machines {
			if vm, at := o.at(t, id); vm.State != compute.Running || at != vm.Host {
				t.Errorf("it is %s on %q, and runs on %q", vm.State, vm.Host, at)
			}
		}
	})
}

// A machine that ended on a host which is there is Stopped and gone from it, or believed to run as before.
func TestStormSettle(t *testing.T) {
	t.Parallel()
	for name, url := range map[string]func(testing.TB) string{"sqlite": dbtest.SQLite, "postgres": dbtest.Unmade} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			optest.Storm(t, func(t *testing.T) optest.World {
				s := stormyIn(t, url(t), cloudtest.Options{Broken: true}) // where it is undone the machine is believed to run
				s.have(t, compute.Running)
				must(t, s.World.Halt(s.ctx, s.vm))
				is := func(state compute.State, guests, waiting int) func(t *testing.T) {
					return func(t *testing.T) {
						t.Helper()
						vms, err := compute.ByID(s.ctx, s.DB.Read(), []uid.VM{s.vm})
						must(t, err)
						there, err := s.World.Inspect(s.ctx)
						must(t, err)
						var noted int
						must(t, s.DB.Read().NewRaw("select count(*) from failovers").Scan(s.ctx, &noted))
						vm := vms[s.vm]
						if vm.State != state || (vm.Host != "") != (state == compute.Running) || len(there.Guests) > guests || noted != waiting {
							t.Errorf("it is %s on %q, with %d guests, and %d are to run again", vm.State, vm.Host, len(there.Guests), noted)
						}
						if state == compute.Stopped {
							for _, err := range cloudtest.Check(s.ctx, s.DB, s.World) {
								t.Errorf("not whole: %v", err)
							}
						}
					}
				}
				return optest.World{
					DB:     s.DB,
					Engine: func(o op.Options) *op.Engine { s.now = s.Another(s.DB, s.World, o); return s.now.Engine },
					Start: func(ctx context.Context) (op.ID, error) {
						ctx = auth.With(ctx, auth.System())
						if err := s.now.Machines.Update(ctx, s.vm, compute.Change{HAEnabled: new(true)}); err != nil {
							return "", err
						}
						vms, err := compute.ByID(ctx, s.DB.Read(), []uid.VM{s.vm})
						if err != nil {
							return "", err
						}
						vm := vms[s.vm]
						return s.now.Machines.Settle(ctx, compute.Finding{VM: vm.ID, Host: vm.Host, Version: vm.Version, Answers: true, Why: "it has ended"})
					},
					There:   is(compute.Stopped, 0, 1),
					Nothing: is(compute.Running, 1, 0),
				}
			})
		})
	}
}
