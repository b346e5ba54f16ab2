package rule

import (
	"context"
	"fmt"
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

// anything stands for all types of ICMP messages, or for all codes.
const anything = -1

// Wall is a firewall rule: what is let in at a public address or, without one, an exception for what a network's guests send.
type Wall struct {
	ID       uid.FirewallRule `bun:",pk"`
	Account  uid.Account      `bun:"account_id"`
	Domain   uid.Domain       `bun:"domain_id"`
	Network  uid.Network      `bun:"network_id"`
	Address  uid.PublicIP     `bun:"address_id,nullzero"` // "": egress
	Protocol string           // tcp, udp, icmp, all
	First    int              // ports; 0 for all
	Last     int
	ICMPType int      `bun:"icmp_type"`
	ICMPCode int      `bun:"icmp_code"`
	Sources  string   // CIDRs with commas; "" for everywhere
	Targets  string   // as well, of egress rules
	Rule     uid.Rule `bun:"rule_id,nullzero"` // that it was opened for, and goes with
	System   bool     // only root admins change it
	State    State
	Display  bool
	Created  time.Time
}

// Egress tells whether the rule is about what guests send.
func (w Wall) Egress() bool { return w.Address == "" }

func (w Wall) what() string {
	if w.Egress() {
		return "egress firewall rule"
	}
	return "firewall rule"
}

func (w Wall) text() string {
	ports := ""
	switch {
	case w.First != 0:
		ports = " " + span(w.First, w.Last)
	case w.Protocol == "icmp":
		ports = fmt.Sprintf(" type %d, code %d", w.ICMPType, w.ICMPCode)
	}
	return fmt.Sprintf("%s %s (%s%s)", w.what(), w.ID, w.Protocol, ports)
}

// WallIn says what is let through.
type WallIn struct {
	Address            uid.PublicIP // of ingress rules
	Network            uid.Network  // of egress rules
	Protocol           string
	First, Last        *int
	ICMPType, ICMPCode *int
	Sources, Targets   []string
	System             bool
	Hidden             bool
}

// wall is the rule that is wanted.
func (in WallIn) wall() (w Wall, err error) {
	w = Wall{Address: in.Address, Protocol: strings.ToLower(in.Protocol), ICMPType: anything, ICMPCode: anything,
		System: in.System, Display: !in.Hidden}
	if w.Protocol == "-1" {
		w.Protocol = "all"
	}
	ported, typed := in.First != nil || in.Last != nil, in.ICMPType != nil || in.ICMPCode != nil
	switch w.Protocol {
	case "tcp", "udp":
		if typed {
			return w, fault.Invalidf("icmptype and icmpcode go with protocol icmp: leave them out with %s", w.Protocol)
		}
		if ported {
			if in.First == nil {
				return w, fault.Invalidf("endport was given without a startport")
			}
			last := 0
			if in.Last != nil {
				last = *in.Last
			}
			if w.First, w.Last, err = ports("startport", *in.First, "endport", last); err != nil {
				return w, err
			}
		}
	case "icmp":
		if ported {
			return w, fault.Invalidf("protocol icmp has no ports: leave out startport and endport")
		}
		for _, one := range []struct {
			name  string
			given *int
			to    *int
		}{{"icmptype", in.ICMPType, &w.ICMPType}, {"icmpcode", in.ICMPCode, &w.ICMPCode}} {
			if one.given == nil {
				continue
			}
			if *one.to = *one.given; *one.to < anything || *one.to > 255 {
				return w, fault.Invalidf("%s %d is out of range: want 0 to 255, or -1 for all", one.name, *one.to)
			}
		}
		if w.ICMPType == anything && w.ICMPCode != anything {
			return w, fault.Invalidf("icmpcode %d was given for all types: name the icmptype", w.ICMPCode)
		}
	case "all":
		if ported || typed {
			return w, fault.Invalidf("protocol all has neither ports nor types: leave out startport, endport, icmptype and icmpcode")
		}
	default:
		return w, fault.Invalidf("protocol %q is none of tcp, udp, icmp and all", in.Protocol)
	}
	if w.Sources, err = parseCIDRs("cidrlist", in.Sources); err != nil {
		return w, err
	}
	w.Targets, err = parseCIDRs("destcidrlist", in.Targets)
	return w, err
}

// Open begins to make a firewall rule on a public address, or an egress rule of a network.
func (s *Service) Open(ctx context.Context, in WallIn) (uid.FirewallRule, op.ID, error) {
	w, err := in.wall()
	if err != nil {
		return "", "", err
	}
	if in.System && !auth.From(ctx).IsRoot() {
		return "", "", fault.Deniedf("only root admins may make firewall rules of type system")
	}
	wish := wish{command: "createFirewallRule", subject: "FirewallRule", network: in.Network}
	if in.Address != "" {
		a, err := s.addressOf(ctx, in.Address)
		if err != nil {
			return "", "", err
		}
		wish.network = a.Network
	} else {
		wish.command = "createEgressFirewallRule"
	}
	wish.do = func(ctx context.Context, tx db.Tx, c *change) (told, error) {
		if err := c.serves("Firewall"); err != nil {
			return told{}, err
		}
		kind, at := event.EgressOpen, ""
		if in.Address != "" {
			a, err := c.address(ctx, tx, in.Address)
			if err != nil {
				return told{}, err
			}
			kind, at = event.FirewallOpen, " on "+a.IP.String()
		} else if err := c.sends(ctx, tx, &w); err != nil {
			return told{}, err
		}
		if err := c.wall(ctx, tx, w); err != nil {
			return told{}, err
		}
		id := c.Adds[len(c.Adds)-1].ID
		return told{kind, fmt.Sprintf("adding %s %s%s, of network %s", w.what(), id, at, c.network.Name), id}, nil
	}
	id, job, err := s.start(ctx, wish)
	return uid.FirewallRule(id), job, err
}

// sends completes an egress rule: the caller reaches the network, and it is about the network's own addresses.
func (c *change) sends(ctx context.Context, tx db.Tx, w *Wall) error {
	if _, err := network.Lock(ctx, tx, c.caller.Reach(), c.Network); err != nil {
		return err
	}
	if w.Sources == "" {
		w.Sources = c.network.CIDR
	}
	return inside("cidrlist", w.Sources, c.network.CIDR)
}

// wall writes a firewall rule that says something which no other one does.
func (c *change) wall(ctx context.Context, tx db.Tx, w Wall) error {
	w.ID, w.Network, w.State, w.Created = uid.New[uid.FirewallRule](), c.Network, Add, tx.Now
	w.Account, w.Domain = c.network.Account, c.network.Domain
	if err := w.alone(ctx, tx); err != nil {
		return err
	}
	return c.add(ctx, tx, wallTable, string(w.ID), &wallRow{Wall: w})
}

// alone refuses a firewall rule of which another one says a part.
func (w Wall) alone(ctx context.Context, q db.Tx) error {
	others, err := wallsLike(ctx, q, w)
	if err != nil {
		return err
	}
	for _, other := range others {
		if other.ID == w.ID {
			continue
		}
		overlap := w.First == 0 || other.First == 0 || other.First <= w.Last && other.Last >= w.First
		if w.Protocol == "icmp" {
			overlap = w.ICMPType == other.ICMPType && w.ICMPCode == other.ICMPCode
		}
		from, to := shared(w.Sources, other.Sources), shared(w.Targets, other.Targets)
		if overlap && from != "" && to != "" {
			return fault.Conflictf("%s says the same for %s already", other.text(), from)
		}
	}
	return nil
}

// Close begins to revoke a firewall rule. It must be the account's; "" is any.
func (s *Service) Close(ctx context.Context, id uid.FirewallRule, egress bool, of uid.Account) (op.ID, error) {
	w, err := findWall(ctx, s.db.Read(), auth.From(ctx).Reach(), id, egress)
	if err == nil && of != "" && of != w.Account {
		err = fault.Invalidf("%s does not belong to account %s", w.text(), of)
	}
	if err != nil {
		return "", err
	}
	command, kind := "deleteFirewallRule", event.FirewallClose
	if egress {
		command, kind = "deleteEgressFirewallRule", event.EgressClose
	}
	_, job, err := s.start(ctx, wish{
		command: command, subject: "FirewallRule", id: string(id), network: w.Network,
		do: func(ctx context.Context, tx db.Tx, c *change) (told, error) {
			w, err := findWall(ctx, tx, c.caller.Reach(), id, egress)
			switch {
			case err != nil:
				return told{}, err
			case w.State != Active:
				return told{}, fault.Conflictf("%s is being added or revoked", w.text())
			case w.System && !c.caller.IsRoot():
				return told{}, fault.Deniedf("%s is of type system: only root admins may delete it", w.text())
			}
			return told{kind, "revoking " + w.text(), string(id)}, c.revoke(ctx, tx, row{wallTable, string(id)})
		},
	})
	return job, err
}
