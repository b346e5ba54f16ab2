package router

import (
	"context"
	"fmt"

	"github.com/virga-cloud/virga/internal/auth"
	"github.com/virga-cloud/virga/internal/db"
	"github.com/virga-cloud/virga/internal/event"
	"github.com/virga-cloud/virga/internal/fault"
	"github.com/virga-cloud/virga/internal/network"
	"github.com/virga-cloud/virga/internal/op"
	"github.com/virga-cloud/virga/uid"
)

// restart is the state of a network's restart.
type restart struct {
	Network  uid.Network `json:"network"`
	Clean    bool        `json:"clean,omitempty"`
	Revision int64       `json:"revision,omitempty"`
}

// Restart begins to give a network's router all that it must be once more. With clean the router is ended first and made anew, as it
// is where there is none, or a stopped one.
func (s *Service) Restart(ctx context.Context, id uid.Network, clean bool) (op.ID, error) {
	job, _, err := s.restart.Start(ctx, op.Request{
		Thing: op.On("network", id), Caller: auth.From(ctx), Command: "restartNetwork", SubjectKind: "Network", SubjectID: string(id),
	}, restart{Network: id, Clean: clean})
	return job, err
}

func (s *Service) restartPlan() *op.Plan[restart] {
	return op.New[restart]("network.restart").
		Accept(s.beginRestart, nil).
		Do("drop", s.dropOld, s.remake).
		Tx("start", s.startNew, nil).
		Wait("apply", func(ctx context.Context, q db.Tx, r *restart) (bool, error) {
			return s.Reached(ctx, q, map[uid.Network]int64{r.Network: r.Revision})
		})
}

func (s *Service) beginRestart(ctx context.Context, tx db.Tx, q *op.Request, r *restart) error {
	n, err := network.Lock(ctx, tx, q.Caller.Reach(), r.Network)
	switch {
	case err != nil:
		return err
	case n.ACLType == network.ForDomain && !q.Caller.IsRoot():
		return fault.Deniedf("network %q is shared by a whole domain; only root admins may restart it", n.Name)
	case n.State != network.Implemented && n.State != network.Setup:
		return fault.Conflictf("network %q is %s and can't be restarted: want one that is Implemented, or Setup", n.Name, n.State)
	}
	q.Account, q.Domain = n.Account, n.Domain
	q.Event, err = event.Write(ctx, tx, event.Event{
		Type: event.NetworkRestart, State: event.Scheduled, Description: fmt.Sprintf("restarting network %s (%s)", n.Name, n.ID),
		Account: n.Account, Domain: n.Domain, User: q.Caller.User, ResourceID: string(n.ID),
	})
	return err
}

func (s *Service) dropOld(ctx context.Context, r *restart) error {
	if !r.Clean {
		return nil
	}
	old, err := ofNetwork(ctx, s.db.Read(), r.Network)
	if err != nil || old.ID == "" || !old.State.wanted() {
		return err
	}
	return again(s.drop(ctx, old))
}

// remake has the router made again that was ended for nothing.
func (s *Service) remake(ctx context.Context, r *restart) error {
	old, err := ofNetwork(ctx, s.db.Read(), r.Network)
	if err != nil || old.ID == "" || !r.Clean {
		return err
	}
	return s.db.Write(ctx, func(ctx context.Context, tx db.Tx) error { return setAgain(ctx, tx, old.ID) })
}

// startNew sees to it that the network has a router that is given a document anew.
func (s *Service) startNew(ctx context.Context, tx db.Tx, r *restart) error {
	n, err := network.Lock(ctx, tx, auth.Scope{All: true}, r.Network)
	if err != nil || !n.Routed || n.State != network.Implemented {
		return err
	}
	at, err := s.somewhere(ctx, tx, n.Zone, "")
	if err != nil {
		return again(err)
	}
	router, err := s.ensure(ctx, tx, n, at)
	if err != nil {
		return err
	}
	if r.Clean {
		if err := startAgain(ctx, tx, router.ID); err != nil {
			return err
		}
	}
	r.Revision = n.Revision + 1
	return network.Touch(ctx, tx, n.ID)
}
