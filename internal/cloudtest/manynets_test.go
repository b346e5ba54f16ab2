package cloudtest_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"

	"github.com/virga-cloud/virga/internal/auth"
	"github.com/virga-cloud/virga/internal/cloudtest"
	"github.com/virga-cloud/virga/internal/compute"
	"github.com/virga-cloud/virga/internal/fault"
	"github.com/virga-cloud/virga/internal/op"
	"github.com/virga-cloud/virga/uid"
)

// Clients that name the same networks in different orders don't get into each other's way, and lose no address: some pick
// theirs above the counter, which meanwhile goes on.
func TestManyNetworksInAnyOrder(t *testing.T) {
	t.Parallel()
	const clients, rounds = 8, 16
	cloudtest.Each(t, cloudtest.Options{Hosts: 10}, func(t *testing.T, c *cloudtest.Cloud) {
		ctx := auth.With(context.Background(), auth.System())
		var in compute.DeployIn
		var networks []compute.NetworkIn
		for i := range 3 {
			in = smallIn(t, c, ctx, fmt.Sprintf("10.%d.0.1", 20+i), "255.255.252.0")
			networks = append(networks, in.Networks...)
		}
		done := func(job op.ID, err error) bool {
			if err != nil {
				t.Error(err)
				return false
			}
			r, err := c.Engine.Wait(ctx, job)
			if err != nil || r.State != op.Done {
				t.Errorf("%s ended %s: %v %s; %v", r.Plan, r.State, r.Err(), r.FaultDetail, err)
			}
			return err == nil && r.State == op.Done
		}
		var all sync.WaitGroup
		for client := range clients {
			all.Go(func() {
				for round := range rounds {
					in := in
					in.Networks = nil
					for _, i := range rand.Perm(len(networks)) {
						n := networks[i]
						if round%2 == 0 {
							n.IP = fmt.Sprintf("10.%d.0.%d", 20+i, 10+client*rounds+round)
						}
						in.Networks = append(in.Networks, n)
					}
					id, job, err := c.Machines.Deploy(ctx, in)
					if !done(job, err) {
						return
					}
					if job, err = c.Machines.Destroy(ctx, id, true); !done(job, err) {
						return
					}
				}
			})
		}
		all.Wait()
	})
}

// Where the account has more than one network, a deployment that names none is asked to, whatever their number.
func TestWhichNetwork(t *testing.T) {
	t.Parallel()
	cloudtest.Each(t, cloudtest.Options{}, func(t *testing.T, c *cloudtest.Cloud) {
		ctx := auth.With(context.Background(), auth.System())
		var in compute.DeployIn
		for i := range 3 {
			in = smallIn(t, c, ctx, fmt.Sprintf("10.%d.0.1", 20+i), "255.255.252.0")
		}
		in.Networks = nil
		_, _, err := c.Machines.Deploy(ctx, in)
		const want = `the account has several isolated networks in zone "Sandbox-simulator": name one in networkids`
		if !fault.Is(err, fault.Invalid) || err.Error() != want {
			t.Errorf("%v, want %s", err, want)
		}
	})
}

// A network that is not there is refused by its id, among others that are.
func TestMissingNetwork(t *testing.T) {
	t.Parallel()
	cloudtest.Each(t, cloudtest.Options{}, func(t *testing.T, c *cloudtest.Cloud) {
		ctx := auth.With(context.Background(), auth.System())
		in := smallIn(t, c, ctx, "10.20.0.1", "255.255.252.0")
		none := uid.New[uid.Network]()
		in.Networks = append(in.Networks, compute.NetworkIn{Network: none})
		if _, _, err := c.Machines.Deploy(ctx, in); err == nil || err.Error() != fault.Missing(none).Error() {
			t.Errorf("%v, want %v", err, fault.Missing(none))
		}
		// One that somebody else has is as good as not there.
		_, acct := c.Tenant(t, "red", "red", auth.User)
		other := auth.With(ctx, auth.Caller{
			User: auth.System().User, Account: acct.ID, Domain: acct.Domain, DomainPath: acct.DomainPath, Type: auth.User,
		})
		own := smallIn(t, c, other, "10.21.0.1", "255.255.252.0")
		own.Networks = append(own.Networks, in.Networks[0])
		if _, _, err := c.Machines.Deploy(other, own); err == nil || err.Error() != fault.Missing(in.Networks[0].Network).Error() {
			t.Errorf("%v, want %v", err, fault.Missing(in.Networks[0].Network))
		}
	})
}
