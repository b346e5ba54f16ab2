package main_test

import (
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/virga-cloud/virga/api"
	cs "github.com/virga-cloud/virga/api/cloudstack"
	"github.com/virga-cloud/virga/uid"
)

// proving is how long it may take until what became of a silent host's machines is known: a lease, and looks at it.
const proving = 5 * time.Minute

// Real hosts fail in three ways, each with a machine that is highly available. One loses its power: its machine runs on another host. One is
// cut off from the network: its machine goes on, and nowhere else. One loses its agent alone: its machine goes on, and is started
// elsewhere only when it has ended, too. At no moment does any of them run twice.
func TestRealHostsFail(t *testing.T) {
	t.Parallel()
	r := newRealHosts(t, 4, false)
	ctx := t.Context()
	spare, power, cut, agent := r.hosts[0], r.hosts[1], r.hosts[2], r.hosts[3]
	vms := map[*realHost]uid.VM{}
	for _, h := range []*realHost{power, cut, agent} {
		vms[h] = r.deploy("on-"+h.name, h, r.tiny).ID
		h.ready(vms[h])
	}
	watch(t, slices.Collect(maps.Values(vms))...)
	stays := func(h *realHost, pids []int, reason string) {
		t.Helper()
		r.p.within(proving, "an alert that names the machine of "+h.name, func() bool { return strings.Contains(r.alerts(), reason) })
		if vm := r.machine(vms[h]); vm.State != "Running" || vm.HostID != h.id {
			t.Errorf("the machine of %s is %s on %s", h.name, vm.State, vm.HostName)
		}
		if now := qemus(t, vms[h]); len(now) != 1 || now[0] != pids[0] {
			t.Errorf("the machine of %s was process %v and is %v", h.name, pids, now)
		}
	}
	moves := func(h *realHost) {
		t.Helper()
		r.p.within(proving, "the machine of "+h.name+" on another host", func() bool {
			vm := r.machine(vms[h])
			return vm.State == "Running" && vm.HostID == spare.id
		})
		spare.ready(vms[h])
	}
	cutPIDs, agentPIDs := qemus(t, vms[cut]), qemus(t, vms[agent])
	r.lab.Run(r.lan, "ip", "link", "set", cut.link, "down")
	agent.agent.kill()
	power.powerOff()

	stays(agent, agentPIDs, "is in use")
	stays(cut, cutPIDs, "shows signs of life")
	moves(power)
	for _, pid := range agentPIDs {
		must(t, syscall.Kill(pid, syscall.SIGKILL))
	}
	moves(agent)

	r.lab.Run(r.lan, "ip", "link", "set", cut.link, "up")
	awaitHost(t, r.p, r.client, cut.name, "Up")
	r.p.until("the end of its alert", func() bool { return !strings.Contains(r.alerts(), "shows signs of life") })
	if now := qemus(t, vms[cut]); len(now) != 1 || now[0] != cutPIDs[0] {
		t.Errorf("the machine of the host that was cut off was process %v and is %v", cutPIDs, now)
	}
	for _, h := range []*realHost{power, agent} {
		h.start()
		awaitHost(t, h.agent, r.client, h.name, "Up")
	}
	for h, id := range vms {
		stopped, err := api.Run(ctx, r.client, cs.StopVirtualMachine, cs.StopVirtualMachineIn{ID: id, Forced: true})
		must(t, err)
		if stopped.State != "Stopped" || len(qemus(t, id)) > 0 {
			t.Errorf("the machine that was on %s is %s, and its processes are %v", h.name, stopped.State, qemus(t, id))
		}
	}
}

// alerts gives what alerts say whose causes last.
func (r *realHosts) alerts() string {
	r.t.Helper()
	alerts, err := api.Fetch(r.t.Context(), r.client, cs.ListAlerts, cs.ListAlertsIn{})
	must(r.t, err)
	var text strings.Builder
	for _, a := range alerts.Items {
		if a.Resolved.IsZero() {
			fmt.Fprintln(&text, a.Description)
		}
	}
	return text.String()
}

// qemus gives the processes that run a machine, wherever they do.
func qemus(t *testing.T, vm uid.VM) (pids []int) {
	t.Helper()
	files, err := filepath.Glob("/proc/[0-9]*/exe")
	must(t, err)
	for _, f := range files {
		if exe, err := os.Readlink(f); err != nil || !strings.Contains(exe, "qemu-system") {
			continue
		}
		line, _ := os.ReadFile(filepath.Join(filepath.Dir(f), "cmdline"))
		if pid, err := strconv.Atoi(filepath.Base(filepath.Dir(f))); err == nil && strings.Contains(string(line), string(vm)) {
			pids = append(pids, pid)
		}
	}
	return pids
}

// watch sees to it that machines run once at most, until the test ends.
func watch(t *testing.T, vms ...uid.VM) {
	t.Helper()
	done, ended := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(ended)
		tick := time.NewTicker(200 * time.Millisecond)
		defer tick.Stop()
		for {
			for _, vm := range vms {
				if pids := qemus(t, vm); len(pids) > 1 {
					t.Errorf("machine %s runs as processes %v", vm, pids)
				}
			}
			select {
			case <-tick.C:
			case <-done:
				return
			}
		}
	}()
	t.Cleanup(func() { close(done); <-ended })
}
