package cloudtest_test

import (
	"context"
	"testing"

	"github.com/virga-cloud/virga/internal/auth"
	"github.com/virga-cloud/virga/internal/db/dbtest"
	"github.com/virga-cloud/virga/internal/host"
	"github.com/virga-cloud/virga/internal/op"
	"github.com/virga-cloud/virga/internal/op/optest"
	"github.com/virga-cloud/virga/internal/pool"
	"github.com/virga-cloud/virga/internal/zone"
	"github.com/virga-cloud/virga/uid"
)

// hostStorm is a storm round one host. prepare gives its id, if it is there already, and start begins the operation on it.
func hostStorm(t *testing.T, prepare func(t *testing.T, s *stormy) uid.Host,
	start func(ctx context.Context, s *stormy, id *uid.Host) (op.ID, error), there, nothing func(t *testing.T, s *stormy, h host.Host),
) {
	t.Helper()
	for name, url := range map[string]func(testing.TB) string{"sqlite": dbtest.SQLite, "postgres": dbtest.Unmade} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			optest.Storm(t, func(t *testing.T) optest.World {
				s := newStormy(t, url(t))
				id := prepare(t, s)
				look := func(want func(*testing.T, *stormy, host.Host)) func(t *testing.T) {
					return func(t *testing.T) {
						t.Helper()
						found, err := host.ByID(s.ctx, s.DB.Read(), []uid.Host{id})
						must(t, err)
						want(t, s, found[id])
					}
				}
				return optest.World{
					DB:      s.DB,
					Engine:  func(o op.Options) *op.Engine { s.now = s.Another(s.DB, s.World, o); return s.now.Engine },
					Start:   func(ctx context.Context) (op.ID, error) { return start(auth.With(ctx, auth.System()), s, &id) },
					There:   look(there),
					Nothing: look(nothing),
				}
			})
		})
	}
}

// first gives the first host of the sandbox, in a zone that has local storage from now on.
func first(t *testing.T, s *stormy) host.Host {
	t.Helper()
	hosts, _, err := s.Hosts.List(s.ctx, host.Filter{})
	must(t, err)
	must(t, s.Zones.UpdateZone(s.ctx, hosts[0].Zone, zone.ZoneChange{LocalStorage: new(true)}))
	return hosts[0]
}

func localPools(t *testing.T, s *stormy) int {
	t.Helper()
	_, n, err := s.Pools.List(s.ctx, pool.Filter{Scope: pool.HostOnly})
	must(t, err)
	return n
}

func TestStormHostAdd(t *testing.T) {
	t.Parallel()

	hostStorm(t, func(t *testing.T, s *stormy) uid.Host { first(t, s); return "" },
		func(ctx context.Context, s *stormy, id *uid.Host) (job op.ID, err error) {
			hosts, _, err := s.now.Hosts.List(ctx, host.Filter{})
			if err != nil {
				return "", err
			}
			*id, job, err = s.now.Hosts.BeginJoin(ctx, host.JoinIn{
				Zone: hosts[0].Zone, Pod: hosts[0].Pod, ClusterName: "fresh", Hypervisor: "simulator", URL: "http://sim/c9/h0", Tags: []string{"ssd"},
			})
			return job, err
		},
		func(t *testing.T, s *stormy, h host.Host) {
			t.Helper()
			if h.State != host.Up || h.ResourceState != host.Enabled || h.Name != "sim.c9.h0" || h.MemoryTotal == 0 || h.PodIP == 0 || localPools(t, s) != 1 {
				t.Errorf("it is %+v, with %d local pools", h, localPools(t, s))
			}
		},
		func(t *testing.T, s *stormy, h host.Host) {
			t.Helper()
			if _, n, err := s.Zones.Clusters(s.ctx, zone.Filter{Name: "fresh"}); err != nil || n != 0 || h.ID != "" || localPools(t, s) != 0 {
				t.Errorf("left are %+v, %d clusters and %d local pools, %v", h, n, localPools(t, s), err)
			}
		})
}

func TestStormHostDelete(t *testing.T) {
	t.Parallel()
	hostStorm(t, func(t *testing.T, s *stormy) uid.Host {
		h := first(t, s)
		stop, err := s.now.Engine.Start(s.ctx)
		must(t, err)
		defer stop()
		job, err := s.now.Hosts.Reconnect(s.ctx, h.ID) // which brings along its local storage
		must(t, err)
		s.wait(t, job)
		return h.ID
	}, func(ctx context.Context, s *stormy, id *uid.Host) (op.ID, error) {
		return s.now.Hosts.BeginDelete(ctx, *id, host.DeleteIn{Forced: true})
	}, func(t *testing.T, s *stormy, h host.Host) {
		t.Helper()
		if h.Removed.IsZero() || localPools(t, s) != 0 {
			t.Errorf("it is %+v, with %d local pools", h, localPools(t, s))
		}
	}, func(t *testing.T, _ *stormy, h host.Host) {
		t.Helper()
		t.Errorf("there is no way back, and yet it is %+v", h)
	})
}

func TestStormHostReconnect(t *testing.T) {
	t.Parallel()
	hostStorm(t, func(t *testing.T, s *stormy) uid.Host { return first(t, s).ID },
		func(ctx context.Context, s *stormy, id *uid.Host) (op.ID, error) {
			return s.now.Hosts.Reconnect(ctx, *id)
		},
		func(t *testing.T, s *stormy, h host.Host) {
			t.Helper()
			if h.State != host.Up || !h.Lost.IsZero() || localPools(t, s) != 1 {
				t.Errorf("it is %+v, with %d local pools", h, localPools(t, s))
			}
		},
		func(t *testing.T, s *stormy, h host.Host) {
			t.Helper()
			if h.State != host.Alert || h.Lost.IsZero() || localPools(t, s) != 0 {
				t.Errorf("it is %+v, with %d local pools", h, localPools(t, s))
			}
		})
}

func TestStormHostMaintain(t *testing.T) {
	t.Parallel()
	hostStorm(t, func(t *testing.T, s *stormy) uid.Host { return first(t, s).ID },
		func(ctx context.Context, s *stormy, id *uid.Host) (op.ID, error) {
			return s.now.Hosts.Maintain(ctx, *id)
		},
		inService(host.Maintenance), inService(host.Enabled))
}

func TestStormHostMaintainEnd(t *testing.T) {
	t.Parallel()
	hostStorm(t, func(t *testing.T, s *stormy) uid.Host {
		id := first(t, s).ID
		stop, err := s.now.Engine.Start(s.ctx)
		must(t, err)
		defer stop()
		job, err := s.now.Hosts.Maintain(s.ctx, id)
		must(t, err)
		s.wait(t, job)
		return id
	}, func(ctx context.Context, s *stormy, id *uid.Host) (op.ID, error) {
		return s.now.Hosts.EndMaintenance(ctx, *id)
	},
		inService(host.Enabled), inService(host.Maintenance))
}

func inService(want host.ResourceState) func(*testing.T, *stormy, host.Host) {
	return func(t *testing.T, _ *stormy, h host.Host) {
		t.Helper()
		if h.ResourceState != want || h.State != host.Up {
			t.Errorf("it is %s, %s; want %s", h.State, h.ResourceState, want)
		}
	}
}
