package cloudtest_test

import (
	"testing"

	"github.com/virga-cloud/virga/api"
	cs "github.com/virga-cloud/virga/api/cloudstack"
	"github.com/virga-cloud/virga/internal/cloudtest"
)

// A host with machines and volumes of its own is deleted only if they are asked to go, and nothing of them is left.
func TestDeleteHostInUse(t *testing.T) {
	t.Parallel()
	cloudtest.Each(t, cloudtest.Options{Hosts: 2}, func(t *testing.T, c *cloudtest.Cloud) {
		ctx, box := t.Context(), c.Sandbox(t)
		_, err := api.Do(ctx, c.Client, cs.UpdateZone, cs.UpdateZoneIn{ID: box.Zone, LocalStorage: new(true)})
		must(t, err)
		hosts, err := api.Fetch(ctx, c.Client, cs.ListHosts, cs.ListHostsIn{})
		must(t, err)
		gone, left := hosts.Items[0].ID, hosts.Items[1].ID
		for _, h := range hosts.Items { // which brings along its local storage
			_, err = api.Run(ctx, c.Client, cs.ReconnectHost, cs.ReconnectHostIn{ID: h.ID})
			must(t, err)
		}
		disk, err := api.Do(ctx, c.Client, cs.CreateDiskOffering, cs.CreateDiskOfferingIn{
			Name: "own", DisplayText: "own", Size: 1, StorageType: "local",
		})
		must(t, err)
		offer, err := api.Do(ctx, c.Client, cs.CreateServiceOffering, cs.CreateServiceOfferingIn{
			Name: "own", DisplayText: "own", CPUNumber: 1, CPUSpeed: 500, Memory: 256, StorageType: "local",
		})
		must(t, err)
		deploy := func(change func(*cs.DeployVirtualMachineIn)) cs.VirtualMachine {
			in := box.Deploy()
			in.HostID = gone
			change(&in)
			vm, err := api.Run(ctx, c.Client, cs.DeployVirtualMachine, in)
			must(t, err)
			return vm
		}
		shared := deploy(func(in *cs.DeployVirtualMachineIn) { in.DiskOfferingID = disk.ID })
		local := deploy(func(in *cs.DeployVirtualMachineIn) { in.ServiceOfferingID = offer.ID })
		destroyed := deploy(func(in *cs.DeployVirtualMachineIn) { in.ServiceOfferingID = offer.ID })
		_, err = api.Run(ctx, c.Client, cs.DestroyVirtualMachine, cs.DestroyVirtualMachineIn{ID: destroyed.ID})
		must(t, err)

		refuses(operator{c, t}, cs.DeleteHost, cs.DeleteHostIn{ID: gone}, "forced=true")
		refuses(operator{c, t}, cs.DeleteHost, cs.DeleteHostIn{ID: gone, DestroyLocal: true}, "has 2 machines on it")
		refuses(operator{c, t}, cs.DeleteHost, cs.DeleteHostIn{ID: gone, Forced: true}, "3 volumes", "forcedestroylocalstorage=true")
		after, err := api.Fetch(ctx, c.Client, cs.ListHosts, cs.ListHostsIn{ID: gone})
		must(t, err)
		if len(after.Items) != 1 || after.Items[0].ResourceState != "Disabled" {
			t.Errorf("after the refusal: %+v", after.Items)
		}
		_, err = api.Do(ctx, c.Client, cs.DeleteHost, cs.DeleteHostIn{ID: gone, Forced: true, DestroyLocal: true})
		must(t, err)
		machines, err := api.Fetch(ctx, c.Client, cs.ListVirtualMachines, cs.ListVirtualMachinesIn{})
		must(t, err)
		if len(machines.Items) != 1 || machines.Items[0].ID != shared.ID || machines.Items[0].State != "Stopped" {
			t.Errorf("of %s (shared) and %s (local) there is %+v", shared.ID, local.ID, machines.Items)
		}
		volumes, err := api.Fetch(ctx, c.Client, cs.ListVolumes, cs.ListVolumesIn{})
		must(t, err)
		if len(volumes.Items) != 1 || volumes.Items[0].Type != "ROOT" {
			t.Errorf("volumes: %+v", volumes.Items)
		}
		started, err := api.Run(ctx, c.Client, cs.StartVirtualMachine, cs.StartVirtualMachineIn{ID: shared.ID})
		must(t, err)
		if started.HostID != left {
			t.Errorf("it runs on %s, want %s", started.HostID, left)
		}
	})
}
