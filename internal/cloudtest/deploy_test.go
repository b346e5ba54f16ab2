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

// A machine lets in the SSH keys that it was deployed with, whatever becomes of the pairs, and is found by their names.
func TestDeployWithKeys(t *testing.T) {
	t.Parallel()
	cloudtest.Each(t, cloudtest.Options{}, func(t *testing.T, c *cloudtest.Cloud) {
		ctx, box := t.Context(), c.Sandbox(t)
		red, _ := c.Tenant(t, "red", "red", auth.User)
		blue, _ := c.Tenant(t, "blue", "blue", auth.User)
		_, err := api.Do(ctx, red, cs.CreateSSHKeyPair, cs.CreateSSHKeyPairIn{Name: "lap%top"})
		must(t, err)
		_, err = api.Do(ctx, red, cs.RegisterSSHKeyPair, cs.RegisterSSHKeyPairIn{Name: "desk", PublicKey: publicKey})
		must(t, err)

		in := box.Deploy()
		in.KeyPairs = []string{"desk", "lap%top", "desk"}
		vm := run(t, red, cs.DeployVirtualMachine, in)
		guest, err := c.World.Machine(ctx, vm.ID)
		must(t, err)
		if vm.KeyPair != "desk" || vm.KeyPairs != "desk,lap%top" || len(guest.SSHKeys) != 2 || guest.SSHKeys[0] != publicKey ||
			!strings.HasPrefix(guest.SSHKeys[1], "ssh-rsa ") {
			t.Errorf("deployed %q, %q with %q", vm.KeyPair, vm.KeyPairs, guest.SSHKeys)
		}
		plain := run(t, red, cs.DeployVirtualMachine, box.Deploy())
		if plain.KeyPair != "" || plain.KeyPairs != "" {
			t.Errorf("without keys: %+v", plain)
		}
		for name, want := range map[string]int{"desk": 1, "lap%top": 1, "top": 0, "lap": 0, "%": 0, "DESK": 0} {
			if found, err := listed(t, red, cs.ListVirtualMachines, cs.ListVirtualMachinesIn{KeyPair: name}); err != nil || len(found) != want {
				t.Errorf("machines with %q: %d, %v", name, len(found), err)
			}
		}

		// Another account's pairs are not there, and nothing is made.
		refused(t, blue, cs.DeployVirtualMachine, in, 431, `no SSH key pair called "desk"`)
		both := in
		both.KeyPair = "desk"
		refused(t, red, cs.DeployVirtualMachine, both, 431, "use one of them")
		if found, err := listed(t, blue, cs.ListVirtualMachines, cs.ListVirtualMachinesIn{}); err != nil || len(found) > 0 {
			t.Errorf("blue has %v, %v", found, err)
		}

		_, err = api.Do(ctx, red, cs.DeleteSSHKeyPair, cs.DeleteSSHKeyPairIn{Name: "desk"})
		must(t, err)
		run(t, red, cs.StopVirtualMachine, cs.StopVirtualMachineIn{ID: vm.ID})
		vm = run(t, red, cs.StartVirtualMachine, cs.StartVirtualMachineIn{ID: vm.ID})
		guest, err = c.World.Machine(ctx, vm.ID)
		must(t, err)
		if vm.KeyPair != "desk" || len(guest.SSHKeys) != 2 {
			t.Errorf("after the pair is gone: %q with %q", vm.KeyPair, guest.SSHKeys)
		}

		in = box.Deploy()
		in.AffinityGroups = []string{"apart"}
		refused(t, red, cs.DeployVirtualMachine, in, 431, `no affinity group "apart"`)
	})
}

const publicKey = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIOMqqnkVzrm0SdG6UOoqKLsabgH5C9okWi0dh2l9GKJl desk"

// A machine is installed from an ISO on an empty disk.
func TestDeployFromISO(t *testing.T) {
	t.Parallel()
	cloudtest.Each(t, cloudtest.Options{}, func(t *testing.T, c *cloudtest.Cloud) {
		ctx, box := t.Context(), c.Sandbox(t)
		red, _ := c.Tenant(t, "red", "red", auth.User)
		isos, err := listed(t, red, cs.ListIsos, cs.ListIsosIn{Filter: "featured"})
		must(t, err)
		iso := isos[0]
		in := box.Deploy()
		in.TemplateID, in.DiskOfferingID, in.Hypervisor = iso.ID, box.DiskOffering["Small"], "simulator"
		vm := run(t, red, cs.DeployVirtualMachine, in)
		if vm.State != "Running" || vm.ISOID != iso.ID || vm.ISOName != iso.Name || vm.TemplateID != iso.ID || vm.Hypervisor != "Simulator" {
			t.Errorf("deployed %+v", vm)
		}
		disks, err := listed(t, red, cs.ListVolumes, cs.ListVolumesIn{VMID: vm.ID})
		must(t, err)
		if len(disks) != 1 || disks[0].Type != "ROOT" || disks[0].TemplateID != "" || disks[0].DiskOfferingID != in.DiskOfferingID ||
			disks[0].Size != 5<<30 || disks[0].State != "Ready" {
			t.Errorf("disks %+v", disks)
		}
		guest, err := c.World.Machine(ctx, vm.ID)
		must(t, err)
		if guest.CD == nil || guest.CD.Template != iso.ID || len(guest.Disks) != 1 {
			t.Errorf("runs as %+v", guest)
		}
		run(t, red, cs.DeployVirtualMachine, box.Deploy())
		found, err := listed(t, red, cs.ListVirtualMachines, cs.ListVirtualMachinesIn{ISOID: iso.ID})
		if err != nil || len(found) != 1 || found[0].ID != vm.ID {
			t.Errorf("machines with the ISO: %v, %v", found, err)
		}
		brief, err := listed(t, red, cs.ListVirtualMachines, cs.ListVirtualMachinesIn{ID: vm.ID, Details: []string{"nics", "secgrp"}})
		if err != nil || len(brief) != 1 || brief[0].ISOName != "" || brief[0].NICs == nil {
			t.Errorf("with its NICs alone: %v, %v", brief, err)
		}

		for text, change := range map[string]func(*cs.DeployVirtualMachineIn){
			"name the diskofferingid": func(in *cs.DeployVirtualMachineIn) { in.DiskOfferingID = "" },
			"name the hypervisor":     func(in *cs.DeployVirtualMachineIn) { in.Hypervisor = "" },
			"no cluster of":           func(in *cs.DeployVirtualMachineIn) { in.Hypervisor = "kvm" },
			"there is no hypervisor":  func(in *cs.DeployVirtualMachineIn) { in.Hypervisor = "bhyve" },
			"leave out rootdisksize":  func(in *cs.DeployVirtualMachineIn) { in.RootDiskSize = 9 },
			"fixed size of 5 GB":      func(in *cs.DeployVirtualMachineIn) { in.Size = 9 },
			"templateid is missing":   func(in *cs.DeployVirtualMachineIn) { in.TemplateID = "" },
		} {
			wrong := in
			change(&wrong)
			refused(t, red, cs.DeployVirtualMachine, wrong, 431, text)
		}
		in.DiskOfferingID, in.Size = box.DiskOffering["Custom"], 7
		custom := run(t, red, cs.DeployVirtualMachine, in)
		disks, err = listed(t, red, cs.ListVolumes, cs.ListVolumesIn{VMID: custom.ID})
		if err != nil || len(disks) != 1 || disks[0].Size != 7<<30 {
			t.Errorf("disks %+v, %v", disks, err)
		}
		run(t, red, cs.RebootVirtualMachine, cs.RebootVirtualMachineIn{ID: vm.ID, Forced: true})
		_, err = api.Do(ctx, c.Client, cs.ChangeServiceForVirtualMachine, cs.ChangeServiceForVirtualMachineIn{ID: vm.ID, ServiceOfferingID: box.Medium})
		refusedWith(t, err, 431, "stop it before")
	})
}

// In networks with IPv6 a machine has the address that it asked for, or that its guest makes of its MAC address.
func TestDeployWithIPv6(t *testing.T) {
	t.Parallel()
	c := cloudtest.New(t, dbtest.SQLite(t), cloudtest.Options{})
	ctx, box := t.Context(), c.Sandbox(t)
	red, account := c.Tenant(t, "red", "red", auth.User)
	n, err := api.Do(ctx, c.Client, cs.CreateNetwork, cs.CreateNetworkIn{
		Name: "lan", OfferingID: box.NetworkOffering["DefaultSharedNetworkOffering"], ZoneID: box.Zone, VLAN: "60", DomainID: account.Domain,
		Gateway: "10.9.0.1", Netmask: "255.255.255.0", StartIP: "10.9.0.10", EndIP: "10.9.0.19", IP6CIDR: "2001:db8:1::/64", IP6Gateway: "2001:db8:1::1",
	})
	must(t, err)
	in := box.Deploy()
	in.NetworkIDs, in.MACAddress = []uid.Network{n.ID}, "02:00:00:00:00:07"
	vm := run(t, red, cs.DeployVirtualMachine, in)
	guest, err := c.World.Machine(ctx, vm.ID)
	must(t, err)
	nic := vm.NICs[0]
	if nic.IP6Address != "2001:db8:1::ff:fe00:7" || nic.IP6CIDR != "2001:db8:1::/64" || nic.IP6Gateway != "2001:db8:1::1" || nic.IPAddress == "" ||
		nic.Gateway != "10.9.0.1" || guest.NICs[0].IP6 != nic.IP6Address {
		t.Errorf("NIC %+v of %+v", nic, guest)
	}
	in.MACAddress, in.IP6Address = "", "2001:db8:1::42"
	if vm = run(t, red, cs.DeployVirtualMachine, in); vm.NICs[0].IP6Address != in.IP6Address {
		t.Errorf("NIC %+v", vm.NICs[0])
	}
	refused(t, red, cs.DeployVirtualMachine, in, 431, "in use")
	in.NetworkIDs, in.IP6Address = nil, ""
	in.Networks = []cs.IPToNetwork{{NetworkID: n.ID, IP6: "2001:db8:1::43"}}
	if vm = run(t, red, cs.DeployVirtualMachine, in); vm.NICs[0].IP6Address != "2001:db8:1::43" {
		t.Errorf("NIC %+v", vm.NICs[0])
	}
	in.IP6Address = "2001:db8:1::44"
	refused(t, red, cs.DeployVirtualMachine, in, 431, "leave out networkids")
	in.Networks = nil
	refused(t, red, cs.DeployVirtualMachine, in, 431, "has no IPv6")
}

// A guest's password is shown once: to its owner, when the guest has it.
func TestPassword(t *testing.T) {
	t.Parallel()
	cloudtest.Each(t, cloudtest.Options{}, func(t *testing.T, c *cloudtest.Cloud) {
		ctx, box := t.Context(), c.Sandbox(t)
		red, _ := c.Tenant(t, "red", "red", auth.User)
		systems, err := listed(t, red, cs.ListOsTypes, cs.ListOsTypesIn{})
		must(t, err)
		made, err := listed(t, red, cs.RegisterTemplate, cs.RegisterTemplateIn{
			Name: "mine", URL: "https://example.org/mine.vhd.bz2", Format: "VHD", Hypervisor: "Simulator", OSTypeID: systems[0].ID,
			ZoneID: string(box.Zone), PasswordEnabled: true,
		})
		must(t, err)
		settle(t, c, made[0].ID)
		in := box.Deploy()
		in.TemplateID = made[0].ID
		sealed := func(id uid.VM) (text string) {
			must(t, c.DB.Read().NewRaw("select password from vms where id = ?", id).Scan(ctx, &text))
			return text
		}
		vm := run(t, red, cs.DeployVirtualMachine, in)
		if len(vm.Password) != 16 || !vm.PasswordEnabled || sealed(vm.ID) != "" {
			t.Errorf("deployed with password %q, kept %q", vm.Password, sealed(vm.ID))
		}
		again := run(t, red, cs.RebootVirtualMachine, cs.RebootVirtualMachineIn{ID: vm.ID})
		if again.Password != "" {
			t.Errorf("shown again: %q", again.Password)
		}

		// One that is not started has no guest to take it.
		in.StartVM = new(false)
		second := run(t, red, cs.DeployVirtualMachine, in)
		if second.Password != "" || !strings.HasPrefix(sealed(second.ID), "v1:") {
			t.Errorf("not started with password %q, kept %q", second.Password, sealed(second.ID))
		}
		// An admin who starts it is not its owner.
		if by := run(t, c.Client, cs.StartVirtualMachine, cs.StartVirtualMachineIn{ID: second.ID}); by.Password != "" {
			t.Errorf("an admin sees %q", by.Password)
		}
		run(t, red, cs.StopVirtualMachine, cs.StopVirtualMachineIn{ID: second.ID})
		second = run(t, red, cs.StartVirtualMachine, cs.StartVirtualMachineIn{ID: second.ID})
		if len(second.Password) != 16 || second.Password == vm.Password || sealed(second.ID) != "" {
			t.Errorf("started with password %q, kept %q", second.Password, sealed(second.ID))
		}
		seen, err := listed(t, red, cs.ListVirtualMachines, cs.ListVirtualMachinesIn{})
		must(t, err)
		for _, vm := range seen {
			if vm.Password != "" {
				t.Errorf("a list shows %q", vm.Password)
			}
		}
	})
}
