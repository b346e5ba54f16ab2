package cloudtest_test

import (
	"context"
	"strings"
	"testing"

	"github.com/virga-cloud/virga/internal/account"
	"github.com/virga-cloud/virga/internal/auth"
	"github.com/virga-cloud/virga/internal/closing"
	"github.com/virga-cloud/virga/internal/cloudtest"
	"github.com/virga-cloud/virga/internal/compute"
	"github.com/virga-cloud/virga/internal/db/dbtest"
	"github.com/virga-cloud/virga/internal/keypair"
	"github.com/virga-cloud/virga/internal/op"
	"github.com/virga-cloud/virga/internal/op/optest"
	"github.com/virga-cloud/virga/internal/project"
	"github.com/virga-cloud/virga/internal/secret"
	"github.com/virga-cloud/virga/internal/volume"
	"github.com/virga-cloud/virga/uid"
)

// tenant is somebody in the storm, in a domain of its own, who runs a machine with a data disk and has a volume and a key pair,
// unless it is poor.
type tenant struct {
	domain  uid.Domain
	account uid.Account
	user    uid.User
	vm      uid.VM
	zone    uid.Zone
}

func (s *stormy) tenant(t *testing.T, poor bool) (who tenant) {
	t.Helper()
	d, err := s.Accounts.CreateDomain(s.ctx, account.CreateDomainIn{Name: "tenants"})
	must(t, err)
	a, u, err := s.Accounts.CreateAccount(s.ctx, account.CreateAccountIn{Domain: d.ID, Username: "tenant", Password: secret.New("p")})
	must(t, err)
	who = tenant{domain: d.ID, account: a.ID, user: u.ID, zone: s.small.Zone}
	if poor {
		return who
	}
	return s.furnish(t, who, "")
}

// furnish gives the tenant, or a project of its, what it owns; of a project it gives the account.
func (s *stormy) furnish(t *testing.T, who tenant, name string) tenant {
	t.Helper()
	stop, err := s.now.Engine.Start(s.ctx)
	must(t, err)
	defer stop()
	ctx := s.as(t, who.user)
	var owner account.For
	if name != "" {
		id, job, err := s.now.Projects.Create(ctx, project.CreateIn{Name: name})
		must(t, err)
		s.wait(t, job)
		ctx, owner.Project, who.account = s.as(t, who.user), id, account.OfProject(id)
	}
	in := s.deployIn(t)
	in.Networks, in.Owner = nil, owner
	id, job, err := s.now.Machines.Deploy(ctx, in)
	must(t, err)
	s.wait(t, job)
	_, job, err = s.now.Volumes.Create(ctx, volume.CreateIn{Name: "v", Zone: s.small.Zone, Offering: s.small.Offering, Owner: owner})
	must(t, err)
	s.wait(t, job)
	_, _, err = s.KeyPairs.Create(ctx, keypair.In{Name: "k", Owner: owner})
	must(t, err)
	who.vm = id
	return who
}

// as is a user with the projects that it reaches.
func (s *stormy) as(t *testing.T, id uid.User) context.Context {
	t.Helper()
	c, _, err := s.Accounts.ByUser(s.ctx, id)
	must(t, err)
	c, err = s.Projects.Reach(s.ctx, c, "deployVirtualMachine")
	must(t, err)
	return auth.With(context.Background(), c)
}

// closingStorm is a storm round one plan that is about a tenant. Only that plan meets accidents: those that it begins have their own.
func closingStorm(t *testing.T, plan string, start func(ctx context.Context, c *closing.Service, who tenant) (op.ID, error),
	there, nothing func(t *testing.T, s *stormy, who tenant),
) {
	t.Helper()
	for name, url := range map[string]func(testing.TB) string{"sqlite": dbtest.SQLite, "postgres": dbtest.Unmade} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			optest.Storm(t, func(t *testing.T) optest.World {
				s := newStormy(t, url(t))
				who := s.tenant(t, plan == "user.disable" || plan == "keys.delete" || plan == "account.zone" || strings.HasPrefix(plan, "project."))
				if strings.HasPrefix(plan, "project.") {
					who = s.furnish(t, who, "storm")
				}
				look := func(want func(*testing.T, *stormy, tenant)) func(t *testing.T) {
					return func(t *testing.T) {
						t.Helper()
						want(t, s, who)
					}
				}
				return optest.World{
					DB: s.DB,
					Engine: func(o op.Options) *op.Engine {
						accident := o.Fault
						o.Fault = func(p op.Point) error {
							if p.Plan != plan {
								return nil
							}
							return accident(p)
						}
						s.now = s.Another(s.DB, s.World, o)
						return s.now.Engine
					},
					Start: func(ctx context.Context) (op.ID, error) {
						return start(auth.With(ctx, auth.System()), s.now.Closing, who)
					},
					There: look(there), Nothing: look(nothing),
				}
			})
		})
	}
}

// isGone looks whether nothing is left of the tenant.
func isGone(t *testing.T, s *stormy, who tenant) {
	t.Helper()
	if n := leftOf(t, s.Cloud, who.account); n != 0 || !goneAccount(t, s.Cloud, who.account) {
		t.Errorf("%d things are left of the account", n)
	}
}

// isFinished looks whether the tenant is closed and, once the keeper has gone on, gone.
func isFinished(t *testing.T, s *stormy, who tenant) {
	t.Helper()
	accounts, domains, err := account.Closing(s.ctx, s.DB.Read())
	must(t, err)
	if len(accounts)+len(domains) == 0 {
		t.Error("nothing is left for the keeper, and yet the deletion failed")
	}
	s.now = s.Another(s.DB, s.World, op.Options{})
	stop, err := s.now.Engine.Start(s.ctx)
	must(t, err)
	defer stop()
	must(t, s.now.Closing.GoOn(s.ctx))
	for {
		open, _, err := op.List(s.ctx, s.DB.Read(), op.Filter{Scope: auth.Scope{All: true}, OnlyOpen: true})
		must(t, err)
		if len(open) == 0 {
			break
		}
		_, err = s.now.Engine.Wait(s.ctx, open[0].ID)
		must(t, err)
	}
	isGone(t, s, who)
	for _, err := range cloudtest.Check(s.ctx, s.DB, s.World) {
		t.Errorf("not whole after the keeper: %v", err)
	}
}

func TestStormDeleteAccount(t *testing.T) {
	t.Parallel()
	closingStorm(t, "account.close", func(ctx context.Context, c *closing.Service, who tenant) (op.ID, error) {
		return c.DeleteAccount(ctx, who.account)
	}, isGone, isFinished)
}

func TestStormDeleteDomain(t *testing.T) {
	t.Parallel()
	closingStorm(t, "domain.close", func(ctx context.Context, c *closing.Service, who tenant) (op.ID, error) {
		return c.DeleteDomain(ctx, who.domain, true)
	}, isGone, isFinished)
}

// isShut looks whether the account is disabled: it is, whatever became of its machines.
func isShut(machine func(compute.State) bool) func(t *testing.T, s *stormy, who tenant) {
	return func(t *testing.T, s *stormy, who tenant) {
		t.Helper()
		a, _, err := account.Of(s.ctx, s.DB.Read(), who.account)
		must(t, err)
		vms, err := compute.ByID(s.ctx, s.DB.Read(), []uid.VM{who.vm})
		must(t, err)
		if a.State != account.Disabled || !machine(vms[who.vm].State) {
			t.Errorf("the account is %s, its machine %s", a.State, vms[who.vm].State)
		}
	}
}

func TestStormDisableAccount(t *testing.T) {
	t.Parallel()
	closingStorm(t, "account.disable", func(ctx context.Context, c *closing.Service, who tenant) (op.ID, error) {
		return c.Disable(ctx, account.Named{ID: who.account}, false)
	}, isShut(func(s compute.State) bool { return s == compute.Stopped }), isShut(func(compute.State) bool { return true }))
}

func TestStormDisableUser(t *testing.T) {
	t.Parallel()
	shut := func(t *testing.T, s *stormy, who tenant) {
		t.Helper()
		found, err := account.UsersByID(s.ctx, s.DB.Read(), []uid.User{who.user})
		must(t, err)
		if found[who.user].State != account.Disabled {
			t.Errorf("the user is %s", found[who.user].State)
		}
	}
	closingStorm(t, "user.disable", func(ctx context.Context, c *closing.Service, who tenant) (op.ID, error) {
		return c.DisableUser(ctx, who.user)
	}, shut, shut)
}

func TestStormDeleteKeys(t *testing.T) {
	t.Parallel()
	pairs := func(t *testing.T, s *stormy, who tenant) int {
		t.Helper()
		_, n, err := s.now.Accounts.KeyPairs(s.ctx, account.PairFilter{Scope: auth.Scope{All: true}, User: who.user, Keyword: "storm"})
		must(t, err)
		return n
	}
	closingStorm(t, "keys.delete", func(ctx context.Context, c *closing.Service, who tenant) (op.ID, error) {
		p, err := c.Accounts.AddKeys(ctx, account.KeysIn{User: who.user, Name: "storm"})
		if err != nil {
			return "", err
		}
		return c.DeleteKeys(ctx, p.ID)
	}, func(t *testing.T, s *stormy, who tenant) {
		if n := pairs(t, s, who); n != 0 {
			t.Errorf("the user has %d pairs of keys that were deleted", n)
		}
	}, func(t *testing.T, s *stormy, who tenant) {
		if n := pairs(t, s, who); n != 1 {
			t.Errorf("the user has %d pairs of keys", n)
		}
	})
}

func TestStormMarkDefaultZone(t *testing.T) {
	t.Parallel()
	marked := func(want bool) func(t *testing.T, s *stormy, who tenant) {
		return func(t *testing.T, s *stormy, who tenant) {
			t.Helper()
			a, _, err := account.Of(s.ctx, s.DB.Read(), who.account)
			must(t, err)
			if (a.DefaultZone != "") != want {
				t.Errorf("its zone is %q", a.DefaultZone)
			}
		}
	}
	closingStorm(t, "account.zone", func(ctx context.Context, c *closing.Service, who tenant) (op.ID, error) {
		return c.MarkZone(ctx, account.Named{ID: who.account}, who.zone)
	}, marked(true), marked(false))
}

func TestStormDeleteProject(t *testing.T) {
	t.Parallel()
	closingStorm(t, "project.close", func(ctx context.Context, c *closing.Service, who tenant) (op.ID, error) {
		return c.DeleteProject(ctx, uid.Project(who.account), true)
	}, isGone, isFinished)
}

func TestStormSuspendProject(t *testing.T) {
	t.Parallel()
	closingStorm(t, "project.suspend", func(ctx context.Context, c *closing.Service, who tenant) (op.ID, error) {
		return c.SuspendProject(ctx, uid.Project(who.account))
	}, isShut(func(s compute.State) bool { return s == compute.Stopped }), isShut(func(compute.State) bool { return true }))
}

func TestStormChangeProject(t *testing.T) {
	t.Parallel()
	named := func(want string) func(t *testing.T, s *stormy, who tenant) {
		return func(t *testing.T, s *stormy, who tenant) {
			t.Helper()
			if a, _, err := account.Of(s.ctx, s.DB.Read(), who.account); err != nil || a.Name != want {
				t.Errorf("the project is called %q, %v", a.Name, err)
			}
		}
	}
	closingStorm(t, "project.change", func(ctx context.Context, c *closing.Service, who tenant) (op.ID, error) {
		return c.Projects.Update(ctx, uid.Project(who.account), project.UpdateIn{Name: "calm"})
	}, named("calm"), named("storm"))
}
