package compute

import (
	"context"

	"github.com/virga-cloud/virga/internal/auth"
	"github.com/virga-cloud/virga/internal/db"
	"github.com/virga-cloud/virga/internal/vmsnapshot"
	"github.com/virga-cloud/virga/internal/volume"
	"github.com/virga-cloud/virga/uid"
)

// Kept is a [vmsnapshot.Machines].
type Kept struct{}

// Lock implements [vmsnapshot.Machines].
func (Kept) Lock(ctx context.Context, tx db.Tx, scope auth.Scope, id uid.VM) (vmsnapshot.Machine, error) {
	vm, err := Locked(ctx, tx, scope, id)
	if err != nil {
		return vmsnapshot.Machine{}, err
	}
	return kept(ctx, tx, vm)
}

// Find implements [vmsnapshot.Machines].
func (Kept) Find(ctx context.Context, q db.Tx, id uid.VM) (vmsnapshot.Machine, error) {
	vm, err := Find(ctx, q, id)
	if err != nil {
		return vmsnapshot.Machine{}, err
	}
	return kept(ctx, q, vm)
}

func kept(ctx context.Context, q db.Tx, vm VM) (m vmsnapshot.Machine, err error) {
	m = vmsnapshot.Machine{
		ID: vm.ID, Account: vm.Account, Domain: vm.Domain, Zone: vm.Zone, Name: vm.Name, InstanceName: vm.InstanceName, Hypervisor: vm.Hypervisor,
		State: string(vm.State), Running: vm.State == Running, Stopped: vm.State == Stopped, Host: vm.Host,
	}
	if m.Host == "" {
		m.Host, err = anyHost(ctx, q, vm.ID)
	}
	return m, err
}

// unkept refuses what can't be done to a machine that has snapshots.
func unkept(ctx context.Context, q db.Tx, vm VM, before string) error {
	names, err := vmsnapshot.NamesOf(ctx, q, vm.ID)
	if err != nil {
		return err
	}
	return volume.Holder{Name: vm.Name, Snapshots: names}.Unkept(before)
}
