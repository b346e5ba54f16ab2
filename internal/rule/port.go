package rule

import (
	"context"
	"fmt"
	"strings"

	"github.com/virga-cloud/virga/internal/auth"
	"github.com/virga-cloud/virga/internal/db"
	"github.com/virga-cloud/virga/internal/event"
	"github.com/virga-cloud/virga/internal/fault"
	"github.com/virga-cloud/virga/internal/network"
	"github.com/virga-cloud/virga/internal/op"
	"github.com/virga-cloud/virga/uid"
)

// ForwardIn says which ports of an address are to lead to which of a machine.
type ForwardIn struct {
	Address               uid.PublicIP
	Network               uid.Network // "": that which the address serves
	Protocol              string
	First, Last           int // public ports; Last 0 is First
	GuestFirst, GuestLast int
	VM                    uid.VM
	GuestIP               string // "" for the machine's address in the network
	CIDRs                 []string
	Open                  bool // lets in what comes to the public ports
	Hidden                bool
}

// Forward begins to make a port forwarding rule.
func (s *Service) Forward(ctx context.Context, in ForwardIn) (uid.Rule, op.ID, error) {
	p := Port{Kind: Forwarding, Address: in.Address, VM: in.VM, Display: !in.Hidden}
	var err error
	if p.Protocol, err = transport(in.Protocol); err != nil {
		return "", "", err
	}
	if p.First, p.Last, err = ports("publicport", in.First, "publicendport", in.Last); err != nil {
		return "", "", err
	}
	if in.GuestLast == 0 {
		in.GuestLast = in.GuestFirst + p.Last - p.First
	}
	if p.GuestFirst, p.GuestLast, err = ports("privateport", in.GuestFirst, "privateendport", in.GuestLast); err != nil {
		return "", "", err
	}
	switch {
	case p.GuestLast-p.GuestFirst != p.Last-p.First:
		return "", "", fault.Invalidf("%d public ports can't lead to %d private ones: want as many", p.Last-p.First+1, p.GuestLast-p.GuestFirst+1)
	case len(in.CIDRs) > 0 && !in.Open:
		return "", "", fault.Invalidf("cidrlist says to whom the firewall is opened: leave it out with openfirewall=false")
	}
	sources, err := parseCIDRs("cidrlist", in.CIDRs)
	if err != nil {
		return "", "", err
	}
	a, err := s.addressFor(ctx, in.Address, in.Network)
	if err != nil {
		return "", "", err
	}
	id, job, err := s.start(ctx, wish{
		command: "createPortForwardingRule", subject: "PortForwardingRule", network: a.Network, machines: []uid.VM{in.VM},
		do: func(ctx context.Context, tx db.Tx, c *change) (told, error) {
			nic, err := c.card(ctx, tx, in.VM, in.GuestIP)
			if err != nil {
				return told{}, err
			}
			p.NIC = nic.ID
			return c.take(ctx, tx, p, "PortForwarding", opening{in.Open, sources}, event.NetRuleAdd)
		},
	})
	return uid.Rule(id), job, err
}

// addressFor is addressOf for rules that may also name the network.
func (s *Service) addressFor(ctx context.Context, id uid.PublicIP, in uid.Network) (network.Address, error) {
	a, err := s.addressOf(ctx, id)
	if err == nil && in != "" {
		_, err = s.networks.Find(ctx, in)
	}
	if err == nil && in != "" && in != a.Network {
		err = fault.Invalidf("address %s serves network %s, and not %s", a.IP, a.Network, in)
	}
	return a, err
}

// transport reads the protocol of a rule on ports.
func transport(text string) (string, error) {
	if p := strings.ToLower(text); p == "tcp" || p == "udp" {
		return p, nil
	}
	return "", fault.Invalidf("protocol %q has no ports that lead anywhere: want tcp or udp", text)
}

// opening says to whom the firewall is opened for a rule.
type opening struct {
	wanted  bool
	sources string // "" for everybody
}

// take writes a rule on ports that no other one has taken, with what opens the firewall for it.
func (c *change) take(ctx context.Context, tx db.Tx, p Port, service string, open opening, kind event.Kind) (told, error) {
	if err := c.serves(service); err != nil {
		return told{}, err
	}
	a, err := c.address(ctx, tx, p.Address)
	if err != nil {
		return told{}, err
	}
	p.ID, p.Account, p.Domain, p.Network, p.State, p.Created = uid.New[uid.Rule](), a.Account, a.Domain, a.Network, Add, tx.Now
	if p.Transport = p.Protocol; p.Protocol == proxied {
		p.Transport = "tcp"
	}
	if err := c.free(ctx, tx, a, p); err != nil {
		return told{}, err
	}
	if err := c.add(ctx, tx, portTable, string(p.ID), &portRow{Port: p}); err != nil {
		return told{}, err
	}
	if open.wanted {
		w := Wall{
			Address: a.ID, Protocol: p.Transport, First: p.First, Last: p.Last, ICMPType: anything, ICMPCode: anything,
			Sources: open.sources, Rule: p.ID, Display: p.Display,
		}
		if err := c.wall(ctx, tx, w); err != nil {
			return told{}, fmt.Errorf("%w; say openfirewall=false", err)
		}
	}
	return told{kind, fmt.Sprintf("adding %s on %s, of network %s", p.text(), a.IP, c.network.Name), string(p.ID)}, nil
}

// free refuses a rule for which something on its address is in the way.
func (c *change) free(ctx context.Context, tx db.Tx, a network.Address, p Port) error {
	if err := onlyBalanced(a, p.Kind); err != nil {
		return err
	}
	nat, err := natOn(ctx, tx, a.ID)
	if err != nil {
		return err
	}
	switch {
	case p.Kind == StaticNAT && nat.VM == "":
		return fault.Conflictf("address %s has no static NAT: enable it first", a.IP)
	case p.Kind != StaticNAT && nat.VM != "":
		return fault.Conflictf("address %s is the static NAT of machine %s: disable that first, or take another address", a.IP, nat.VM)
	}
	all, err := portsOn(ctx, tx, a.ID)
	if err != nil {
		return err
	}
	for _, other := range all {
		switch {
		case other.ID == p.ID:
		case other.Transport == p.Transport && other.First <= p.Last && other.Last >= p.First:
			return fault.Conflictf("%s %s of address %s are in use by %s", p.Protocol, span(p.First, p.Last), a.IP, other.text())
		case !c.offering.ConserveMode && other.Kind != p.Kind:
			return fault.Conflictf("network %q uses each address for one thing only, and %s is there for %s", c.network.Name, a.IP, other.text())
		}
	}
	if a.SourceNAT && !c.offering.ConserveMode {
		return fault.Conflictf("network %q uses each address for one thing only, and %s is its source NAT: take another address",
			c.network.Name, a.IP)
	}
	return nil
}

// ForwardChange says what to change of a port forwarding rule. Zero fields leave things as they are.
type ForwardChange struct {
	Address  uid.PublicIP // these can't change: what is said of them must be so
	Protocol string
	First    int

	VM                    uid.VM
	GuestIP               string
	GuestFirst, GuestLast int
	CIDRs                 []string // for whom the firewall is opened
	Display               *bool
}

// ChangeForward begins to change where a port forwarding rule leads.
func (s *Service) ChangeForward(ctx context.Context, id uid.Rule, to ForwardChange) (op.ID, error) {
	p, err := findPort(ctx, s.db.Read(), auth.From(ctx).Reach(), Forwarding, id)
	if err != nil {
		return "", err
	}
	sources, err := parseCIDRs("cidrlist", to.CIDRs)
	if err != nil {
		return "", err
	}
	w := wish{command: "updatePortForwardingRule", subject: "PortForwardingRule", id: string(id), network: p.Network}
	if to.VM != "" {
		w.machines = []uid.VM{to.VM}
	} else if to.GuestIP != "" {
		return "", fault.Invalidf("vmguestip is an address of the machine that the rule is to lead to: name it in virtualmachineid")
	}
	w.do = func(ctx context.Context, tx db.Tx, c *change) (told, error) {
		p, err := c.changing(ctx, tx, Forwarding, id)
		if err != nil {
			return told{}, err
		}
		if to.VM != "" {
			nic, err := c.card(ctx, tx, to.VM, to.GuestIP)
			if err != nil {
				return told{}, err
			}
			p.VM, p.NIC = to.VM, nic.ID
		}
		switch {
		case to.Address != "" && to.Address != p.Address, to.Protocol != "" && !strings.EqualFold(to.Protocol, p.Protocol),
			to.First != 0 && to.First != p.First:
			return told{}, fault.Invalidf("the address, protocol and public ports of %s can't change: make another rule", p.text())
		}
		if err := p.lead(to); err != nil {
			return told{}, err
		}
		if to.CIDRs != nil {
			if err := c.reopen(ctx, tx, p, sources); err != nil {
				return told{}, err
			}
		}
		if to.Display != nil {
			p.Display = *to.Display
		}
		return told{event.NetRuleModify, "changing " + p.text(), string(p.ID)}, save(ctx, tx, p)
	}
	_, job, err := s.start(ctx, w)
	return job, err
}

// reopen changes for whom the firewall is opened for a rule.
func (c *change) reopen(ctx context.Context, tx db.Tx, p Port, sources string) error {
	w, err := openedFor(ctx, tx, p.ID)
	switch {
	case err != nil:
		return err
	case w.ID == "":
		return fault.Conflictf("the firewall was not opened with %s, so there is nobody whom it is opened for: see createFirewallRule", p.text())
	}
	was := w
	c.WasOpen, w.Sources = &was, sources
	if err := w.alone(ctx, tx); err != nil {
		return err
	}
	return saveWall(ctx, tx, w)
}

// lead changes the ports that a rule leads to.
func (p *Port) lead(to ForwardChange) (err error) {
	if to.GuestFirst == 0 && to.GuestLast == 0 {
		return nil
	}
	if to.GuestFirst == 0 {
		to.GuestFirst = p.GuestFirst
	}
	if to.GuestLast == 0 {
		to.GuestLast = to.GuestFirst + p.Last - p.First
	}
	first, last, err := ports("privateport", to.GuestFirst, "privateendport", to.GuestLast)
	if err == nil && last-first != p.Last-p.First {
		err = fault.Invalidf("%d public ports can't lead to %d private ones: want as many", p.Last-p.First+1, last-first+1)
	}
	p.GuestFirst, p.GuestLast = first, last
	return err
}

// changing finds the rule that is to be changed, and remembers it as it is.
func (c *change) changing(ctx context.Context, tx db.Tx, kind Kind, id uid.Rule) (Port, error) {
	p, err := findPort(ctx, tx, c.caller.Reach(), kind, id)
	switch {
	case err != nil:
		return p, err
	case p.State != Active:
		return p, fault.Conflictf("%s is being added or revoked", p.text())
	case p.Network != c.Network:
		return p, kind.missing(id)
	}
	was := p
	c.Was = &was
	return p, nil
}

// Delete begins to revoke a rule on ports, with what opens the firewall for it. It must be the account's; "" is any.
func (s *Service) Delete(ctx context.Context, kind Kind, id uid.Rule, of uid.Account) (op.ID, error) {
	p, err := findPort(ctx, s.db.Read(), auth.From(ctx).Reach(), kind, id)
	if err == nil && of != "" && of != p.Account {
		err = fault.Invalidf("%s does not belong to account %s", p.text(), of)
	}
	if err != nil {
		return "", err
	}
	by := map[Kind]wish{
		Forwarding: {command: "deletePortForwardingRule", subject: "PortForwardingRule"},
		StaticNAT:  {command: "deleteIpForwardingRule", subject: "PortForwardingRule"},
		Balancing:  {command: "deleteLoadBalancerRule", subject: "LoadBalancerRule"},
	}
	w := by[kind]
	w.id, w.network = string(id), p.Network
	w.do = func(ctx context.Context, tx db.Tx, c *change) (told, error) {
		p, err := c.changing(ctx, tx, kind, id)
		if err != nil {
			return told{}, err
		}
		c.Was = nil
		if err := c.leaveSystem(ctx, tx, p); err != nil {
			return told{}, err
		}
		rows, err := partsOf(ctx, tx, []uid.Rule{id})
		if err != nil {
			return told{}, err
		}
		say := told{event.NetRuleDelete, "revoking " + p.text(), string(id)}
		if kind == Balancing {
			say.kind = event.LBDelete
		}
		return say, c.revoke(ctx, tx, append(rows, row{portTable, string(id)})...)
	}
	_, job, err := s.start(ctx, w)
	return job, err
}
