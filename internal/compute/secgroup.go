package compute

import (
	"context"
	"slices"

	"github.com/virga-cloud/virga/internal/db"
	"github.com/virga-cloud/virga/internal/fault"
	"github.com/virga-cloud/virga/internal/network"
	"github.com/virga-cloud/virga/internal/secgroup"
	"github.com/virga-cloud/virga/uid"
)

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
	has, err := want.Join(ctx, tx, vm.ID, vm.Account, networks)
	if err == nil && !has {
		err = fault.Invalidf("virtual machine %q is in no network with security groups: leave out %s", vm.Name, want)
	}
	return err
}
