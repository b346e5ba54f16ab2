package rule

import (
	"context"
	"fmt"
	"time"

	"github.com/virga-cloud/virga/internal/auth"
	"github.com/virga-cloud/virga/internal/db"
	"github.com/virga-cloud/virga/internal/event"
	"github.com/virga-cloud/virga/internal/fault"
	"github.com/virga-cloud/virga/internal/network"
	"github.com/virga-cloud/virga/internal/offering"
	"github.com/virga-cloud/virga/internal/op"
	"github.com/virga-cloud/virga/uid"
)

// NAT is a machine that a public address stands for, with all its ports.
type NAT struct {
	ID      uid.PublicIP `bun:",pk"`
	Network uid.Network  `bun:"network_id"`
	VM      uid.VM       `bun:"vm_id"`
	NIC     uid.NIC      `bun:"nic_id"`
	State   State
	Created time.Time

	GuestIP network.IP `bun:"guest_ip,scanonly"`
}

// Enable makes an address the static NAT of a machine. That is done at once, as CloudStack does it: the router is told soon after.
func (s *Service) Enable(ctx context.Context, id uid.PublicIP, vm uid.VM, in uid.Network, guestIP string) error {
	a, err := s.addressFor(ctx, id, in)
	if err != nil {
		return err
	}
	err = s.db.Write(ctx, func(ctx context.Context, tx db.Tx) error {
		c := change{Network: a.Network, caller: auth.From(ctx), machines: []uid.VM{vm}}
		return s.enable(ctx, tx, &c, id, guestIP)
	})
	if db.IsUnique(err) {
		return fault.Conflictf("the virtual machine has a static NAT in this network already")
	}
	if err == nil {
		s.routers.Wake(a.Network)
	}
	return err
}

func (s *Service) enable(ctx context.Context, tx db.Tx, c *change, id uid.PublicIP, guestIP string) error {
	m, err := s.machines(ctx, tx, c.caller.Reach(), c.machines[0])
	if err != nil {
		return err
	}
	if m.Gone {
		return fault.Conflictf("virtual machine %q is destroyed", m.Name)
	}
	c.found = map[uid.VM]Machine{m.ID: m}
	if c.network, err = network.Lock(ctx, tx, auth.Scope{All: true}, c.Network); err != nil {
		return err
	}
	offerings, err := offering.NetworksByID(ctx, tx, []uid.NetworkOffering{c.network.Offering})
	if err != nil {
		return err
	}
	c.offering = offerings[c.network.Offering]
	if err := c.serves("StaticNat"); err != nil {
		return err
	}
	a, err := c.address(ctx, tx, id)
	if err != nil {
		return err
	}
	nic, err := c.card(ctx, tx, m.ID, guestIP)
	if err != nil {
		return err
	}
	if there, err := c.mayStand(ctx, tx, a, nic); there || err != nil {
		return err
	}
	nat := NAT{ID: a.ID, Network: a.Network, VM: m.ID, NIC: nic.ID, State: Active, Created: tx.Now}
	if err := insert(ctx, tx, &natRow{NAT: nat}); err != nil {
		return err
	}
	_, err = event.Write(ctx, tx, event.Event{
		Type: event.StaticNATOn, Description: fmt.Sprintf("enabled static NAT of %s for virtual machine %s (%s)", a.IP, m.Name, m.ID),
		Account: a.Account, Domain: a.Domain, User: c.caller.User, ResourceID: string(a.ID),
	})
	if err != nil {
		return err
	}
	return network.Touch(ctx, tx, a.Network)
}

// mayStand refuses an address that can't stand for a machine, and tells whether it does so already.
func (c *change) mayStand(ctx context.Context, tx db.Tx, a network.Address, nic network.NIC) (there bool, err error) {
	if a.SourceNAT {
		return false, fault.Conflictf("address %s is the source NAT of network %q and can't be a static NAT: take another address",
			a.IP, c.network.Name)
	}
	if err := onlyBalanced(a, StaticNAT); err != nil {
		return false, err
	}
	has, err := natOn(ctx, tx, a.ID)
	switch {
	case err != nil:
		return false, err
	case has.NIC == nic.ID && has.State == Active:
		return true, nil
	case has.VM != "":
		return false, fault.Conflictf("address %s is the static NAT of machine %s: disable that first", a.IP, has.VM)
	}
	other, err := natOf(ctx, tx, nic.ID)
	if err != nil {
		return false, err
	}
	if other.VM != "" {
		return false, fault.Conflictf("virtual machine %q has address %s as its static NAT in this network: disable that first",
			c.found[nic.VM].Name, other.ID)
	}
	rules, err := portsOn(ctx, tx, a.ID)
	if err == nil && len(rules) > 0 {
		err = fault.Conflictf("address %s has %s: delete it first", a.IP, rules[0].text())
	}
	return false, err
}

// Disable begins to end the static NAT of an address, with the rules on it.
func (s *Service) Disable(ctx context.Context, id uid.PublicIP) (op.ID, error) {
	a, err := s.addressOf(ctx, id)
	if err != nil {
		return "", err
	}
	_, job, err := s.start(ctx, wish{
		command: "disableStaticNat", subject: "IpAddress", id: string(id), network: a.Network,
		do: func(ctx context.Context, tx db.Tx, c *change) (told, error) {
			a, err := c.address(ctx, tx, id)
			if err != nil {
				return told{}, err
			}
			nat, err := natOn(ctx, tx, id)
			if err != nil {
				return told{}, err
			}
			if nat.VM == "" || nat.State != Active {
				return told{}, fault.Conflictf("address %s has no static NAT", a.IP)
			}
			rows, err := rowsOn(ctx, tx, id)
			if err != nil {
				return told{}, err
			}
			say := told{event.StaticNATOff, fmt.Sprintf("disabling static NAT of %s for machine %s", a.IP, nat.VM), string(id)}
			return say, c.revoke(ctx, tx, rows...)
		},
	})
	return job, err
}

// PassIn says which ports of a static NAT are let in.
type PassIn struct {
	Address     uid.PublicIP
	Protocol    string
	First, Last int
	CIDRs       []string
	Open        bool
}

// Pass begins to make an IP forwarding rule.
func (s *Service) Pass(ctx context.Context, in PassIn) (uid.Rule, op.ID, error) {
	p := Port{Kind: StaticNAT, Address: in.Address, Display: true}
	var err error
	if p.Protocol, err = transport(in.Protocol); err != nil {
		return "", "", err
	}
	if p.First, p.Last, err = ports("startport", in.First, "endport", in.Last); err != nil {
		return "", "", err
	}
	p.GuestFirst, p.GuestLast = p.First, p.Last
	if len(in.CIDRs) > 0 && !in.Open {
		return "", "", fault.Invalidf("cidrlist says to whom the firewall is opened: leave it out with openfirewall=false")
	}
	sources, err := parseCIDRs("cidrlist", in.CIDRs)
	if err != nil {
		return "", "", err
	}
	a, err := s.addressOf(ctx, in.Address)
	if err != nil {
		return "", "", err
	}
	id, job, err := s.start(ctx, wish{
		command: "createIpForwardingRule", subject: "PortForwardingRule", network: a.Network,
		do: func(ctx context.Context, tx db.Tx, c *change) (told, error) {
			nat, err := natOn(ctx, tx, a.ID)
			if err != nil {
				return told{}, err
			}
			p.VM, p.NIC = nat.VM, nat.NIC
			return c.take(ctx, tx, p, "StaticNat", opening{in.Open, sources}, event.NetRuleAdd)
		},
	})
	return uid.Rule(id), job, err
}
