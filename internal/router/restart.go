package router

import (
	"context"
	"fmt"
	"slices"

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
	all, err := ofNetwork(ctx, s.db.Read(), r.Network)
	for i := 0; i < len(all) && err == nil; i++ {
		if all[i].State.wanted() {
			err = again(s.drop(ctx, all[i]))
		}
	}
	return err
}

// remake has the routers made again that were ended for nothing.
func (s *Service) remake(ctx context.Context, r *restart) error {
	if !r.Clean {
		return nil
	}
	return s.db.Write(ctx, func(ctx context.Context, tx db.Tx) error {
		all, err := ofNetwork(ctx, tx, r.Network)
		for i := 0; i < len(all) && err == nil; i++ {
			err = setAgain(ctx, tx, all[i].ID)
		}
		return err
	})
}

// startNew sees to it that the network has its routers, which are given documents anew: in a basic zone one in each pod that it has addresses in.
func (s *Service) startNew(ctx context.Context, tx db.Tx, r *restart) error {
	n, err := network.Lock(ctx, tx, auth.Scope{All: true}, r.Network)
	if err != nil || !n.Routed || !n.Carries() {
		return err
	}
	pods := []uid.Pod{""}
	if n.PerPod {
		if pods, err = s.podsOf(ctx, tx, n.ID); err != nil {
			return err
		}
	}
	for _, pod := range pods {
		at, err := s.somewhere(ctx, tx, n.Zone, pod, "")
		if pod != "" && fault.Is(err, fault.Unavailable) {
			continue // no machine of the pod can start either
		}
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
	}
	r.Revision = n.Revision + 1
	return network.Touch(ctx, tx, n.ID)
}

// podsOf gives the pods in which a network of a basic zone has addresses for a router.
func (s *Service) podsOf(ctx context.Context, q db.Tx, id uid.Network) (pods []uid.Pod, err error) {
	sides, err := network.SidesOf(ctx, q, []uid.Network{id})
	for _, side := range sides[id] {
		if !slices.Contains(pods, side.Pod) {
			pods = append(pods, side.Pod)
		}
	}
	return pods, err
}
