package cloudtest_test

import (
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"testing"

	"github.com/virga-cloud/virga/api"
	cs "github.com/virga-cloud/virga/api/cloudstack"
	"github.com/virga-cloud/virga/internal/auth"
	"github.com/virga-cloud/virga/internal/cloudtest"
	"github.com/virga-cloud/virga/internal/db/dbtest"
	"github.com/virga-cloud/virga/uid"
)

// A stopped machine gets another password, or other keys, which its router and its host tell its guest at the next start.
func TestResetAccess(t *testing.T) {
	t.Parallel()
	c := cloudtest.New(t, dbtest.SQLite(t), cloudtest.Options{})
	ctx, box := t.Context(), c.Sandbox(t)
	red, _ := c.Tenant(t, "red", "red", auth.User)
	blue, _ := c.Tenant(t, "blue", "blue", auth.User)
	systems, err := listed(t, red, cs.ListOsTypes, cs.ListOsTypesIn{})
	must(t, err)
	made, err := listed(t, red, cs.RegisterTemplate, cs.RegisterTemplateIn{
		Name: "mine", URL: "https://example.org/mine.vhd.bz2", Format: "VHD", Hypervisor: "Simulator", OSTypeID: systems[0].ID,
		ZoneID: string(box.Zone), PasswordEnabled: true,
	})
	must(t, err)
	settle(t, c, made[0].ID)
	private := map[string]*rsa.PrivateKey{}
	for _, name := range []string{"first", "second"} {
		pair, err := api.Do(ctx, red, cs.CreateSSHKeyPair, cs.CreateSSHKeyPairIn{Name: name})
		must(t, err)
		block, _ := pem.Decode([]byte(pair.PrivateKey))
		private[name], err = x509.ParsePKCS1PrivateKey(block.Bytes)
		must(t, err)
	}
	_, err = api.Do(ctx, red, cs.RegisterSSHKeyPair, cs.RegisterSSHKeyPairIn{Name: "elliptic", PublicKey: publicKey})
	must(t, err)
	opened := func(id uid.VM, by string) string {
		t.Helper()
		got, err := api.Do(ctx, red, cs.GetVMPassword, cs.GetVMPasswordIn{ID: id})
		must(t, err)
		sealed, err := base64.StdEncoding.DecodeString(got.Encrypted)
		must(t, err)
		plain, err := rsa.DecryptPKCS1v15(nil, private[by], sealed) //nolint:staticcheck // the contract's
		must(t, err)
		return string(plain)
	}
	in := box.Deploy()
	in.TemplateID, in.KeyPair = made[0].ID, "first"
	vm := run(t, red, cs.DeployVirtualMachine, in)
	if got := opened(vm.ID, "first"); got != vm.Password || len(got) != 16 {
		t.Errorf("the key opens %q, the password is %q", got, vm.Password)
	}
	reset := cs.ResetPasswordForVirtualMachineIn{ID: vm.ID}
	refused(t, red, cs.ResetPasswordForVirtualMachine, reset, 431, "stop it before you reset its password")
	run(t, red, cs.StopVirtualMachine, cs.StopVirtualMachineIn{ID: vm.ID})
	refused(t, blue, cs.ResetPasswordForVirtualMachine, reset, 431, string(vm.ID))
	_, err = api.Do(ctx, blue, cs.GetVMPassword, cs.GetVMPasswordIn{ID: vm.ID})
	refusedWith(t, err, 431, string(vm.ID))

	// A new one is shown until the machine runs, to its owner; the guest and the router have it.
	again := run(t, red, cs.ResetPasswordForVirtualMachine, reset)
	if len(again.Password) != 16 || again.Password == vm.Password || opened(vm.ID, "first") != again.Password {
		t.Errorf("reset from %q to %q, which the key opens as %q", vm.Password, again.Password, opened(vm.ID, "first"))
	}
	started := run(t, red, cs.StartVirtualMachine, cs.StartVirtualMachineIn{ID: vm.ID})
	if started.Password != again.Password {
		t.Errorf("started with %q, reset to %q", started.Password, again.Password)
	}
	run(t, red, cs.StopVirtualMachine, cs.StopVirtualMachineIn{ID: vm.ID})

	// An admin chooses one, and is shown it, which a wanted one need not be; other admins are not.
	reset.Password = "correct horse battery"
	if by := run(t, c.Client, cs.ResetPasswordForVirtualMachine, reset); by.Password != reset.Password {
		t.Errorf("the admin sees %q", by.Password)
	}
	if got := opened(vm.ID, "first"); got != reset.Password {
		t.Errorf("the key opens %q", got)
	}

	// Other keys come with another password, encrypted to the first of them that can be encrypted to.
	keys := cs.ResetSSHKeyForVirtualMachineIn{ID: vm.ID, KeyPairs: []string{"elliptic", "second"}}
	refused(t, red, cs.ResetSSHKeyForVirtualMachine, cs.ResetSSHKeyForVirtualMachineIn{ID: vm.ID}, 431, "keypair is missing")
	refused(t, red, cs.ResetSSHKeyForVirtualMachine, cs.ResetSSHKeyForVirtualMachineIn{ID: vm.ID, KeyPair: "none"}, 431, `"none"`)
	refused(t, red, cs.ResetSSHKeyForVirtualMachine, cs.ResetSSHKeyForVirtualMachineIn{ID: vm.ID, KeyPair: "first", KeyPairs: keys.KeyPairs}, 431, "use one of them")
	other := run(t, red, cs.ResetSSHKeyForVirtualMachine, keys)
	if other.KeyPairs != "elliptic,second" || len(other.Password) != 16 || opened(vm.ID, "second") != other.Password {
		t.Errorf("reset to %q with password %q", other.KeyPairs, other.Password)
	}
	run(t, red, cs.StartVirtualMachine, cs.StartVirtualMachineIn{ID: vm.ID})
	guest, err := c.World.Machine(ctx, vm.ID)
	must(t, err)
	if len(guest.SSHKeys) != 2 || guest.SSHKeys[0] != publicKey {
		t.Errorf("the guest has the keys %q", guest.SSHKeys)
	}
	run(t, red, cs.StopVirtualMachine, cs.StopVirtualMachineIn{ID: vm.ID})
	keys.KeyPairs = []string{"elliptic"}
	run(t, red, cs.ResetSSHKeyForVirtualMachine, keys)
	_, err = api.Do(ctx, red, cs.GetVMPassword, cs.GetVMPasswordIn{ID: vm.ID})
	refusedWith(t, err, 431, "RSA key")

	plain := box.Deploy()
	plain.StartVM = new(false)
	without := run(t, red, cs.DeployVirtualMachine, plain)
	refused(t, red, cs.ResetPasswordForVirtualMachine, cs.ResetPasswordForVirtualMachineIn{ID: without.ID}, 431, "takes no password")
}
