package cloudtest_test

import (
	"strings"
	"sync"
	"testing"

	"github.com/virga-cloud/virga/api"
	cs "github.com/virga-cloud/virga/api/cloudstack"
	"github.com/virga-cloud/virga/internal/auth"
	"github.com/virga-cloud/virga/internal/cloudtest"
	"github.com/virga-cloud/virga/internal/db/dbtest"
	"github.com/virga-cloud/virga/uid"
)

// secondPod adds a pod to the basic zone, with a host, and with the guest addresses from 10.30.0.10 to last, which is its router's.
func secondPod(t *testing.T, c *cloudtest.Cloud, zone uid.Zone, last string) uid.Pod {
	t.Helper()
	ctx := t.Context()
	pod, err := api.Do(ctx, c.Client, cs.CreatePod, cs.CreatePodIn{
		Name: "second", ZoneID: zone, Gateway: "172.30.0.1", Netmask: "255.255.0.0", StartIP: "172.30.0.2", EndIP: "172.30.0.99",
	})
	must(t, err)
	clusters, err := api.Fetch(ctx, c.Client, cs.AddCluster, cs.AddClusterIn{
		Name: "second", Type: "CloudManaged", Hypervisor: "Simulator", PodID: pod.ID, ZoneID: zone,
	})
	must(t, err)
	_, err = api.Fetch(ctx, c.Client, cs.AddHost, cs.AddHostIn{
		ZoneID: zone, PodID: pod.ID, ClusterID: clusters.Items[0].ID, Hypervisor: "Simulator", URL: "http://sim/second/h0",
	})
	must(t, err)
	_, err = api.Do(ctx, c.Client, cs.CreateStoragePool, cs.CreateStoragePoolIn{
		Name: "wide", URL: "SharedMountPoint://localhost/wide", ZoneID: zone, Scope: "ZONE", Hypervisor: "Simulator", Tags: "wide", CapacityBytes: 1 << 40,
	})
	must(t, err)
	_, err = api.Do(ctx, c.Client, cs.CreateVLANIPRange, cs.CreateVLANIPRangeIn{
		ZoneID: zone, PodID: pod.ID, Gateway: "10.30.0.1", Netmask: "255.255.255.0", StartIP: "10.30.0.10", EndIP: last, Public: new(false),
	})
	must(t, err)
	return pod.ID
}

// wideOffering asks for storage that all hosts of the zone reach.
func wideOffering(t *testing.T, c *cloudtest.Cloud) uid.ServiceOffering {
	t.Helper()
	o, err := api.Do(t.Context(), c.Client, cs.CreateServiceOffering, cs.CreateServiceOfferingIn{
		Name: "wide", CPUNumber: 1, CPUSpeed: 100, Memory: 64, StorageTags: "wide",
	})
	must(t, err)
	return o.ID
}

// In a basic zone a machine's address is one of the pod that it runs in, and follows it to another pod.
func TestBasicZoneAddresses(t *testing.T) {
	t.Parallel()
	cloudtest.Each(t, cloudtest.Options{Basic: true}, func(t *testing.T, c *cloudtest.Cloud) {
		ctx, box := t.Context(), c.Basic(t)
		second := secondPod(t, c, box.Zone, "10.30.0.12")
		first := uid.Pod("")
		pods, err := listed(t, c.Client, cs.ListPods, cs.ListPodsIn{ZoneID: box.Zone})
		must(t, err)
		for _, p := range pods {
			if p.ID != second {
				first = p.ID
			}
		}
		in := box.Deploy()
		in.ServiceOfferingID, in.PodID = wideOffering(t, c), second
		deploy := func() cs.VirtualMachine { t.Helper(); return run(t, c.Client, cs.DeployVirtualMachine, in) }
		free := func() int {
			t.Helper()
			ips, err := api.Fetch(ctx, c.Client, cs.ListPublicIPAddresses, cs.ListPublicIPAddressesIn{
				ZoneID: box.Zone, Public: new(false), AllocatedOnly: new(false), State: "Free", Scope: api.Scope{ListAll: true},
			})
			must(t, err)
			return ips.Count
		}
		before := free()
		vm := deploy()
		if vm.IPAddress != "10.30.0.10" || vm.NICs[0].Gateway != "10.30.0.1" || vm.NICs[0].Netmask != "255.255.255.0" {
			t.Errorf("in the second pod: %+v", vm.NICs)
		}
		if there, err := c.World.Machine(ctx, vm.ID); err != nil || there.NICs[0].IP != vm.IPAddress {
			t.Errorf("the guest has %+v, %v", there.NICs, err)
		}
		in.PodID = first
		if other := deploy(); !strings.HasPrefix(other.IPAddress, "10.20.") || other.NICs[0].Gateway != "10.20.0.1" {
			t.Errorf("in the first pod: %+v", other.NICs)
		}

		// One that is not started has no address; it may start anywhere.
		in.PodID, in.StartVM = "", new(false)
		later := deploy()
		if later.IPAddress != "" {
			t.Errorf("before it has a host: %+v", later.NICs)
		}
		later = run(t, c.Client, cs.StartVirtualMachine, cs.StartVirtualMachineIn{ID: later.ID, PodID: second})
		if later.IPAddress != "10.30.0.11" {
			t.Errorf("started in the second pod: %+v", later.NICs)
		}

		// The second pod's addresses are all given out.
		in.PodID, in.StartVM = second, nil
		refused(t, c.Client, cs.DeployVirtualMachine, in, 533, "in a pod of which all guest addresses are in use")
		if now := free(); now != before-3 {
			t.Errorf("%d addresses are free, before the three machines there were %d", now, before)
		}

		// It keeps its address over a restart in its pod, and gives it back when it goes to another one.
		run(t, c.Client, cs.StopVirtualMachine, cs.StopVirtualMachineIn{ID: vm.ID})
		if vm = run(t, c.Client, cs.StartVirtualMachine, cs.StartVirtualMachineIn{ID: vm.ID, PodID: second}); vm.IPAddress != "10.30.0.10" {
			t.Errorf("after a restart: %+v", vm.NICs)
		}
		run(t, c.Client, cs.StopVirtualMachine, cs.StopVirtualMachineIn{ID: vm.ID})
		vm = run(t, c.Client, cs.StartVirtualMachine, cs.StartVirtualMachineIn{ID: vm.ID, PodID: first})
		if !strings.HasPrefix(vm.IPAddress, "10.20.") || vm.NICs[0].Gateway != "10.20.0.1" || vm.NICs[0].Netmask != "255.255.252.0" {
			t.Errorf("after it has moved to the first pod: %+v", vm.NICs)
		}
		if next := deploy(); next.IPAddress != "10.30.0.10" {
			t.Errorf("the address that was given back: %+v", next.NICs)
		}
	})
}

// Who says nothing of pods gets a place in one that has an address left, and where none has, an admin is told which pods these are.
func TestBasicZoneAvoidsFullPods(t *testing.T) {
	t.Parallel()
	c := cloudtest.New(t, dbtest.SQLite(t), cloudtest.Options{Basic: true})
	box := c.Basic(t)
	second := secondPod(t, c, box.Zone, "10.30.0.11")
	red, _ := c.Tenant(t, "red", "red", auth.User)
	in := box.Deploy()
	in.ServiceOfferingID = wideOffering(t, c)
	there := 0
	for range 8 {
		if vm := run(t, red, cs.DeployVirtualMachine, in); strings.HasPrefix(vm.IPAddress, "10.30.") {
			there++
		}
	}
	wish := in
	wish.PodID = second
	if there == 0 { // chance has kept away from it
		run(t, c.Client, cs.DeployVirtualMachine, wish)
	}
	if there > 1 {
		t.Errorf("%d machines have the second pod's only address", there)
	}
	refused(t, c.Client, cs.DeployVirtualMachine, wish, 533, "1 host: 1 in a pod of which all guest addresses are in use")
	place, err := try(t.Context(), c.Client, in)
	must(t, err)
	if !place.Feasible || len(place.Hosts) != 2 || len(place.Dropped) != 1 || place.Dropped[0].Filter != "address" || place.Dropped[0].PodID != second {
		t.Errorf("a dry run says %+v", place)
	}
	change(t, c, "update public_ips set state = 'Reserved' where state = 'Free'") // as if somebody had them
	refused(t, red, cs.DeployVirtualMachine, in, 533, "hosts are in pods without a free guest address")
	change(t, c, "update public_ips set state = 'Free' where state = 'Reserved'")
}

// Machines that are deployed at the same moment, some of them onto the last address of a pod, all get a place.
func TestBasicZoneLastAddress(t *testing.T) {
	t.Parallel()
	cloudtest.Each(t, cloudtest.Options{Basic: true}, func(t *testing.T, c *cloudtest.Cloud) {
		box := c.Basic(t)
		secondPod(t, c, box.Zone, "10.30.0.12")
		in := box.Deploy()
		in.ServiceOfferingID = wideOffering(t, c)
		var all sync.WaitGroup
		for range 16 {
			all.Go(func() {
				if _, err := api.Run(t.Context(), c.Client, cs.DeployVirtualMachine, in); err != nil {
					t.Error(err)
				}
			})
		}
		all.Wait()
	})
}
