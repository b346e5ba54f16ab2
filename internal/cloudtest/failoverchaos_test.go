package cloudtest_test

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	cs "github.com/virga-cloud/virga/api/cloudstack"
	"github.com/virga-cloud/virga/internal/alert"
	"github.com/virga-cloud/virga/internal/cloudtest"
	"github.com/virga-cloud/virga/internal/compute"
	"github.com/virga-cloud/virga/internal/failover"
	"github.com/virga-cloud/virga/internal/fault"
	"github.com/virga-cloud/virga/internal/host"
	"github.com/virga-cloud/virga/internal/hypervisor"
	"github.com/virga-cloud/virga/internal/hypervisor/sim"
	"github.com/virga-cloud/virga/internal/op"
	"github.com/virga-cloud/virga/uid"
)

// chaos is an outage by chance: hosts are cut off, lose their agents or their power and come back, answers are late or lost, servers are
// restarted, and users go on.
type chaos struct {
	*outage
	*rand.Rand
	hosts    []uid.Host
	machines []uid.VM
	lockless bool
	trace    []string
}

func (c *chaos) say(format string, args ...any) {
	c.trace = append(c.trace, fmt.Sprintf(format, args...))
}

// step has something happen, and then lets some time pass.
func (c *chaos) step(t *testing.T) {
	t.Helper()
	on := c.hosts[c.IntN(len(c.hosts))]
	switch c.IntN(8) {
	case 0, 1:
		what := []sim.Trouble{
			{Silent: true, Mute: true}, {Silent: true, Mute: true}, {Silent: true}, {Mute: true}, {PowerOff: true}, {NoAgent: true},
		}[c.IntN(6)]
		if c.lockless {
			what.NoAgent = false // two things that fail at once are more than is promised
		}
		c.say("%s: %+v", on, what)
		c.befall(t, on, what)
	case 2:
		c.say("%s: well", on)
		c.befall(t, on, sim.Trouble{})
	case 3:
		rule := hypervisor.Rule{Host: on, Count: 1 + c.IntN(2)}
		rule.Command = []hypervisor.Command{
			hypervisor.CommandStart, hypervisor.CommandStop, hypervisor.CommandGuests, hypervisor.CommandSign, hypervisor.CommandHeld,
			hypervisor.CommandSend, hypervisor.CommandReceive,
		}[c.IntN(7)]
		if c.IntN(2) == 0 {
			rule.Lost = true
		} else {
			rule.Wait = time.Duration(c.IntN(5)) * time.Millisecond
		}
		c.say("%s: %s lost %v wait %v", on, rule.Command, rule.Lost, rule.Wait)
		must(t, c.World.Script(c.ctx, rule))
	case 4:
		c.say("another server takes over")
		c.Failover = failover.New(c.DB, c.Engine, c.Hosts, c.Machines)
	case 5:
		c.wish(t)
	}
	c.Clock.Forward(time.Duration(4+c.IntN(9)) * time.Second)
	must(t, c.Hosts.CheckHealth(c.ctx))
	must(t, c.Failover.Round(c.ctx))
}

// wish is what a user wants of some machine.
func (c *chaos) wish(t *testing.T) {
	t.Helper()
	vm := c.machines[c.IntN(len(c.machines))]
	var job op.ID
	var err error
	what := []string{"start", "stop", "migrate"}[c.IntN(3)]
	switch what {
	case "start":
		job, err = c.Machines.Start(c.ctx, compute.StartIn{ID: vm})
	case "stop":
		job, err = c.Machines.Stop(c.ctx, vm, c.IntN(2) == 0)
	case "migrate":
		job, err = c.Machines.Migrate(c.ctx, vm, "")
	}
	c.say("%s %s: %s %v", what, vm, job, err)
	if err != nil && !fault.Is(err, fault.Conflict) {
		t.Fatal(err)
	}
}

// Never do two copies of a machine run: a hundred outages by chance, in half of which storage has forgotten who holds its disks. When all
// is well again everything is where it is believed to be.
func TestFailoverNeverDoubles(t *testing.T) {
	t.Parallel()
	const clouds, runs = 2, 50
	for n := range clouds {
		t.Run(fmt.Sprint(n), func(t *testing.T) {
			t.Parallel()
			o := newOutage(t, cloudtest.Options{Hosts: 4})
			c := &chaos{outage: o, lockless: n%2 == 1}
			o.World.ForgetLocks(c.lockless)
			all, _, err := o.Hosts.List(o.ctx, host.Filter{})
			must(t, err)
			for _, h := range all {
				c.hosts = append(c.hosts, h.ID)
			}
			box := o.Sandbox(t)
			for i := range 6 {
				vm := run(t, o.Client, cs.DeployVirtualMachine, box.Deploy()).ID
				c.machines = append(c.machines, vm)
				if i%3 < 2 {
					must(t, o.Machines.Update(o.ctx, vm, compute.Change{HAEnabled: new(true)}))
				}
			}
			for seed := range uint64(runs) {
				c.Rand, c.trace = rand.New(rand.NewPCG(seed, uint64(n))), nil
				for range 20 {
					c.step(t)
				}
				c.calm(t, seed%5 == 4)
				if o.World.Doubles() > 0 {
					t.Errorf("a machine was to be started that ran elsewhere")
				}
				if t.Failed() {
					for _, line := range c.trace {
						t.Log(line)
					}
					t.Fatalf("seed %d", seed)
				}
			}
			ended := 0
			must(t, o.DB.Read().NewRaw("select count(*) from events where type = 'VM.STOP' and level = 'WARN' and state = 'Completed'").Scan(o.ctx, &ended))
			t.Logf("%d machines had ended", ended)
			if ended < runs/2 {
				t.Errorf("only %d machines ended by themselves in %d outages", ended, runs)
			}
		})
	}
}

// calm ends the outage, and looks whether everything is where it is believed to be.
func (c *chaos) calm(t *testing.T, look bool) {
	t.Helper()
	for _, h := range c.hosts {
		c.befall(t, h, sim.Trouble{})
		for _, command := range []hypervisor.Command{
			hypervisor.CommandStart, hypervisor.CommandStop, hypervisor.CommandGuests, hypervisor.CommandSign, hypervisor.CommandHeld,
			hypervisor.CommandSend, hypervisor.CommandReceive,
		} {
			must(t, c.World.Script(c.ctx, hypervisor.Rule{Host: h, Command: command}))
		}
	}
	must(t, c.Hosts.CheckHealth(c.ctx))
	c.still(t)
	c.pass(t, 24*time.Second)
	c.Clock.Forward(6 * time.Minute) // the longest pause between two tries
	c.pass(t, 24*time.Second)
	if !look {
		return
	}
	for _, err := range cloudtest.Check(c.ctx, c.DB, c.World) {
		t.Error(err)
	}
	for _, kind := range []alert.Type{alert.Host, alert.Machine} {
		for _, text := range c.warnings(t, kind) {
			t.Errorf("an alert lasts: %s", text)
		}
	}
}
