package compute

import (
	"context"
	"slices"

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

// guard sees to it that the host that a machine with security groups is put on is told their rules, and notes which document it must
// have before the machine starts.
func (vm known) guard(ctx context.Context, tx db.Tx, on uid.Host, j *job) (err error) {
	j.Guarded = 0
	if !slices.ContainsFunc(vm.cards, func(c card) bool { return c.Grouped }) {
		return nil
	}
	if slices.ContainsFunc(vm.cards, func(c card) bool { return c.PerPod }) { // it may have got another address just now
		if err := secgroup.Moved(ctx, tx, vm.ID); err != nil {
			return err
		}
	}
	j.Guarded, err = secgroup.Place(ctx, tx, on)
	return err
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
