package cloudtest_test

import (
	"testing"

	"github.com/virga-cloud/virga/api"
	cs "github.com/virga-cloud/virga/api/cloudstack"
	"github.com/virga-cloud/virga/internal/auth"
	"github.com/virga-cloud/virga/internal/cloudtest"
	"github.com/virga-cloud/virga/internal/db/dbtest"
	"github.com/virga-cloud/virga/uid"
)

// In a zone that is disabled only root admins start machines; on hosts of a pod or a cluster that is, nobody does. What runs goes on
// running and can be stopped.
func TestStartingWhereIsDisabled(t *testing.T) {
	t.Parallel()
	c := cloudtest.New(t, dbtest.SQLite(t), cloudtest.Options{Hosts: 1})
	box := c.Sandbox(t)
	user, _ := c.Tenant(t, "red", "red-user", auth.User)
	admin, _ := c.Tenant(t, "red", "red-admin", auth.DomainAdmin)
	vm := run(t, user, cs.DeployVirtualMachine, box.Deploy())
	start, stop := cs.StartVirtualMachineIn{ID: vm.ID}, cs.StopVirtualMachineIn{ID: vm.ID}
	o := operator{c, t}
	cluster := itemsOf(t, c, cs.ListClusters, cs.ListClustersIn{})[0]
	for _, one := range []struct {
		state func(string)
		root  bool // may start
		code  int
		text  string
	}{
		{func(s string) { made(o, cs.UpdateZone, cs.UpdateZoneIn{ID: box.Zone, AllocationState: &s}) }, true, 431, "is disabled"},
		{func(s string) { made(o, cs.UpdatePod, cs.UpdatePodIn{ID: cluster.PodID, AllocationState: &s}) }, false, 533, "not in use"},
		{func(s string) { made(o, cs.UpdateCluster, cs.UpdateClusterIn{ID: cluster.ID, AllocationState: &s}) }, false, 533, "not in use"},
	} {
		one.state("Disabled")
		run(t, user, cs.StopVirtualMachine, stop)
		for _, by := range []*api.Client{user, admin} {
			refused(t, by, cs.StartVirtualMachine, start, one.code, one.text)
		}
		if one.root {
			run(t, c.Client, cs.StartVirtualMachine, start)
			run(t, user, cs.RebootVirtualMachine, cs.RebootVirtualMachineIn{ID: vm.ID})
			run(t, user, cs.StopVirtualMachine, stop)
		} else {
			refused(t, c.Client, cs.StartVirtualMachine, start, one.code, "in a disabled")
		}
		one.state("Enabled")
		run(t, user, cs.StartVirtualMachine, start)
	}
	run(t, user, cs.StopVirtualMachine, stop)
	refused(t, c.Client, cs.StartVirtualMachine, cs.StartVirtualMachineIn{ID: vm.ID, HostID: uid.New[uid.Host]()}, 431, "no host")
}
