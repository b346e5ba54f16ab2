package network

import (
	"context"
	"fmt"

	"github.com/virga-cloud/virga/internal/account"
	"github.com/virga-cloud/virga/internal/auth"
	"github.com/virga-cloud/virga/internal/db"
	"github.com/virga-cloud/virga/internal/event"
	"github.com/virga-cloud/virga/internal/fault"
	"github.com/virga-cloud/virga/internal/offering"
	"github.com/virga-cloud/virga/internal/once"
	"github.com/virga-cloud/virga/internal/op"
	"github.com/virga-cloud/virga/internal/zone"
	"github.com/virga-cloud/virga/uid"
)

// Service keeps networks.
type Service struct {
	db       *db.DB
	accounts *account.Service
	remove   *op.Runner[removal]
}

// New makes a service and registers its plans with the engine.
func New(d *db.DB, e *op.Engine, accounts *account.Service) *Service {
	s := &Service{db: d, accounts: accounts}
	s.remove = op.Register(e, s.removePlan())
	return s
}

// CreateIn says what network to make, and for whom ("": the caller).
type CreateIn struct {
	Name, DisplayText string
	Offering          uid.NetworkOffering
	Zone              uid.Zone
	Gateway, Netmask  string
	StartIP, EndIP    string
	NetworkDomain     string
	OwnerAccount      string
	OwnerDomain       uid.Domain
}

// Create makes a guest network. It costs nothing outside the database until the first machine in it starts.
func (s *Service) Create(ctx context.Context, in CreateIn) (n Network, err error) {
	err = s.db.Write(ctx, func(ctx context.Context, tx db.Tx) error {
		owner, err := s.accounts.Owner(ctx, tx, in.OwnerAccount, in.OwnerDomain)
		if err != nil {
			return err
		}
		off, err := offering.FindNetwork(ctx, tx, in.Offering)
		if err != nil {
			return err
		}
		z, err := zone.Usable(ctx, tx, in.Zone, owner.Domain)
		if err != nil {
			return err
		}
		if n, err = s.create(ctx, tx, in, owner, off, z); err != nil {
			return err
		}
		return once.Record(ctx, tx, string(n.ID), "")
	})
	return n, err
}

func (s *Service) create(ctx context.Context, tx db.Tx, in CreateIn, owner account.Owner, off offering.Network, z zone.Zone) (Network, error) {
	if err := mayCreate(ctx, off, z); err != nil {
		return Network{}, err
	}
	n := Network{
		ID: uid.New[uid.Network](), Account: owner.Account, Domain: owner.Domain, Zone: z.ID, Offering: off.ID,
		Name: in.Name, DisplayText: in.DisplayText, GuestType: off.GuestType, TrafficType: off.TrafficType, State: Allocated,
		NetworkDomain: in.NetworkDomain, ACLType: "Account", Created: tx.Now,
	}
	if n.DisplayText == "" {
		n.DisplayText = n.Name
	}
	physical, err := physicalOf(ctx, tx, z.ID)
	if err != nil {
		return Network{}, err
	}
	n.PhysicalNetwork = physical
	if off.GuestType == offering.L2 {
		if in.Gateway+in.Netmask+in.StartIP+in.EndIP != "" {
			return Network{}, fault.Invalidf("offering %q makes L2 networks, which have no addresses: leave out gateway, netmask, startip "+
				"and endip", off.Name)
		}
	} else {
		if in.Gateway == "" && in.Netmask == "" && z.GuestCIDR != "" {
			if in.Gateway, in.Netmask, err = ofCIDR(z.GuestCIDR); err != nil {
				return Network{}, err
			}
		}
		sub, err := ParseSubnet(in.Gateway, in.Netmask, in.StartIP, in.EndIP)
		if err != nil {
			return Network{}, err
		}
		n.CIDR, n.Gateway, n.Netmask, n.StartIP, n.EndIP, n.NextIP = sub.CIDR, sub.Gateway, sub.Netmask, sub.First, sub.Last, sub.First
	}
	if err := insert(ctx, tx, &networkRow{Network: n}); err != nil {
		return Network{}, err
	}
	if err := account.Take(ctx, tx, n.Account, account.Use{account.Networks: 1}); err != nil {
		return Network{}, err
	}
	_, err = event.Write(ctx, tx, event.Event{
		Type: event.NetworkCreate, Description: fmt.Sprintf("created network %s (%s)", n.Name, n.ID), Account: n.Account, Domain: n.Domain,
		ResourceID: string(n.ID),
	})
	return n, err
}

func mayCreate(ctx context.Context, off offering.Network, z zone.Zone) error {
	switch {
	case z.NetworkType != zone.Advanced:
		return fault.Invalidf("zone %q is a %s zone; guest networks are made in advanced zones only", z.Name, z.NetworkType)
	case z.Allocation != zone.Enabled && !auth.From(ctx).IsRoot():
		return fault.Conflictf("zone %q is disabled", z.Name)
	case off.State != offering.Enabled:
		return fault.Conflictf("network offering %q is disabled", off.Name)
	case off.TrafficType != "Guest" || off.ForVPC:
		return fault.Invalidf("network offering %q is not for guest networks outside a VPC", off.Name)
	case off.GuestType == offering.Shared:
		return fault.Invalidf("network offering %q makes shared networks, which this version can't make yet: want one of type Isolated "+
			"or L2", off.Name)
	}
	return nil
}

// ForDeployment gives the network for a machine whose deployment names none: the owner's one isolated network with source
// NAT in the zone or, where there is none, a new one from the required offering. Two are a question only the user can answer.
func (s *Service) ForDeployment(ctx context.Context, tx db.Tx, owner account.Owner, z zone.Zone) (uid.Network, error) {
	have, err := isolatedOf(ctx, tx, owner.Account, z.ID)
	if err != nil {
		return "", err
	}
	switch len(have) {
	case 1:
		return have[0].ID, nil
	case 0:
	default:
		return "", fault.Invalidf("the account has several isolated networks in zone %q: name one in networkids", z.Name)
	}
	off, err := offering.RequiredNetwork(ctx, tx)
	if err != nil {
		return "", err
	}
	names, err := account.Names(ctx, tx, []uid.Account{owner.Account})
	if err != nil {
		return "", err
	}
	name := names[owner.Account].Account + "-network"
	n, err := s.create(ctx, tx, CreateIn{Name: name}, owner, off, z)
	if err != nil {
		return "", err
	}
	// Two first deployments at the same moment make two networks: the index lets one of them through, and the other tries again.
	return n.ID, markAutomatic(ctx, tx, n.ID)
}
