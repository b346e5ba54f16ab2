package cloudtest_test

import (
	"context"
	"testing"

	"github.com/virga-cloud/virga/api"
	cs "github.com/virga-cloud/virga/api/cloudstack"
	"github.com/virga-cloud/virga/internal/auth"
	"github.com/virga-cloud/virga/internal/cloudtest"
	"github.com/virga-cloud/virga/internal/db/dbtest"
	"github.com/virga-cloud/virga/internal/hypervisor"
	"github.com/virga-cloud/virga/uid"
)

// A machine that runs is moved to a host that is named, or chosen; it is where its row says, and has room there alone.
func TestMigrate(t *testing.T) {
	t.Parallel()
	c := cloudtest.New(t, dbtest.SQLite(t), cloudtest.Options{Hosts: 3})
	ctx, box := auth.With(context.Background(), auth.System()), c.Sandbox(t)
	red, _ := c.Tenant(t, "red", "red", auth.User)
	vm := run(t, red, cs.DeployVirtualMachine, box.Deploy())
	hosts, err := listed(t, c.Client, cs.ListHosts, cs.ListHostsIn{})
	must(t, err)
	at := func() uid.Host {
		t.Helper()
		for _, err := range cloudtest.Check(ctx, c.DB, c.World) {
			t.Errorf("not whole: %v", err)
		}
		guest, err := c.World.Inspect(ctx)
		must(t, err)
		return guest.Guests[vm.ID].Host
	}
	from := at()
	var free []uid.Host
	for _, h := range hosts {
		if h.ID != from {
			free = append(free, h.ID)
		}
	}
	in := cs.MigrateVirtualMachineIn{VMID: vm.ID}
	refused(t, red, cs.MigrateVirtualMachine, in, 432, "")
	refused(t, c.Client, cs.MigrateVirtualMachine, in, 431, "autoselect=true")
	in.HostID = from
	refused(t, c.Client, cs.MigrateVirtualMachine, in, 431, "runs on that host already")
	in.HostID = free[0]
	moved := run(t, c.Client, cs.MigrateVirtualMachine, in)
	if moved.State != "Running" || moved.HostID != free[0] || at() != free[0] {
		t.Errorf("it is %s on %s, and runs on %s; want %s", moved.State, moved.HostID, at(), free[0])
	}
	// What was changed since it was started is no hindrance, and a host that is not in use is.
	data := "aGVsbG8="
	_, err = c.Client.Call(ctx, "updateVirtualMachine", map[string]string{"id": string(vm.ID), "userdata": data})
	must(t, err)
	_, err = c.Client.Call(ctx, "updateHost", map[string]string{"id": string(from), "allocationstate": "Disable"})
	must(t, err)
	in.HostID = from
	refused(t, c.Client, cs.MigrateVirtualMachine, in, 533, "no host has room")
	in.HostID, in.AutoSelect = "", true
	if moved = run(t, c.Client, cs.MigrateVirtualMachine, in); moved.HostID != free[1] || at() != free[1] {
		t.Errorf("it was to choose %s, and is on %s", free[1], moved.HostID)
	}

	// An answer that is lost is asked for; a host that can't send leaves it where it is, without a trace of it elsewhere.
	for value, want := range map[string]uid.Host{"timeout": free[0], "conflict:no": free[1]} {
		if at() != free[1] {
			in.HostID = free[1]
			run(t, c.Client, cs.MigrateVirtualMachine, in)
		}
		rule, err := hypervisor.ParseRule("MigrateCommand", value, 1)
		must(t, err)
		must(t, c.Hosts.Script(ctx, rule))
		in.HostID = free[0]
		if want == free[0] {
			run(t, c.Client, cs.MigrateVirtualMachine, in)
		} else {
			refused(t, c.Client, cs.MigrateVirtualMachine, in, 431, "no")
		}
		if at() != want {
			t.Errorf("after %s it is on %s, want %s", value, at(), want)
		}
		awaited, err := c.World.Guests(ctx, free[0])
		if must(t, err); want != free[0] && len(awaited) > 0 {
			t.Errorf("on the other host there is %v", awaited)
		}
	}
	run(t, red, cs.StopVirtualMachine, cs.StopVirtualMachineIn{ID: vm.ID})
	refused(t, c.Client, cs.MigrateVirtualMachine, in, 431, "can't be migrated")
	events, err := listed(t, c.Client, cs.ListEvents, cs.ListEventsIn{Type: "VM.MIGRATE", Scope: api.Scope{ListAll: true}})
	if must(t, err); len(events) == 0 || events[0].Username == "" {
		t.Errorf("events %+v", events)
	}
}
