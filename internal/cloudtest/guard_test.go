package cloudtest_test

import (
	"context"
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"github.com/virga-cloud/virga/api"
	cs "github.com/virga-cloud/virga/api/cloudstack"
	"github.com/virga-cloud/virga/internal/auth"
	"github.com/virga-cloud/virga/internal/cloudtest"
	"github.com/virga-cloud/virga/internal/db/dbtest"
	"github.com/virga-cloud/virga/internal/fault"
	"github.com/virga-cloud/virga/internal/hypervisor"
	"github.com/virga-cloud/virga/internal/op"
	"github.com/virga-cloud/virga/internal/op/optest"
	"github.com/virga-cloud/virga/internal/secgroup"
	"github.com/virga-cloud/virga/uid"
)

// guards are the rules that the host of a machine has for its first card, and all that the host has.
func guards(t *testing.T, c *cloudtest.Cloud, vm uid.VM) (hypervisor.Guard, hypervisor.Guards) {
	t.Helper()
	shown := one(t, c.Client, cs.ListVirtualMachines, cs.ListVirtualMachinesIn{ID: vm})
	all, err := c.World.Guards(t.Context(), shown.HostID)
	must(t, err)
	i := slices.IndexFunc(all.Ports, func(p hypervisor.Guard) bool { return p.NIC == shown.NICs[0].ID })
	if i < 0 {
		t.Fatalf("host %s has no rules for machine %s: %+v", shown.HostID, shown.Name, all)
	}
	return all.Ports[i], all
}

// allows are the rules of a card in one direction, in words.
func allows(rules []hypervisor.GuardRule) string {
	var all []string
	for _, r := range rules {
		text, _ := json.Marshal(r)
		all = append(all, string(text))
	}
	return strings.Join(all, "\n")
}

// Hosts have the rules of their machines' cards before these start, and whenever something changes.
func TestSecurityGroupRules(t *testing.T) {
	t.Parallel()
	c := cloudtest.New(t, dbtest.SQLite(t), cloudtest.Options{Basic: true, Hosts: 3})
	ctx, box := t.Context(), c.Basic(t)
	red, redAccount := c.Tenant(t, "red", "red", auth.User)
	blue, _ := c.Tenant(t, "blue", "blue", auth.User)
	group := func(name string) cs.SecurityGroup {
		g, err := api.Do(ctx, red, cs.CreateSecurityGroup, cs.CreateSecurityGroupIn{Name: name})
		must(t, err)
		return g
	}
	web, data := group("web"), group("data")
	deploy := func(in uid.SecurityGroup) cs.VirtualMachine {
		d := box.Deploy()
		d.SecurityGroupIDs = []uid.SecurityGroup{in}
		return run(t, red, cs.DeployVirtualMachine, d)
	}
	front, back := deploy(web.ID), deploy(data.ID)
	if g, _ := guards(t, c, front.ID); len(g.Ingress) != 0 || !g.EgressAllowed || len(g.Egress) != 0 {
		t.Errorf("without rules its host has %+v", g)
	}

	// By CIDR, several at once, and by group.
	in := cs.AuthorizeSecurityGroupIn{ID: web.ID, Protocol: "TCP", StartPort: new(80), EndPort: new(81), CIDRs: []string{"198.51.100.7/24", "2001:db8::/32"}}
	added := run(t, red, cs.AuthorizeSecurityGroupIngress, in)
	if added.ID != web.ID || len(added.IngressRules) != 2 || added.IngressRules[0].CIDR != "198.51.100.0/24" || *added.IngressRules[1].EndPort != 81 ||
		added.IngressRules[1].Protocol != "tcp" || added.IngressRules[0].ICMPType != nil {
		t.Errorf("added %+v", added.IngressRules)
	}
	if g, _ := guards(t, c, front.ID); allows(g.Ingress) !=
		`{"Protocol":"tcp","From":80,"To":81,"ICMPType":-1,"ICMPCode":-1,"Sources":["198.51.100.0/24","2001:db8::/32"]}` {
		t.Errorf("its host has %s", allows(g.Ingress))
	}
	run(t, red, cs.AuthorizeSecurityGroupIngress, cs.AuthorizeSecurityGroupIn{
		Name: "data", Protocol: "6", StartPort: new(0), EndPort: new(0), Groups: []cs.AccountGroup{{Account: "red", Group: "web"}},
	})
	g, all := guards(t, c, back.ID)
	if len(g.Ingress) != 1 || !slices.Equal(g.Ingress[0].Groups, []uid.SecurityGroup{web.ID}) || g.Ingress[0].From != 0 || len(g.Ingress[0].Sources) != 0 ||
		len(all.Groups) != 1 || !slices.Equal(all.Groups[0].Addresses, []string{front.NICs[0].IPAddress}) {
		t.Errorf("its host has %s, and the groups %+v", allows(g.Ingress), all.Groups)
	}

	// Egress: the first rule ends what was free.
	out := run(t, c.Client, cs.AuthorizeSecurityGroupEgress, cs.AuthorizeSecurityGroupIn{
		Name: "web", Account: "red", DomainID: redAccount.Domain, Protocol: "icmp", ICMPType: new(-1), ICMPCode: new(-1), CIDRs: []string{"0.0.0.0/0"},
	})
	if g, _ := guards(t, c, front.ID); g.EgressAllowed || len(g.Egress) != 1 || g.Egress[0].Targets[0] != "0.0.0.0/0" || g.Egress[0].ICMPType != -1 {
		t.Errorf("its host has %+v", g)
	}
	shown := one(t, red, cs.ListSecurityGroups, cs.ListSecurityGroupsIn{ID: data.ID})
	if r := shown.IngressRules; len(r) != 1 || r[0].Account != "red" || r[0].SecurityGroup != "web" || r[0].CIDR != "" || *r[0].StartPort != 0 || *r[0].EndPort != 65535 {
		t.Errorf("the list shows %+v", r)
	}
	run(t, red, cs.CreateTags, cs.CreateTagsIn{
		ResourceType: "SecurityGroupRule", ResourceIDs: []string{string(shown.IngressRules[0].ID)}, Tags: []cs.KeyValue{{Key: "why", Value: "web"}},
	})
	if r := one(t, red, cs.ListSecurityGroups, cs.ListSecurityGroupsIn{ID: data.ID}).IngressRules[0]; len(r.Tags) != 1 || r.Tags[0].Key != "why" {
		t.Errorf("the rule's tags are %+v", r.Tags)
	}

	// A machine that comes, and one that goes, is told to those who have rules about its groups.
	second := deploy(web.ID)
	told := func(want ...cs.VirtualMachine) {
		t.Helper()
		must(t, c.Groups.Round(ctx))
		more := in
		more.ID, more.StartPort, more.EndPort = data.ID, new(1000+len(want)), new(1000+len(want))
		run(t, red, cs.AuthorizeSecurityGroupIngress, more) // its job ends when the host has all that is known by now
		var addresses []string
		for _, vm := range want {
			addresses = append(addresses, vm.NICs[0].IPAddress)
		}
		if _, all := guards(t, c, back.ID); !slices.Equal(slices.Sorted(slices.Values(all.Groups[0].Addresses)), slices.Sorted(slices.Values(addresses))) {
			t.Errorf("the members are %v, want %v", all.Groups[0].Addresses, addresses)
		}
	}
	told(front, second)
	run(t, red, cs.StopVirtualMachine, cs.StopVirtualMachineIn{ID: second.ID})
	run(t, red, cs.StartVirtualMachine, cs.StartVirtualMachineIn{ID: second.ID})
	guards(t, c, second.ID)
	run(t, c.Client, cs.DestroyVirtualMachine, cs.DestroyVirtualMachineIn{ID: second.ID, Expunge: true})
	told(front)

	refuseRules(t, c, red, blue, web, added)

	// Deleting, revoking.
	_, err := api.Do(ctx, red, cs.DeleteSecurityGroup, cs.DeleteSecurityGroupIn{ID: web.ID})
	refusedWith(t, err, 431, "in use by 1 virtual machine:")
	spare := group("spare")
	run(t, red, cs.AuthorizeSecurityGroupIngress, cs.AuthorizeSecurityGroupIn{ID: web.ID, Groups: []cs.AccountGroup{{Group: "spare"}, {Group: "web"}}})
	run(t, red, cs.AuthorizeSecurityGroupIngress, cs.AuthorizeSecurityGroupIn{ID: spare.ID, Groups: []cs.AccountGroup{{Group: "spare"}}})
	_, err = api.Do(ctx, red, cs.DeleteSecurityGroup, cs.DeleteSecurityGroupIn{ID: spare.ID})
	refusedWith(t, err, 431, "named by rules of web; revoke them first")
	for _, r := range one(t, red, cs.ListSecurityGroups, cs.ListSecurityGroupsIn{ID: web.ID}).IngressRules {
		run(t, red, cs.RevokeSecurityGroupIngress, cs.RevokeSecurityGroupIngressIn{ID: r.ID})
	}
	run(t, red, cs.RevokeSecurityGroupEgress, cs.RevokeSecurityGroupEgressIn{ID: uid.SecurityGroupEgressRule(out.EgressRules[0].ID)})
	if g, _ := guards(t, c, front.ID); len(g.Ingress) != 0 || !g.EgressAllowed {
		t.Errorf("after all were revoked its host has %+v", g)
	}
	_, err = api.Do(ctx, red, cs.DeleteSecurityGroup, cs.DeleteSecurityGroupIn{ID: spare.ID}) // its rule about itself goes with it
	must(t, err)
	if left := rowsOf(t, c, "select count(*) from security_group_rules where group_id = ?", spare.ID); left != 0 {
		t.Errorf("%d rules are left of a group", left)
	}

	// A host that refuses its rules keeps nobody waiting but who wants to run there.
	must(t, c.World.Script(ctx, hypervisor.Rule{Command: hypervisor.CommandApplyGuards, Fault: "no br_netfilter", Kind: fault.Conflict}))
	run(t, red, cs.AuthorizeSecurityGroupIngress, cs.AuthorizeSecurityGroupIn{ID: web.ID, CIDRs: []string{"192.0.2.0/24"}})
	if n := rowsOf(t, c, "select count(*) from host_documents where problem like '%br_netfilter%'"); n == 0 {
		t.Error("nobody is told that a host refuses its rules")
	}
	must(t, c.World.Script(ctx, hypervisor.Rule{Command: hypervisor.CommandApplyGuards}))
	run(t, red, cs.StopVirtualMachine, cs.StopVirtualMachineIn{ID: front.ID})
	run(t, red, cs.StartVirtualMachine, cs.StartVirtualMachineIn{ID: front.ID})
	if g, _ := guards(t, c, front.ID); len(g.Ingress) != 1 {
		t.Errorf("once it takes them again its host has %+v", g)
	}
}

func rowsOf(t *testing.T, c *cloudtest.Cloud, query string, args ...any) (n int) {
	t.Helper()
	must(t, c.DB.Read().NewRaw(query, args...).Scan(t.Context(), &n))
	return n
}

// refuseRules tries what is wrong.
func refuseRules(t *testing.T, c *cloudtest.Cloud, red, blue *api.Client, web, added cs.SecurityGroup) {
	t.Helper()
	somewhere := []string{"203.0.113.0/24"}
	for says, in := range map[string]cs.AuthorizeSecurityGroupIn{
		"either the id or the name": {CIDRs: somewhere},
		"want a cidrlist":           {ID: web.ID},
		"no network like":           {ID: web.ID, CIDRs: []string{"203.0.113.1"}},
		"wants a startport":         {ID: web.ID, Protocol: "udp", StartPort: new(1), CIDRs: somewhere},
		"endport 4 is not from":     {ID: web.ID, Protocol: "udp", StartPort: new(5), EndPort: new(4), CIDRs: somewhere},
		"startport -1 is no port":   {ID: web.ID, Protocol: "udp", StartPort: new(-1), EndPort: new(4), CIDRs: somewhere},
		"wants an icmptype":         {ID: web.ID, Protocol: "icmp", CIDRs: somewhere},
		"name the icmptype":         {ID: web.ID, Protocol: "icmp", ICMPType: new(-1), ICMPCode: new(3), CIDRs: somewhere},
		"has neither ports nor":     {ID: web.ID, Protocol: "47", StartPort: new(1), EndPort: new(4), CIDRs: somewhere},
		"none of tcp, udp":          {ID: web.ID, Protocol: "tpc", CIDRs: somewhere},
		`is not yours`:              {ID: web.ID, Groups: []cs.AccountGroup{{Account: "blue", Group: "default"}}},
		`no security group called`:  {ID: web.ID, Groups: []cs.AccountGroup{{Group: "nothing"}}},
		"says the same already":     {ID: web.ID, Protocol: "tcp", StartPort: new(80), EndPort: new(81), CIDRs: []string{"198.51.100.0/24"}},
		"no security group with id": {ID: uid.New[uid.SecurityGroup](), CIDRs: somewhere},
	} {
		_, err := api.Run(t.Context(), red, cs.AuthorizeSecurityGroupIngress, in)
		saysNo(t, err, says)
	}
	_, err := api.Run(t.Context(), blue, cs.AuthorizeSecurityGroupEgress, cs.AuthorizeSecurityGroupIn{ID: web.ID, CIDRs: somewhere})
	saysNo(t, err, "no security group with id")
	_, err = api.Run(t.Context(), blue, cs.RevokeSecurityGroupIngress, cs.RevokeSecurityGroupIngressIn{ID: added.IngressRules[0].ID})
	saysNo(t, err, "no rule of a security group with id")
	_, err = api.Run(t.Context(), red, cs.RevokeSecurityGroupEgress, cs.RevokeSecurityGroupEgressIn{ID: uid.SecurityGroupEgressRule(added.IngressRules[0].ID)})
	saysNo(t, err, "no egress rule of a security group with id")
	if now := one(t, c.Client, cs.ListSecurityGroups, cs.ListSecurityGroupsIn{ID: web.ID}); len(now.IngressRules) != 2 || len(now.EgressRules) != 1 {
		t.Errorf("after refusals the group has %+v", now)
	}
}

func TestStormSecurityGroupChange(t *testing.T) {
	t.Parallel()
	authorize := func(ctx context.Context, s *stormy, id uid.SecurityGroup) (op.ID, error) {
		_, job, err := s.now.Groups.Authorize(ctx, secgroup.AuthorizeIn{
			Which: secgroup.Which{ID: id}, Traffic: secgroup.Traffic{CIDRs: []string{"192.0.2.0/24"}},
		})
		return job, err
	}
	for _, revoke := range []bool{false, true} {
		for name, url := range map[string]func(testing.TB) string{"sqlite": dbtest.SQLite, "postgres": dbtest.Unmade} {
			t.Run(map[bool]string{false: "authorize ", true: "revoke "}[revoke]+name, func(t *testing.T) {
				t.Parallel()
				optest.Storm(t, func(t *testing.T) optest.World {
					s := stormyIn(t, url(t), cloudtest.Options{Basic: true})
					stop, err := s.now.Engine.Start(s.ctx)
					must(t, err)
					vm, job, err := s.now.Machines.Deploy(s.ctx, s.deployBasic(t))
					must(t, err)
					s.wait(t, job)
					groups, err := secgroup.Of(s.ctx, s.DB.Read(), []uid.VM{vm})
					must(t, err)
					id := groups[vm][0].ID
					if revoke {
						job, err = authorize(s.ctx, s, id)
						must(t, err)
						s.wait(t, job)
					}
					stop()
					look := func(want int) func(t *testing.T) {
						return func(t *testing.T) {
							t.Helper()
							must(t, s.now.Groups.Round(s.ctx))
							must(t, s.now.Documents.Round(s.ctx))
							var host uid.Host
							must(t, s.DB.Read().NewRaw("select host_id from vms where id = ?", vm).Scan(s.ctx, &host))
							has, err := s.World.Guards(s.ctx, host)
							must(t, err)
							rules, err := secgroup.RulesOf(s.ctx, s.DB.Read(), []uid.SecurityGroup{id})
							if must(t, err); len(rules[id]) != want || len(has.Ports) != 1 || len(has.Ports[0].Ingress) != want {
								t.Errorf("there are the rules %+v, and the host has %+v", rules[id], has)
							}
						}
					}
					there, nothing := 1, 0
					if revoke {
						there, nothing = 0, 1
					}
					return optest.World{
						DB:     s.DB,
						Engine: func(e op.Options) *op.Engine { s.now = s.Another(s.DB, s.World, e); return s.now.Engine },
						Start: func(ctx context.Context) (op.ID, error) {
							ctx = auth.With(ctx, auth.System())
							if !revoke {
								return authorize(ctx, s, id)
							}
							rules, err := secgroup.RulesOf(ctx, s.DB.Read(), []uid.SecurityGroup{id})
							if err != nil || len(rules[id]) == 0 {
								return "", err
							}
							return s.now.Groups.Revoke(ctx, rules[id][0].ID, false)
						},
						There: look(there), Nothing: look(nothing),
					}
				})
			})
		}
	}
}
