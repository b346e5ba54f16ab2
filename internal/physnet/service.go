package physnet

import (
	"context"

	"github.com/virga-cloud/virga/internal/db"
	"github.com/virga-cloud/virga/internal/op"
	"github.com/virga-cloud/virga/uid"
)

// Service keeps physical networks.
type Service struct {
	db   *db.DB
	uses Uses

	create           *op.Runner[networkJob]
	change           *op.Runner[change]
	remove           *op.Runner[networkJob]
	addTraffic       *op.Runner[trafficJob]
	addProvider      *op.Runner[providerJob]
	changeProvider   *op.Runner[providerChange]
	configureElement *op.Runner[elementJob]
}

// Use is what is on a physical network.
type Use struct {
	Networks, Ranges int   // guest networks, and ranges of addresses
	Guest, Public    []int // the VLANs that each has
	// Beside are the VLANs of guest networks on the zone's other physical networks, but for those that a link of their own carries.
	Beside []int
}

// Uses tells what is on a physical network.
type Uses func(ctx context.Context, tx db.Tx, p Network) (Use, error)

// New makes a service and registers its plans with the engine.
func New(d *db.DB, e *op.Engine, uses Uses) *Service {
	s := &Service{db: d, uses: uses}
	s.create = op.Register(e, s.createPlan())
	s.change = op.Register(e, s.changePlan())
	s.remove = op.Register(e, s.removePlan())
	s.addTraffic = op.Register(e, s.addTrafficPlan())
	s.addProvider = op.Register(e, s.addProviderPlan())
	s.changeProvider = op.Register(e, s.changeProviderPlan())
	s.configureElement = op.Register(e, s.configureElementPlan())
	return s
}

// WireIn says how a zone is to be wired.
type WireIn struct {
	CreateIn
	Traffic []string // none: every kind
}

// Wire gives a zone a physical network that is ready for guest networks: enabled, with its kinds of traffic, and with all providers
// that Virga is itself. It is no operation, for sandboxes and tests.
func Wire(ctx context.Context, tx db.Tx, in WireIn) (Network, error) {
	p, err := newNetwork(ctx, tx, uid.New[uid.PhysicalNetwork](), in.CreateIn)
	if err != nil {
		return p, err
	}
	p.State = Enabled
	if err := update(ctx, tx, p); err != nil {
		return p, err
	}
	if err := addDefaultProviders(ctx, tx, &networkJob{Physical: p.ID}); err != nil {
		return p, err
	}
	if err := enableAll(ctx, tx, p.ID); err != nil {
		return p, err
	}
	kinds := in.Traffic
	if kinds == nil {
		kinds = []string{TrafficGuest, TrafficPublic, TrafficManagement, TrafficStorage}
	}
	for _, kind := range kinds {
		t, _, err := newTraffic(ctx, tx, uid.New[uid.TrafficType](), AddTrafficIn{Physical: p.ID, Type: kind})
		if err != nil {
			return p, err
		}
		if err := enableTraffic(ctx, tx, t.ID); err != nil {
			return p, err
		}
	}
	return p, nil
}
