package cloudtest_test

import (
	"context"
	"testing"

	"github.com/virga-cloud/virga/api"
	cs "github.com/virga-cloud/virga/api/cloudstack"
	"github.com/virga-cloud/virga/internal/auth"
	"github.com/virga-cloud/virga/internal/cloudtest"
	"github.com/virga-cloud/virga/internal/db"
	"github.com/virga-cloud/virga/internal/db/dbtest"
	"github.com/virga-cloud/virga/uid"
)

// A destroyed machine comes back while it has not been expunged, if its account may have another one.
func TestRecover(t *testing.T) {
	t.Parallel()
	cloudtest.Each(t, cloudtest.Options{}, func(t *testing.T, c *cloudtest.Cloud) {
		red, account := c.Tenant(t, "red", "red", auth.User)
		box := c.Sandbox(t)
		vm := run(t, red, cs.DeployVirtualMachine, box.Deploy())
		recovery := cs.RecoverVirtualMachineIn{ID: vm.ID}
		_, err := api.Do(t.Context(), c.Client, cs.RecoverVirtualMachine, recovery)
		refusedWith(t, err, 431, "is Running and can't be recovered")
		run(t, red, cs.DestroyVirtualMachine, cs.DestroyVirtualMachineIn{ID: vm.ID})
		_, err = api.Do(t.Context(), red, cs.RecoverVirtualMachine, recovery)
		refusedWith(t, err, 531, "only administrators")
		back, err := api.Do(t.Context(), c.Client, cs.RecoverVirtualMachine, recovery)
		must(t, err)
		if back.State != "Stopped" || back.ID != vm.ID {
			t.Errorf("recovered %+v", back)
		}
		if started := run(t, red, cs.StartVirtualMachine, cs.StartVirtualMachineIn{ID: vm.ID}); started.State != "Running" {
			t.Errorf("started %+v", started)
		}

		// At the limit it stays destroyed, whole.
		run(t, red, cs.DestroyVirtualMachine, cs.DestroyVirtualMachineIn{ID: vm.ID})
		must(t, c.DB.Write(t.Context(), func(ctx context.Context, tx db.Tx) error {
			_, err := tx.NewRaw("update resource_counts set vm_max = vm_used where account_id = ?", account.ID).Exec(ctx)
			return err
		}))
		_, err = api.Do(t.Context(), c.Client, cs.RecoverVirtualMachine, recovery)
		refusedWith(t, err, 532, "limit")
		run(t, c.Client, cs.ExpungeVirtualMachine, cs.ExpungeVirtualMachineIn{ID: vm.ID})
		_, err = api.Do(t.Context(), c.Client, cs.RecoverVirtualMachine, recovery)
		refusedWith(t, err, 431, "no virtual machine with id")
	})
}

// What is changed of a machine, and what its state forbids.
func TestUpdateMachine(t *testing.T) {
	t.Parallel()
	c := cloudtest.New(t, dbtest.SQLite(t), cloudtest.Options{})
	red, _ := c.Tenant(t, "red", "red", auth.User)
	blue, _ := c.Tenant(t, "blue", "blue", auth.User)
	box := c.Sandbox(t)
	in := box.Deploy()
	in.Group, in.Keyboard, in.Details = "web", "de-ch", map[string]string{"a": "b"}
	vm := run(t, red, cs.DeployVirtualMachine, in)
	if vm.Group != "web" || vm.GroupID == "" || vm.Details["keyboard"] != "de-ch" || vm.RootDeviceType == "" || vm.ForVirtualNetwork == nil || !*vm.ForVirtualNetwork {
		t.Errorf("deployed %+v", vm)
	}
	second := run(t, red, cs.DeployVirtualMachine, in)
	if second.GroupID != vm.GroupID {
		t.Errorf("two groups %s, %s have one name", second.GroupID, vm.GroupID)
	}
	update := func(in cs.UpdateVirtualMachineIn) (cs.VirtualMachine, error) {
		in.ID = vm.ID
		return api.Do(t.Context(), red, cs.UpdateVirtualMachine, in)
	}
	out, err := update(cs.UpdateVirtualMachineIn{
		DisplayName: "shown", Group: new("db"), HAEnable: new(true), Dynamic: new(true), UserData: new("aGk="), Details: map[string]string{"c": "d"},
	})
	must(t, err)
	if out.DisplayName != "shown" || out.Group != "db" || !out.HAEnabled || !out.Dynamic || out.Details["c"] != "d" || out.Details["a"] != "" ||
		out.LastUpdated.IsZero() {
		t.Errorf("changed to %+v", out)
	}
	for text, wrong := range map[string]cs.UpdateVirtualMachineIn{
		"host name":           {Name: "-"},
		"stop it before":      {Name: "other"},
		"not base64":          {UserData: new("!")},
		"no OS type with id":  {OSTypeID: uid.New[uid.OSType]()},
		"leave out details":   {CleanupDetails: true, Details: map[string]string{"x": "y"}},
		"changeServiceForVir": {Details: map[string]string{"cpuNumber": "4"}},
	} {
		_, err := update(wrong)
		refusedWith(t, err, 431, text)
	}
	_, err = api.Do(t.Context(), blue, cs.UpdateVirtualMachine, cs.UpdateVirtualMachineIn{ID: vm.ID, DisplayName: "mine"})
	refusedWith(t, err, 431, "you may not see it")
	run(t, red, cs.StopVirtualMachine, cs.StopVirtualMachineIn{ID: vm.ID})
	out, err = update(cs.UpdateVirtualMachineIn{Name: "other", Group: new(""), CleanupDetails: true})
	must(t, err)
	if out.Name != "other" || out.Group != "" || out.GroupID != "" || len(out.Details) != 0 || out.DisplayName != "shown" {
		t.Errorf("changed to %+v", out)
	}
	if list, err := api.Fetch(t.Context(), red, cs.ListVirtualMachines, cs.ListVirtualMachinesIn{GroupID: second.GroupID}); err != nil || list.Count != 1 {
		t.Errorf("the group has %d, %v", list.Count, err)
	}

	// Another size, while it is stopped.
	change := cs.ChangeServiceForVirtualMachineIn{ID: vm.ID, ServiceOfferingID: box.Medium}
	out, err = api.Do(t.Context(), red, cs.ChangeServiceForVirtualMachine, change)
	must(t, err)
	if out.ServiceOfferingID != box.Medium || out.Memory != 1024 || out.CPUSpeed != 1000 {
		t.Errorf("changed to %+v", out)
	}
	_, err = api.Do(t.Context(), red, cs.ChangeServiceForVirtualMachine, change)
	refusedWith(t, err, 431, "already")
	started := run(t, red, cs.StartVirtualMachine, cs.StartVirtualMachineIn{ID: vm.ID})
	guest, err := c.World.Machine(t.Context(), vm.ID)
	must(t, err)
	if started.State != "Running" || guest.MemoryMB != 1024 || string(guest.UserData) != "hi" {
		t.Errorf("runs as %+v", guest)
	}
	_, err = api.Do(t.Context(), red, cs.ChangeServiceForVirtualMachine, change)
	refusedWith(t, err, 431, "stop it before")
}
