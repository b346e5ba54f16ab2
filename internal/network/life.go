package network

import (
	"context"
	"fmt"

	"github.com/virga-cloud/virga/internal/account"
	"github.com/virga-cloud/virga/internal/auth"
	"github.com/virga-cloud/virga/internal/db"
	"github.com/virga-cloud/virga/internal/event"
	"github.com/virga-cloud/virga/internal/fault"
	"github.com/virga-cloud/virga/internal/limit"
	"github.com/virga-cloud/virga/internal/op"
	"github.com/virga-cloud/virga/internal/physnet"
	"github.com/virga-cloud/virga/uid"
)

// Implement makes sure that a machine's networks can carry traffic: each gets its VLAN, and its public address for source NAT, when
// the first machine in it starts, and keeps them until it is deleted.
func Implement(ctx context.Context, tx db.Tx, vm uid.VM) error {
	ids, err := unimplemented(ctx, tx, vm)
	if err != nil {
		return err
	}
	networks, err := lock(ctx, tx, auth.Scope{All: true}, ids)
	if err != nil {
		return err
	}
	for _, id := range ids {
		n := networks[id]
		if n.State != Allocated {
			continue // another machine's start was first
		}
		if _, err := implement(ctx, tx, n); err != nil {
			return err
		}
	}
	return nil
}

// implement implements a network that is locked, or not yet committed.
func implement(ctx context.Context, tx db.Tx, n Network) (_ Network, err error) {
	if n.VLAN == 0 && !n.Untagged {
		if n.VLAN, err = physnet.TakeVLAN(ctx, tx, n.PhysicalNetwork); err != nil {
			return n, err
		}
	}
	if err := takeNAT(ctx, tx, n); err != nil {
		return n, err
	}
	n.State = Implemented
	return n, setImplemented(ctx, tx, n)
}

// removal is the state of a network's deletion.
type removal struct {
	Network uid.Network `json:"network"`
	Was     State       `json:"was"`
}

// Delete starts deleting a network that the caller reaches and that no machine is in.
func (s *Service) Delete(ctx context.Context, id uid.Network) (op.ID, error) {
	caller := auth.From(ctx)
	job, _, err := s.remove.Start(ctx, op.Request{
		Thing: op.On("network", id), Caller: caller, Command: "deleteNetwork", SubjectKind: "Network", SubjectID: string(id),
	}, removal{Network: id})
	return job, err
}

func (s *Service) removePlan() *op.Plan[removal] {
	return op.New[removal]("network.delete").
		Accept(s.beginRemoval, s.keepAfterAll).
		Do("router", s.endOutside, nil).
		Tx("remove", s.removeRow, nil)
}

func (s *Service) beginRemoval(ctx context.Context, tx db.Tx, q *op.Request, r *removal) error {
	n, err := Lock(ctx, tx, q.Caller.Reach(), r.Network)
	if err != nil {
		return err
	}
	if n.ACLType == ForDomain && !q.Caller.IsRoot() {
		return fault.Deniedf("network %q is shared by a whole domain; only root admins may delete it", n.Name)
	}
	if err := n.usable(); err != nil {
		return err
	}
	used, err := machinesIn(ctx, tx, n.ID)
	if err != nil {
		return err
	}
	if used > 0 {
		return fault.Conflictf("network %q is in use by %s: destroy and expunge those first", n.Name, fault.Count(used, "virtual machine"))
	}
	r.Was = n.State
	q.Account, q.Domain = n.Account, n.Domain
	q.Event, err = event.Write(ctx, tx, event.Event{
		Type: event.NetworkDelete, State: event.Scheduled, Description: fmt.Sprintf("deleting network %s (%s)", n.Name, n.ID),
		Account: n.Account, Domain: n.Domain, ResourceID: string(n.ID),
	})
	if err != nil {
		return err
	}
	return setState(ctx, tx, n.ID, Destroyed)
}

// endOutside ends what the network has on hosts.
func (s *Service) endOutside(ctx context.Context, r *removal) error {
	for _, end := range s.outside {
		if err := end(ctx, r.Network); err != nil {
			return err
		}
	}
	return nil
}

func (s *Service) keepAfterAll(ctx context.Context, tx db.Tx, r *removal) error {
	return setState(ctx, tx, r.Network, r.Was)
}

func (s *Service) removeRow(ctx context.Context, tx db.Tx, r *removal) error {
	n, err := Lock(ctx, tx, auth.Scope{All: true}, r.Network)
	if err != nil {
		return err
	}
	for _, end := range s.inside {
		if err := end(ctx, tx, n); err != nil {
			return err
		}
	}
	if err := giveNAT(ctx, tx, n); err != nil {
		return err
	}
	if err := setRemoved(ctx, tx, n); err != nil {
		return err
	}
	return account.Give(ctx, tx, n.Account, limit.Use{limit.Networks: 1})
}
