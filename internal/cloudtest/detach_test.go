package cloudtest_test

import (
	"context"
	"testing"

	"github.com/virga-cloud/virga/internal/auth"
	"github.com/virga-cloud/virga/internal/cloudtest"
	"github.com/virga-cloud/virga/internal/fault"
	"github.com/virga-cloud/virga/internal/hypervisor"
	"github.com/virga-cloud/virga/internal/offering"
	"github.com/virga-cloud/virga/internal/op"
	"github.com/virga-cloud/virga/internal/volume"
	"github.com/virga-cloud/virga/uid"
)

// A volume that is being detached is Detaching and its machine's until the host has let it go: nobody detaches it a second time, so
// that nothing takes it away again once it is attached anew. A detach that fails leaves it where it was.
func TestDetaching(t *testing.T) {
	t.Parallel()
	cloudtest.Each(t, cloudtest.Options{}, func(t *testing.T, c *cloudtest.Cloud) {
		ctx := auth.With(context.Background(), auth.System())
		in := smallIn(t, c, ctx, "10.8.0.1", "255.255.255.0")
		disks, _, err := c.Offerings.Disks(ctx, offering.Filter{Name: "Small"})
		must(t, err)
		var vms []uid.VM
		for range 2 {
			id, job, err := c.Machines.Deploy(ctx, in)
			must(t, err)
			end(t, c, job)
			vms = append(vms, id)
		}
		id, job, err := c.Volumes.Create(ctx, volume.CreateIn{Zone: in.Zone, Offering: disks[0].ID})
		must(t, err)
		end(t, c, job)
		done := func(job op.ID, err error) {
			t.Helper()
			must(t, err)
			end(t, c, job)
		}
		is := func(state volume.State, vm uid.VM, device int) {
			t.Helper()
			found, err := volume.ByID(ctx, c.DB.Read(), []uid.Volume{id})
			must(t, err)
			v := found[id]
			if v.State != state || v.VM != vm || (v.Device == nil) != (vm == "") || v.Device != nil && *v.Device != device {
				t.Errorf("the volume is %s, of machine %q at device %v; want %s, %q, %d", v.State, v.VM, v.Device, state, vm, device)
			}
		}
		unplugs := func(r hypervisor.Rule) {
			t.Helper()
			r.Command = hypervisor.CommandUnplug
			must(t, c.World.Script(ctx, r))
		}
		done(c.Machines.Attach(ctx, id, vms[0], new(int64(5))))
		is(volume.Ready, vms[0], 5)

		unplugs(hypervisor.Rule{Fault: "the guest does not let go", Kind: fault.Conflict, Count: 1})
		job, err = c.Machines.Detach(ctx, id)
		must(t, err)
		if r, err := c.Engine.Wait(ctx, job); err != nil || r.State != op.Failed {
			t.Errorf("the detach ended %s: %v; %v", r.State, r.Err(), err)
		}
		is(volume.Ready, vms[0], 5)
		for _, err := range cloudtest.Check(ctx, c.DB, c.World) {
			t.Errorf("not whole: %v", err)
		}

		unplugs(hypervisor.Rule{Fault: "away"}) // for as long as the rule stands
		job, err = c.Machines.Detach(ctx, id)
		must(t, err)
		is(volume.Detaching, vms[0], 5)
		if _, err := c.Machines.Detach(ctx, id); !fault.Is(err, fault.Conflict) {
			t.Errorf("detached twice: %v", err)
		}
		for _, vm := range vms {
			if _, err := c.Machines.Attach(ctx, id, vm, nil); !fault.Is(err, fault.Conflict) {
				t.Errorf("attached while it is detached: %v", err)
			}
		}
		unplugs(hypervisor.Rule{})
		end(t, c, job)
		is(volume.Ready, "", 0)

		done(c.Machines.Attach(ctx, id, vms[1], nil))
		done(c.Machines.Reboot(ctx, vms[0], false)) // its turn comes after all that was to be done to the first machine
		is(volume.Ready, vms[1], 1)
	})
}
