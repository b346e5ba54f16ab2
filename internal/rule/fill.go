package rule

import (
	"context"

	"github.com/virga-cloud/virga/internal/db"
	"github.com/virga-cloud/virga/internal/hypervisor"
	"github.com/virga-cloud/virga/internal/network"
	"github.com/virga-cloud/virga/uid"
)

// Fill is a [router.Source]: it adds what is done with the traffic of a network's public addresses and guests.
func (s *Service) Fill(ctx context.Context, q db.Tx, n network.Network, _ uid.Pod, r *hypervisor.Router) error {
	at := map[uid.PublicIP]*hypervisor.RouterAddress{}
	for i := range r.Uplink {
		at[r.Uplink[i].ID] = &r.Uplink[i]
	}
	walls, err := wallsIn(ctx, q, n.ID)
	if err != nil {
		return err
	}
	for _, w := range walls {
		m := hypervisor.Match{
			Protocol: w.Protocol, From: w.First, To: w.Last, ICMPType: w.ICMPType, ICMPCode: w.ICMPCode, Sources: list(w.Sources),
			Targets: list(w.Targets),
		}
		if a := at[w.Address]; a != nil {
			a.Ingress = append(a.Ingress, m)
		} else if w.Egress() {
			r.Segments[0].Egress = append(r.Segments[0].Egress, m)
		}
	}
	nats, err := natsIn(ctx, q, n.ID)
	if err != nil {
		return err
	}
	for _, nat := range nats {
		if a := at[nat.ID]; a != nil {
			a.StaticNAT = nat.GuestIP.String()
		}
	}
	return fillPorts(ctx, q, n.ID, at)
}

func fillPorts(ctx context.Context, q db.Tx, id uid.Network, at map[uid.PublicIP]*hypervisor.RouterAddress) error {
	all, err := portsIn(ctx, q, id)
	if err != nil {
		return err
	}
	var balancers []uid.Rule
	for _, p := range all {
		if p.Kind == Balancing {
			balancers = append(balancers, p.ID)
		}
	}
	members, err := membersIn(ctx, q, balancers)
	if err != nil {
		return err
	}
	policies, err := policiesOf(ctx, q, balancers)
	if err != nil {
		return err
	}
	for _, p := range all {
		a := at[p.Address]
		switch {
		case a == nil:
		case p.Kind == Forwarding:
			a.Forwards = append(a.Forwards, hypervisor.Forward{
				Protocol: p.Protocol, From: p.First, To: p.Last, GuestIP: p.GuestIP.String(), Guest: p.GuestFirst,
			})
		case p.Kind == Balancing:
			a.Balancers = append(a.Balancers, balancer(p.Port, members[p.ID], policies[p.ID]))
		}
	}
	return nil
}

func balancer(p Port, members []Member, policy Policy) hypervisor.Balancer {
	b := hypervisor.Balancer{
		ID: p.ID, Protocol: p.Protocol, Port: p.First, Guest: p.GuestFirst, Algorithm: p.Algorithm, Sources: list(p.CIDRs),
	}
	for _, m := range members {
		if m.State != Revoke {
			b.Guests = append(b.Guests, m.GuestIP.String())
		}
	}
	if policy.ID != "" && policy.State != Revoke {
		b.Sticky = hypervisor.Stickiness{Method: policy.Method, Params: policy.Params}
	}
	return b
}

// LeaveMachine removes all rules that lead to a machine, which is destroyed. Its networks' routers are told.
func LeaveMachine(ctx context.Context, tx db.Tx, vm uid.VM) error {
	rows, networks, err := rowsTo(ctx, tx, vm)
	if err != nil {
		return err
	}
	if err := remove(ctx, tx, rows); err != nil {
		return err
	}
	for _, id := range networks {
		if err := network.TouchRules(ctx, tx, id); err != nil {
			return err
		}
	}
	return nil
}

// LeaveAddress removes all rules on an address, which is being given back.
func LeaveAddress(ctx context.Context, tx db.Tx, id uid.PublicIP) error {
	rows, err := rowsOn(ctx, tx, id)
	if err != nil {
		return err
	}
	return remove(ctx, tx, rows)
}

// LeaveNetwork removes all rules of a network, which is being deleted.
func LeaveNetwork(ctx context.Context, tx db.Tx, n network.Network) error {
	rows, err := rowsIn(ctx, tx, n.ID)
	if err != nil {
		return err
	}
	return remove(ctx, tx, rows)
}
