package compute

import (
	"context"

	"github.com/virga-cloud/virga/internal/auth"
	"github.com/virga-cloud/virga/internal/db"
	"github.com/virga-cloud/virga/internal/fault"
	"github.com/virga-cloud/virga/internal/network"
	"github.com/virga-cloud/virga/internal/secgroup"
	"github.com/virga-cloud/virga/uid"
)

// joinGroups puts a machine into the security groups that are wanted for it, if one of its networks has any, and tells whether one
// has. The caller in ctx must reach the groups, and they must be the machine's owner's. They are looked for before the networks:
// nobody learns by them what networks others have.
func joinGroups(ctx context.Context, tx db.Tx, vm VM, networks []uid.Network, want secgroup.Wanted) (bool, error) {
	groups, err := want.Find(ctx, tx, auth.From(ctx).Reach(), vm.Account)
	if err != nil {
		return false, err
	}
	has, err := network.HaveGroups(ctx, tx, networks)
	if err != nil || !has {
		return has, err
	}
	return true, secgroup.Join(ctx, tx, vm.ID, groups)
}

// regroup takes a machine out of its security groups and puts it into others.
func regroup(ctx context.Context, tx db.Tx, vm VM, want secgroup.Wanted) error {
	if err := secgroup.Leave(ctx, tx, vm.ID); err != nil {
		return err
	}
	nics, err := network.NICsOf(ctx, tx, []uid.VM{vm.ID})
	if err != nil {
		return err
	}
	networks := make([]uid.Network, len(nics[vm.ID]))
	for i, nic := range nics[vm.ID] {
		networks[i] = nic.Network
	}
	has, err := joinGroups(ctx, tx, vm, networks, want)
	if err == nil && !has {
		err = fault.Invalidf("virtual machine %q is in no network with security groups: leave out %s", vm.Name, want)
	}
	return err
}
