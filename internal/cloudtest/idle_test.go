package cloudtest_test

import (
	"testing"
	"time"

	cs "github.com/virga-cloud/virga/api/cloudstack"
	"github.com/virga-cloud/virga/internal/auth"
	"github.com/virga-cloud/virga/internal/cloudtest"
	"github.com/virga-cloud/virga/internal/db/dbtest"
	"github.com/virga-cloud/virga/internal/router"
)

// A network in which nothing runs loses its router when its time has come, and gets another one with the next machine that starts.
func TestIdleNetworksLoseTheirRouter(t *testing.T) {
	t.Parallel()
	c := cloudtest.New(t, dbtest.SQLite(t), cloudtest.Options{Rest: []string{"network-gc"}})
	ctx := t.Context()
	vm := run(t, c.Client, cs.DeployVirtualMachine, c.Sandbox(t).Deploy())
	network := vm.NICs[0].NetworkID
	document(t, c, network)
	look := func(wait time.Duration) []router.Router {
		t.Helper()
		must(t, c.Routers.Retire(ctx, wait))
		waitForJobs(t, c)
		found, _, err := c.Routers.List(ctx, router.Filter{Scope: auth.Scope{All: true}, Network: network})
		must(t, err)
		return found
	}
	look(0)
	first := look(0)
	if len(first) != 1 || !first[0].Idle.IsZero() {
		t.Fatalf("a network in use has the routers %+v", first)
	}
	run(t, c.Client, cs.StopVirtualMachine, cs.StopVirtualMachineIn{ID: vm.ID})
	if r := look(0); len(r) != 1 || r[0].Idle.IsZero() {
		t.Errorf("at the first look: %+v", r)
	}
	if r := look(time.Hour); len(r) != 1 {
		t.Errorf("before its time: %+v", r)
	}
	_, err := c.Routers.RetireOne(auth.With(ctx, auth.System()), first[0].ID)
	must(t, err)
	if r := look(0); len(r) != 0 {
		t.Errorf("after its time: %+v", r)
	}
	if _, err := c.World.Router(ctx, first[0].Host, first[0].ID); err == nil {
		t.Error("the router is still on its host")
	}
	shown, err := listed(t, c.Client, cs.ListRouters, cs.ListRoutersIn{NetworkID: network})
	if must(t, err); len(shown) != 0 {
		t.Errorf("the list shows %+v", shown)
	}
	run(t, c.Client, cs.StartVirtualMachine, cs.StartVirtualMachineIn{ID: vm.ID})
	if doc := document(t, c, network); doc.ID == first[0].ID || len(doc.Segments[0].Guests) != 1 {
		t.Errorf("started again its router is %+v", doc)
	}
	if r := look(0); len(r) != 1 {
		t.Errorf("with a machine that runs: %+v", r)
	}
}
