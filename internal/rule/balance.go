package rule

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/virga-cloud/virga/internal/auth"
	"github.com/virga-cloud/virga/internal/db"
	"github.com/virga-cloud/virga/internal/event"
	"github.com/virga-cloud/virga/internal/fault"
	"github.com/virga-cloud/virga/internal/network"
	"github.com/virga-cloud/virga/internal/op"
	"github.com/virga-cloud/virga/uid"
)

// proxied is the protocol of load balancers that tell guests who is at the other end.
const proxied = "tcp-proxy"

// algorithms are how load balancers choose.
var algorithms = []string{"roundrobin", "leastconn", "source"}

// Member is a machine that a load balancer sends to.
type Member struct {
	ID      string   `bun:",pk"`
	Rule    uid.Rule `bun:"rule_id"`
	VM      uid.VM   `bun:"vm_id"`
	NIC     uid.NIC  `bun:"nic_id"`
	State   State
	Created time.Time

	GuestIP network.IP `bun:"guest_ip,scanonly"`
}

// BalanceIn says what a load balancer is to do.
type BalanceIn struct {
	Address uid.PublicIP // "": one that the network gets for it
	network.Served
	Name, Description string
	Algorithm         string
	Protocol          string // "": tcp
	Port, GuestPort   int
	CIDRs             []string
	Open              bool
	Hidden            bool
}

// Balance begins to make a load balancer rule.
func (s *Service) Balance(ctx context.Context, in BalanceIn) (uid.Rule, op.ID, error) {
	p := Port{Kind: Balancing, Address: in.Address, Name: in.Name, Description: in.Description, Display: !in.Hidden}
	var err error
	if p.Algorithm, err = oneOf("algorithm", in.Algorithm, algorithms); err != nil {
		return "", "", err
	}
	if in.Protocol == "" {
		in.Protocol = "tcp"
	}
	if p.Protocol, err = oneOf("protocol", in.Protocol, []string{"tcp", "udp", proxied}); err != nil {
		return "", "", err
	}
	if err := p.possible(); err != nil {
		return "", "", err
	}
	if p.First, p.Last, err = ports("publicport", in.Port, "", 0); err != nil {
		return "", "", err
	}
	if p.GuestFirst, p.GuestLast, err = ports("privateport", in.GuestPort, "", 0); err != nil {
		return "", "", err
	}
	if p.CIDRs, err = parseCIDRs("cidrlist", in.CIDRs); err != nil {
		return "", "", err
	}
	a, err := s.balanced(ctx, in)
	if err != nil {
		return "", "", err
	}
	id, job, err := s.start(ctx, wish{
		command: "createLoadBalancerRule", subject: "LoadBalancerRule", network: a.Network,
		do: func(ctx context.Context, tx db.Tx, c *change) (told, error) {
			switch {
			case in.Address != "" && in.Zone != "" && in.Zone != c.network.Zone:
				return told{}, fault.Invalidf("address %s is in another zone than %s", a.IP, in.Zone)
			case in.Address == "":
				if err := s.networks.Fits(ctx, tx, in.Served, c.network); err != nil {
					return told{}, err
				}
				if err := c.takeSystem(ctx, tx, &p); err != nil {
					return told{}, err
				}
			}
			return c.take(ctx, tx, p, "Lb", opening{in.Open, p.CIDRs}, event.LBCreate)
		},
	})
	return uid.Rule(id), job, err
}

// balanced finds the address that a load balancer is on; where none is named, only the network that is to get it.
func (s *Service) balanced(ctx context.Context, in BalanceIn) (a network.Address, err error) {
	switch {
	case in.Address != "":
		return s.addressFor(ctx, in.Address, in.Network)
	case in.Network == "" && in.Zone == "":
		return a, fault.Invalidf("name the public address in publicipid; or, for one that is taken for the load balancer, the network in " +
			"networkid or its zone in zoneid")
	}
	a.Network, err = s.networks.ToServe(ctx, in.Served)
	return a, err
}

// possible refuses what no router can do.
func (p Port) possible() error {
	if p.Protocol == "udp" && p.Algorithm == "leastconn" {
		return fault.Invalidf("udp has no connections that could be fewest: want algorithm roundrobin or source")
	}
	return nil
}

// possible refuses what no router can do, with the load balancer's stickiness.
func (c *change) possible(ctx context.Context, tx db.Tx, p Port) error {
	if err := p.possible(); err != nil {
		return err
	}
	policies, err := policiesOf(ctx, tx, []uid.Rule{p.ID})
	if err != nil {
		return err
	}
	if policy, ok := policies[p.ID]; ok {
		return p.stick(policy.Method)
	}
	return nil
}

func oneOf(name, value string, words []string) (string, error) {
	if low := strings.ToLower(value); slices.Contains(words, low) {
		return low, nil
	}
	return "", fault.Invalidf("%s %q is none of %s", name, value, strings.Join(words, ", "))
}

// BalanceChange says what to change of a load balancer. Zero fields leave things as they are.
type BalanceChange struct {
	Name, Algorithm, Protocol string
	Description               *string
	CIDRs                     []string
	Display                   *bool
}

// ChangeBalance begins to change a load balancer rule.
func (s *Service) ChangeBalance(ctx context.Context, id uid.Rule, to BalanceChange) (op.ID, error) {
	p, err := findPort(ctx, s.db.Read(), auth.From(ctx).Reach(), Balancing, id)
	if err != nil {
		return "", err
	}
	_, job, err := s.start(ctx, wish{
		command: "updateLoadBalancerRule", subject: "LoadBalancerRule", id: string(id), network: p.Network,
		do: func(ctx context.Context, tx db.Tx, c *change) (told, error) {
			p, err := c.changing(ctx, tx, Balancing, id)
			if err != nil {
				return told{}, err
			}
			if err := to.apply(&p); err != nil {
				return told{}, err
			}
			if err := c.possible(ctx, tx, p); err != nil {
				return told{}, err
			}
			return told{event.LBUpdate, "changing " + p.text(), string(id)}, save(ctx, tx, p)
		},
	})
	return job, err
}

func (to BalanceChange) apply(p *Port) (err error) {
	if to.Name != "" {
		p.Name = to.Name
	}
	if to.Description != nil {
		p.Description = *to.Description
	}
	if to.Algorithm != "" {
		if p.Algorithm, err = oneOf("algorithm", to.Algorithm, algorithms); err != nil {
			return err
		}
	}
	if to.Protocol != "" {
		may := []string{"udp"}
		if p.Transport == "tcp" { // its port is taken as that
			may = []string{"tcp", proxied}
		}
		if p.Protocol, err = oneOf("protocol", to.Protocol, may); err != nil {
			return err
		}
	}
	if to.Display != nil {
		p.Display = *to.Display
	}
	if to.CIDRs != nil {
		p.CIDRs, err = parseCIDRs("cidrlist", to.CIDRs)
	}
	return err
}

// Target is a machine, and its address; "" for the one that it has in the load balancer's network.
type Target struct {
	VM uid.VM
	IP string
}

// Assign begins to have a load balancer send to some machines, too.
func (s *Service) Assign(ctx context.Context, id uid.Rule, to []Target) (op.ID, error) {
	return s.members(ctx, id, to, "assignToLoadBalancerRule", func(ctx context.Context, tx db.Tx, c *change, p Port) (event.Kind, error) {
		has, err := membersOf(ctx, tx, id)
		if err != nil {
			return "", err
		}
		for _, t := range to {
			nic, err := c.card(ctx, tx, t.VM, t.IP)
			if err != nil {
				return "", err
			}
			if slices.ContainsFunc(has, func(m Member) bool { return m.NIC == nic.ID }) {
				return "", fault.Conflictf("virtual machine %q is in %s already", c.found[t.VM].Name, p.text())
			}
			m := Member{ID: string(uid.New[uid.Rule]()), Rule: id, VM: t.VM, NIC: nic.ID, State: Add, Created: tx.Now}
			if err := c.add(ctx, tx, memberTable, m.ID, &memberRow{Member: m}); err != nil {
				return "", err
			}
			has = append(has, m)
		}
		return event.LBAssign, nil
	})
}

// Unassign begins to have a load balancer send to some machines no more.
func (s *Service) Unassign(ctx context.Context, id uid.Rule, from []Target) (op.ID, error) {
	return s.members(ctx, id, from, "removeFromLoadBalancerRule", func(ctx context.Context, tx db.Tx, c *change, p Port) (event.Kind, error) {
		has, err := membersOf(ctx, tx, id)
		if err != nil {
			return "", err
		}
		for _, t := range from {
			nic, err := c.card(ctx, tx, t.VM, t.IP)
			if err != nil {
				return "", err
			}
			i := slices.IndexFunc(has, func(m Member) bool { return m.NIC == nic.ID && m.State == Active })
			if i < 0 {
				return "", fault.Conflictf("virtual machine %q is not in %s", c.found[t.VM].Name, p.text())
			}
			if err := c.revoke(ctx, tx, row{memberTable, has[i].ID}); err != nil {
				return "", err
			}
		}
		return event.LBRemove, nil
	})
}

func (s *Service) members(ctx context.Context, id uid.Rule, some []Target, command string,
	do func(ctx context.Context, tx db.Tx, c *change, p Port) (event.Kind, error),
) (op.ID, error) {
	p, err := findPort(ctx, s.db.Read(), auth.From(ctx).Reach(), Balancing, id)
	if err != nil {
		return "", err
	}
	if len(some) == 0 {
		return "", fault.Invalidf("name the virtual machines in virtualmachineids, or in vmidipmap")
	}
	w := wish{command: command, subject: "LoadBalancerRule", id: string(id), network: p.Network}
	for _, t := range some {
		if slices.Contains(w.machines, t.VM) {
			return "", fault.Invalidf("virtual machine %s is named twice", t.VM)
		}
		w.machines = append(w.machines, t.VM)
	}
	w.do = func(ctx context.Context, tx db.Tx, c *change) (told, error) {
		p, err := c.changing(ctx, tx, Balancing, id)
		if err != nil {
			return told{}, err
		}
		c.Was = nil
		kind, err := do(ctx, tx, c, p)
		return told{kind, "changing the machines of " + p.text(), string(id)}, err
	}
	_, job, err := s.start(ctx, w)
	return job, err
}
