package main_test

import (
	"path/filepath"
	"strings"
	"testing"

	"github.com/virga-cloud/virga/api"
	cs "github.com/virga-cloud/virga/api/cloudstack"
)

// On two real hosts: a copy of a machine runs on the other host and is reached by the first one's router, a machine goes back to how it was
// with all that was in its memory, is given a CD, and moves to the other host while it runs; nothing is left of it in the end.
func TestRealHosts(t *testing.T) {
	t.Parallel()
	r := newRealHosts(t, 2)
	ctx, one, two := t.Context(), r.hosts[0], r.hosts[1]
	vm := r.deploy("first", one, r.tiny)
	one.ready(vm.ID)
	url := r.reach(vm, 8080)
	state := func() string { return strings.TrimSpace(r.get(url + "state")) }
	r.p.until("an answer by the port forward", func() bool { return state() == "nothing" })

	// A snapshot of its disk, a template of that, a machine of that on the other host.
	volumes, err := api.Fetch(ctx, r.client, cs.ListVolumes, cs.ListVolumesIn{VMID: vm.ID})
	root := only(t, volumes, err)
	snapshot, err := api.Run(ctx, r.client, cs.CreateSnapshot, cs.CreateSnapshotIn{VolumeID: root.ID})
	must(t, err)
	if snapshot.State != "BackedUp" {
		t.Errorf("the snapshot is %+v", snapshot)
	}
	template, err := api.Run(ctx, r.client, cs.CreateTemplate, cs.CreateTemplateIn{Name: "copy", SnapshotID: snapshot.ID})
	must(t, err)
	r.awaitTemplate(template.ID)
	second := r.deploy("second", two, template.ID)
	two.ready(second.ID)
	other := r.reach(second, 8081)
	r.p.until("an answer of the copy", func() bool { return strings.HasPrefix(r.get(other), "hello from second ") })
	_, err = api.Run(ctx, r.client, cs.DestroyVirtualMachine, cs.DestroyVirtualMachineIn{ID: second.ID, Expunge: true})
	must(t, err)

	// Back to how it was, while it runs.
	r.get(url + "cgi-bin/put?before")
	checkpoint, err := api.Run(ctx, r.client, cs.CreateVMSnapshot, cs.CreateVMSnapshotIn{VMID: vm.ID, Memory: true})
	must(t, err)
	r.get(url + "cgi-bin/put?after")
	if got := state(); got != "after" {
		t.Errorf("after the snapshot the machine remembers %q", got)
	}
	_, err = api.Run(ctx, r.client, cs.RevertToVMSnapshot, cs.RevertToVMSnapshotIn{ID: checkpoint.ID})
	must(t, err)
	r.p.until("what was before", func() bool { return state() == "before" })
	_, err = api.Run(ctx, r.client, cs.DeleteVMSnapshot, cs.DeleteVMSnapshotIn{ID: checkpoint.ID})
	must(t, err)

	// A CD.
	isos, err := api.Fetch(ctx, r.client, cs.RegisterIso, cs.RegisterIsoIn{Name: "empty", URL: "http://198.18.0.1/empty.iso", ZoneID: string(r.zone)})
	iso := only(t, isos, err)
	r.p.until("the ISO", func() bool {
		isos, err := api.Fetch(ctx, r.client, cs.ListIsos, cs.ListIsosIn{Filter: "self", ID: iso.ID})
		return only(t, isos, err).Ready
	})
	// Debian's kernel for clouds has no driver for it, so QEMU's open files say whether it is in.
	in := func() bool { return one.opened(vm.ID, string(iso.ID)) }
	_, err = api.Run(ctx, r.client, cs.AttachIso, cs.AttachIsoIn{ID: iso.ID, VMID: vm.ID})
	must(t, err)
	if !in() {
		t.Error("the CD is not in the machine")
	}
	_, err = api.Run(ctx, r.client, cs.DetachIso, cs.DetachIsoIn{VMID: vm.ID})
	must(t, err)
	if in() {
		t.Error("the CD is still in the machine")
	}

	// To the other host.
	moved, err := api.Run(ctx, r.client, cs.MigrateVirtualMachine, cs.MigrateVirtualMachineIn{VMID: vm.ID, HostID: two.id})
	must(t, err)
	if moved.HostID != two.id || moved.State != "Running" {
		t.Errorf("the machine is %s on %s", moved.State, moved.HostName)
	}
	r.p.until("an answer from the other host", func() bool { return state() == "before" })
	if here, there := running(t, filepath.Join(one.home, "machines")), running(t, filepath.Join(two.home, "machines")); len(here) != 0 || len(there) == 0 {
		t.Errorf("processes of machines are %v on the first host and %v on the second", here, there)
	}

	_, err = api.Run(ctx, r.client, cs.DestroyVirtualMachine, cs.DestroyVirtualMachineIn{ID: vm.ID, Expunge: true})
	must(t, err)
	_, err = api.Run(ctx, r.client, cs.DeleteNetwork, cs.DeleteNetworkIn{ID: vm.NICs[0].NetworkID})
	must(t, err)
	for _, pattern := range []string{"pool/*.qcow2", "h*/machines/guests/*", "h*/routers/*", "h*/networks/ports/*"} {
		if left, err := filepath.Glob(filepath.Join(r.dir, pattern)); err != nil || len(left) > 0 {
			t.Errorf("of the machine is left: %v %v", left, err)
		}
	}
}
