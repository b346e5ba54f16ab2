package compute

import (
	"context"
	"fmt"

	"github.com/virga-cloud/virga/internal/account"
	"github.com/virga-cloud/virga/internal/auth"
	"github.com/virga-cloud/virga/internal/db"
	"github.com/virga-cloud/virga/internal/event"
	"github.com/virga-cloud/virga/internal/fault"
	"github.com/virga-cloud/virga/internal/network"
	"github.com/virga-cloud/virga/internal/secgroup"
	"github.com/virga-cloud/virga/internal/setting"
	"github.com/virga-cloud/virga/uid"
)

// Recover makes a destroyed machine, which has not been expunged yet, a stopped one again. It counts against the limits of its
// account as before, or stays destroyed. Ordinary users may do it where a setting lets them.
func (s *Service) Recover(ctx context.Context, id uid.VM) error {
	if !s.trusted(ctx) {
		return fault.Deniedf("only administrators may recover a virtual machine")
	}
	return s.db.Write(ctx, func(ctx context.Context, tx db.Tx) error {
		vm, err := Locked(ctx, tx, auth.From(ctx).Reach(), id)
		if err != nil {
			return err
		}
		if err := vm.may(Stopped); err != nil {
			return err
		}
		if err := setRecovered(ctx, tx, vm.ID); err != nil {
			return err
		}
		if err := network.TouchOf(ctx, tx, vm.ID); err != nil {
			return err
		}
		if err := secgroup.Moved(ctx, tx, vm.ID); err != nil {
			return err
		}
		if err := happened(ctx, tx, vm, event.VMRecover, "recovered"); err != nil {
			return err
		}
		return account.Take(ctx, tx, vm.Account, vm.use())
	})
}

// trusted tells whether the caller in ctx may decide on the end of machines: admins may, and users whose setting says so.
func (s *Service) trusted(ctx context.Context) bool {
	c := auth.From(ctx)
	if c.IsNobody() {
		return false
	}
	return c.Type != auth.User || s.says(c, setting.UsersExpungeRecover)
}

// says is what a setting says for the caller's account, or else its domain, or the whole cloud.
func (s *Service) says(c auth.Caller, key setting.Key[bool]) bool {
	return key.Of(s.settings, setting.InAccount(c.Account), setting.InDomain(c.Domain))
}

// happened writes the event of what was done to a machine at once.
func happened(ctx context.Context, tx db.Tx, vm VM, kind event.Kind, done string) error {
	_, err := event.Write(ctx, tx, event.Event{
		Type: kind, Description: fmt.Sprintf("%s virtual machine %s (%s)", done, vm.Name, vm.ID),
		Account: vm.Account, Domain: vm.Domain, ResourceID: string(vm.ID),
	})
	return err
}
