package cloudtest_test

import (
	"strings"
	"testing"

	"github.com/virga-cloud/virga/api"
	cs "github.com/virga-cloud/virga/api/cloudstack"
	"github.com/virga-cloud/virga/internal/auth"
	"github.com/virga-cloud/virga/internal/cloudtest"
	"github.com/virga-cloud/virga/internal/db/dbtest"
	"github.com/virga-cloud/virga/uid"
)

// A machine is kept, taken back, and keeps its disks and its size as long as it has snapshots, which end with it.
func TestVMSnapshotLife(t *testing.T) {
	t.Parallel()
	c := cloudtest.New(t, dbtest.SQLite(t), cloudtest.Options{})
	red, _ := c.Tenant(t, "red", "red", auth.User)
	blue, _ := c.Tenant(t, "blue", "blue", auth.User)
	box := c.Sandbox(t)
	deploy := box.Deploy()
	deploy.DiskOfferingID = box.DiskOffering["Custom"]
	deploy.Size = 1
	vm := run(t, red, cs.DeployVirtualMachine, deploy)
	take := cs.CreateVMSnapshotIn{VMID: vm.ID, Name: "first", Description: "before it all", Memory: true}
	list := func(by *api.Client, in cs.ListVMSnapshotIn) []cs.VMSnapshot {
		t.Helper()
		page, err := api.Fetch(t.Context(), by, cs.ListVMSnapshot, in)
		must(t, err)
		return page.Items
	}
	// tree is what the machine has: each snapshot with its parent, and a star for the current one.
	tree := func(want string) {
		t.Helper()
		var got []string
		for _, n := range list(red, cs.ListVMSnapshotIn{VMID: vm.ID}) {
			got = append(got, n.DisplayName+"<"+n.ParentName+map[bool]string{true: "*"}[n.Current])
			if (n.Parent == "") != (n.ParentName == "") {
				t.Errorf("the parent of %q is %q, %q", n.DisplayName, n.Parent, n.ParentName)
			}
		}
		if strings.Join(got, " ") != want {
			t.Errorf("snapshots %q; want %q", got, want)
		}
	}
	refused(t, blue, cs.CreateVMSnapshot, take, 431, "you may not see it")
	quiet := take
	quiet.Quiesce = true
	refused(t, red, cs.CreateVMSnapshot, quiet, 431, "leave out quiescevm")
	long := take
	long.Name = strings.Repeat("n", 256)
	refused(t, red, cs.CreateVMSnapshot, long, 431, "255")

	first := run(t, red, cs.CreateVMSnapshot, take)
	if first.State != "Ready" || first.Type != "DiskAndMemory" || !first.Current || first.Parent != "" || first.DisplayName != "first" ||
		!strings.HasPrefix(first.Name, "i-") || !strings.Contains(first.Name, "_VS_") || first.Description != "before it all" || first.VMID != vm.ID ||
		first.VMName != vm.Name || first.Hypervisor != "Simulator" || first.ZoneName == "" || first.Account != "red" {
		t.Errorf("taken %+v", first)
	}
	refused(t, red, cs.CreateVMSnapshot, take, 431, `has a VM snapshot "first" already`)
	second := run(t, red, cs.CreateVMSnapshot, cs.CreateVMSnapshotIn{VMID: vm.ID})
	if second.Type != "Disk" || second.DisplayName != second.Name || second.Parent != first.ID || second.ParentName != "first" {
		t.Errorf("taken %+v", second)
	}

	// What it is made of stays as it is.
	volumes, err := api.Fetch(t.Context(), red, cs.ListVolumes, cs.ListVolumesIn{VMID: vm.ID, Type: "DATADISK"})
	must(t, err)
	data := volumes.Items[0]
	spare := run(t, red, cs.CreateVolume, cs.CreateVolumeIn{Name: "spare", DiskOfferingID: box.DiskOffering["Small"], ZoneID: box.Zone})
	copied := run(t, red, cs.CreateSnapshot, cs.CreateSnapshotIn{VolumeID: data.ID}) // which needs nothing of the machine's
	named := "has VM snapshots, which are in its disks as these are: first, " + second.Name
	refused(t, red, cs.AttachVolume, cs.AttachVolumeIn{ID: spare.ID, VMID: vm.ID}, 431, named)
	refused(t, red, cs.CreateVolume, cs.CreateVolumeIn{Name: "more", DiskOfferingID: box.DiskOffering["Small"], VMID: vm.ID}, 431, named)
	refused(t, red, cs.DetachVolume, cs.DetachVolumeIn{ID: data.ID}, 431, "before a disk is detached")
	refused(t, red, cs.ResizeVolume, cs.ResizeVolumeIn{ID: data.ID, Size: 3}, 431, "before one of its disks is resized")
	refused(t, red, cs.RevertToVMSnapshot, cs.RevertToVMSnapshotIn{ID: second.ID}, 431, "stop it first")
	refused(t, blue, cs.RevertToVMSnapshot, cs.RevertToVMSnapshotIn{ID: first.ID}, 431, "no VM snapshot")
	refused(t, blue, cs.DeleteVMSnapshot, cs.DeleteVMSnapshotIn{ID: first.ID}, 431, "no VM snapshot")
	if back := run(t, red, cs.RevertToVMSnapshot, cs.RevertToVMSnapshotIn{ID: first.ID}); back.ID != vm.ID || back.State != "Running" {
		t.Errorf("taken back %+v", back)
	}
	tree("first<* " + second.Name + "<first")
	run(t, red, cs.StopVirtualMachine, cs.StopVirtualMachineIn{ID: vm.ID})
	refused(t, red, cs.RevertSnapshot, cs.RevertSnapshotIn{ID: copied.ID}, 431, "taken back to a snapshot")
	_, err = api.Do(t.Context(), red, cs.ChangeServiceForVirtualMachine, cs.ChangeServiceForVirtualMachineIn{ID: vm.ID, ServiceOfferingID: box.Medium})
	refusedWith(t, err, 431, "before its service offering is changed")
	refused(t, red, cs.RevertToVMSnapshot, cs.RevertToVMSnapshotIn{ID: first.ID}, 431, "start it first")
	refused(t, red, cs.CreateVMSnapshot, cs.CreateVMSnapshotIn{VMID: vm.ID, Memory: true}, 431, "nothing in memory")
	run(t, red, cs.CreateVMSnapshot, cs.CreateVMSnapshotIn{VMID: vm.ID, Name: "third"})
	tree("first< " + second.Name + "<first third<first*")
	if back := run(t, red, cs.RevertToVMSnapshot, cs.RevertToVMSnapshotIn{ID: second.ID}); back.State != "Stopped" {
		t.Errorf("taken back %+v", back)
	}
	run(t, red, cs.CreateVMSnapshot, cs.CreateVMSnapshotIn{VMID: vm.ID, Name: "fourth"})
	run(t, red, cs.StartVirtualMachine, cs.StartVirtualMachineIn{ID: vm.ID})

	// Lists.
	if all := list(blue, cs.ListVMSnapshotIn{Scope: api.Scope{ListAll: true}}); len(all) != 0 {
		t.Errorf("blue is shown %+v", all)
	}
	for _, of := range []struct {
		in   cs.ListVMSnapshotIn
		want int
	}{
		{cs.ListVMSnapshotIn{}, 4},
		{cs.ListVMSnapshotIn{ID: first.ID}, 1},
		{cs.ListVMSnapshotIn{IDs: []uid.VMSnapshot{first.ID, second.ID}}, 2},
		{cs.ListVMSnapshotIn{Name: "third"}, 1},
		{cs.ListVMSnapshotIn{State: "ready"}, 4},
		{cs.ListVMSnapshotIn{State: "Error"}, 0},
		{cs.ListVMSnapshotIn{Paging: api.Paging{Keyword: "before it"}}, 1},
		{cs.ListVMSnapshotIn{VMID: uid.New[uid.VM]()}, 0},
	} {
		if got := list(red, of.in); len(got) != of.want {
			t.Errorf("%+v shows %d snapshots; want %d", of.in, len(got), of.want)
		}
	}
	_, err = api.Fetch(t.Context(), red, cs.ListVMSnapshot, cs.ListVMSnapshotIn{State: "BackedUp"})
	refusedWith(t, err, 431, "want one of")

	// A limit, and the way out: the children of what is deleted are its parent's.
	_, err = c.Client.Call(t.Context(), "updateConfiguration", api.Params{"name": "vmsnapshot.max", "value": "4"})
	must(t, err)
	refused(t, red, cs.CreateVMSnapshot, cs.CreateVMSnapshotIn{VMID: vm.ID, Name: "fifth"}, 532, "may have 4")
	run(t, red, cs.DeleteVMSnapshot, cs.DeleteVMSnapshotIn{ID: second.ID})
	tree("first< third<first fourth<first*")
	run(t, red, cs.DeleteVMSnapshot, cs.DeleteVMSnapshotIn{ID: list(red, cs.ListVMSnapshotIn{Name: "fourth"})[0].ID})
	tree("first<* third<first")
	run(t, red, cs.DeleteVMSnapshot, cs.DeleteVMSnapshotIn{ID: first.ID})
	tree("third<")
	refused(t, red, cs.DeleteVMSnapshot, cs.DeleteVMSnapshotIn{ID: first.ID}, 431, "no VM snapshot")

	// They end with their machine, and what outlives it is free again.
	run(t, red, cs.DestroyVirtualMachine, cs.DestroyVirtualMachineIn{ID: vm.ID})
	tree("")
	_, err = api.Do(t.Context(), c.Client, cs.RecoverVirtualMachine, cs.RecoverVirtualMachineIn{ID: vm.ID})
	must(t, err)
	run(t, red, cs.StartVirtualMachine, cs.StartVirtualMachineIn{ID: vm.ID})
	run(t, red, cs.CreateVMSnapshot, take)
	run(t, c.Client, cs.DestroyVirtualMachine, cs.DestroyVirtualMachineIn{ID: vm.ID, Expunge: true})
	tree("")
	if free := run(t, red, cs.ResizeVolume, cs.ResizeVolumeIn{ID: data.ID, Size: 3}); free.Size != 3<<30 || free.VMID != "" {
		t.Errorf("what is left: %+v", free)
	}
	for _, kind := range []string{"VMSNAPSHOT.CREATE", "VMSNAPSHOT.DELETE", "VMSNAPSHOT.REVERTTO"} {
		events, err := api.Fetch(t.Context(), red, cs.ListEvents, cs.ListEventsIn{Type: kind})
		must(t, err)
		if events.Count == 0 {
			t.Errorf("no event %s", kind)
		}
	}

	// One whose disks are still to be made has nothing to keep.
	deploy.StartVM = new(false)
	unmade := run(t, red, cs.DeployVirtualMachine, deploy)
	refused(t, red, cs.CreateVMSnapshot, cs.CreateVMSnapshotIn{VMID: unmade.ID}, 431, "has no disk yet")
}
