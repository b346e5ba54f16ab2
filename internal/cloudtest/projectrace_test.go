package cloudtest_test

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/virga-cloud/virga/internal/account"
	"github.com/virga-cloud/virga/internal/auth"
	"github.com/virga-cloud/virga/internal/cloudtest"
	"github.com/virga-cloud/virga/internal/compute"
	"github.com/virga-cloud/virga/internal/fault"
	"github.com/virga-cloud/virga/internal/limit"
	"github.com/virga-cloud/virga/internal/offering"
	"github.com/virga-cloud/virga/internal/op"
	"github.com/virga-cloud/virga/internal/project"
	"github.com/virga-cloud/virga/internal/quota"
	"github.com/virga-cloud/virga/internal/secret"
	"github.com/virga-cloud/virga/internal/volume"
	"github.com/virga-cloud/virga/uid"
)

// crew is an account whose user makes projects.
type crew struct {
	*cloudtest.Cloud
	account uid.Account
	user    uid.User
	in      compute.DeployIn // a small machine
	disk    uid.DiskOffering
}

func newCrew(t *testing.T, c *cloudtest.Cloud) crew {
	t.Helper()
	a, u, err := c.Accounts.CreateAccount(auth.With(t.Context(), auth.System()), account.CreateAccountIn{Username: "crew", Password: secret.New("p")})
	must(t, err)
	system := auth.With(context.Background(), auth.System())
	disks, _, err := c.Offerings.Disks(system, offering.Filter{Name: "Small"})
	must(t, err)
	in := smallIn(t, c, system, "10.7.0.1", "255.255.252.0")
	in.Networks = nil
	return crew{c, a.ID, u.ID, in, disks[0].ID}
}

// ctx is the user with the projects that it reaches.
func (s crew) ctx(t *testing.T) context.Context {
	t.Helper()
	c, _, err := s.Accounts.ByUser(context.Background(), s.user)
	must(t, err)
	c, err = s.Projects.Reach(context.Background(), c, "deployVirtualMachine")
	must(t, err)
	return auth.With(context.Background(), c)
}

// A project is deleted while its members deploy into it: without cleanup one of both is refused, with it all goes that was made before.
// Nothing is left in either case, and everything is counted right, as at the end of each test.
func TestDeletingProjectWhileDeploying(t *testing.T) {
	t.Parallel()
	cloudtest.Each(t, cloudtest.Options{Hosts: 8}, func(t *testing.T, c *cloudtest.Cloud) {
		s, gone := newCrew(t, c), 0
		for n := range rounds / 2 {
			id, _, err := s.Projects.Create(s.ctx(t), project.CreateIn{Name: fmt.Sprint("p", n)})
			must(t, err)
			ctx, cleanup, owner := s.ctx(t), n%2 == 0, account.For{Project: id}
			var made atomic.Int64
			var all sync.WaitGroup
			gate := make(chan struct{})
			try := func(what string, do func() (op.ID, error)) {
				all.Go(func() {
					<-gate
					job, err := do()
					switch {
					case err == nil:
						made.Add(1)
						_, err = c.Engine.Wait(context.Background(), job)
					case fault.Is(err, fault.Conflict) || fault.Is(err, fault.Limit) || fault.Is(err, fault.NotFound):
						err = nil // the project was first
					}
					if err != nil {
						t.Errorf("%s: %v", what, err)
					}
				})
			}
			for range 3 {
				try("deploy", func() (op.ID, error) {
					in := s.in
					in.Owner = owner
					_, job, err := s.Machines.Deploy(ctx, in)
					return job, err
				})
			}
			try("volume", func() (op.ID, error) {
				_, job, err := s.Volumes.Create(ctx, volume.CreateIn{Name: "v", Zone: s.in.Zone, Offering: s.disk, Owner: owner})
				return job, err
			})
			var deleted op.Record
			all.Go(func() {
				<-gate
				job, err := s.Closing.DeleteProject(ctx, id, cleanup)
				if err == nil {
					deleted, err = c.Engine.Wait(context.Background(), job)
				} else if !cleanup && fault.Is(err, fault.Conflict) {
					return // something is in it
				}
				if err != nil {
					t.Errorf("delete: %v", err)
				}
			})
			close(gate)
			all.Wait()
			if deleted.ID == "" {
				if made.Load() == 0 {
					t.Errorf("round %d: the deletion was refused, and nothing was made either", n)
				}
				continue
			}
			gone++
			if deleted.State != op.Done || !goneAccount(t, c, account.OfProject(id)) || leftOf(t, c, account.OfProject(id)) != 0 {
				t.Errorf("round %d: %s: %v; %d things are left", n, deleted.State, deleted.Err(), leftOf(t, c, account.OfProject(id)))
			}
			if !cleanup && made.Load() > 0 {
				t.Errorf("round %d: it was empty, and %d things were made in it", n, made.Load())
			}
		}
		if gone < rounds/4 {
			t.Errorf("only %d projects were deleted", gone)
		}
	})
}

// A project's limit is exact, however many ask at the same time.
func TestProjectLimitInParallel(t *testing.T) {
	t.Parallel()
	cloudtest.Each(t, cloudtest.Options{}, func(t *testing.T, c *cloudtest.Cloud) {
		s := newCrew(t, c)
		id, _, err := s.Projects.Create(s.ctx(t), project.CreateIn{Name: "p"})
		must(t, err)
		ctx := s.ctx(t)
		_, err = quota.SetLimit(auth.With(t.Context(), auth.System()), c.DB, c.Accounts, quota.LimitIn{
			Of: account.For{Project: id}, Kind: limit.Volumes, Most: 13,
		})
		must(t, err)
		var made, refused atomic.Int64
		var all sync.WaitGroup
		for range 200 {
			all.Go(func() {
				_, _, err := s.Volumes.Create(ctx, volume.CreateIn{Name: "v", Zone: s.in.Zone, Offering: s.disk, Owner: account.For{Project: id}})
				switch {
				case err == nil:
					made.Add(1)
				case fault.Is(err, fault.Limit):
					refused.Add(1)
				default:
					t.Error(err)
				}
			})
		}
		all.Wait()
		if made.Load() != 13 || refused.Load() != 187 {
			t.Errorf("%d were made, %d refused", made.Load(), refused.Load())
		}
		counts, err := limit.OfAccounts(ctx, c.DB.Read(), account.OfProject(id), s.account)
		must(t, err)
		if n := counts[account.OfProject(id)][limit.Volumes].Used; n != 13 {
			t.Errorf("%d are counted for the project", n)
		}
		if n := counts[s.account][limit.Volumes].Used; n != 0 {
			t.Errorf("%d are counted for who administers it", n)
		}
		waitForJobs(t, c)
	})
}
