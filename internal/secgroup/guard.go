package secgroup

import (
	"context"
	"fmt"
	"slices"

	"github.com/virga-cloud/virga/internal/db"
	"github.com/virga-cloud/virga/internal/document"
	"github.com/virga-cloud/virga/internal/fault"
	"github.com/virga-cloud/virga/internal/hypervisor"
	"github.com/virga-cloud/virga/uid"
)

// Place wants a newer document for the host that a machine with security groups is about to be on, in the transaction that puts it
// there, and gives its version: the machine must not start before the host has it. See [Service.Guarded].
func Place(ctx context.Context, tx db.Tx, on uid.Host) (int64, error) {
	versions, err := document.Want(ctx, tx, document.Guards, on)
	return versions[on], err
}

// Guarded tells whether a host has the rules of a machine that was placed there. Others are told of the machine meanwhile.
func (s *Service) Guarded(ctx context.Context, q db.Tx, on uid.Host, version int64) (bool, error) {
	s.spreader.Wake("")
	return s.documents.MustReach(ctx, q, document.Guards, on, version)
}

// Moved notes, in the transaction of the change, that the addresses of a machine's groups are others now: it came, went, or was
// given one. Hosts that have rules about these groups are told soon.
func Moved(ctx context.Context, tx db.Tx, vm uid.VM) error {
	return noteMembers(ctx, tx, vm)
}

// changed notes that hosts of a group's machines, and those that have rules about the group, are to be told of it anew.
func changed(ctx context.Context, tx db.Tx, id uid.SecurityGroup) error {
	if err := noteGroup(ctx, tx, id, true); err != nil {
		return err
	}
	return noteGroup(ctx, tx, id, false)
}

// spreadBatch bounds how many notes one transaction spreads.
const spreadBatch = 1000

// Start lets the service spread at once what was noted, until the function that it gives is called.
func (s *Service) Start(ctx context.Context) (stop func()) { return s.spreader.Start(ctx) }

// Round wants newer documents for the hosts that changes of groups concern. It is a keeper's, too. That it comes after the changes
// is what makes it whole: of a machine that is placed and a group that changes at the same moment one may not see the other, but
// what comes after both sees both.
func (s *Service) Round(ctx context.Context) error {
	for more := true; more; {
		var hosts []uid.Host
		err := s.db.Write(ctx, func(ctx context.Context, tx db.Tx) error {
			notes, err := noted(ctx, tx, spreadBatch)
			if err != nil || len(notes) == 0 {
				more = false
				return err
			}
			more = len(notes) == spreadBatch
			if hosts, err = s.concerned(ctx, tx, notes); err != nil {
				return err
			}
			if _, err := document.Want(ctx, tx, document.Guards, hosts...); err != nil {
				return err
			}
			return spread(ctx, tx, notes)
		})
		if err != nil {
			return err
		}
		s.documents.Wake(document.Guards, hosts...)
	}
	return nil
}

// concerned are the hosts that are to be told of what was noted.
func (s *Service) concerned(ctx context.Context, q db.Tx, notes []note) ([]uid.Host, error) {
	var own, members []uid.SecurityGroup
	for _, n := range notes {
		if n.Rules {
			own = append(own, n.Group)
		} else {
			members = append(members, n.Group)
		}
	}
	by, err := groupsNaming(ctx, q, members)
	if err != nil {
		return nil, err
	}
	if own = append(own, by...); len(own) == 0 {
		return nil, nil
	}
	slices.Sort(own)
	return s.machines.HostsOf(ctx, q, slices.Compact(own))
}

// give gives a host the rules of its cards.
func (s *Service) give(ctx context.Context, h document.Host, version int64) error {
	driver, err := s.drivers.Driver(h.Hypervisor)
	if err != nil {
		return err
	}
	g, ok := driver.(hypervisor.Guarder)
	if !ok {
		return fault.Conflictf("hosts of hypervisor %s know no security groups", h.Hypervisor)
	}
	doc, err := s.Desired(ctx, s.db.Read(), h.ID)
	if err != nil {
		return fmt.Errorf("make the rules of host %s: %w", h.Name, err)
	}
	doc.Version = version
	return g.ApplyGuards(ctx, h.ID, doc)
}

// Desired are the rules of the cards on a host, as they must be now: those of its machines' cards in networks with security groups.
func (s *Service) Desired(ctx context.Context, q db.Tx, host uid.Host) (g hypervisor.Guards, err error) {
	cards, err := s.machines.CardsOn(ctx, q, host)
	if err != nil || len(cards) == 0 {
		return g, err
	}
	vms := make([]uid.VM, len(cards))
	for i, c := range cards {
		vms[i] = c.VM
	}
	slices.Sort(vms)
	groups, err := Of(ctx, q, slices.Compact(vms))
	if err != nil {
		return g, err
	}
	var all []uid.SecurityGroup
	for _, in := range groups {
		for _, one := range in {
			all = append(all, one.ID)
		}
	}
	slices.Sort(all)
	rules, err := RulesOf(ctx, q, slices.Compact(all))
	if err != nil {
		return g, err
	}
	for _, c := range cards {
		p := hypervisor.Guard{NIC: c.NIC, EgressAllowed: true}
		for _, in := range groups[c.VM] {
			for _, r := range rules[in.ID] {
				if r.Egress {
					p.EgressAllowed, p.Egress = false, r.into(p.Egress)
				} else {
					p.Ingress = r.into(p.Ingress)
				}
			}
		}
		g.Ports = append(g.Ports, p)
	}
	g.Groups, err = s.peersOf(ctx, q, rules)
	return g, err
}

// peersOf are the members of the groups that rules are about.
func (s *Service) peersOf(ctx context.Context, q db.Tx, rules map[uid.SecurityGroup][]Rule) (out []hypervisor.GuardGroup, err error) {
	var peers []uid.SecurityGroup
	for _, of := range rules {
		for _, r := range of {
			if r.Peer != "" {
				peers = append(peers, r.Peer)
			}
		}
	}
	if len(peers) == 0 {
		return nil, nil
	}
	slices.Sort(peers)
	peers = slices.Compact(peers)
	addresses, err := s.machines.AddressesOf(ctx, q, peers)
	for _, id := range peers {
		out = append(out, hypervisor.GuardGroup{Group: id, Addresses: addresses[id]})
	}
	return out, err
}

// into adds what the rule says to the rules of a card: to one about the same traffic, where there is one.
func (r Rule) into(rules []hypervisor.GuardRule) []hypervisor.GuardRule {
	i := slices.IndexFunc(rules, func(g hypervisor.GuardRule) bool {
		return g.Protocol == r.Protocol && g.From == r.First && g.To == r.Last && g.ICMPType == r.ICMPType && g.ICMPCode == r.ICMPCode
	})
	if i < 0 {
		i = len(rules)
		rules = append(rules, hypervisor.GuardRule{Match: hypervisor.Match{
			Protocol: r.Protocol, From: r.First, To: r.Last, ICMPType: r.ICMPType, ICMPCode: r.ICMPCode,
		}})
	}
	at := &rules[i]
	switch {
	case r.Peer != "":
		if !slices.Contains(at.Groups, r.Peer) {
			at.Groups = append(at.Groups, r.Peer)
		}
	case r.Egress:
		at.Targets = append(at.Targets, r.CIDR)
	default:
		at.Sources = append(at.Sources, r.CIDR)
	}
	return rules
}
