package cloudtest_test

import (
	"testing"

	"github.com/virga-cloud/virga/api"
	cs "github.com/virga-cloud/virga/api/cloudstack"
	"github.com/virga-cloud/virga/internal/cloudtest"
	"github.com/virga-cloud/virga/internal/db/dbtest"
	"github.com/virga-cloud/virga/uid"
)

// A volume's disk is made where its offering wants it and the machine reaches it, and is attached only where it is reached.
func TestVolumesAreReached(t *testing.T) {
	t.Parallel()
	c := cloudtest.New(t, dbtest.SQLite(t), cloudtest.Options{Hosts: 1})
	box := c.Sandbox(t)
	pods, err := api.Fetch(t.Context(), c.Client, cs.ListPods, cs.ListPodsIn{})
	must(t, err)
	pod := pods.Items[0].ID
	clusters, err := api.Fetch(t.Context(), c.Client, cs.AddCluster, cs.AddClusterIn{
		Name: "second", Type: "CloudManaged", Hypervisor: "Simulator", PodID: pod, ZoneID: box.Zone,
	})
	must(t, err)
	second := clusters.Items[0].ID
	hosts, err := api.Fetch(t.Context(), c.Client, cs.AddHost, cs.AddHostIn{
		ZoneID: box.Zone, PodID: pod, ClusterID: second, Hypervisor: "Simulator", URL: "http://sim/c1/h0",
	})
	must(t, err)
	_, err = api.Do(t.Context(), c.Client, cs.CreateStoragePool, cs.CreateStoragePoolIn{
		Name: "second", URL: "file:///second", ZoneID: box.Zone, PodID: pod, ClusterID: second, CapacityBytes: 1 << 40,
	})
	must(t, err)
	offering, err := api.Do(t.Context(), c.Client, cs.CreateDiskOffering, cs.CreateDiskOfferingIn{Name: "fast", Size: 3, Tags: "ssd"})
	must(t, err)

	in := box.Deploy()
	in.ClusterID = otherCluster(t, c, second)
	here := run(t, c.Client, cs.DeployVirtualMachine, in)
	in = box.Deploy()
	in.HostID = hosts.Items[0].ID
	there := run(t, c.Client, cs.DeployVirtualMachine, in)

	// A disk that was made in one cluster is not reached from the other one.
	v := run(t, c.Client, cs.CreateVolume, cs.CreateVolumeIn{DiskOfferingID: box.DiskOffering["Small"], VMID: there.ID})
	if v.ClusterID != second {
		t.Errorf("made %+v", v)
	}
	run(t, c.Client, cs.DetachVolume, cs.DetachVolumeIn{ID: v.ID})
	refused(t, c.Client, cs.AttachVolume, cs.AttachVolumeIn{ID: v.ID, VMID: here.ID}, 431, "can't reach")

	// No pool has the tag; then one of the whole zone has, and is reached from both.
	fast := cs.CreateVolumeIn{DiskOfferingID: offering.ID, VMID: here.ID}
	refused(t, c.Client, cs.CreateVolume, fast, 533, `disk offering "fast"`)
	wide, err := api.Do(t.Context(), c.Client, cs.CreateStoragePool, cs.CreateStoragePoolIn{
		Name: "wide", URL: "SharedMountPoint://localhost/wide", ZoneID: box.Zone, Scope: "ZONE", Hypervisor: "Simulator", Tags: "ssd",
		CapacityBytes: 4 << 30,
	})
	must(t, err)
	v = run(t, c.Client, cs.CreateVolume, fast)
	if v.StorageID != wide.ID {
		t.Errorf("made %+v", v)
	}
	run(t, c.Client, cs.DetachVolume, cs.DetachVolumeIn{ID: v.ID})
	v = run(t, c.Client, cs.AttachVolume, cs.AttachVolumeIn{ID: v.ID, VMID: there.ID})
	if v.State != "Ready" || v.VMID != there.ID {
		t.Errorf("attached %+v", v)
	}
	// 4 GiB twice over, less what the threshold keeps free, has room for two of 3 GB.
	run(t, c.Client, cs.CreateVolume, fast)
	refused(t, c.Client, cs.CreateVolume, fast, 533, "has room")
	run(t, c.Client, cs.DetachVolume, cs.DetachVolumeIn{ID: v.ID})
	if _, err := api.Do(t.Context(), c.Client, cs.DeleteVolume, cs.DeleteVolumeIn{ID: v.ID}); err != nil {
		t.Error(err)
	}
	for vm, err := range api.All(t.Context(), c.Client, cs.ListVirtualMachines, cs.ListVirtualMachinesIn{StorageID: wide.ID}) {
		must(t, err)
		if vm.ID != here.ID {
			t.Errorf("machine %s has a disk in the pool", vm.ID)
		}
	}
	on, err := api.Fetch(t.Context(), c.Client, cs.ListVolumes, cs.ListVolumesIn{HostID: there.HostID})
	must(t, err)
	if on.Count != 1 || on.Items[0].VMID != there.ID {
		t.Errorf("on the second host: %+v", on)
	}
}

func otherCluster(t *testing.T, c *cloudtest.Cloud, than uid.Cluster) uid.Cluster {
	t.Helper()
	for one, err := range api.All(t.Context(), c.Client, cs.ListClusters, cs.ListClustersIn{}) {
		must(t, err)
		if one.ID != than {
			return one.ID
		}
	}
	t.Fatal("there is one cluster only")
	return ""
}
