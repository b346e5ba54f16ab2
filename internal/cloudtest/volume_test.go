package cloudtest_test

import (
	"sync"
	"testing"

	"github.com/virga-cloud/virga/api"
	cs "github.com/virga-cloud/virga/api/cloudstack"
	"github.com/virga-cloud/virga/internal/auth"
	"github.com/virga-cloud/virga/internal/cloudtest"
	"github.com/virga-cloud/virga/internal/db/dbtest"
	"github.com/virga-cloud/virga/uid"
)

func run[In, Out any](t *testing.T, c *api.Client, job api.Job[In, Out], in In) Out {
	t.Helper()
	out, err := api.Run(t.Context(), c, job, in)
	must(t, err)
	return out
}

func refused[In, Out any](t *testing.T, c *api.Client, job api.Job[In, Out], in In, code int, text string) {
	t.Helper()
	_, err := api.Run(t.Context(), c, job, in)
	refusedWith(t, err, code, text)
}

// A data volume's life: made, attached to a machine that runs, taken away, given to another one, and deleted.
func TestVolumeLife(t *testing.T) {
	t.Parallel()
	cloudtest.Each(t, cloudtest.Options{}, func(t *testing.T, c *cloudtest.Cloud) {
		red, _ := c.Tenant(t, "red", "red", auth.User)
		blue, _ := c.Tenant(t, "blue", "blue", auth.User)
		box := c.Sandbox(t)
		create := cs.CreateVolumeIn{Name: "data", DiskOfferingID: box.DiskOffering["Small"], ZoneID: box.Zone}
		v := run(t, red, cs.CreateVolume, create)
		if v.State != "Allocated" || v.Size != 5<<30 || v.Type != "DATADISK" || v.VMID != "" || v.DeviceID != nil || v.Account != "red" {
			t.Errorf("made %+v", v)
		}
		vm := run(t, red, cs.DeployVirtualMachine, box.Deploy())
		other := run(t, red, cs.DeployVirtualMachine, box.Deploy())
		attach := cs.AttachVolumeIn{ID: v.ID, VMID: vm.ID}
		refused(t, blue, cs.AttachVolume, attach, 431, "you may not see it")
		for device, text := range map[int64]string{0: "deviceid 0", 3: "CD drive", 16: "1 to 15"} {
			in := attach
			in.DeviceID = &device
			refused(t, red, cs.AttachVolume, in, 431, text)
		}
		v = run(t, red, cs.AttachVolume, attach)
		if v.State != "Ready" || v.VMID != vm.ID || v.DeviceID == nil || *v.DeviceID != 1 || v.VMState != "Running" {
			t.Errorf("attached %+v", v)
		}
		guest, err := c.World.Machine(t.Context(), vm.ID)
		must(t, err)
		if len(guest.Disks) != 2 || guest.Disks[1].Volume != v.ID || guest.Disks[1].Device != 1 {
			t.Errorf("the guest has %+v", guest.Disks)
		}
		refused(t, red, cs.AttachVolume, attach, 431, "already")
		refused(t, red, cs.AttachVolume, cs.AttachVolumeIn{ID: v.ID, VMID: other.ID}, 431, "detach it there first")
		_, err = api.Do(t.Context(), red, cs.DeleteVolume, cs.DeleteVolumeIn{ID: v.ID})
		refusedWith(t, err, 431, "detach it first")

		// What a machine was started with is what it has: it goes through a reboot and a stop with the disk.
		run(t, red, cs.RebootVirtualMachine, cs.RebootVirtualMachineIn{ID: vm.ID, Forced: true})
		run(t, red, cs.StopVirtualMachine, cs.StopVirtualMachineIn{ID: vm.ID})
		run(t, red, cs.StartVirtualMachine, cs.StartVirtualMachineIn{ID: vm.ID})

		roots, err := api.Fetch(t.Context(), red, cs.ListVolumes, cs.ListVolumesIn{VMID: vm.ID, Type: "ROOT"})
		must(t, err)
		refused(t, red, cs.DetachVolume, cs.DetachVolumeIn{ID: roots.Items[0].ID}, 431, "root disk")
		refused(t, red, cs.DetachVolume, cs.DetachVolumeIn{VMID: vm.ID}, 431, "deviceid together")
		refused(t, red, cs.DetachVolume, cs.DetachVolumeIn{VMID: vm.ID, DeviceID: new(int64(7))}, 431, "no disk at device 7")
		refused(t, blue, cs.DetachVolume, cs.DetachVolumeIn{ID: v.ID}, 431, "you may not see it")
		v = run(t, red, cs.DetachVolume, cs.DetachVolumeIn{VMID: vm.ID, DeviceID: new(int64(1))})
		if v.State != "Ready" || v.VMID != "" || v.DeviceID != nil || !v.Attached.IsZero() {
			t.Errorf("detached %+v", v)
		}
		refused(t, red, cs.DetachVolume, cs.DetachVolumeIn{ID: v.ID}, 431, "not attached")

		// A stopped machine of the same account, at a device that is asked for; many at once, each at its own.
		run(t, red, cs.StopVirtualMachine, cs.StopVirtualMachineIn{ID: other.ID})
		v = run(t, red, cs.AttachVolume, cs.AttachVolumeIn{ID: v.ID, VMID: other.ID, DeviceID: new(int64(5))})
		if *v.DeviceID != 5 {
			t.Errorf("attached %+v", v)
		}
		var all sync.WaitGroup
		for range 4 {
			all.Go(func() {
				in := create
				in.VMID, in.ZoneID = vm.ID, ""
				if _, err := api.Run(t.Context(), red, cs.CreateVolume, in); err != nil {
					t.Error(err)
				}
			})
		}
		all.Wait()
		run(t, red, cs.StartVirtualMachine, cs.StartVirtualMachineIn{ID: other.ID})
		run(t, red, cs.DetachVolume, cs.DetachVolumeIn{ID: v.ID})
		gone, err := api.Do(t.Context(), red, cs.DeleteVolume, cs.DeleteVolumeIn{ID: v.ID})
		must(t, err)
		left, err := api.Fetch(t.Context(), red, cs.ListVolumes, cs.ListVolumesIn{})
		must(t, err)
		if !gone.Success || left.Count != 6 {
			t.Errorf("deleted: %v; %d volumes are left, want two root disks and four data disks", gone, left.Count)
		}

		// Data disks outlive their machine, but for those that are named to go with it.
		disks, err := api.Fetch(t.Context(), red, cs.ListVolumes, cs.ListVolumesIn{VMID: vm.ID, Type: "DATADISK"})
		must(t, err)
		go1, stays := disks.Items[0].ID, disks.Items[1].ID
		refused(t, red, cs.DestroyVirtualMachine, cs.DestroyVirtualMachineIn{ID: other.ID, VolumeIDs: []uid.Volume{go1}}, 431, "not attached")
		run(t, red, cs.DestroyVirtualMachine, cs.DestroyVirtualMachineIn{ID: vm.ID, VolumeIDs: []uid.Volume{go1}})
		run(t, c.Client, cs.ExpungeVirtualMachine, cs.ExpungeVirtualMachineIn{ID: vm.ID})
		disks, err = api.Fetch(t.Context(), red, cs.ListVolumes, cs.ListVolumesIn{Type: "DATADISK"})
		must(t, err)
		if disks.Count != 3 || disks.Items[0].ID != stays || disks.Items[0].VMID != "" || disks.Items[0].State != "Ready" {
			t.Errorf("after the machine's end: %+v", disks)
		}
	})
}

// What a volume may be, and what it counts for.
func TestVolumeRules(t *testing.T) {
	t.Parallel()
	c := cloudtest.New(t, dbtest.SQLite(t), cloudtest.Options{})
	red, _ := c.Tenant(t, "red", "red", auth.User)
	box := c.Sandbox(t)
	small, custom := box.DiskOffering["Small"], box.DiskOffering["Custom"]
	for _, wrong := range []struct {
		in   cs.CreateVolumeIn
		text string
	}{
		{cs.CreateVolumeIn{ZoneID: box.Zone}, "diskofferingid"},
		{cs.CreateVolumeIn{DiskOfferingID: small}, "zoneid"},
		{cs.CreateVolumeIn{DiskOfferingID: small, ZoneID: box.Zone, Size: 7}, "fixed size of 5 GB"},
		{cs.CreateVolumeIn{DiskOfferingID: custom, ZoneID: box.Zone}, "give size in GB"},
		{cs.CreateVolumeIn{DiskOfferingID: custom, ZoneID: box.Zone, Size: 1025}, "1 to 1024 GB"},
		{cs.CreateVolumeIn{DiskOfferingID: custom, ZoneID: box.Zone, Size: -1}, "size -1"},
		{cs.CreateVolumeIn{DiskOfferingID: small, ZoneID: uid.New[uid.Zone]()}, "no zone with id"},
		{cs.CreateVolumeIn{DiskOfferingID: uid.New[uid.DiskOffering](), ZoneID: box.Zone}, "no disk offering with id"},
		{cs.CreateVolumeIn{DiskOfferingID: small, ZoneID: box.Zone, SnapshotID: uid.New[uid.Snapshot]()}, "no snapshot"},
		{cs.CreateVolumeIn{DiskOfferingID: small, ZoneID: box.Zone, ProjectID: uid.New[uid.Project]()}, "no project"},
		{cs.CreateVolumeIn{DiskOfferingID: small, VMID: uid.New[uid.VM]()}, "no virtual machine with id"},
		{cs.CreateVolumeIn{DiskOfferingID: small, ZoneID: box.Zone, Account: "admin", DomainID: auth.System().Domain}, ""},
	} {
		code := 431
		if wrong.text == "" {
			code = 531
		}
		refused(t, red, cs.CreateVolume, wrong.in, code, wrong.text)
	}
	refused(t, red, cs.CreateVolume, cs.CreateVolumeIn{DiskOfferingID: custom, ZoneID: box.Zone, Size: 201}, 532, "GB of primary storage")
	v := run(t, red, cs.CreateVolume, cs.CreateVolumeIn{DiskOfferingID: custom, ZoneID: box.Zone, Size: 12})
	if v.Name != string(v.ID) || v.Size != 12<<30 {
		t.Errorf("made %+v", v)
	}
	if left, err := api.Fetch(t.Context(), red, cs.ListVolumes, cs.ListVolumesIn{}); err != nil || left.Count != 1 {
		t.Errorf("volumes are %+v, %v", left, err)
	}
	again := cs.CreateVolumeIn{DiskOfferingID: small, ZoneID: box.Zone}
	again.IdempotencyKey = "key"
	if one, two := run(t, red, cs.CreateVolume, again), run(t, red, cs.CreateVolume, again); one.ID != two.ID {
		t.Errorf("the same request made %s and %s", one.ID, two.ID)
	}
}
