package sim

import (
	"context"
	"errors"
	"path/filepath"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/virga-cloud/virga/internal/fault"
	"github.com/virga-cloud/virga/internal/hypervisor"
)

func rule(t *testing.T, name, value string, count int) hypervisor.Rule {
	t.Helper()
	r, err := hypervisor.ParseRule(name, value, count)
	ok(t, err)
	return r
}

func TestRuleCommands(t *testing.T) {
	t.Parallel()
	w := open(t, "", Options{})
	host := enroll(t, w, 1)[0]
	d, m := machine()
	for _, c := range []struct {
		name string
		call func() error
	}{
		{"PingCommand", func() error { _, err := w.Probe(t.Context(), host); return err }},
		{"CheckVirtualMachineCommand", func() error { _, err := w.Guests(t.Context(), host); return err }},
		{"CopyCommand", func() error { return w.MakeDisk(t.Context(), host, d) }},
		{"StartCommand", func() error { return w.Start(t.Context(), host, m) }},
		{"RebootCommand", func() error { return w.Reboot(t.Context(), host, m.VM) }},
		{"StopCommand", func() error { return w.Stop(t.Context(), host, m.VM, true) }},
		{"DeleteCommand", func() error { return w.DropDisk(t.Context(), host, d.DiskRef) }},
	} {
		ok(t, w.Script(t.Context(), rule(t, c.name, "conflict:not today", 1)))
		if err := c.call(); !fault.Is(err, fault.Conflict) || err.Error() != "not today" {
			t.Errorf("%s gave %v", c.name, err)
		}
		ok(t, w.Script(t.Context(), rule(t, c.name, "fault", 0)))
		for range 2 {
			fails(t, c.call(), fault.Unavailable)
		}
		ok(t, w.Script(t.Context(), rule(t, c.name, "none", 0)))
		ok(t, c.call())
	}
}

// A lost answer is a failure to the caller, but not to the guest.
func TestRuleLost(t *testing.T) {
	t.Parallel()
	w := open(t, "", Options{})
	host := enroll(t, w, 1)[0]
	d, m := machine()
	ok(t, w.MakeDisk(t.Context(), host, d))
	ok(t, w.Script(t.Context(), rule(t, "StartCommand", "timeout", 1)))
	fails(t, w.Start(t.Context(), host, m), fault.Unavailable)
	i, err := w.Inspect(t.Context())
	ok(t, err)
	if !i.Guests[m.VM].Running {
		t.Error("the machine does not run")
	}
	ok(t, w.Start(t.Context(), host, m))
}

func TestRuleScope(t *testing.T) {
	t.Parallel()
	w := open(t, "", Options{})
	hosts := enroll(t, w, 2)
	at, err := w.store.read.host(hosts[0])
	ok(t, err)
	for _, r := range []hypervisor.Rule{ // from the widest to the narrowest
		{Fault: "everyone"}, {Fault: "zone", Zone: at.Zone}, {Fault: "pod", Pod: at.Pod},
		{Fault: "cluster", Zone: at.Zone, Cluster: at.Cluster}, {Fault: "host", Host: hosts[0]},
	} {
		r.Command = hypervisor.CommandProbe
		ok(t, w.Script(t.Context(), r))
		if _, err := w.Probe(t.Context(), hosts[0]); err == nil || err.Error() != r.Fault {
			t.Errorf("with the rule for %s the host says %v", r.Fault, err)
		}
	}
	if _, err := w.Probe(t.Context(), hosts[1]); err == nil || err.Error() != "everyone" {
		t.Errorf("the other host says %v", err)
	}
	ok(t, w.Script(t.Context(), hypervisor.Rule{Command: hypervisor.CommandProbe}))
	_, err = w.Probe(t.Context(), hosts[1])
	ok(t, err)
}

// A count is for all servers together, however they race.
func TestRuleCount(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "world.db")
	worlds := []*World{open(t, path, Options{}), open(t, path, Options{})}
	host := enroll(t, worlds[0], 1)[0]
	ok(t, worlds[0].Script(t.Context(), rule(t, "PingCommand", "fault", 10)))
	var failed atomic.Int32
	done := make(chan bool)
	for i := range 40 {
		go func() {
			if _, err := worlds[i%2].Probe(t.Context(), host); fault.Is(err, fault.Unavailable) {
				failed.Add(1)
			}
			done <- true
		}()
	}
	for range 40 {
		<-done
	}
	if failed.Load() != 10 {
		t.Errorf("%d of 40 probes failed, want 10", failed.Load())
	}
}

func TestDurations(t *testing.T) {
	t.Parallel()
	var waited []time.Duration
	cut := false // the next wait is interrupted
	w := open(t, "", Options{Boot: 1, Stop: 2, Reboot: 3, Copy: 4, Wait: func(_ context.Context, d time.Duration) error {
		waited = append(waited, d)
		if cut {
			return context.Canceled
		}
		return nil
	}})
	host := enroll(t, w, 1)[0]
	d, m := machine()
	step := func(name string, want time.Duration, call func() error) {
		t.Helper()
		waited = nil
		err := call()
		if cut != (err != nil) {
			t.Errorf("%s gave error %v", name, err)
		}
		var sum time.Duration
		for _, d := range waited {
			sum += d
		}
		if sum != want {
			t.Errorf("%s took %d, want %d", name, sum, want)
		}
	}
	disk := func() error { return w.MakeDisk(t.Context(), host, d) }
	start := func() error { return w.Start(t.Context(), host, m) }
	stop := func() error { return w.Stop(t.Context(), host, m.VM, false) }

	cut = true
	step("an interrupted copy", 4, disk)
	cut = false
	step("a copy", 4, disk)
	step("a copy that is there", 0, disk)
	cut = true
	step("an interrupted start", 1, start)
	cut = false
	step("a start of what runs", 0, start)
	step("a reboot", 3, func() error { return w.Reboot(t.Context(), host, m.VM) })
	cut = true
	step("an interrupted stop", 2, stop)
	cut = false
	step("a start of what was not stopped", 0, start)
	ok(t, w.Script(t.Context(), rule(t, "StopCommand", "wait:5", 1)))
	step("a slow stop", 2+5*time.Millisecond, stop)
	step("a stop of what is stopped", 0, stop)
	step("a start", 1, start)
	step("a cut", 0, func() error { return w.Stop(t.Context(), host, m.VM, true) })
}

// A wait in real time ends in time, or with the context.
func TestWait(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), time.Hour)
		defer cancel()
		ok(t, wait(ctx, 59*time.Minute))
		if err := wait(ctx, 2*time.Minute); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("got %v, want %v", err, context.DeadlineExceeded)
		}
	})
}
