package cloudtest_test

import (
	"context"
	"sync"
	"testing"

	"github.com/virga-cloud/virga/api"
	cs "github.com/virga-cloud/virga/api/cloudstack"
	"github.com/virga-cloud/virga/internal/auth"
	"github.com/virga-cloud/virga/internal/cloudtest"
	"github.com/virga-cloud/virga/internal/network"
	"github.com/virga-cloud/virga/internal/op"
	"github.com/virga-cloud/virga/internal/rule"
	"github.com/virga-cloud/virga/uid"
)

// A load balancer that names no address gets one, which counts, serves load balancers and nothing else, and goes with the last of them.
func TestBalancerWithoutAddress(t *testing.T) {
	t.Parallel()
	cloudtest.Each(t, cloudtest.Options{Basic: true}, func(t *testing.T, c *cloudtest.Cloud) {
		ctx, box := t.Context(), c.Sandbox(t)
		red, who := c.Tenant(t, "red", "red", auth.User)
		blue, other := c.Tenant(t, "blue", "blue", auth.User)
		in := box.Deploy()
		vm, err := api.Run(ctx, red, cs.DeployVirtualMachine, in)
		must(t, err)
		net := vm.NICs[0].NetworkID
		web := cs.CreateLoadBalancerRuleIn{NetworkID: net, Name: "web", PublicPort: 80, PrivatePort: 8080, Algorithm: "roundrobin"}

		nowhere := web
		nowhere.NetworkID = ""
		_, err = api.Run(ctx, red, cs.CreateLoadBalancerRule, nowhere)
		saysNo(t, err, "name the public address in publicipid")
		_, err = api.Run(ctx, blue, cs.CreateLoadBalancerRule, web)
		saysNo(t, err, string(net))
		elsewhere := web
		elsewhere.ZoneID = c.Basic(t).Zone
		_, err = api.Run(ctx, red, cs.CreateLoadBalancerRule, elsewhere)
		saysNo(t, err, "in another zone")
		others := web
		others.Account, others.DomainID = other.Name, other.Domain
		_, err = api.Run(ctx, c.Client, cs.CreateLoadBalancerRule, others)
		saysNo(t, err, "another account")
		limit := cs.UpdateResourceLimitIn{Account: who.Name, DomainID: who.Domain, Type: new(1), Max: new(int64(1))}
		_, err = api.Do(ctx, c.Client, cs.UpdateResourceLimit, limit)
		must(t, err)
		_, err = api.Run(ctx, red, cs.CreateLoadBalancerRule, web)
		saysNo(t, err, "limit")
		if n := systemAddresses(t, c); n != 0 {
			t.Errorf("refused requests left %d addresses", n)
		}
		limit.Max = new(int64(2))
		_, err = api.Do(ctx, c.Client, cs.UpdateResourceLimit, limit)
		must(t, err)

		lb, err := api.Run(ctx, red, cs.CreateLoadBalancerRule, web)
		must(t, err)
		ip := one(t, red, cs.ListPublicIPAddresses, cs.ListPublicIPAddressesIn{ForLoadBalancing: new(true)})
		if lb.State != "Active" || lb.PublicIPID != ip.ID || lb.PublicIP != ip.IPAddress || !ip.System || ip.SourceNAT || ip.AssociatedNetworkID != net ||
			ip.Purpose != "Lb" || ip.Account != who.Name {
			t.Errorf("the load balancer is %+v, and its address %+v", lb, ip)
		}
		if at := document(t, c, net).Uplink[1]; at.ID != ip.ID || len(at.Balancers) != 1 || len(at.Ingress) != 1 {
			t.Errorf("the router has %+v", at)
		}
		_, err = api.Run(ctx, red, cs.AssociateIPAddress, cs.AssociateIPAddressIn{NetworkID: net})
		saysNo(t, err, "limit")
		_, err = api.Run(ctx, red, cs.DisassociateIPAddress, cs.DisassociateIPAddressIn{ID: ip.ID})
		saysNo(t, err, "see deleteLoadBalancerRule")
		_, err = api.Run(ctx, red, cs.CreatePortForwardingRule, cs.CreatePortForwardingRuleIn{
			IPAddressID: ip.ID, Protocol: "tcp", PublicPort: 22, PrivatePort: 22, VirtualMachineID: vm.ID,
		})
		saysNo(t, err, "take another address")
		_, err = api.Do(ctx, red, cs.EnableStaticNAT, cs.EnableStaticNATIn{IPAddressID: ip.ID, VirtualMachineID: vm.ID})
		saysNo(t, err, "take another address")

		// Another load balancer on the address keeps it.
		_, err = api.Run(ctx, red, cs.CreateFirewallRule, cs.CreateFirewallRuleIn{IPAddressID: ip.ID, Passage: cs.Passage{Protocol: "icmp"}})
		must(t, err)
		web.PublicIPID, web.Name, web.PublicPort = ip.ID, "tls", 443
		tls, err := api.Run(ctx, red, cs.CreateLoadBalancerRule, web)
		must(t, err)
		_, err = api.Run(ctx, red, cs.DeleteLoadBalancerRule, cs.LoadBalancerID{ID: lb.ID})
		must(t, err)
		if at := document(t, c, net).Uplink[1]; at.ID != ip.ID || len(at.Balancers) != 1 || at.Balancers[0].Port != 443 {
			t.Errorf("the router has %+v", at)
		}
		web.Name, web.PublicPort = "third", 8443
		third, err := api.Run(ctx, red, cs.CreateLoadBalancerRule, web)
		must(t, err)
		_, err = api.Start(ctx, red, cs.DeleteLoadBalancerRule, cs.LoadBalancerID{ID: tls.ID}) // neither waits for the other
		must(t, err)
		_, err = api.Run(ctx, red, cs.DeleteLoadBalancerRule, cs.LoadBalancerID{ID: third.ID})
		must(t, err)
		if up := document(t, c, net).Uplink; len(up) != 1 || systemAddresses(t, c) != 0 {
			t.Errorf("after the last load balancer the router has %+v", up)
		}

		// It is the zone's one network that is meant without another word, and what the network has goes with it.
		web = nowhere
		web.ZoneID = box.Zone
		lb, err = api.Run(ctx, red, cs.CreateLoadBalancerRule, web)
		must(t, err)
		if lb.NetworkID != net || systemAddresses(t, c) != 1 {
			t.Errorf("the load balancer is %+v", lb)
		}
		_, err = api.Run(ctx, red, cs.DestroyVirtualMachine, cs.DestroyVirtualMachineIn{ID: vm.ID})
		must(t, err)
		_, err = api.Run(ctx, c.Client, cs.ExpungeVirtualMachine, cs.ExpungeVirtualMachineIn{ID: vm.ID})
		must(t, err)
		_, err = api.Run(ctx, red, cs.DeleteNetwork, cs.DeleteNetworkIn{ID: net})
		must(t, err)
		if n := systemAddresses(t, c); n != 0 {
			t.Errorf("%d addresses are left of a network that is gone", n)
		}
	})
}

// systemAddresses counts the addresses that the cloud took by itself.
func systemAddresses(t *testing.T, c *cloudtest.Cloud) (n int) {
	t.Helper()
	must(t, c.DB.Read().NewRaw("select count(*) from public_ips where system").Scan(t.Context(), &n))
	return n
}

func TestStormBalancerWithoutAddress(t *testing.T) {
	t.Parallel()
	add := func(s *stormy) (uid.Rule, op.ID, error) {
		return s.now.Rules.Balance(s.ctx, rule.BalanceIn{
			Served: network.Served{Network: s.network}, Name: "web", Algorithm: "roundrobin", Port: 80, GuestPort: 80, Open: true,
		})
	}
	// A one for the rule, ten for its address, a hundred for an address on its way out.
	const count = `select (select count(*) from port_rules where network_id = n.id and state = 'Active')
		+ 10 * (select count(*) from public_ips where network_id = n.id and system)
		+ 100 * (select count(*) from public_ips where network_id = n.id and state <> 'Allocated') from networks n where n.id = ?`
	t.Run("add", func(t *testing.T) {
		t.Parallel()
		stormRouter(t, routerStorm{
			start: func(_ context.Context, s *stormy) (op.ID, error) { _, job, err := add(s); return job, err },
			count: count, there: 11,
		})
	})
	t.Run("revoke", func(t *testing.T) {
		t.Parallel()
		stormRouter(t, routerStorm{
			before: func(t *testing.T, s *stormy) {
				t.Helper()
				_, job, err := add(s)
				must(t, err)
				s.wait(t, job)
			},
			start: func(ctx context.Context, s *stormy) (op.ID, error) {
				var id uid.Rule
				if err := s.DB.Read().NewRaw("select id from port_rules where network_id = ?", s.network).Scan(ctx, &id); err != nil {
					return "", err
				}
				return s.now.Rules.Delete(ctx, rule.Balancing, id, "")
			},
			count: count, nothing: 11,
		})
	})
}

// Who makes and deletes load balancers at the same time, each on an address of its own or several on one, leaves no address behind.
func TestBalancersTogether(t *testing.T) {
	t.Parallel()
	cloudtest.Each(t, cloudtest.Options{}, func(t *testing.T, c *cloudtest.Cloud) {
		ctx, in := t.Context(), c.Sandbox(t).Deploy()
		vm, err := api.Run(ctx, c.Client, cs.DeployVirtualMachine, in)
		must(t, err)
		first := cs.CreateLoadBalancerRuleIn{NetworkID: vm.NICs[0].NetworkID, Name: "first", PublicPort: 80, PrivatePort: 80, Algorithm: "source"}
		lb, err := api.Run(ctx, c.Client, cs.CreateLoadBalancerRule, first)
		must(t, err)
		var all sync.WaitGroup
		for i := range 6 {
			all.Go(func() {
				more := first
				more.PublicPort += 1 + i
				if i%2 == 0 {
					more.PublicIPID = lb.PublicIPID
				}
				made, err := api.Run(ctx, c.Client, cs.CreateLoadBalancerRule, more)
				if err != nil {
					t.Error(err)
					return
				}
				if _, err := api.Run(ctx, c.Client, cs.DeleteLoadBalancerRule, cs.LoadBalancerID{ID: made.ID}); err != nil {
					t.Error(err)
				}
			})
		}
		all.Wait()
		if n := systemAddresses(t, c); n != 1 {
			t.Errorf("%d addresses are there for one load balancer", n)
		}
		_, err = api.Run(ctx, c.Client, cs.DeleteLoadBalancerRule, cs.LoadBalancerID{ID: lb.ID})
		must(t, err)
		if n := systemAddresses(t, c); n != 0 {
			t.Errorf("%d addresses are left of load balancers that are gone", n)
		}
	})
}
