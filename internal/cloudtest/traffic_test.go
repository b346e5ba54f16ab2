package cloudtest_test

import (
	"context"
	"sync"
	"testing"

	cs "github.com/virga-cloud/virga/api/cloudstack"
	"github.com/virga-cloud/virga/internal/auth"
	"github.com/virga-cloud/virga/internal/cloudtest"
	"github.com/virga-cloud/virga/internal/hypervisor"
	"github.com/virga-cloud/virga/uid"
)

// An account's bytes are those of all public addresses that it has ever had, to the last one before a router ends.
func TestAccountBytes(t *testing.T) {
	t.Parallel()
	cloudtest.Each(t, cloudtest.Options{Rest: []string{"router-reports"}}, func(t *testing.T, c *cloudtest.Cloud) {
		ctx, box := auth.With(context.Background(), auth.System()), c.Sandbox(t)
		red, account := c.Tenant(t, "red", "red", auth.User)
		blue, other := c.Tenant(t, "blue", "blue", auth.User)
		vm := run(t, red, cs.DeployVirtualMachine, box.Deploy())
		run(t, blue, cs.DeployVirtualMachine, box.Deploy())
		network := vm.NICs[0].NetworkID
		router := func() uid.Router { t.Helper(); return document(t, c, network).ID }
		went := func(id uid.Router, sent, received int64) {
			c.World.Happened(id, []hypervisor.AddressCounts{
				{IP: "192.0.2.1", Sent: sent, Received: received}, {IP: "192.0.2.2", Sent: 1000, Received: 2000},
				{Network: network, IP: vm.NICs[0].IPAddress, Sent: 77, Received: 77}, {IP: "192.0.2.3", Sent: -5, Received: 5},
			})
		}
		has := func(name string, id uid.Account, sent, received int64) {
			t.Helper()
			a := one(t, c.Client, cs.ListAccounts, cs.ListAccountsIn{ID: id})
			if *a.SentBytes != sent || *a.ReceivedBytes != received {
				t.Errorf("%s: %d bytes sent, %d received; want %d and %d", name, *a.SentBytes, *a.ReceivedBytes, sent, received)
			}
		}
		has("before anything was counted", account.ID, 0, 0)
		first := router()
		went(first, 10, 1)
		for range 2 {
			must(t, c.Routers.Listen(ctx))
			has("counted", account.ID, 1010, 2001)
		}
		went(first, 12, 2)
		var all sync.WaitGroup
		for range 8 {
			all.Go(func() {
				if err := c.Routers.Listen(ctx); err != nil {
					t.Error(err)
				}
			})
		}
		all.Wait()
		has("counted by several at once", account.ID, 1012, 2002)
		went(first, 15, 4)
		run(t, c.Client, cs.DestroyRouter, cs.RouterID{ID: first})
		has("at the end of a router", account.ID, 1015, 2004)

		run(t, c.Client, cs.RestartNetwork, cs.RestartNetworkIn{ID: network})
		second := router()
		went(second, 0, 100)
		must(t, c.Routers.Listen(ctx))
		has("by another router", account.ID, 2015, 4104)
		must(t, c.Hosts.Script(ctx, simRule(t, "NetworkUsageCommand", "fault")))
		went(second, 50, 100)
		run(t, c.Client, cs.DestroyVirtualMachine, cs.DestroyVirtualMachineIn{ID: vm.ID, Expunge: true})
		run(t, red, cs.DeleteNetwork, cs.DeleteNetworkIn{ID: network})
		has("after the network, whose router's host did not tell", account.ID, 2015, 4104)
		has("another account", other.ID, 0, 0)
		if a := one(t, c.Client, cs.ListAccounts, cs.ListAccountsIn{ID: account.ID, Details: []string{"min"}}); a.SentBytes != nil {
			t.Errorf("details=min shows %d bytes", *a.SentBytes)
		}
	})
}
