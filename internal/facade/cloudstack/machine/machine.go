package machine

import (
	"context"

	"github.com/virga-cloud/virga/api"
	cs "github.com/virga-cloud/virga/api/cloudstack"
	"github.com/virga-cloud/virga/internal/account"
	"github.com/virga-cloud/virga/internal/compute"
	"github.com/virga-cloud/virga/internal/credential"
	"github.com/virga-cloud/virga/internal/fault"
	"github.com/virga-cloud/virga/internal/relocation"
	"github.com/virga-cloud/virga/internal/secret"
	"github.com/virga-cloud/virga/uid"
)

// Translator translates for the services that keep machines, and by what these let their users in.
type Translator struct {
	Machines *compute.Service
	Access   *credential.Service
	// Relocation moves the disks of machines that don't run.
	Relocation *relocation.Service
	// Show gives the machine that a job was about.
	Show func(ctx context.Context, subject string) (cs.VirtualMachine, error)
}

// Register gives the commands their handlers.
func (t Translator) Register(m *api.Mux) {
	api.HandleJob(m, cs.MigrateVirtualMachine, t.migrate, t.Show)
	api.HandleJob(m, cs.MigrateVirtualMachineWithVolume, t.migrateWith, t.Show)
	api.HandleJob(m, cs.ResetPasswordForVirtualMachine, t.resetPassword, t.showReset)
	api.HandleJob(m, cs.ResetSSHKeyForVirtualMachine, t.resetKeys, t.showReset)
	api.HandleCall(m, cs.GetVMPassword, t.password)
}

func started(job uid.Op, err error) (api.Started, error) { return api.Started{JobID: job}, err }

func (t Translator) migrate(ctx context.Context, in cs.MigrateVirtualMachineIn) (api.Started, error) {
	if in.StorageID != "" {
		if in.HostID != "" || in.AutoSelect {
			return api.Started{}, fault.Invalidf("storageid moves the root disk of a machine that is stopped: leave out hostid and " +
				"autoselect, which move one that runs")
		}
		return started(t.Relocation.MoveRoot(ctx, in.VMID, in.StorageID))
	}
	if in.HostID == "" && !in.AutoSelect {
		return api.Started{}, fault.Invalidf("say with hostid where the virtual machine is to go, or autoselect=true to leave that to placement")
	}
	return started(t.Machines.Migrate(ctx, in.VMID, in.HostID))
}

func (t Translator) migrateWith(ctx context.Context, in cs.MigrateVirtualMachineWithVolumeIn) (api.Started, error) {
	if in.HostID == "" && len(in.MigrateTo) == 0 && !in.AutoSelect {
		return api.Started{}, fault.Invalidf("say where the virtual machine is to go with hostid, or its disks with migrateto, or " +
			"autoselect=true to leave both to placement")
	}
	pools := map[uid.Volume]uid.Pool{}
	for _, one := range in.MigrateTo {
		if pools[one.Volume] != "" {
			return api.Started{}, fault.Invalidf("volume %s is in migrateto twice", one.Volume)
		}
		pools[one.Volume] = one.Pool
	}
	return started(t.Machines.MigrateWith(ctx, in.VMID, in.HostID, pools))
}

func (t Translator) resetPassword(ctx context.Context, in cs.ResetPasswordForVirtualMachineIn) (api.Started, error) {
	return started(t.Access.ResetPassword(ctx, in.ID, secret.New(in.Password)))
}

func (t Translator) resetKeys(ctx context.Context, in cs.ResetSSHKeyForVirtualMachineIn) (api.Started, error) {
	names := in.KeyPairs
	if in.KeyPair != "" {
		if len(names) > 0 {
			return api.Started{}, fault.Invalidf("keypair and keypairs were both given; use one of them")
		}
		names = []string{in.KeyPair}
	}
	return started(t.Access.ResetKeys(ctx, in.ID, credential.KeysIn{
		Names: names, Owner: account.For{Account: in.Account, Domain: in.DomainID, Project: in.ProjectID},
	}))
}

// showReset shows a machine with the password that was made for it.
func (t Translator) showReset(ctx context.Context, subject string) (cs.VirtualMachine, error) {
	out, err := t.Show(ctx, subject)
	if err != nil || !out.PasswordEnabled {
		return out, err
	}
	password, err := t.Access.See(ctx, out.ID)
	out.Password = password.Reveal()
	return out, err
}

func (t Translator) password(ctx context.Context, in cs.GetVMPasswordIn) (cs.EncryptedPassword, error) {
	encrypted, err := t.Access.Encrypted(ctx, in.ID)
	return cs.EncryptedPassword{Encrypted: encrypted}, err
}
