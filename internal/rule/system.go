package rule

import (
	"context"
	"fmt"
	"slices"

	"github.com/virga-cloud/virga/internal/auth"
	"github.com/virga-cloud/virga/internal/db"
	"github.com/virga-cloud/virga/internal/event"
	"github.com/virga-cloud/virga/internal/fault"
	"github.com/virga-cloud/virga/internal/network"
)

// takeSystem gives the change's network an address of its own for a load balancer that names none.
func (c *change) takeSystem(ctx context.Context, tx db.Tx, p *Port) error {
	a, err := network.AssignSystem(ctx, tx, c.network)
	if err != nil {
		return err
	}
	p.Address = a.ID
	_, err = event.Write(ctx, tx, event.Event{
		Type: event.IPAssign, Description: fmt.Sprintf("assigned %s to network %s (%s) for a load balancer", a.IP, c.network.Name, c.network.ID),
		Account: a.Account, Domain: a.Domain, User: c.caller.User, ResourceID: string(a.ID),
	})
	return err
}

// leaveSystem says that an address which was taken for load balancers is on its way out when a rule goes that is the last one on it.
func (c *change) leaveSystem(ctx context.Context, tx db.Tx, p Port) error {
	a, err := network.LockAddress(ctx, tx, auth.Scope{All: true}, p.Address)
	if err != nil || !a.System {
		return err
	}
	on, err := portsOn(ctx, tx, a.ID)
	if err != nil || slices.ContainsFunc(on, func(o Port) bool { return o.ID != p.ID && o.State != Revoke }) {
		return err
	}
	return network.SetAddressState(ctx, tx, a.ID, network.Releasing)
}

// onlyBalanced refuses other rules than load balancers on an address that was taken for these: they would go with them.
func onlyBalanced(a network.Address, k Kind) error {
	if a.System && k != Balancing {
		return fault.Conflictf("address %s was taken for a load balancer and goes with the last one on it: take another address", a.IP)
	}
	return nil
}

// settling are the addresses that were taken for load balancers in a network which is locked for them; none where it has none.
func settling(ctx context.Context, tx db.Tx, c *change) ([]network.Address, error) {
	all, err := network.SystemOf(ctx, tx, c.Network)
	if err != nil || len(all) == 0 {
		return nil, err
	}
	if c.network, err = network.Lock(ctx, tx, auth.Scope{All: true}, c.Network); err != nil {
		return nil, err
	}
	return network.SystemOf(ctx, tx, c.Network)
}

// settle frees those of the addresses that no load balancer is on any more, and keeps those that one stays on after all.
func settle(ctx context.Context, tx db.Tx, c *change, all []network.Address) error {
	for _, a := range all {
		on, err := portsOn(ctx, tx, a.ID)
		if err != nil {
			return err
		}
		stays := slices.ContainsFunc(on, func(p Port) bool { return p.State != Revoke })
		switch {
		case len(on) == 0:
			err = freeSystem(ctx, tx, c, a)
		case stays && a.State == network.Releasing:
			err = network.SetAddressState(ctx, tx, a.ID, network.InUse)
		default:
			continue
		}
		if err == nil {
			err = network.Touch(ctx, tx, c.Network)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// freeSystem gives an address back that was taken for load balancers.
func freeSystem(ctx context.Context, tx db.Tx, c *change, a network.Address) error {
	if err := LeaveAddress(ctx, tx, a.ID); err != nil {
		return err
	}
	if err := network.Unassign(ctx, tx, a); err != nil {
		return err
	}
	_, err := event.Write(ctx, tx, event.Event{
		Type: event.IPRelease, Description: fmt.Sprintf("released %s, which network %s (%s) had for a load balancer", a.IP, c.network.Name,
			c.network.ID), Account: a.Account, Domain: a.Domain, ResourceID: string(a.ID),
	})
	return err
}
