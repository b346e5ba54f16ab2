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

// A volume is resized, copied, taken back, and made anew from its snapshot, which outlives it.
func TestSnapshotLife(t *testing.T) {
	t.Parallel()
	cloudtest.Each(t, cloudtest.Options{}, func(t *testing.T, c *cloudtest.Cloud) {
		red, _ := c.Tenant(t, "red", "red", auth.User)
		blue, _ := c.Tenant(t, "blue", "blue", auth.User)
		box := c.Sandbox(t)
		small, medium, custom := box.DiskOffering["Small"], box.DiskOffering["Medium"], box.DiskOffering["Custom"]
		vm := run(t, red, cs.DeployVirtualMachine, box.Deploy())
		roots, err := api.Fetch(t.Context(), red, cs.ListVolumes, cs.ListVolumesIn{VMID: vm.ID, Type: "ROOT"})
		must(t, err)
		root := roots.Items[0]
		v := run(t, red, cs.CreateVolume, cs.CreateVolumeIn{Name: "data", DiskOfferingID: small, ZoneID: box.Zone})
		take := cs.CreateSnapshotIn{VolumeID: v.ID, Name: "first"}
		refused(t, red, cs.CreateSnapshot, take, 431, "nothing to take a snapshot of")

		// A wish may shrink; a disk only grows.
		v = run(t, red, cs.ResizeVolume, cs.ResizeVolumeIn{ID: v.ID, DiskOfferingID: custom, Size: 9})
		v = run(t, red, cs.ResizeVolume, cs.ResizeVolumeIn{ID: v.ID, Size: 4})
		if v.Size != 4<<30 || v.State != "Allocated" || v.DiskOfferingID != custom {
			t.Errorf("resized %+v", v)
		}
		run(t, red, cs.AttachVolume, cs.AttachVolumeIn{ID: v.ID, VMID: vm.ID})
		for _, wrong := range []struct {
			by   *api.Client
			in   cs.ResizeVolumeIn
			code int
			text string
		}{
			{red, cs.ResizeVolumeIn{ID: v.ID}, 431, "give the size"},
			{red, cs.ResizeVolumeIn{ID: v.ID, Size: 3}, 431, "want more than that"},
			{red, cs.ResizeVolumeIn{ID: v.ID, Size: 3, ShrinkOK: true}, 431, "made smaller here"},
			{red, cs.ResizeVolumeIn{ID: v.ID, Size: -3}, 431, "size -3"},
			{red, cs.ResizeVolumeIn{ID: v.ID, Size: 900}, 532, "GB of primary storage"},
			{red, cs.ResizeVolumeIn{ID: v.ID, DiskOfferingID: medium, Size: 7}, 431, "fixed size"},
			{red, cs.ResizeVolumeIn{ID: v.ID, DiskOfferingID: uid.New[uid.DiskOffering]()}, 431, "no disk offering"},
			{red, cs.ResizeVolumeIn{ID: root.ID, DiskOfferingID: medium}, 431, "root disk"},
			{blue, cs.ResizeVolumeIn{ID: v.ID, Size: 9}, 431, "you may not see it"},
		} {
			refused(t, wrong.by, cs.ResizeVolume, wrong.in, wrong.code, wrong.text)
		}
		if v = run(t, red, cs.ResizeVolume, cs.ResizeVolumeIn{ID: v.ID, Size: 6}); v.Size != 6<<30 || v.State != "Ready" || v.VMID != vm.ID {
			t.Errorf("resized %+v", v)
		}
		if grown := run(t, red, cs.ResizeVolume, cs.ResizeVolumeIn{ID: root.ID, Size: 30}); grown.Size != 30<<30 {
			t.Errorf("resized %+v", grown)
		}

		refused(t, blue, cs.CreateSnapshot, take, 431, "you may not see it")
		n := run(t, red, cs.CreateSnapshot, take)
		if n.State != "BackedUp" || n.Name != "first" || n.VolumeID != v.ID || n.VolumeName != "data" || n.VirtualSize != 6<<30 || n.PhysicalSize == 0 ||
			n.Account != "red" || n.SnapshotType != "MANUAL" || !n.Revertable || n.DatastoreName != "" || n.ZoneName == "" {
			t.Errorf("taken %+v", n)
		}
		of := run(t, red, cs.CreateSnapshot, cs.CreateSnapshotIn{VolumeID: root.ID})
		if !strings.HasPrefix(of.Name, root.Name+"_") || of.OSTypeID == "" || of.VolumeType != "ROOT" {
			t.Errorf("taken of a root disk: %+v", of)
		}
		for _, who := range []*api.Client{red, blue} {
			list, err := api.Fetch(t.Context(), who, cs.ListSnapshots, cs.ListSnapshotsIn{})
			must(t, err)
			if want := map[*api.Client]int{red: 2}[who]; list.Count != want {
				t.Errorf("%d snapshots are shown, want %d", list.Count, want)
			}
		}

		// Back to where it was, with the machine stopped.
		revert := cs.RevertSnapshotIn{ID: n.ID}
		run(t, red, cs.ResizeVolume, cs.ResizeVolumeIn{ID: v.ID, Size: 8})
		refused(t, red, cs.RevertSnapshot, revert, 431, "stop it first")
		refused(t, blue, cs.RevertSnapshot, revert, 431, "no snapshot")
		run(t, red, cs.StopVirtualMachine, cs.StopVirtualMachineIn{ID: vm.ID})
		run(t, red, cs.RevertSnapshot, revert)
		back, err := api.Fetch(t.Context(), red, cs.ListVolumes, cs.ListVolumesIn{ID: v.ID})
		must(t, err)
		if back.Items[0].Size != 6<<30 || back.Items[0].State != "Ready" {
			t.Errorf("taken back %+v", back.Items)
		}

		// A volume made from a snapshot needs it until its disk is made.
		from := cs.CreateVolumeIn{SnapshotID: n.ID}
		refused(t, blue, cs.CreateVolume, from, 431, "no snapshot")
		refused(t, red, cs.CreateVolume, cs.CreateVolumeIn{SnapshotID: n.ID, Size: 5}, 431, "too little")
		refused(t, red, cs.CreateVolume, cs.CreateVolumeIn{SnapshotID: n.ID, DiskOfferingID: small}, 431, "too little")
		made := run(t, red, cs.CreateVolume, from)
		if made.SnapshotID != n.ID || made.Size != 6<<30 || made.DiskOfferingID != custom || made.ZoneID != box.Zone {
			t.Errorf("made %+v", made)
		}
		run(t, red, cs.DetachVolume, cs.DetachVolumeIn{ID: v.ID})
		_, err = api.Do(t.Context(), red, cs.DeleteVolume, cs.DeleteVolumeIn{ID: v.ID})
		must(t, err)
		refused(t, red, cs.RevertSnapshot, revert, 431, "createVolume")
		refused(t, red, cs.DeleteSnapshot, cs.DeleteSnapshotIn{ID: n.ID}, 431, "has 1 volume waiting for it")
		refused(t, blue, cs.DeleteSnapshot, cs.DeleteSnapshotIn{ID: n.ID}, 431, "no snapshot")
		run(t, red, cs.AttachVolume, cs.AttachVolumeIn{ID: made.ID, VMID: vm.ID})
		run(t, red, cs.DeleteSnapshot, cs.DeleteSnapshotIn{ID: n.ID})
		run(t, red, cs.StartVirtualMachine, cs.StartVirtualMachineIn{ID: vm.ID})
		left, err := api.Fetch(t.Context(), red, cs.ListSnapshots, cs.ListSnapshotsIn{})
		must(t, err)
		if left.Count != 1 || left.Items[0].ID != of.ID {
			t.Errorf("left are %+v", left.Items)
		}
		refused(t, red, cs.CreateVolume, from, 431, "no snapshot")
		_, err = api.Run(t.Context(), c.Client, cs.DeleteAccount, cs.DeleteAccountIn{ID: accountOf(t, c, "red")})
		must(t, err)
	})
}

func accountOf(t *testing.T, c *cloudtest.Cloud, name string) uid.Account {
	t.Helper()
	return itemsOf(t, c, cs.ListAccounts, cs.ListAccountsIn{Name: name, ListAll: true})[0].ID
}

// An ISO is registered, put into the drives of machines, and can't be deleted while it is there.
func TestISOLife(t *testing.T) {
	t.Parallel()
	c := cloudtest.New(t, dbtest.SQLite(t), cloudtest.Options{})
	red, _ := c.Tenant(t, "red", "red", auth.User)
	blue, _ := c.Tenant(t, "blue", "blue", auth.User)
	box := c.Sandbox(t)
	in := cs.RegisterIsoIn{Name: "tools", URL: "http://192.0.2.1/tools.iso", ZoneID: string(box.Zone)}
	bad := in
	bad.URL = "http://192.0.2.1/tools.qcow2"
	_, err := listed(t, red, cs.RegisterIso, bad)
	refusedWith(t, err, 431, ".iso")
	made, err := listed(t, red, cs.RegisterIso, in)
	must(t, err)
	if len(made) != 1 || made[0].Format != "ISO" || !made[0].Bootable || made[0].Hypervisor != "" || made[0].Account != "red" {
		t.Fatalf("registered %+v", made)
	}
	iso := made[0].ID
	settle(t, c, iso)
	_, err = listed(t, red, cs.RegisterTemplate, cs.RegisterTemplateIn{Name: "x", URL: in.URL, Format: "ISO", Hypervisor: "Simulator", ZoneID: in.ZoneID})
	refusedWith(t, err, 431, "format")

	vm := run(t, red, cs.DeployVirtualMachine, box.Deploy())
	attach := cs.AttachIsoIn{ID: iso, VMID: vm.ID}
	refused(t, blue, cs.AttachIso, attach, 431, "you may not see it")
	refused(t, red, cs.AttachIso, cs.AttachIsoIn{ID: box.Template, VMID: vm.ID}, 431, "no ISO")
	refused(t, red, cs.DetachIso, cs.DetachIsoIn{VMID: vm.ID}, 431, "has no ISO")
	if got := run(t, red, cs.AttachIso, attach); got.ISOID != iso || got.ISOName != "tools" {
		t.Errorf("attached: %+v", got)
	}
	drive := func(want uid.Template) {
		t.Helper()
		guest, err := c.World.Machine(t.Context(), vm.ID)
		must(t, err)
		if (guest.CD != nil) != (want != "") || want != "" && guest.CD.Template != want {
			t.Errorf("the drive has %+v, want %q", guest.CD, want)
		}
	}
	drive(iso)
	refused(t, red, cs.AttachIso, attach, 431, "already")
	remove := cs.DeleteIsoIn{ID: iso}
	refused(t, red, cs.DeleteIso, remove, 431, "detachIso first")
	refused(t, blue, cs.DeleteIso, remove, 431, "no template")
	refused(t, red, cs.DeleteTemplate, cs.DeleteTemplateIn{ID: iso}, 431, "ISO")

	// A stopped machine starts with what is in its drive then.
	run(t, red, cs.StopVirtualMachine, cs.StopVirtualMachineIn{ID: vm.ID})
	if got := run(t, red, cs.DetachIso, cs.DetachIsoIn{VMID: vm.ID}); got.ISOID != "" {
		t.Errorf("detached: %+v", got)
	}
	run(t, red, cs.StartVirtualMachine, cs.StartVirtualMachineIn{ID: vm.ID})
	drive("")
	run(t, red, cs.AttachIso, attach)
	run(t, red, cs.DetachIso, cs.DetachIsoIn{VMID: vm.ID})
	drive("")
	run(t, red, cs.DeleteIso, remove)

	// What is larger than allowed is not fetched, and says so.
	_, err = c.Client.Call(t.Context(), "updateConfiguration", api.Params{"name": "max.template.iso.size", "value": "1"})
	must(t, err)
	made, err = listed(t, red, cs.RegisterIso, in)
	must(t, err)
	settle(t, c, made[0].ID)
	large, err := listed(t, red, cs.ListIsos, cs.ListIsosIn{Filter: "self"})
	must(t, err)
	if len(large) != 1 || large[0].Ready || !strings.Contains(large[0].Status, "are allowed") {
		t.Errorf("fetched %+v", large)
	}
	run(t, red, cs.DeleteIso, cs.DeleteIsoIn{ID: made[0].ID})
	if left, err := listed(t, red, cs.ListIsos, cs.ListIsosIn{Filter: "self"}); err != nil || len(left) != 0 {
		t.Errorf("%v are left, %v", left, err)
	}
}
