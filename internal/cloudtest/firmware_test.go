package cloudtest_test

import (
	"testing"

	"github.com/virga-cloud/virga/api"
	cs "github.com/virga-cloud/virga/api/cloudstack"
	"github.com/virga-cloud/virga/internal/auth"
	"github.com/virga-cloud/virga/internal/cloudtest"
	"github.com/virga-cloud/virga/internal/db/dbtest"
	"github.com/virga-cloud/virga/uid"
)

// A machine is started by UEFI if its deployment, its details or its template say so, and by another firmware only after it was stopped.
func TestFirmware(t *testing.T) {
	t.Parallel()
	c := cloudtest.New(t, dbtest.SQLite(t), cloudtest.Options{})
	red, _ := c.Tenant(t, "red", "red", auth.User)
	box := c.Sandbox(t)
	deploy := func(bootType, bootMode string, template uid.Template, details map[string]string) (cs.VirtualMachine, error) {
		in := box.Deploy()
		in.BootType, in.BootMode, in.Details = bootType, bootMode, details
		if template != "" {
			in.TemplateID = template
		}
		return api.Run(t.Context(), red, cs.DeployVirtualMachine, in)
	}
	uefi := map[string]string{"UEFI": "LEGACY"}
	register := cs.RegisterTemplateIn{Name: "new", DisplayText: "new", Format: "QCOW2", Hypervisor: "Simulator", URL: "http://192.0.2.1/new.qcow2",
		ZoneID: string(box.Zone), Details: uefi}
	made, err := listed(t, red, cs.RegisterTemplate, register)
	must(t, err)
	settle(t, c, made[0].ID)
	modern := made[0].ID

	for _, one := range []struct {
		bootType, bootMode string
		template           uid.Template
		details            map[string]string
		want               string
	}{
		{want: "Bios"},
		{bootType: "UEFI", bootMode: "LEGACY", want: "Uefi"},
		{bootType: "uefi", want: "Uefi"},
		{details: uefi, want: "Uefi"},
		{template: modern, want: "Uefi"},
		{bootType: "BIOS", bootMode: "Legacy", template: modern, want: "Bios"},
	} {
		vm, err := deploy(one.bootType, one.bootMode, one.template, one.details)
		must(t, err)
		runs, err := c.World.Machine(t.Context(), vm.ID)
		must(t, err)
		if vm.BootType != one.want || vm.BootMode != "legacy" || runs.UEFI != (one.want == "Uefi") {
			t.Errorf("%+v: %s, %s; its host was told UEFI: %v", one, vm.BootType, vm.BootMode, runs.UEFI)
		}
	}
	for text, wrong := range map[string][2]string{
		"SECURE is not there": {"UEFI", "SECURE"}, "there is: BIOS, UEFI": {"OpenFirmware", ""}, "without a boottype": {"", "LEGACY"},
		`bootmode "odd" is unknown`: {"BIOS", "odd"},
	} {
		_, err := deploy(wrong[0], wrong[1], "", nil)
		refusedWith(t, err, 431, text)
	}
	_, err = deploy("", "", "", map[string]string{"UEFI": "SECURE"})
	refusedWith(t, err, 431, `detail UEFI is "SECURE"; there is: LEGACY`)
	_, err = deploy("BIOS", "", "", uefi)
	refusedWith(t, err, 431, "leave one of them out")

	vm, err := deploy("UEFI", "LEGACY", "", map[string]string{"a": "b"})
	must(t, err)
	update := func(in cs.UpdateVirtualMachineIn) (cs.VirtualMachine, error) {
		in.ID = vm.ID
		return api.Do(t.Context(), red, cs.UpdateVirtualMachine, in)
	}
	for _, in := range []cs.UpdateVirtualMachineIn{{CleanupDetails: true}, {Details: map[string]string{"a": "c"}}} {
		_, err := update(in)
		refusedWith(t, err, 431, "stop it before you give it another firmware")
	}
	_, err = update(cs.UpdateVirtualMachineIn{Details: map[string]string{"UEFI": "SECURE"}})
	refusedWith(t, err, 431, "there is: LEGACY")
	if out, err := update(cs.UpdateVirtualMachineIn{Details: map[string]string{"a": "c", "UEFI": "LEGACY"}}); err != nil || out.BootType != "Uefi" {
		t.Errorf("%+v, %v", out, err)
	}
	note := cs.AddResourceDetailIn{ResourceType: "UserVm", ResourceID: string(vm.ID), Details: map[string]string{"UEFI": "OTHER"}}
	_, err = api.Run(t.Context(), c.Client, cs.AddResourceDetail, note)
	refusedWith(t, err, 431, "it is the machine's firmware")
	run(t, red, cs.StopVirtualMachine, cs.StopVirtualMachineIn{ID: vm.ID})
	if out, err := update(cs.UpdateVirtualMachineIn{CleanupDetails: true}); err != nil || out.BootType != "Bios" {
		t.Errorf("%+v, %v", out, err)
	}
	run(t, red, cs.StartVirtualMachine, cs.StartVirtualMachineIn{ID: vm.ID})
	if runs, err := c.World.Machine(t.Context(), vm.ID); err != nil || runs.UEFI {
		t.Errorf("its host was told UEFI: %v, %v", runs.UEFI, err)
	}

	hosts, err := api.Fetch(t.Context(), c.Client, cs.ListHosts, cs.ListHostsIn{Type: "Routing"})
	must(t, err)
	for _, h := range hosts.Items {
		if h.UEFI == nil || !*h.UEFI {
			t.Errorf("host %s starts no machine by UEFI", h.Name)
		}
	}
}
