package cloudtest_test

import (
	"context"
	"slices"
	"strings"
	"testing"

	"github.com/virga-cloud/virga/api"
	cs "github.com/virga-cloud/virga/api/cloudstack"
	"github.com/virga-cloud/virga/internal/cloudtest"
	"github.com/virga-cloud/virga/internal/op"
	"github.com/virga-cloud/virga/internal/rule"
	"github.com/virga-cloud/virga/uid"
)

// saysNo wants an error that says so.
func saysNo(t *testing.T, err error, says string) {
	t.Helper()
	if err == nil || !strings.Contains(err.Error(), says) {
		t.Errorf("got %v, want a refusal that says %q", err, says)
	}
}

// What is said of public addresses stands in the router's document when the job is done, and is gone from it with the rule, the machine
// or the address. What is in the way of a rule is named.
func TestRules(t *testing.T) {
	t.Parallel()
	cloudtest.Each(t, cloudtest.Options{}, func(t *testing.T, c *cloudtest.Cloud) {
		ctx, in := t.Context(), c.Sandbox(t).Deploy()
		vm, err := api.Run(ctx, c.Client, cs.DeployVirtualMachine, in)
		must(t, err)
		net := vm.NICs[0].NetworkID
		in.NetworkIDs = []uid.Network{net}
		two, err := api.Run(ctx, c.Client, cs.DeployVirtualMachine, in)
		must(t, err)
		ip, err := api.Run(ctx, c.Client, cs.AssociateIPAddress, cs.AssociateIPAddressIn{NetworkID: net})
		must(t, err)
		if ip.State != "Allocated" || ip.AssociatedNetworkID != net || ip.SourceNAT {
			t.Errorf("the address is %+v", ip)
		}

		pf, err := api.Run(ctx, c.Client, cs.CreatePortForwardingRule, cs.CreatePortForwardingRuleIn{
			IPAddressID: ip.ID, Protocol: "TCP", PublicPort: 2222, PublicEndPort: 2223, PrivatePort: 22, VirtualMachineID: vm.ID, CIDRs: []string{"198.51.100.7/24"},
		})
		must(t, err)
		if pf.State != "Active" || pf.PrivateEndPort != "23" || pf.VMGuestIP != vm.NICs[0].IPAddress || pf.CIDRs != "198.51.100.0/24" || pf.IPAddress != ip.IPAddress {
			t.Errorf("the rule is %+v", pf)
		}
		at := document(t, c, net).Uplink[1]
		if len(at.Forwards) != 1 || at.Forwards[0].From != 2222 || at.Forwards[0].Guest != 22 || at.Forwards[0].GuestIP != vm.NICs[0].IPAddress ||
			len(at.Ingress) != 1 || at.Ingress[0].Sources[0] != "198.51.100.0/24" || at.Ingress[0].To != 2223 {
			t.Errorf("the router has %+v", at)
		}
		_, err = api.Run(ctx, c.Client, cs.CreatePortForwardingRule, cs.CreatePortForwardingRuleIn{
			IPAddressID: ip.ID, Protocol: "tcp", PublicPort: 2223, PrivatePort: 80, VirtualMachineID: two.ID,
		})
		saysNo(t, err, "in use by port forwarding rule "+pf.ID)
		_, err = api.Run(ctx, c.Client, cs.CreateLoadBalancerRule, cs.CreateLoadBalancerRuleIn{
			PublicIPID: ip.ID, Name: "web", PublicPort: 2222, PrivatePort: 80, Algorithm: "roundrobin",
		})
		saysNo(t, err, "in use by port forwarding rule "+pf.ID)
		_, err = api.Do(ctx, c.Client, cs.EnableStaticNAT, cs.EnableStaticNATIn{IPAddressID: ip.ID, VirtualMachineID: vm.ID})
		saysNo(t, err, "port forwarding rule "+pf.ID)
		pf, err = api.Run(ctx, c.Client, cs.UpdatePortForwardingRule, cs.UpdatePortForwardingRuleIn{
			ID: uid.PortForward(pf.ID), VirtualMachineID: two.ID, PrivatePort: 8022,
		})
		must(t, err)
		if pf.VirtualMachineID != two.ID || pf.PrivatePort != "8022" || pf.PrivateEndPort != "8023" {
			t.Errorf("the changed rule is %+v", pf)
		}
		if f := document(t, c, net).Uplink[1].Forwards[0]; f.GuestIP != two.NICs[0].IPAddress || f.Guest != 8022 {
			t.Errorf("the router still has %+v", f)
		}
		balance(t, c, ip, vm, two)
		pf, ip = renamed(t, c, pf, ip)
		_, err = api.Run(ctx, c.Client, cs.DeletePortForwardingRule, cs.DeletePortForwardingRuleIn{ID: uid.PortForward(pf.ID)})
		must(t, err)
		at = document(t, c, net).Uplink[1]
		if len(at.Forwards)+len(at.Ingress)+len(at.Balancers) != 0 {
			t.Errorf("after all is deleted the router has %+v", at)
		}
		static(t, c, ip, vm, two)
		walls(t, c, ip, net)

		// A destroyed machine's rules go, and an address goes with its rules.
		_, err = api.Run(ctx, c.Client, cs.CreatePortForwardingRule, cs.CreatePortForwardingRuleIn{
			IPAddressID: ip.ID, Protocol: "udp", PublicPort: 53, PrivatePort: 53, VirtualMachineID: two.ID,
		})
		must(t, err)
		_, err = api.Run(ctx, c.Client, cs.CreatePortForwardingRule, cs.CreatePortForwardingRuleIn{
			IPAddressID: ip.ID, Protocol: "tcp", PublicPort: 53, PrivatePort: 53, VirtualMachineID: vm.ID,
		})
		must(t, err)
		_, err = api.Run(ctx, c.Client, cs.DestroyVirtualMachine, cs.DestroyVirtualMachineIn{ID: two.ID})
		must(t, err)
		rules, err := api.Do(ctx, c.Client, cs.EnableStaticNAT, cs.EnableStaticNATIn{IPAddressID: ip.ID, VirtualMachineID: two.ID})
		saysNo(t, err, "is destroyed")
		_ = rules
		if f := document(t, c, net).Uplink[1].Forwards; len(f) != 1 || f[0].Protocol != "tcp" {
			t.Errorf("after a machine's end the router has %+v", f)
		}
		_, err = api.Run(ctx, c.Client, cs.DisassociateIPAddress, cs.DisassociateIPAddressIn{ID: ip.ID})
		must(t, err)
		if doc := document(t, c, net); len(doc.Uplink) != 1 {
			t.Errorf("after the address's end the router has %+v", doc.Uplink)
		}
		var left int
		must(t, c.DB.Read().NewRaw("select (select count(*) from port_rules) + (select count(*) from firewall_rules)").Scan(ctx, &left))
		if left != 0 {
			t.Errorf("%d rules are left of an address that nobody has", left)
		}
	})
}

// balance makes a load balancer over two machines, and takes it away again.
func balance(t *testing.T, c *cloudtest.Cloud, ip cs.PublicIPAddress, one, two cs.VirtualMachine) {
	t.Helper()
	ctx, net := t.Context(), one.NICs[0].NetworkID
	lb, err := api.Run(ctx, c.Client, cs.CreateLoadBalancerRule, cs.CreateLoadBalancerRuleIn{
		PublicIPID: ip.ID, Name: "web", PublicPort: 80, PrivatePort: 8080, Algorithm: "roundrobin",
	})
	must(t, err)
	both := cs.BalancedMachinesIn{ID: lb.ID, VirtualMachineIDs: []uid.VM{one.ID, two.ID}}
	_, err = api.Run(ctx, c.Client, cs.AssignToLoadBalancerRule, both)
	must(t, err)
	_, err = api.Run(ctx, c.Client, cs.AssignToLoadBalancerRule, both)
	saysNo(t, err, "already")
	y, err := api.Run(ctx, c.Client, cs.CreateLBStickinessPolicy, cs.CreateLBStickinessPolicyIn{
		RuleID: lb.ID, Name: "keep", Method: "lbcookie", Params: []cs.NamedValue{{Name: "cookie-name", Value: "SRV"}},
	})
	must(t, err)
	b := document(t, c, net).Uplink[1].Balancers
	if len(b) != 1 || len(b[0].Guests) != 2 || b[0].Port != 80 || b[0].Guest != 8080 || b[0].Sticky.Method != "LbCookie" || b[0].Sticky.Params["cookie-name"] != "SRV" {
		t.Errorf("the router balances %+v", b)
	}
	_, err = api.Run(ctx, c.Client, cs.RemoveFromLoadBalancerRule, cs.BalancedMachinesIn{ID: lb.ID, Addresses: []cs.MachineAddress{
		{VirtualMachineID: one.ID, IPAddress: one.NICs[0].IPAddress},
	}})
	must(t, err)
	for applied, want := range map[bool]uid.VM{true: two.ID, false: one.ID} {
		var got []uid.VM
		for m, err := range api.All(ctx, c.Client, cs.ListLoadBalancerRuleInstances, cs.ListLoadBalancerRuleInstancesIn{ID: lb.ID, Applied: &applied}) {
			must(t, err)
			got = append(got, m.ID)
		}
		if len(got) != 1 || got[0] != want {
			t.Errorf("applied=%v shows %v, want %s", applied, got, want)
		}
	}
	page, err := api.Fetch(ctx, c.Client, cs.ListLoadBalancerRuleInstances, cs.ListLoadBalancerRuleInstancesIn{ID: lb.ID, IPs: true})
	must(t, err)
	with, _ := page.Other.([]cs.BalancedMachine)
	if len(with) != 1 || with[0].VirtualMachine.ID != two.ID || !slices.Equal(with[0].Addresses, []string{two.NICs[0].IPAddress}) {
		t.Errorf("with their addresses: %+v", page)
	}
	_, err = api.Run(ctx, c.Client, cs.DeleteLBStickinessPolicy, cs.DeleteLBStickinessPolicyIn{ID: y.Policies[0].ID})
	must(t, err)
	lb, err = api.Run(ctx, c.Client, cs.UpdateLoadBalancerRule, cs.UpdateLoadBalancerRuleIn{ID: lb.ID, Algorithm: "source", Name: "site"})
	must(t, err)
	if b := document(t, c, net).Uplink[1].Balancers[0]; lb.Name != "site" || b.Algorithm != "source" || len(b.Guests) != 1 || b.Sticky.Method != "" {
		t.Errorf("the load balancer is %+v, and the router's %+v", lb, b)
	}
	_, err = api.Run(ctx, c.Client, cs.DeleteLoadBalancerRule, cs.LoadBalancerID{ID: lb.ID})
	must(t, err)
}

// static makes an address the static NAT of a machine, with some of its ports let in, and ends that.
func static(t *testing.T, c *cloudtest.Cloud, ip cs.PublicIPAddress, one, two cs.VirtualMachine) {
	t.Helper()
	ctx, net := t.Context(), one.NICs[0].NetworkID
	_, err := api.Do(ctx, c.Client, cs.EnableStaticNAT, cs.EnableStaticNATIn{IPAddressID: ip.ID, VirtualMachineID: one.ID})
	must(t, err)
	_, err = api.Do(ctx, c.Client, cs.EnableStaticNAT, cs.EnableStaticNATIn{IPAddressID: ip.ID, VirtualMachineID: two.ID})
	saysNo(t, err, "disable that first")
	pass, err := api.Run(ctx, c.Client, cs.CreateIPForwardingRule, cs.CreateIPForwardingRuleIn{IPAddressID: ip.ID, Protocol: "tcp", StartPort: 443})
	must(t, err)
	if pass.VirtualMachineID != one.ID {
		t.Errorf("the rule is %+v", pass)
	}
	doc := document(t, c, net)
	at, meta := doc.Uplink[1], doc.Segments[0].Guests[0].Meta
	if at.StaticNAT != one.NICs[0].IPAddress || len(at.Ingress) != 1 || meta["public-ipv4"] != ip.IPAddress {
		t.Errorf("the router has %+v, and tells its guest %v", at, meta)
	}
	for a, err := range api.All(ctx, c.Client, cs.ListPublicIPAddresses, cs.ListPublicIPAddressesIn{StaticNAT: new(true)}) {
		must(t, err)
		if a.ID != ip.ID || a.VMID != one.ID || a.VMType != "User" || !a.StaticNAT || !a.HasRules {
			t.Errorf("the list shows %+v", a)
		}
	}
	_, err = api.Run(ctx, c.Client, cs.DisableStaticNAT, cs.DisableStaticNATIn{IPAddressID: ip.ID})
	must(t, err)
	if at := document(t, c, net).Uplink[1]; at.StaticNAT != "" || len(at.Ingress) != 0 {
		t.Errorf("the router still has %+v", at)
	}
}

// walls makes firewall rules in both directions, and takes them away again.
func walls(t *testing.T, c *cloudtest.Cloud, ip cs.PublicIPAddress, net uid.Network) {
	t.Helper()
	ctx := t.Context()
	ping := cs.CreateFirewallRuleIn{IPAddressID: ip.ID, Passage: cs.Passage{Protocol: "icmp", ICMPType: new(8), ICMPCode: new(0)}}
	in, err := api.Run(ctx, c.Client, cs.CreateFirewallRule, ping)
	must(t, err)
	_, err = api.Run(ctx, c.Client, cs.CreateFirewallRule, ping)
	saysNo(t, err, in.ID)
	out, err := api.Run(ctx, c.Client, cs.CreateEgressFirewallRule, cs.CreateEgressFirewallRuleIn{
		NetworkID: net, Passage: cs.Passage{Protocol: "tcp", StartPort: new(25)}, DestCIDRs: []string{"203.0.113.0/24"},
	})
	must(t, err)
	if out.CIDRs != "10.1.1.0/24" || out.TrafficType != "Egress" || *out.EndPort != 25 {
		t.Errorf("the egress rule is %+v", out)
	}
	_, err = api.Run(ctx, c.Client, cs.CreateEgressFirewallRule, cs.CreateEgressFirewallRuleIn{
		NetworkID: net, Passage: cs.Passage{Protocol: "all", CIDRs: []string{"10.2.0.0/16"}},
	})
	saysNo(t, err, "not in the network's")
	doc := document(t, c, net)
	if e := doc.Segments[0].Egress; len(e) != 1 || e[0].From != 25 || e[0].Targets[0] != "203.0.113.0/24" {
		t.Errorf("the router has the egress rules %+v", e)
	}
	if i := doc.Uplink[1].Ingress; len(i) != 1 || i[0].ICMPType != 8 {
		t.Errorf("the router lets in %+v", i)
	}
	_, err = api.Run(ctx, c.Client, cs.DeleteFirewallRule, cs.DeleteFirewallRuleIn{ID: uid.FirewallRule(in.ID)})
	must(t, err)
	_, err = api.Run(ctx, c.Client, cs.DeleteEgressFirewallRule, cs.DeleteEgressFirewallRuleIn{ID: uid.EgressRule(out.ID)})
	must(t, err)
	if doc := document(t, c, net); len(doc.Segments[0].Egress)+len(doc.Uplink[1].Ingress) != 0 {
		t.Errorf("the router still has %+v", doc)
	}
}

// renamed gives a rule on an address, and the address, other IDs, hides both and opens the rule to others.
func renamed(t *testing.T, c *cloudtest.Cloud, pf cs.PortForwardingRule, ip cs.PublicIPAddress) (cs.PortForwardingRule, cs.PublicIPAddress) {
	t.Helper()
	ctx, old := t.Context(), uid.PortForward(pf.ID)
	_, err := api.Run(ctx, c.Client, cs.CreateTags, cs.CreateTagsIn{
		ResourceType: "PortForwardingRule", ResourceIDs: []string{pf.ID}, Tags: []cs.KeyValue{{Key: "k", Value: "v"}},
	})
	must(t, err)
	pf, err = api.Run(ctx, c.Client, cs.UpdatePortForwardingRule, cs.UpdatePortForwardingRuleIn{ID: old, CIDRs: []string{"203.0.113.0/24"}})
	must(t, err)
	if in := document(t, c, pf.NetworkID).Uplink[1].Ingress; pf.CIDRs != "203.0.113.0/24" || len(in) != 1 || in[0].Sources[0] != pf.CIDRs {
		t.Errorf("the rule is %+v, and the router lets in %+v", pf, in)
	}
	other := uid.New[uid.PortForward]()
	_, err = api.Run(ctx, c.Client, cs.UpdatePortForwardingRule, cs.UpdatePortForwardingRuleIn{ID: old, CustomID: other, PrivatePort: 1})
	saysNo(t, err, "nothing but fordisplay")
	pf, err = api.Run(ctx, c.Client, cs.UpdatePortForwardingRule, cs.UpdatePortForwardingRuleIn{ID: old, CustomID: other, Display: new(false)})
	must(t, err)
	if pf.ID != string(other) || *pf.Display || pf.CIDRs != "203.0.113.0/24" || len(pf.Tags) != 1 {
		t.Errorf("the rule is %+v", pf)
	}
	wall := one(t, c.Client, cs.ListFirewallRules, cs.ListFirewallRulesIn{IPAddressID: ip.ID})
	_, err = api.Run(ctx, c.Client, cs.UpdateFirewallRule, cs.UpdateFirewallRuleIn{ID: uid.FirewallRule(wall.ID), Display: new(false)})
	must(t, err)
	_, err = api.Run(ctx, c.Client, cs.UpdateIPAddress, cs.UpdateIPAddressIn{ID: ip.ID, CustomID: uid.PublicIP(firstPublic(t, c))})
	saysNo(t, err, "another address has the ID")
	was := ip.ID
	ip, err = api.Run(ctx, c.Client, cs.UpdateIPAddress, cs.UpdateIPAddressIn{ID: ip.ID, CustomID: uid.New[uid.PublicIP](), Display: new(false)})
	must(t, err)
	wall = one(t, c.Client, cs.ListFirewallRules, cs.ListFirewallRulesIn{IPAddressID: ip.ID})
	if at := document(t, c, pf.NetworkID).Uplink[1]; ip.ID == was || *ip.Display || !ip.HasRules || *wall.Display || at.ID != ip.ID || len(at.Forwards) != 1 {
		t.Errorf("the address is %+v, its firewall rule %+v, and the router has %+v", ip, wall, at)
	}
	return pf, ip
}

// firstPublic is the ID of the first public address that somebody has.
func firstPublic(t *testing.T, c *cloudtest.Cloud) (id string) {
	t.Helper()
	must(t, c.DB.Read().NewRaw("select min(id) from public_ips where source_nat").Scan(t.Context(), &id))
	return id
}

func TestStormRuleShow(t *testing.T) {
	t.Parallel()
	to := uid.New[uid.Rule]()
	stormRouter(t, routerStorm{
		before: func(t *testing.T, s *stormy) {
			t.Helper()
			var a uid.PublicIP
			must(t, s.DB.Read().NewRaw("select id from public_ips where network_id = ?", s.network).Scan(s.ctx, &a))
			_, job, err := s.now.Rules.Forward(s.ctx, rule.ForwardIn{Address: a, Protocol: "tcp", First: 22, GuestFirst: 22, VM: s.vm, Open: true})
			must(t, err)
			s.wait(t, job)
		},
		start: func(ctx context.Context, s *stormy) (op.ID, error) {
			var id uid.Rule
			if err := s.DB.Read().NewRaw("select id from port_rules where network_id = ?", s.network).Scan(ctx, &id); err != nil {
				return "", err
			}
			return s.now.Rules.ShowPort(ctx, rule.Forwarding, id, rule.Showing[uid.Rule]{ID: to, Display: new(false)})
		},
		count: "select count(*) from port_rules p join firewall_rules w on w.rule_id = p.id where p.network_id = ? and not p.display", there: 1,
	})
}

func TestStormAddressShow(t *testing.T) {
	t.Parallel()
	to := uid.New[uid.PublicIP]()
	stormRouter(t, routerStorm{
		start: func(ctx context.Context, s *stormy) (op.ID, error) {
			var id uid.PublicIP
			if err := s.DB.Read().NewRaw("select id from public_ips where network_id = ?", s.network).Scan(ctx, &id); err != nil {
				return "", err
			}
			return s.now.Addresses.Show(ctx, id, rule.Showing[uid.PublicIP]{ID: to, Display: new(false)})
		},
		count: "select count(*) from public_ips where network_id = ? and not display and id = '" + string(to) + "'", there: 1,
	})
}

func TestStormRuleChange(t *testing.T) {
	t.Parallel()
	add := func(s *stormy) (uid.Rule, op.ID, error) {
		var a uid.PublicIP
		if err := s.DB.Read().NewRaw("select id from public_ips where network_id = ?", s.network).Scan(s.ctx, &a); err != nil {
			return "", "", err
		}
		return s.now.Rules.Forward(s.ctx, rule.ForwardIn{Address: a, Protocol: "tcp", First: 22, GuestFirst: 22, VM: s.vm, Open: true})
	}
	const count = "select count(*) from port_rules p join firewall_rules w on w.rule_id = p.id where p.network_id = ? and p.state = 'Active' and w.state = 'Active'"
	t.Run("add", func(t *testing.T) {
		t.Parallel()
		stormRouter(t, routerStorm{
			start: func(_ context.Context, s *stormy) (op.ID, error) { _, job, err := add(s); return job, err },
			count: count, there: 1,
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
				return s.now.Rules.Delete(ctx, rule.Forwarding, id, "")
			},
			count: count, nothing: 1,
		})
	})
}
