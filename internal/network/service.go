package network

import (
	"context"

	"github.com/virga-cloud/virga/internal/account"
	"github.com/virga-cloud/virga/internal/auth"
	"github.com/virga-cloud/virga/internal/db"
	"github.com/virga-cloud/virga/internal/fault"
	"github.com/virga-cloud/virga/internal/op"
	"github.com/virga-cloud/virga/internal/physnet"
	"github.com/virga-cloud/virga/internal/setting"
	"github.com/virga-cloud/virga/uid"
)

// Service keeps networks, and the addresses in and before them.
type Service struct {
	db       *db.DB
	accounts *account.Service
	settings *setting.Settings

	router  func(context.Context, db.Tx, uid.Network, uid.Pod) (string, error) // see [Service.RoutedBy]
	outside []func(context.Context, uid.Network) error                         // see [Service.EndsWith]
	inside  []func(context.Context, db.Tx, Network) error

	remove *op.Runner[removal]
}

// New makes a service and registers its plans with the engine. Without settings the defaults hold.
func New(d *db.DB, e *op.Engine, accounts *account.Service, settings *setting.Settings) *Service {
	s := &Service{db: d, accounts: accounts, settings: settings}
	s.remove = op.Register(e, s.removePlan())
	return s
}

// RoutedBy says who knows the name of the virtual router that serves a network, or a pod's part of one; "" where there is none.
func (s *Service) RoutedBy(router func(context.Context, db.Tx, uid.Network, uid.Pod) (string, error)) {
	s.router = router
}

// EndsWith says what ends with a network: outside the database, before the network is given up, and inside, when it is.
func (s *Service) EndsWith(outside func(context.Context, uid.Network) error, inside ...func(context.Context, db.Tx, Network) error) {
	if outside != nil {
		s.outside = append(s.outside, outside)
	}
	s.inside = append(s.inside, inside...)
}

// WireIn says how a zone is to be wired.
type WireIn struct {
	physnet.WireIn
	// Public are its public addresses; no start: it gets none.
	Public CreateRangeIn
}

// Wire gives a zone a physical network that is ready for guest networks (see [physnet.Wire]), with public addresses. It is one
// transaction and no operation, for sandboxes and tests.
func (s *Service) Wire(ctx context.Context, in WireIn) (p physnet.Network, err error) {
	err = s.db.Write(ctx, func(ctx context.Context, tx db.Tx) error {
		if p, err = physnet.Wire(ctx, tx, in.WireIn); err != nil || in.Public.StartIP == "" {
			return err
		}
		in.Public.Physical = p.ID
		_, err = s.createRange(ctx, tx, in.Public)
		return err
	})
	return p, err
}

// Find gives a network that the caller in ctx reaches.
func (s *Service) Find(ctx context.Context, id uid.Network) (Network, error) {
	found, _, err := s.List(ctx, Filter{Scope: auth.From(ctx).Reach(), ID: id})
	if err != nil {
		return Network{}, err
	}
	if len(found) == 0 {
		return Network{}, fault.Missing(id)
	}
	return found[0], nil
}
