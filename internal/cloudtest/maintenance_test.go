package cloudtest_test

import (
	"context"
	"strings"
	"testing"

	"github.com/virga-cloud/virga/api"
	cs "github.com/virga-cloud/virga/api/cloudstack"
	"github.com/virga-cloud/virga/internal/auth"
	"github.com/virga-cloud/virga/internal/cloudtest"
	"github.com/virga-cloud/virga/internal/db/dbtest"
	"github.com/virga-cloud/virga/uid"
)

// A host goes out of service: its machines and routers move to others while they run, and come back only when they are told to. Where
// machines can't leave it an alert says which, and why.
func TestMaintenance(t *testing.T) {
	t.Parallel()
	c := cloudtest.New(t, dbtest.SQLite(t), cloudtest.Options{Hosts: 2, Rest: []string{"maintenance"}})
	ctx, box := auth.With(context.Background(), auth.System()), c.Sandbox(t)
	red, _ := c.Tenant(t, "red", "red", auth.User)
	hosts, err := listed(t, c.Client, cs.ListHosts, cs.ListHostsIn{})
	must(t, err)
	from, other := hosts[0].ID, hosts[1].ID
	var machines []uid.VM
	for range 3 {
		in := box.Deploy()
		in.HostID = from
		machines = append(machines, run(t, c.Client, cs.DeployVirtualMachine, in).ID)
	}
	run(t, red, cs.StopVirtualMachine, cs.StopVirtualMachineIn{ID: run(t, red, cs.DeployVirtualMachine, box.Deploy()).ID})
	stateOf := func() string {
		t.Helper()
		found, err := listed(t, c.Client, cs.ListHosts, cs.ListHostsIn{ID: from})
		must(t, err)
		return found[0].ResourceState
	}
	// settled runs the keeper until the host is on its way no more.
	settled := func() string {
		t.Helper()
		for stateOf() == "PrepareForMaintenance" {
			must(t, ctx.Err())
			must(t, c.Upkeep.Round(ctx))
		}
		return stateOf()
	}
	alerts := func() (texts string) {
		t.Helper()
		found, err := listed(t, c.Client, cs.ListAlerts, cs.ListAlertsIn{})
		must(t, err)
		for _, a := range found {
			texts += a.Description + "\n"
		}
		return texts
	}
	id := string(from)
	_, err = red.Call(ctx, "prepareHostForMaintenance", api.Params{"id": id})
	refusedWith(t, err, 432, "")
	refused(t, c.Client, cs.CancelHostMaintenance, cs.CancelHostMaintenanceIn{ID: from}, 431, "not in maintenance")

	// With nowhere to go.
	_, err = c.Client.Call(ctx, "updateHost", api.Params{"id": string(other), "allocationstate": "Disable"})
	must(t, err)
	prepare := cs.PrepareHostForMaintenanceIn{ID: from}
	if h := run(t, c.Client, cs.PrepareHostForMaintenance, prepare); h.ResourceState != "PrepareForMaintenance" && h.ResourceState != "ErrorInMaintenance" {
		t.Errorf("it is %s", h.ResourceState)
	}
	if state := settled(); state != "ErrorInMaintenance" || !strings.Contains(alerts(), "machines can't leave it: i-") || !strings.Contains(alerts(), "no host has room") {
		t.Errorf("it is %s, with the alerts\n%s", state, alerts())
	}
	in := box.Deploy()
	in.HostID = from
	refused(t, c.Client, cs.DeployVirtualMachine, in, 533, "")

	// With somewhere.
	_, err = c.Client.Call(ctx, "updateHost", api.Params{"id": string(other), "allocationstate": "Enable"})
	must(t, err)
	run(t, c.Client, cs.PrepareHostForMaintenance, prepare)
	if state := settled(); state != "Maintenance" {
		t.Errorf("it is %s", state)
	}
	there, err := c.World.Inspect(ctx)
	must(t, err)
	for _, vm := range machines {
		if g := there.Guests[vm]; g.Host != other || !g.Running {
			t.Errorf("machine %s is on %+v", vm, g)
		}
	}
	must(t, c.Keepers.Round(ctx, "routers"))
	routers, err := listed(t, c.Client, cs.ListRouters, cs.ListRoutersIn{Scope: api.Scope{ListAll: true}})
	must(t, err)
	for _, r := range routers {
		if r.HostID != other {
			t.Errorf("router %s is on %s", r.Name, r.HostName)
		}
	}
	_, err = c.Client.Call(ctx, "updateHost", api.Params{"id": id, "allocationstate": "Enable"})
	refusedWith(t, err, 431, "Maintenance")
	refused(t, c.Client, cs.PrepareHostForMaintenance, prepare, 431, "maintenance begins with one that is Enabled")
	if h := run(t, c.Client, cs.CancelHostMaintenance, cs.CancelHostMaintenanceIn{ID: from}); h.ResourceState != "Enabled" {
		t.Errorf("it is %s", h.ResourceState)
	}
	run(t, c.Client, cs.DeployVirtualMachine, in)
	for _, kind := range []string{"MAINT.PREPARE", "MAINT.CANCEL"} {
		if events, err := listed(t, c.Client, cs.ListEvents, cs.ListEventsIn{Type: kind}); err != nil || len(events) == 0 {
			t.Errorf("events %s: %v, %v", kind, events, err)
		}
	}
}
