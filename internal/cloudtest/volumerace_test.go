package cloudtest_test

import (
	"context"
	"math/rand/v2"
	"sync"
	"testing"

	"github.com/virga-cloud/virga/internal/auth"
	"github.com/virga-cloud/virga/internal/cloudtest"
	"github.com/virga-cloud/virga/internal/compute"
	"github.com/virga-cloud/virga/internal/fault"
	"github.com/virga-cloud/virga/internal/offering"
	"github.com/virga-cloud/virga/internal/op"
	"github.com/virga-cloud/virga/internal/volume"
	"github.com/virga-cloud/virga/uid"
)

// Whatever is done at the same time to machines and to the volumes that they take from each other, each operation is done or
// refused, and in the end all is whole.
func TestVolumesInAnyOrder(t *testing.T) {
	t.Parallel()
	const clients, rounds = 6, 20
	cloudtest.Each(t, cloudtest.Options{}, func(t *testing.T, c *cloudtest.Cloud) {
		ctx := auth.With(context.Background(), auth.System())
		in := smallIn(t, c, ctx, "10.8.0.1", "255.255.252.0")
		disks, _, err := c.Offerings.Disks(ctx, offering.Filter{Name: "Small"})
		must(t, err)
		var vms []uid.VM
		var volumes []uid.Volume
		for range 2 {
			id, job, err := c.Machines.Deploy(ctx, in)
			must(t, err)
			end(t, c, job)
			vms = append(vms, id)
		}
		for range 3 {
			id, job, err := c.Volumes.Create(ctx, volume.CreateIn{Zone: in.Zone, Offering: disks[0].ID})
			must(t, err)
			end(t, c, job)
			volumes = append(volumes, id)
		}
		deeds := []func(vm uid.VM, v uid.Volume) (op.ID, error){
			func(vm uid.VM, v uid.Volume) (op.ID, error) { return c.Machines.Attach(ctx, v, vm, nil) },
			func(vm uid.VM, v uid.Volume) (op.ID, error) { return c.Machines.Attach(ctx, v, vm, nil) },
			func(_ uid.VM, v uid.Volume) (op.ID, error) { return c.Machines.Detach(ctx, v) },
			func(vm uid.VM, _ uid.Volume) (op.ID, error) { return c.Machines.Stop(ctx, vm, true) },
			func(vm uid.VM, _ uid.Volume) (op.ID, error) { return c.Machines.Start(ctx, compute.StartIn{ID: vm}) },
			func(vm uid.VM, _ uid.Volume) (op.ID, error) { return c.Machines.Reboot(ctx, vm, true) },
			func(vm uid.VM, _ uid.Volume) (op.ID, error) { return c.Machines.Destroy(ctx, vm, false) },
			func(vm uid.VM, _ uid.Volume) (op.ID, error) { return "", c.Machines.Recover(ctx, vm) },
		}
		var all sync.WaitGroup
		for range clients {
			all.Go(func() {
				for range rounds {
					job, err := deeds[rand.IntN(len(deeds))](vms[rand.IntN(len(vms))], volumes[rand.IntN(len(volumes))])
					if err != nil && !fault.Is(err, fault.Conflict) {
						t.Error(err)
					}
					if err != nil || job == "" {
						continue
					}
					if r, err := c.Engine.Wait(ctx, job); err != nil || r.State != op.Done && !fault.Is(r.Err(), fault.Conflict) {
						t.Errorf("%s ended %s: %v %s; %v", r.Plan, r.State, r.Err(), r.FaultDetail, err)
					}
				}
			})
		}
		all.Wait()
	})
}
