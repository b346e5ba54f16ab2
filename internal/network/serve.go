package network

import (
	"context"

	"github.com/virga-cloud/virga/internal/account"
	"github.com/virga-cloud/virga/internal/auth"
	"github.com/virga-cloud/virga/internal/db"
	"github.com/virga-cloud/virga/internal/fault"
	"github.com/virga-cloud/virga/internal/offering"
	"github.com/virga-cloud/virga/internal/zone"
	"github.com/virga-cloud/virga/uid"
)

// Served says which network a public address is to serve.
type Served struct {
	Network uid.Network // "": the one network of the owner that has source NAT in the zone
	Zone    uid.Zone
	Owner   account.For // must be the network's, where it is said
}

// ToServe finds the network that a public address is to serve, without a lock.
func (s *Service) ToServe(ctx context.Context, in Served) (uid.Network, error) {
	if in.Network != "" {
		_, err := s.Find(ctx, in.Network)
		return in.Network, err
	}
	if in.Zone == "" {
		return "", fault.Invalidf("name the network that the address is for in networkid, or its zone in zoneid")
	}
	owner, err := s.accounts.Owner(ctx, s.db.Read(), in.Owner)
	if err != nil {
		return "", err
	}
	if _, err := zone.Usable(ctx, s.db.Read(), in.Zone, owner.Domain); err != nil {
		return "", err
	}
	found, n, err := s.List(ctx, Filter{
		Scope: auth.Scope{Account: owner.Account}, Owned: true, Zone: in.Zone, GuestType: offering.Isolated,
		Services: []string{"SourceNat"}, Limit: 2,
	})
	switch {
	case err != nil:
		return "", err
	case n == 0:
		return "", fault.Conflictf("the account has no isolated network with source NAT in the zone: make one first")
	case n > 1:
		return "", fault.Invalidf("the account has %d isolated networks with source NAT in the zone: name one in networkid", n)
	}
	return found[0].ID, nil
}

// Fits refuses networks that no public address can serve, and those that are not what was said beside them.
func (s *Service) Fits(ctx context.Context, tx db.Tx, in Served, n Network) error {
	switch {
	case n.State == Destroyed:
		return fault.Conflictf("network %q is being deleted", n.Name)
	case !n.Routed || !n.SourceNAT:
		return fault.Invalidf("network %q has no source NAT from a virtual router, so that no public address can serve it", n.Name)
	case in.Zone != "" && in.Zone != n.Zone:
		return fault.Invalidf("network %q is in another zone than %s", n.Name, in.Zone)
	case in.Owner == (account.For{}):
		return nil
	}
	owner, err := s.accounts.Owner(ctx, tx, in.Owner)
	if err == nil && owner.Account != n.Account {
		err = fault.Invalidf("network %q belongs to another account than the one that the address is to be for", n.Name)
	}
	return err
}
