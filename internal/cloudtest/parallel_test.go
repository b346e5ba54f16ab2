package cloudtest_test

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/virga-cloud/virga/internal/auth"
	"github.com/virga-cloud/virga/internal/cloudtest"
	"github.com/virga-cloud/virga/internal/compute"
	"github.com/virga-cloud/virga/internal/db"
	"github.com/virga-cloud/virga/internal/fault"
	"github.com/virga-cloud/virga/internal/host"
	"github.com/virga-cloud/virga/internal/image"
	"github.com/virga-cloud/virga/internal/network"
	"github.com/virga-cloud/virga/internal/offering"
	"github.com/virga-cloud/virga/internal/op"
	"github.com/virga-cloud/virga/uid"
)

// A thousand deployments at the same time get a thousand different addresses, take no more than the hosts have, and exceed
// the account's limit by none. (Doubles are refused by constraints; that the sums are right is what Check looks at.)
func TestThousandDeployments(t *testing.T) {
	t.Parallel()
	const deployments, limit = 1000, 600
	cloudtest.Each(t, cloudtest.Options{Hosts: 30}, func(t *testing.T, c *cloudtest.Cloud) {
		_, acct := c.Tenant(t, "busy", "busy", auth.User)
		setLimits(t, c.DB, acct.ID, limit)
		caller := auth.Caller{User: auth.System().User, Account: acct.ID, Domain: acct.Domain, DomainPath: acct.DomainPath, Type: auth.User}
		ctx := auth.With(context.Background(), caller)
		in := smallIn(t, c, ctx, "10.9.0.1", "255.255.252.0")
		var accepted, refused atomic.Int64
		var mu sync.Mutex
		var jobs []op.ID
		var all sync.WaitGroup
		for range deployments {
			all.Go(func() {
				_, job, err := c.Machines.Deploy(ctx, in)
				switch {
				case err == nil:
					accepted.Add(1)
					mu.Lock()
					jobs = append(jobs, job)
					mu.Unlock()
				case fault.Is(err, fault.Limit):
					refused.Add(1)
				default:
					t.Error(err)
				}
			})
		}
		all.Wait()
		running, full := 0, 0
		for _, job := range jobs {
			r, err := c.Engine.Wait(ctx, job)
			switch {
			case err != nil:
				t.Fatal(err)
			case r.State == op.Done:
				running++
			case fault.Is(r.Err(), fault.Full):
				full++
			default:
				t.Errorf("job %s: %v %s", job, r.Err(), r.FaultDetail)
			}
		}
		// A deployment that found no room gives its share of the limit back, so more than the limit may be accepted in all.
		if got := int(accepted.Load()); got < limit || got-full > limit || running > limit {
			t.Errorf("%d accepted, %d of them found no room, %d run; the limit is %d", got, full, running, limit)
		}
		if accepted.Load()+refused.Load() != deployments {
			t.Errorf("%d accepted and %d refused of %d", accepted.Load(), refused.Load(), deployments)
		}
		t.Logf("%d run, %d found no room, %d were over the limit", running, full, refused.Load())
	})
}

func setLimits(t *testing.T, d *db.DB, account uid.Account, vms int) {
	t.Helper()
	must(t, d.Write(context.Background(), func(ctx context.Context, tx db.Tx) error {
		_, err := tx.NewRaw("update resource_counts set vm_max = ?, cpu_max = -1, memory_mb_max = -1, volume_max = -1, primary_gb_max = -1 where account_id = ?",
			vms, account).Exec(ctx)
		if err == nil {
			_, err = tx.NewRaw("update domain_counts set vm_max = -1, cpu_max = -1, memory_mb_max = -1, volume_max = -1, primary_gb_max = -1").Exec(ctx)
		}
		return err
	}))
}

// smallIn is a small machine in a new network of the caller's.
func smallIn(t testing.TB, c *cloudtest.Cloud, ctx context.Context, gateway, netmask string) compute.DeployIn {
	t.Helper()
	hosts, _, err := c.Hosts.List(ctx, host.Filter{Limit: 1})
	must(t, err)
	off, _, err := c.Offerings.Computes(ctx, offering.Filter{Name: "Small Instance"})
	must(t, err)
	tpl, _, err := c.Images.Templates(ctx, image.Filter{Which: image.Featured})
	must(t, err)
	nets, _, err := c.Offerings.Networks(ctx, offering.Filter{Availability: offering.Required})
	must(t, err)
	n, err := c.Networks.Create(ctx, network.CreateIn{
		Name: "net", Zone: hosts[0].Zone, Offering: nets[0].ID, Gateway: gateway, Netmask: netmask,
	})
	must(t, err)
	return compute.DeployIn{Zone: hosts[0].Zone, Offering: off[0].ID, Template: tpl[0].ID, Networks: []compute.NetworkIn{{Network: n.ID}}}
}

// A first deployment without a network makes the account's own; many first ones at once make one.
func TestFirstDeploymentsShareOneNetwork(t *testing.T) {
	t.Parallel()
	cloudtest.Each(t, cloudtest.Options{Hosts: 2}, func(t *testing.T, c *cloudtest.Cloud) {
		_, acct := c.Tenant(t, "", "first", auth.User)
		ctx := auth.With(context.Background(), auth.Caller{
			User: auth.System().User, Account: acct.ID, Domain: acct.Domain, DomainPath: acct.DomainPath, Type: auth.User,
		})
		hosts, _, err := c.Hosts.List(ctx, host.Filter{Limit: 1})
		must(t, err)
		off, _, err := c.Offerings.Computes(ctx, offering.Filter{Name: "Small Instance"})
		must(t, err)
		tpl, _, err := c.Images.Templates(ctx, image.Filter{Which: image.Featured})
		must(t, err)
		var all sync.WaitGroup
		for i := range 8 {
			all.Go(func() {
				_, job, err := c.Machines.Deploy(ctx, compute.DeployIn{
					Name: fmt.Sprint("vm", i), Zone: hosts[0].Zone, Offering: off[0].ID, Template: tpl[0].ID,
				})
				if err != nil {
					t.Error(err)
					return
				}
				if r, err := c.Engine.Wait(ctx, job); err != nil || r.State != op.Done {
					t.Error(r.State, r.Err(), err)
				}
			})
		}
		all.Wait()
		_, n, err := c.Networks.List(ctx, network.Filter{Scope: auth.Scope{Account: acct.ID}})
		if err != nil || n != 1 {
			t.Errorf("%d networks, want 1; %v", n, err)
		}
	})
}
