package cloudtest_test

import (
	"context"
	"testing"

	"github.com/virga-cloud/virga/internal/address"
	"github.com/virga-cloud/virga/internal/auth"
	"github.com/virga-cloud/virga/internal/compute"
	"github.com/virga-cloud/virga/internal/db/dbtest"
	"github.com/virga-cloud/virga/internal/network"
	"github.com/virga-cloud/virga/internal/op"
	"github.com/virga-cloud/virga/internal/op/optest"
	"github.com/virga-cloud/virga/internal/router"
	"github.com/virga-cloud/virga/uid"
)

// routerStorm is an operation on a network in which a machine runs: how it is prepared and begins, and what of it is counted.
type routerStorm struct {
	before         func(t *testing.T, s *stormy)
	start          func(ctx context.Context, s *stormy) (op.ID, error)
	count          string // over the network's ID
	there, nothing int
}

// stormRouter runs the storm of an operation on a network or its router.
func stormRouter(t *testing.T, o routerStorm) {
	t.Helper()
	for name, url := range map[string]func(testing.TB) string{"sqlite": dbtest.SQLite, "postgres": dbtest.Unmade} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			optest.Storm(t, func(t *testing.T) optest.World {
				s := newStormy(t, url(t))
				s.have(t, compute.Running)
				if o.before != nil {
					stop, err := s.now.Engine.Start(s.ctx)
					must(t, err)
					o.before(t, s)
					stop()
				}
				look := func(want int) func(t *testing.T) {
					return func(t *testing.T) {
						t.Helper()
						var got int
						must(t, s.DB.Read().NewRaw(o.count, s.network).Scan(s.ctx, &got))
						if got != want {
							t.Errorf("%d of %s, want %d", got, o.count, want)
						}
					}
				}
				return optest.World{
					DB:      s.DB,
					Engine:  func(e op.Options) *op.Engine { s.now = s.Another(s.DB, s.World, e); return s.now.Engine },
					Start:   func(ctx context.Context) (op.ID, error) { return o.start(auth.With(ctx, auth.System()), s) },
					There:   look(o.there),
					Nothing: look(o.nothing),
				}
			})
		})
	}
}

// router is the network's router.
func (s *stormy) router(ctx context.Context) uid.Router {
	found, _, err := s.now.Routers.List(ctx, router.Filter{Scope: auth.Scope{All: true}, Network: s.network})
	if err != nil || len(found) != 1 {
		return ""
	}
	return found[0].ID
}

// more gives the network one more public address, calmly.
func (s *stormy) more(t *testing.T) uid.PublicIP {
	t.Helper()
	id, job, err := s.now.Addresses.Associate(s.ctx, address.In{Served: network.Served{Network: s.network}})
	must(t, err)
	s.wait(t, job)
	return id
}

func TestStormAddressAssociate(t *testing.T) {
	t.Parallel()
	stormRouter(t, routerStorm{
		start: func(ctx context.Context, s *stormy) (op.ID, error) {
			_, job, err := s.now.Addresses.Associate(ctx, address.In{Served: network.Served{Network: s.network}})
			return job, err
		},
		count: "select count(*) from public_ips where network_id = ?", there: 2, nothing: 1,
	})
}

func TestStormAddressRelease(t *testing.T) {
	t.Parallel()
	stormRouter(t, routerStorm{
		before: func(t *testing.T, s *stormy) { t.Helper(); s.more(t) },
		start: func(ctx context.Context, s *stormy) (op.ID, error) {
			var id uid.PublicIP
			if err := s.DB.Read().NewRaw("select id from public_ips where network_id = ? and not source_nat", s.network).Scan(ctx, &id); err != nil {
				return "", err
			}
			return s.now.Addresses.Release(ctx, id, "", "")
		},
		count: "select count(*) from public_ips where network_id = ? and state = 'Allocated'", there: 1, nothing: 2,
	})
}

const routersRunning = "select count(*) from routers where network_id = ? and removed is null and state in ('Starting', 'Running')"

func TestStormRouterStart(t *testing.T) {
	t.Parallel()
	stormRouter(t, routerStorm{
		before: func(t *testing.T, s *stormy) {
			t.Helper()
			job, err := s.now.Routers.PowerOff(s.ctx, s.router(s.ctx))
			must(t, err)
			s.wait(t, job)
		},
		start: func(ctx context.Context, s *stormy) (op.ID, error) { return s.now.Routers.PowerOn(ctx, s.router(ctx)) },
		count: routersRunning, there: 1, nothing: 0,
	})
}

func TestStormRouterStop(t *testing.T) {
	t.Parallel()
	stormRouter(t, routerStorm{
		start: func(ctx context.Context, s *stormy) (op.ID, error) { return s.now.Routers.PowerOff(ctx, s.router(ctx)) },
		count: routersRunning, there: 0, nothing: 1,
	})
}

func TestStormRouterReboot(t *testing.T) {
	t.Parallel()
	stormRouter(t, routerStorm{
		start: func(ctx context.Context, s *stormy) (op.ID, error) { return s.now.Routers.Reboot(ctx, s.router(ctx)) },
		count: routersRunning, there: 1, nothing: 1,
	})
}

func TestStormRouterDestroy(t *testing.T) {
	t.Parallel()
	stormRouter(t, routerStorm{
		start: func(ctx context.Context, s *stormy) (op.ID, error) { return s.now.Routers.Destroy(ctx, s.router(ctx)) },
		count: "select count(*) from routers where network_id = ? and removed is null", there: 0, nothing: 1,
	})
}

func TestStormRouterRetire(t *testing.T) {
	t.Parallel()
	stormRouter(t, routerStorm{
		before: func(t *testing.T, s *stormy) {
			t.Helper()
			job, err := s.now.Machines.Stop(s.ctx, s.vm, true)
			must(t, err)
			s.wait(t, job)
		},
		start: func(ctx context.Context, s *stormy) (op.ID, error) {
			return s.now.Routers.RetireOne(ctx, s.router(ctx))
		},
		count: "select count(*) from routers where network_id = ? and removed is null", there: 0, nothing: 1,
	})
}

func TestStormNetworkRestart(t *testing.T) {
	t.Parallel()
	stormRouter(t, routerStorm{
		start: func(ctx context.Context, s *stormy) (op.ID, error) {
			return s.now.Routers.Restart(ctx, s.network, true)
		},
		count: routersRunning, there: 1, nothing: 1,
	})
}
