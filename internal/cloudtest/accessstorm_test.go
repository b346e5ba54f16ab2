package cloudtest_test

import (
	"context"
	"testing"

	"github.com/virga-cloud/virga/internal/compute"
	"github.com/virga-cloud/virga/internal/credential"
	"github.com/virga-cloud/virga/internal/db"
	"github.com/virga-cloud/virga/internal/db/dbtest"
	"github.com/virga-cloud/virga/internal/keypair"
	"github.com/virga-cloud/virga/internal/op"
	"github.com/virga-cloud/virga/internal/op/optest"
	"github.com/virga-cloud/virga/internal/secret"
	"github.com/virga-cloud/virga/internal/volume"
	"github.com/virga-cloud/virga/uid"
)

// stormOn weathers every accident, on both databases, with a machine in a state. tell gives what begins the operation, and what is to be
// so afterwards.
func stormOn(t *testing.T, prepare func(*testing.T, *stormy), tell func(*testing.T, *stormy) (
	start func(context.Context, *compute.Service) (op.ID, error), there, nothing func(*testing.T, *compute.VM),
)) {
	t.Helper()
	for name, url := range map[string]func(testing.TB) string{"sqlite": dbtest.SQLite, "postgres": dbtest.Unmade} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			optest.Storm(t, func(t *testing.T) optest.World {
				s := newStormy(t, url(t))
				prepare(t, s)
				return s.world(tell(t, s))
			})
		})
	}
}

// takesPasswords brings a stopped machine about whose template takes passwords.
func takesPasswords(t *testing.T, s *stormy) {
	t.Helper()
	must(t, s.DB.Write(s.ctx, func(ctx context.Context, tx db.Tx) error {
		_, err := tx.ExecContext(ctx, "update templates set password_enabled = true")
		return err
	}))
	s.have(t, compute.Stopped)
}

// vmNow is the machine's row.
func (s *stormy) vmNow(t *testing.T) compute.VM {
	t.Helper()
	vms, err := compute.ByID(s.ctx, s.DB.Read(), []uid.VM{s.vm})
	must(t, err)
	return vms[s.vm]
}

func TestStormResetPassword(t *testing.T) {
	t.Parallel()
	stormOn(t, takesPasswords, func(t *testing.T, s *stormy) (func(context.Context, *compute.Service) (op.ID, error), func(*testing.T, *compute.VM), func(*testing.T, *compute.VM)) {
		before := s.vmNow(t)
		return func(ctx context.Context, _ *compute.Service) (op.ID, error) {
				return s.now.Access.ResetPassword(ctx, s.vm, secret.New("a new password"))
			}, func(t *testing.T, vm *compute.VM) {
				t.Helper()
				is(compute.Stopped, false)(t, vm)
				if got := s.Reveal(t, vm.Password, "vms.password/"+string(vm.ID)); got != "a new password" {
					t.Errorf("the password is %q", got)
				}
			}, func(t *testing.T, vm *compute.VM) {
				t.Helper()
				is(compute.Stopped, false)(t, vm)
				if vm.Password != before.Password || vm.PasswordUser != before.PasswordUser {
					t.Error("the password is not what it was")
				}
			}
	})
}

func TestStormResetKeys(t *testing.T) {
	t.Parallel()
	stormOn(t, func(t *testing.T, s *stormy) { t.Helper(); s.have(t, compute.Stopped) },
		func(t *testing.T, s *stormy) (func(context.Context, *compute.Service) (op.ID, error), func(*testing.T, *compute.VM), func(*testing.T, *compute.VM)) {
			_, err := s.KeyPairs.Register(s.ctx, keypair.In{Name: "other"}, publicKey)
			must(t, err)
			keys := func(want string) func(*testing.T, *compute.VM) {
				return func(t *testing.T, vm *compute.VM) {
					t.Helper()
					is(compute.Stopped, false)(t, vm)
					if vm.KeyPairs != want || (vm.SSHKeys == publicKey) != (want != "") {
						t.Errorf("the machine has the pairs %q, the keys %q; want %q", vm.KeyPairs, vm.SSHKeys, want)
					}
				}
			}
			return func(ctx context.Context, _ *compute.Service) (op.ID, error) {
				return s.now.Access.ResetKeys(ctx, s.vm, credential.KeysIn{Names: []string{"other"}})
			}, keys("other"), keys("")
		})
}

// A machine is moved, or stays where it is: it runs in one place, and has room in one place.
func TestStormMigrate(t *testing.T) {
	t.Parallel()
	stormMigrate(t, func(t *testing.T, s *stormy) { t.Helper(); s.have(t, compute.Running) }, 0)
}

// So is one whose root disk is on its host's own storage, and is copied; its data disk stays where it is.
func TestStormMigrateCopy(t *testing.T) {
	t.Parallel()
	stormMigrate(t, func(t *testing.T, s *stormy) {
		t.Helper()
		s.local(t)
		s.have(t, compute.Running)
	}, 1)
}

// local gives each host storage of its own, for the root disks of small instances.
func (s *stormy) local(t *testing.T) {
	t.Helper()
	must(t, s.DB.Write(s.ctx, func(ctx context.Context, tx db.Tx) error {
		_, err := tx.ExecContext(ctx, "update service_offerings set storage_type = 'local' where name = 'Small Instance'")
		if err != nil {
			return err
		}
		_, err = tx.ExecContext(ctx, `insert into storage_pools (id, zone_id, pod_id, cluster_id, host_id, name, url, type, scope, state, bytes_total,
			tags, created) select '00000000-0000-7000-8000-00000000000' || substr(h.name, length(h.name), 1), h.zone_id, h.pod_id, h.cluster_id, h.id,
			'local ' || h.name, 'file:///local', 'Filesystem', 'HOST', 'Up', 1099511627776, '', h.created from hosts h`)
		return err
	}))
}

// stormMigrate moves a machine, with as many disks as are copied.
func stormMigrate(t *testing.T, prepare func(*testing.T, *stormy), copies int) {
	t.Helper()
	stormOn(t, prepare,
		func(t *testing.T, s *stormy) (func(context.Context, *compute.Service) (op.ID, error), func(*testing.T, *compute.VM), func(*testing.T, *compute.VM)) {
			before, disks := s.vmNow(t).Host, s.pools(t)
			on := func(moved bool) func(*testing.T, *compute.VM) {
				return func(t *testing.T, vm *compute.VM) {
					t.Helper()
					is(compute.Running, false)(t, vm)
					if (vm.Host != before) != moved {
						t.Errorf("the machine is on %s, was on %s; want it moved: %v", vm.Host, before, moved)
					}
					guests, err := s.World.Guests(s.ctx, before)
					if must(t, err); (len(guests) == 0) != moved {
						t.Errorf("on the old host there is %v", guests)
					}
					want := 0
					if moved {
						want = copies
					}
					n := 0
					for id, in := range s.pools(t) {
						if in != disks[id] {
							n++
						}
					}
					if n != want {
						t.Errorf("%d disks are in other pools, want %d", n, want)
					}
				}
			}
			return func(ctx context.Context, m *compute.Service) (op.ID, error) { return m.Migrate(ctx, s.vm, "") }, on(true), on(false)
		})
}

// pools tells where the machine's disks are.
func (s *stormy) pools(t *testing.T) map[uid.Volume]uid.Pool {
	t.Helper()
	of, err := volume.Of(s.ctx, s.DB.Read(), []uid.VM{s.vm})
	must(t, err)
	in := map[uid.Volume]uid.Pool{}
	for _, v := range of[s.vm] {
		in[v.ID] = v.Pool
	}
	return in
}
