package cloudtest_test

import (
	"context"
	"testing"

	"github.com/virga-cloud/virga/internal/auth"
	"github.com/virga-cloud/virga/internal/cloud"
	"github.com/virga-cloud/virga/internal/cloudtest"
	"github.com/virga-cloud/virga/internal/compute"
	"github.com/virga-cloud/virga/internal/db/dbtest"
	"github.com/virga-cloud/virga/internal/image"
	"github.com/virga-cloud/virga/internal/network"
	"github.com/virga-cloud/virga/internal/offering"
	"github.com/virga-cloud/virga/internal/op"
	"github.com/virga-cloud/virga/internal/op/optest"
	"github.com/virga-cloud/virga/internal/zone"
	"github.com/virga-cloud/virga/uid"
)

// basic makes the storm's machine one of the basic zone, and its network the zone's.
func (s *stormy) basic(t *testing.T) compute.DeployIn {
	t.Helper()
	zones, _, err := s.Zones.Zones(s.ctx, zone.Filter{Name: cloud.BasicZone})
	must(t, err)
	nets, _, err := s.Networks.List(s.ctx, network.Filter{Scope: auth.Scope{All: true}, Zone: zones[0].ID})
	must(t, err)
	off, _, err := s.Offerings.Computes(s.ctx, offering.Filter{Name: "Small Instance"})
	must(t, err)
	tpl, _, err := s.Images.Templates(s.ctx, image.Filter{Which: image.Featured, Zone: zones[0].ID})
	must(t, err)
	s.network = nets[0].ID
	return compute.DeployIn{Name: "storm", Zone: zones[0].ID, Offering: off[0].ID, Template: tpl[0].ID}
}

// stormBasic runs the storm of an operation on a machine of a basic zone, or on the zone's network.
func stormBasic(t *testing.T, o routerStorm, prepare func(t *testing.T, s *stormy, deploy func() uid.VM)) {
	t.Helper()
	for name, url := range map[string]func(testing.TB) string{"sqlite": dbtest.SQLite, "postgres": dbtest.Unmade} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			optest.Storm(t, func(t *testing.T) optest.World {
				s := stormyIn(t, url(t), cloudtest.Options{Basic: true})
				in := s.basic(t)
				stop, err := s.now.Engine.Start(s.ctx)
				must(t, err)
				prepare(t, s, func() uid.VM {
					t.Helper()
					id, job, err := s.now.Machines.Deploy(s.ctx, in)
					must(t, err)
					s.wait(t, job)
					return id
				})
				stop()
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

// A machine that starts in a basic zone gets an address of its pod, and the pod its router.
func TestStormStartInBasicZone(t *testing.T) {
	t.Parallel()
	stormBasic(t, routerStorm{
		start: func(ctx context.Context, s *stormy) (op.ID, error) {
			return s.now.Machines.Start(ctx, compute.StartIn{ID: s.vm})
		},
		count: "select count(*) from nics c join vms v on v.id = c.vm_id where c.network_id = ? and v.state = 'Running'", there: 1, nothing: 0,
	}, func(t *testing.T, s *stormy, deploy func() uid.VM) {
		t.Helper()
		s.vm = deploy()
		for _, end := range []func() (op.ID, error){
			func() (op.ID, error) { return s.now.Machines.Stop(s.ctx, s.vm, true) },
			func() (op.ID, error) { return s.now.Routers.Destroy(s.ctx, s.router(s.ctx)) },
		} {
			job, err := end()
			must(t, err)
			s.wait(t, job)
		}
	})
}

func TestStormRestartOfBasicNetwork(t *testing.T) {
	t.Parallel()
	stormBasic(t, routerStorm{
		start: func(ctx context.Context, s *stormy) (op.ID, error) {
			return s.now.Routers.Restart(ctx, s.network, true)
		},
		count: routersRunning, there: 1, nothing: 1,
	}, func(t *testing.T, s *stormy, deploy func() uid.VM) { t.Helper(); s.vm = deploy() })
}

func TestStormDeleteOfBasicNetwork(t *testing.T) {
	t.Parallel()
	stormBasic(t, routerStorm{
		start: func(ctx context.Context, s *stormy) (op.ID, error) { return s.now.Networks.Delete(ctx, s.network) },
		count: routersRunning, there: 0, nothing: 1,
	}, func(t *testing.T, s *stormy, deploy func() uid.VM) {
		t.Helper()
		id := deploy()
		job, err := s.now.Machines.Destroy(s.ctx, id, true)
		must(t, err)
		s.wait(t, job)
	})
}
