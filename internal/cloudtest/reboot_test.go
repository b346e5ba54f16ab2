package cloudtest_test

import (
	"context"
	"testing"

	"github.com/virga-cloud/virga/internal/auth"
	"github.com/virga-cloud/virga/internal/cloudtest"
	"github.com/virga-cloud/virga/internal/compute"
	"github.com/virga-cloud/virga/internal/hypervisor"
	"github.com/virga-cloud/virga/internal/op"
	"github.com/virga-cloud/virga/uid"
)

// A forced reboot whose machine can't be stopped leaves it running; one whose machine can't be started again leaves it
// stopped, without room on the host, and ready to be started.
func TestForcedRebootThatFails(t *testing.T) {
	t.Parallel()
	cloudtest.Each(t, cloudtest.Options{}, func(t *testing.T, c *cloudtest.Cloud) {
		ctx := auth.With(context.Background(), auth.System())
		id, job, err := c.Machines.Deploy(ctx, smallIn(t, c, ctx, "10.6.0.1", "255.255.255.0"))
		must(t, err)
		end(t, c, job)
		for _, refuses := range []struct {
			command string
			left    compute.State
		}{{"StopCommand", compute.Running}, {"StartCommand", compute.Stopped}} {
			rule, err := hypervisor.ParseRule(refuses.command, "conflict:no", 1)
			must(t, err)
			must(t, c.Hosts.Script(ctx, rule))
			job, err := c.Machines.Reboot(ctx, id, true)
			must(t, err)
			r, err := c.Engine.Wait(ctx, job)
			must(t, err)
			if r.State != op.Failed || r.FaultText != "no" {
				t.Errorf("%s: the reboot ended %s, %v", refuses.command, r.State, r.Err())
			}
			vms, err := compute.ByID(ctx, c.DB.Read(), []uid.VM{id})
			must(t, err)
			if vm := vms[id]; vm.State != refuses.left || (vm.Host == "") != (refuses.left == compute.Stopped) {
				t.Errorf("%s: the machine is %s on %q", refuses.command, vm.State, vm.Host)
			}
			for _, err := range cloudtest.Check(ctx, c.DB, c.World) {
				t.Errorf("%s: not whole: %v", refuses.command, err)
			}
		}
		job, err = c.Machines.Start(ctx, compute.StartIn{ID: id})
		must(t, err)
		end(t, c, job)
		job, err = c.Machines.Reboot(ctx, id, true)
		must(t, err)
		end(t, c, job)
	})
}
