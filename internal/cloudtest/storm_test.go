package cloudtest_test

import (
	"context"
	"testing"

	"github.com/virga-cloud/virga/internal/auth"
	"github.com/virga-cloud/virga/internal/cloud"
	"github.com/virga-cloud/virga/internal/cloudtest"
	"github.com/virga-cloud/virga/internal/compute"
	"github.com/virga-cloud/virga/internal/db/dbtest"
	"github.com/virga-cloud/virga/internal/host"
	"github.com/virga-cloud/virga/internal/image"
	"github.com/virga-cloud/virga/internal/network"
	"github.com/virga-cloud/virga/internal/offering"
	"github.com/virga-cloud/virga/internal/op"
	"github.com/virga-cloud/virga/internal/op/optest"
	"github.com/virga-cloud/virga/internal/secgroup"
	"github.com/virga-cloud/virga/internal/volume"
	"github.com/virga-cloud/virga/internal/zone"
	"github.com/virga-cloud/virga/uid"
)

// stormy is a cloud whose server may crash: now is the one that lives.
type stormy struct {
	*cloudtest.Cloud
	now     *cloud.Cloud
	network uid.Network
	vm      uid.VM
	small   volume.CreateIn
	ctx     context.Context
}

func newStormy(t *testing.T, url string) *stormy {
	t.Helper()
	return stormyIn(t, url, cloudtest.Options{})
}

func stormyIn(t *testing.T, url string, o cloudtest.Options) *stormy {
	t.Helper()
	o.NoStart, o.Hosts = true, 2
	s := &stormy{Cloud: cloudtest.New(t, url, o)}
	s.ctx = auth.With(context.Background(), auth.System())
	s.now = s.Cloud.Cloud
	zone, _ := s.sandbox(t)
	nets, _, err := s.Offerings.Networks(s.ctx, offering.Filter{GuestType: offering.Isolated, Availability: offering.Required})
	must(t, err)
	n, err := s.Networks.Create(s.ctx, network.CreateIn{Name: "storm", Zone: zone, Offering: nets[0].ID})
	must(t, err)
	s.network, s.small = n.ID, s.volumeIn(t)
	return s
}

func (s *stormy) sandbox(t *testing.T) (uid.Zone, uid.ServiceOffering) {
	t.Helper()
	hosts, _, err := s.Hosts.List(s.ctx, host.Filter{})
	must(t, err)
	off, _, err := s.Offerings.Computes(s.ctx, offering.Filter{Name: "Small Instance"})
	must(t, err)
	return hosts[0].Zone, off[0].ID
}

func (s *stormy) deployIn(t *testing.T) compute.DeployIn {
	t.Helper()
	zone, off := s.sandbox(t)
	tpl, _, err := s.Images.Templates(s.ctx, image.Filter{Which: image.Featured})
	must(t, err)
	disks, _, err := s.Offerings.Disks(s.ctx, offering.Filter{Name: "Small"})
	must(t, err)
	return compute.DeployIn{
		Name: "storm", Zone: zone, Offering: off, Template: tpl[0].ID, DiskOffering: disks[0].ID,
		Networks: []compute.NetworkIn{{Network: s.network}},
	}
}

// have brings a machine into a state, calmly, before the storm.
func (s *stormy) have(t *testing.T, state compute.State) {
	t.Helper()
	stop, err := s.now.Engine.Start(s.ctx)
	must(t, err)
	defer stop()
	id, job, err := s.now.Machines.Deploy(s.ctx, s.deployIn(t))
	must(t, err)
	s.vm = id
	s.wait(t, job)
	switch state {
	case compute.Stopped:
		job, err = s.now.Machines.Stop(s.ctx, id, false)
	case compute.Destroyed:
		job, err = s.now.Machines.Destroy(s.ctx, id, false)
	default:
		return
	}
	must(t, err)
	s.wait(t, job)
}

func (s *stormy) wait(t *testing.T, job op.ID) {
	t.Helper()
	r, err := s.now.Engine.Wait(s.ctx, job)
	must(t, err)
	if r.State != op.Done {
		t.Fatalf("job %s ended %s: %v %s", r.Plan, r.State, r.Err(), r.FaultDetail)
	}
}

// world is what the storm runs in: a server that can be made again, and the operation.
func (s *stormy) world(start func(ctx context.Context, m *compute.Service) (op.ID, error), there, nothing func(t *testing.T, vm *compute.VM)) optest.World {
	look := func(t *testing.T, check func(*testing.T, *compute.VM)) {
		t.Helper()
		vms, err := compute.ByID(s.ctx, s.DB.Read(), []uid.VM{s.vm})
		must(t, err)
		vm, ok := vms[s.vm]
		if !ok {
			t.Fatalf("machine %s has no row", s.vm)
		}
		check(t, &vm)
	}
	return optest.World{
		DB:      s.DB,
		Engine:  func(o op.Options) *op.Engine { s.now = s.Another(s.DB, s.World, o); return s.now.Engine },
		Start:   func(ctx context.Context) (op.ID, error) { return start(auth.With(ctx, auth.System()), s.now.Machines) },
		There:   func(t *testing.T) { t.Helper(); look(t, there) },
		Nothing: func(t *testing.T) { t.Helper(); look(t, nothing) },
	}
}

func is(state compute.State, removed bool) func(t *testing.T, vm *compute.VM) {
	return func(t *testing.T, vm *compute.VM) {
		t.Helper()
		if vm.State != state || vm.Removed.IsZero() == removed {
			t.Errorf("the machine is %s, removed %v; want %s, removed %v", vm.State, !vm.Removed.IsZero(), state, removed)
		}
	}
}

func storm(t *testing.T, before compute.State, start func(s *stormy, t *testing.T) func(context.Context, *compute.Service) (op.ID, error),
	there, nothing func(*testing.T, *compute.VM)) {
	t.Helper()
	for name, url := range map[string]func(testing.TB) string{"sqlite": dbtest.SQLite, "postgres": dbtest.Unmade} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			optest.Storm(t, func(t *testing.T) optest.World {
				s := newStormy(t, url(t))
				if before != "" {
					s.have(t, before)
				}
				return s.world(start(s, t), there, nothing)
			})
		})
	}
}

func TestStormDeploy(t *testing.T) {
	t.Parallel()
	storm(t, "", func(s *stormy, t *testing.T) func(context.Context, *compute.Service) (op.ID, error) {
		in := s.deployIn(t)
		return func(ctx context.Context, m *compute.Service) (job op.ID, err error) {
			s.vm, job, err = m.Deploy(ctx, in)
			return job, err
		}
	}, is(compute.Running, false), is(compute.Failed, true))
}

// deployBasic is a machine in the basic zone.
func (s *stormy) deployBasic(t *testing.T) compute.DeployIn {
	t.Helper()
	in := s.deployIn(t)
	zones, _, err := s.Zones.Zones(s.ctx, zone.Filter{Name: cloud.BasicZone})
	must(t, err)
	in.Zone, in.Networks = zones[0].ID, nil
	tpl, _, err := s.Images.Templates(s.ctx, image.Filter{Which: image.Featured, Zone: in.Zone, Name: cloud.SandboxTemplate})
	must(t, err)
	in.Template = tpl[0].ID
	return in
}

// In a basic zone, what a machine has of its own is an address that belongs to a pod, and its place in security groups.
func TestStormDeployInBasicZone(t *testing.T) {
	t.Parallel()
	optest.Storm(t, func(t *testing.T) optest.World {
		s := stormyIn(t, dbtest.SQLite(t), cloudtest.Options{Basic: true})
		in := s.deployBasic(t)
		group, err := s.Groups.Create(s.ctx, secgroup.CreateIn{Name: "storm"})
		must(t, err)
		in.Groups.Names = []string{"storm", secgroup.Default}
		members := func(want int, then func(*testing.T, *compute.VM)) func(*testing.T, *compute.VM) {
			return func(t *testing.T, vm *compute.VM) {
				t.Helper()
				then(t, vm)
				in, err := secgroup.Members(s.ctx, s.DB.Read(), []uid.SecurityGroup{group})
				if must(t, err); len(in[group]) != want {
					t.Errorf("the group has %d machines, want %d", len(in[group]), want)
				}
			}
		}
		return s.world(func(ctx context.Context, m *compute.Service) (job op.ID, err error) {
			s.vm, job, err = m.Deploy(ctx, in)
			return job, err
		}, members(1, is(compute.Running, false)), members(0, is(compute.Failed, true)))
	})
}

func TestStormDeployInTwoNetworks(t *testing.T) {
	t.Parallel()
	storm(t, "", func(s *stormy, t *testing.T) func(context.Context, *compute.Service) (op.ID, error) {
		in := s.deployIn(t)
		nets, _, err := s.Offerings.Networks(s.ctx, offering.Filter{GuestType: offering.Isolated, Availability: offering.Required})
		must(t, err)
		second, err := s.Networks.Create(s.ctx, network.CreateIn{Name: "second", Zone: in.Zone, Offering: nets[0].ID})
		must(t, err)
		// The newer network first: not in the order of ids.
		in.Networks = append([]compute.NetworkIn{{Network: second.ID, IP: "10.1.1.77"}}, in.Networks...)
		return func(ctx context.Context, m *compute.Service) (job op.ID, err error) {
			s.vm, job, err = m.Deploy(ctx, in)
			return job, err
		}
	}, is(compute.Running, false), is(compute.Failed, true))
}

func TestStormStart(t *testing.T) {
	t.Parallel()
	storm(t, compute.Stopped, func(s *stormy, _ *testing.T) func(context.Context, *compute.Service) (op.ID, error) {
		return func(ctx context.Context, m *compute.Service) (op.ID, error) {
			return m.Start(ctx, compute.StartIn{ID: s.vm})
		}
	}, is(compute.Running, false), is(compute.Stopped, false))
}

func TestStormStop(t *testing.T) {
	t.Parallel()
	storm(t, compute.Running, func(s *stormy, _ *testing.T) func(context.Context, *compute.Service) (op.ID, error) {
		return func(ctx context.Context, m *compute.Service) (op.ID, error) { return m.Stop(ctx, s.vm, false) }
	}, is(compute.Stopped, false), is(compute.Running, false))
}

func TestStormStopForced(t *testing.T) {
	t.Parallel()
	storm(t, compute.Running, func(s *stormy, _ *testing.T) func(context.Context, *compute.Service) (op.ID, error) {
		return func(ctx context.Context, m *compute.Service) (op.ID, error) { return m.Stop(ctx, s.vm, true) }
	}, is(compute.Stopped, false), is(compute.Running, false))
}

// A forced reboot that fails leaves the machine as it was if it can't be stopped, and stopped if it can't be started again.
func TestStormRebootForced(t *testing.T) {
	t.Parallel()
	storm(t, compute.Running, func(s *stormy, _ *testing.T) func(context.Context, *compute.Service) (op.ID, error) {
		return func(ctx context.Context, m *compute.Service) (op.ID, error) { return m.Reboot(ctx, s.vm, true) }
	}, is(compute.Running, false), func(t *testing.T, vm *compute.VM) {
		t.Helper()
		if vm.State != compute.Running {
			is(compute.Stopped, false)(t, vm)
		}
	})
}

func TestStormReboot(t *testing.T) {
	t.Parallel()
	storm(t, compute.Running, func(s *stormy, _ *testing.T) func(context.Context, *compute.Service) (op.ID, error) {
		return func(ctx context.Context, m *compute.Service) (op.ID, error) { return m.Reboot(ctx, s.vm, false) }
	}, is(compute.Running, false), is(compute.Running, false))
}

func TestStormDestroy(t *testing.T) {
	t.Parallel()
	storm(t, compute.Running, func(s *stormy, _ *testing.T) func(context.Context, *compute.Service) (op.ID, error) {
		return func(ctx context.Context, m *compute.Service) (op.ID, error) { return m.Destroy(ctx, s.vm, false) }
	}, is(compute.Destroyed, false), is(compute.Running, false))
}

func TestStormWipe(t *testing.T) {
	t.Parallel()
	storm(t, compute.Running, func(s *stormy, _ *testing.T) func(context.Context, *compute.Service) (op.ID, error) {
		return func(ctx context.Context, m *compute.Service) (op.ID, error) { return m.Destroy(ctx, s.vm, true) }
	}, is(compute.Expunging, true), is(compute.Running, false))
}

func TestStormExpunge(t *testing.T) {
	t.Parallel()
	storm(t, compute.Destroyed, func(s *stormy, _ *testing.T) func(context.Context, *compute.Service) (op.ID, error) {
		return func(ctx context.Context, m *compute.Service) (op.ID, error) { return m.Expunge(ctx, s.vm) }
	}, is(compute.Expunging, true), is(compute.Destroyed, false))
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func TestStormPrepare(t *testing.T) {
	t.Parallel()
	storm(t, "", func(s *stormy, t *testing.T) func(context.Context, *compute.Service) (op.ID, error) {
		in := s.deployIn(t)
		in.Stopped = true
		return func(ctx context.Context, m *compute.Service) (job op.ID, err error) {
			s.vm, job, err = m.Deploy(ctx, in)
			return job, err
		}
	}, is(compute.Stopped, false), is(compute.Failed, true))
}

func TestStormNetworkDelete(t *testing.T) {
	t.Parallel()
	for name, url := range map[string]func(testing.TB) string{"sqlite": dbtest.SQLite, "postgres": dbtest.Unmade} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			optest.Storm(t, func(t *testing.T) optest.World {
				s := newStormy(t, url(t))
				look := func(there bool) func(t *testing.T) {
					return func(t *testing.T) {
						t.Helper()
						nets, err := network.ByID(s.ctx, s.DB.Read(), []uid.Network{s.network})
						must(t, err)
						if n := nets[s.network]; n.Removed.IsZero() != there || there && n.State != network.Allocated {
							t.Errorf("the network is %s, removed %v", n.State, n.Removed)
						}
					}
				}
				return optest.World{
					DB:     s.DB,
					Engine: func(o op.Options) *op.Engine { s.now = s.Another(s.DB, s.World, o); return s.now.Engine },
					Start: func(ctx context.Context) (op.ID, error) {
						return s.now.Networks.Delete(auth.With(ctx, auth.System()), s.network)
					},
					There:   look(false),
					Nothing: look(true),
				}
			})
		})
	}
}
