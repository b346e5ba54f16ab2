package cloudtest_test

import (
	"context"
	"testing"

	"github.com/virga-cloud/virga/internal/auth"
	"github.com/virga-cloud/virga/internal/db"
	"github.com/virga-cloud/virga/internal/db/dbtest"
	"github.com/virga-cloud/virga/internal/network"
	"github.com/virga-cloud/virga/internal/op"
	"github.com/virga-cloud/virga/internal/op/optest"
	"github.com/virga-cloud/virga/internal/physnet"
	"github.com/virga-cloud/virga/uid"
)

// plantStorm is an operation on the network plant: how it begins, and the query that counts what it is to have changed.
type plantStorm struct {
	start          func(ctx context.Context, s *stormy, p physnet.Network) (op.ID, error)
	before         string // a statement to run before the storm
	count          string
	there, nothing int
}

// stormPlant runs the storm of an operation on a physical network that was just wired.
func stormPlant(t *testing.T, o plantStorm) {
	t.Helper()
	for name, url := range map[string]func(testing.TB) string{"sqlite": dbtest.SQLite, "postgres": dbtest.Unmade} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			optest.Storm(t, func(t *testing.T) optest.World {
				s := newStormy(t, url(t))
				zone, _ := s.sandbox(t)
				p, err := s.Networks.Wire(s.ctx, network.WireIn{
					WireIn: physnet.WireIn{CreateIn: physnet.CreateIn{Zone: zone, Name: "storm", VLANs: "10-20"}, Traffic: []string{}},
				})
				must(t, err)
				if o.before != "" {
					must(t, s.DB.Write(s.ctx, func(ctx context.Context, tx db.Tx) error {
						_, err := tx.NewRaw(o.before).Exec(ctx)
						return err
					}))
				}
				look := func(want int) func(t *testing.T) {
					return func(t *testing.T) {
						t.Helper()
						var got int
						must(t, s.DB.Read().NewRaw(o.count, p.ID).Scan(s.ctx, &got))
						if got != want {
							t.Errorf("%d of %s, want %d", got, o.count, want)
						}
					}
				}
				return optest.World{
					DB:      s.DB,
					Engine:  func(e op.Options) *op.Engine { s.now = s.Another(s.DB, s.World, e); return s.now.Engine },
					Start:   func(ctx context.Context) (op.ID, error) { return o.start(auth.With(ctx, auth.System()), s, p) },
					There:   look(o.there),
					Nothing: look(o.nothing),
				}
			})
		})
	}
}

func TestStormPhysicalNetworkCreate(t *testing.T) {
	t.Parallel()
	stormPlant(t, plantStorm{
		start: func(ctx context.Context, s *stormy, p physnet.Network) (op.ID, error) {
			_, job, err := s.now.PhysNets.Create(ctx, physnet.CreateIn{Zone: p.Zone, Name: "second", VLANs: "30-40"})
			return job, err
		},
		count: `select count(*) from network_providers s join physical_networks p on p.id = s.physical_network_id where p.name = 'second' and p.id <> ?`,
		there: 5,
	})
}

func TestStormPhysicalNetworkUpdate(t *testing.T) {
	t.Parallel()
	stormPlant(t, plantStorm{
		start: func(ctx context.Context, s *stormy, p physnet.Network) (op.ID, error) {
			return s.now.PhysNets.Change(ctx, p.ID, physnet.ChangeIn{VLANs: new("10-12,30-34")})
		},
		count: "select sum(last - first + 1) from vlan_ranges where physical_network_id = ?", there: 8, nothing: 11,
	})
}

func TestStormPhysicalNetworkDelete(t *testing.T) {
	t.Parallel()
	stormPlant(t, plantStorm{
		start: func(ctx context.Context, s *stormy, p physnet.Network) (op.ID, error) {
			return s.now.PhysNets.Delete(ctx, p.ID)
		},
		count: "select count(*) from physical_networks where id = ? and removed is null", nothing: 1,
	})
}

func TestStormTrafficTypeAdd(t *testing.T) {
	t.Parallel()
	stormPlant(t, plantStorm{
		start: func(ctx context.Context, s *stormy, p physnet.Network) (op.ID, error) {
			_, job, err := s.now.PhysNets.AddTraffic(ctx, physnet.AddTrafficIn{Physical: p.ID, Type: "guest"})
			return job, err
		},
		count: "select count(*) from traffic_types where physical_network_id = ? and state = 'Enabled'", there: 1,
	})
}

func TestStormNetworkProviderAdd(t *testing.T) {
	t.Parallel()
	stormPlant(t, plantStorm{
		start: func(ctx context.Context, s *stormy, p physnet.Network) (op.ID, error) {
			_, job, err := s.now.PhysNets.AddProvider(ctx, physnet.AddProviderIn{Physical: p.ID, Name: "Netscaler"})
			return job, err
		},
		count: "select count(*) from network_providers where physical_network_id = ? and name = 'Netscaler'", there: 1,
	})
}

func TestStormNetworkProviderUpdate(t *testing.T) {
	t.Parallel()
	stormPlant(t, plantStorm{
		start: func(ctx context.Context, s *stormy, p physnet.Network) (op.ID, error) {
			return s.now.PhysNets.ChangeProvider(ctx, s.provider(ctx, p), "Disabled", nil)
		},
		count: "select count(*) from network_providers where physical_network_id = ? and state = 'Disabled'", there: 1,
	})
}

func TestStormRouterElementConfigure(t *testing.T) {
	t.Parallel()
	stormPlant(t, plantStorm{
		start: func(ctx context.Context, s *stormy, p physnet.Network) (op.ID, error) {
			found, _, err := s.now.PhysNets.Elements(ctx, physnet.ElementFilter{Provider: s.provider(ctx, p)})
			if err != nil {
				return "", err
			}
			return s.now.PhysNets.ConfigureElement(ctx, found[0].ID, true)
		},
		count: `select count(*) from router_elements e join network_providers s on s.id = e.provider_id
			where s.physical_network_id = ? and s.name = 'VirtualRouter' and e.enabled`, there: 1,
		before: "update router_elements set enabled = false",
	})
}

// provider is the physical network's virtual router.
func (s *stormy) provider(ctx context.Context, p physnet.Network) uid.NetworkProvider {
	found, _, err := s.now.PhysNets.Providers(ctx, physnet.ProviderFilter{Physical: p.ID, Name: "VirtualRouter"})
	if err != nil || len(found) != 1 {
		return ""
	}
	return found[0].ID
}
