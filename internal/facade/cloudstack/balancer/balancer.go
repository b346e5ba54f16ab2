package balancer

import (
	"context"
	"reflect"
	"slices"
	"strconv"

	"github.com/virga-cloud/virga/api"
	cs "github.com/virga-cloud/virga/api/cloudstack"
	"github.com/virga-cloud/virga/internal/account"
	"github.com/virga-cloud/virga/internal/auth"
	"github.com/virga-cloud/virga/internal/compute"
	"github.com/virga-cloud/virga/internal/db"
	"github.com/virga-cloud/virga/internal/facade/cloudstack/look"
	"github.com/virga-cloud/virga/internal/facade/cloudstack/owned"
	"github.com/virga-cloud/virga/internal/facade/cloudstack/wire"
	"github.com/virga-cloud/virga/internal/fault"
	"github.com/virga-cloud/virga/internal/network"
	"github.com/virga-cloud/virga/internal/rule"
	"github.com/virga-cloud/virga/internal/tag"
	"github.com/virga-cloud/virga/internal/zone"
	"github.com/virga-cloud/virga/uid"
)

// Translator translates for the service that keeps rules.
type Translator struct {
	DB       *db.DB
	Owned    owned.Lists
	Accounts *account.Service
	Rules    *rule.Service
	Machines *compute.Service
	// Shown shows machines as their own list does.
	Shown func(ctx context.Context, vms []compute.VM) ([]cs.VirtualMachine, error)
}

// Register gives the commands their handlers.
func (t Translator) Register(m *api.Mux) {
	show := look.Subject(look.Show(t.DB.Read, rule.PortsByID, t.balancersOut))
	api.HandleJob(m, cs.CreateLoadBalancerRule, t.create, show)
	api.HandleJob(m, cs.UpdateLoadBalancerRule, t.update, show)
	api.HandleJob(m, cs.DeleteLoadBalancerRule, func(ctx context.Context, in cs.LoadBalancerID) (api.Started, error) {
		return started(t.Rules.Delete(ctx, rule.Balancing, uid.Rule(in.ID), ""))
	}, look.Succeeded)
	api.HandleJob(m, cs.AssignToLoadBalancerRule, func(ctx context.Context, in cs.BalancedMachinesIn) (api.Started, error) {
		return started(t.Rules.Assign(ctx, uid.Rule(in.ID), targets(in)))
	}, look.Succeeded)
	api.HandleJob(m, cs.RemoveFromLoadBalancerRule, func(ctx context.Context, in cs.BalancedMachinesIn) (api.Started, error) {
		return started(t.Rules.Unassign(ctx, uid.Rule(in.ID), targets(in)))
	}, look.Succeeded)
	api.HandleList(m, cs.ListLoadBalancerRules, t.list)
	api.HandleList(m, cs.ListLoadBalancerRuleInstances, t.instances)
	policy := look.Subject(look.Show(t.DB.Read, rule.PoliciesByID, t.policiesOut))
	api.HandleJob(m, cs.CreateLBStickinessPolicy, t.stick, policy)
	api.HandleJob(m, cs.DeleteLBStickinessPolicy, func(ctx context.Context, in cs.DeleteLBStickinessPolicyIn) (api.Started, error) {
		return started(t.Rules.Unstick(ctx, in.ID))
	}, look.Succeeded)
	api.HandleJob(m, cs.UpdateLBStickinessPolicy, func(ctx context.Context, in cs.UpdateLBStickinessPolicyIn) (api.Started, error) {
		return started(t.Rules.ShowPolicy(ctx, in.ID, rule.Showing[uid.StickinessPolicy]{ID: in.CustomID, Display: in.Display}))
	}, policy)
	api.HandleList(m, cs.ListLBStickinessPolicies, t.policies)
}

func started(job uid.Op, err error) (api.Started, error) { return api.Started{JobID: job}, err }

func targets(in cs.BalancedMachinesIn) []rule.Target {
	var out []rule.Target
	for _, id := range in.VirtualMachineIDs {
		out = append(out, rule.Target{VM: id})
	}
	for _, a := range in.Addresses {
		out = append(out, rule.Target{VM: a.VirtualMachineID, IP: a.IPAddress})
	}
	return out
}

func (t Translator) create(ctx context.Context, in cs.CreateLoadBalancerRuleIn) (api.Started, error) {
	whose := account.For{Account: in.Account, Domain: in.DomainID}
	if in.PublicIPID != "" && whose != (account.For{}) {
		owner, err := t.Accounts.Owner(ctx, t.DB.Read(), whose)
		if err != nil {
			return api.Started{}, err
		}
		found, err := network.AddressesByID(ctx, t.DB.Read(), []uid.PublicIP{in.PublicIPID})
		if err != nil {
			return api.Started{}, err
		}
		if a, ok := found[in.PublicIPID]; ok && a.Account != "" && a.Account != owner.Account {
			return api.Started{}, fault.Invalidf("the address belongs to another account than the one that the load balancer is to be for")
		}
	}
	id, job, err := t.Rules.Balance(ctx, rule.BalanceIn{
		Address: in.PublicIPID, Served: network.Served{Network: in.NetworkID, Zone: in.ZoneID, Owner: whose},
		Name: in.Name, Description: in.Description, Algorithm: in.Algorithm, Protocol: in.Protocol, Port: in.PublicPort, GuestPort: in.PrivatePort,
		CIDRs: in.CIDRs, Open: in.OpenFirewall == nil || *in.OpenFirewall,
		Hidden: in.Display != nil && !*in.Display,
	})
	return api.Started{ID: string(id), JobID: job}, err
}

func (t Translator) update(ctx context.Context, in cs.UpdateLoadBalancerRuleIn) (api.Started, error) {
	to := rule.BalanceChange{
		Name: in.Name, Algorithm: in.Algorithm, Protocol: in.Protocol, Description: in.Description, CIDRs: in.CIDRs, Display: in.Display,
	}
	if in.CustomID == "" {
		return started(t.Rules.ChangeBalance(ctx, uid.Rule(in.ID), to))
	}
	if !reflect.DeepEqual(to, rule.BalanceChange{Display: in.Display}) {
		return api.Started{}, look.Alone("customid", "fordisplay")
	}
	return started(t.Rules.ShowPort(ctx, rule.Balancing, uid.Rule(in.ID), rule.Showing[uid.Rule]{ID: uid.Rule(in.CustomID), Display: in.Display}))
}

func (t Translator) list(ctx context.Context, in cs.ListLoadBalancerRulesIn) (none api.Page[cs.LoadBalancerRule], err error) {
	scope, err := t.Owned.ScopeIn(ctx, in.Scope, in.ID != "" || in.VirtualMachineID != "", in.InProject)
	if err != nil {
		return none, err
	}
	f := rule.Filter{
		Scope: scope, Kind: rule.Balancing, Name: in.Name, Address: in.PublicIPID, VM: in.VirtualMachineID, Network: in.NetworkID, Zone: in.ZoneID,
		Display: in.Display, Tags: wire.Wanted(in.Tagged), Keyword: in.Keyword,
	}
	if in.ID != "" {
		f.IDs = []string{string(in.ID)}
	}
	if !auth.From(ctx).IsRoot() {
		f.Display = new(true)
	}
	f.Offset, f.Limit = look.Window(in.Paging)
	found, total, err := t.Rules.Ports(ctx, f)
	if err != nil {
		return none, err
	}
	items, err := t.balancersOut(ctx, found)
	return api.Page[cs.LoadBalancerRule]{Count: total, Items: items}, err
}

func (t Translator) balancersOut(ctx context.Context, all []rule.Port) ([]cs.LoadBalancerRule, error) {
	n, l := len(all), look.In(t.DB.Read())
	addresses := look.Related(ctx, l, n, func(i int) uid.PublicIP { return all[i].Address }, network.AddressesByID)
	networks := look.Related(ctx, l, n, func(i int) uid.Network { return all[i].Network }, network.ByID)
	zones := look.Related(ctx, l, n, func(i int) uid.Zone { return networks[all[i].Network].Zone }, zone.Names)
	if l.Err != nil {
		return nil, l.Err
	}
	out := make([]cs.LoadBalancerRule, n)
	for i, p := range all {
		z := networks[p.Network].Zone
		out[i] = cs.LoadBalancerRule{
			ID: uid.LoadBalancer(p.ID), Name: p.Name, Description: p.Description, PublicIP: addresses[p.Address].IP.String(), PublicIPID: p.Address,
			PublicPort: strconv.Itoa(p.First), PrivatePort: strconv.Itoa(p.GuestFirst), Algorithm: p.Algorithm, Protocol: p.Protocol, CIDRs: p.CIDRs,
			NetworkID: p.Network, ZoneID: z, ZoneName: zones[z], State: string(p.State), Display: new(p.Display),
		}
	}
	if err := t.Owned.Owners(ctx, n, func(i int) (uid.Account, *cs.Owner) { return all[i].Account, &out[i].Owner }); err != nil {
		return nil, err
	}
	if err := t.Owned.Pending(ctx, n, func(i int) (string, *cs.Pending) { return string(out[i].ID), &out[i].Pending }); err != nil {
		return nil, err
	}
	return out, owned.Tagged(ctx, t.Owned, tag.LoadBalancer, n, func(i int) (uid.LoadBalancer, cs.Owner, *[]cs.Tag) {
		return out[i].ID, out[i].Owner, &out[i].Tags
	})
}

func (t Translator) instances(ctx context.Context, in cs.ListLoadBalancerRuleInstancesIn) (none api.Page[cs.VirtualMachine], err error) {
	members, p, err := t.Rules.Members(ctx, auth.From(ctx).Reach(), uid.Rule(in.ID))
	if err != nil {
		return none, err
	}
	f := compute.Filter{Scope: auth.Scope{Account: p.Account}, Keyword: in.Keyword}
	addresses := map[uid.VM][]string{}
	var ids []uid.VM
	for _, m := range members {
		if !slices.Contains(ids, m.VM) {
			ids = append(ids, m.VM)
		}
		addresses[m.VM] = append(addresses[m.VM], m.GuestIP.String())
	}
	if in.Applied == nil || *in.Applied {
		if f.IDs = ids; len(ids) == 0 {
			return none, nil
		}
	} else {
		f.Network, f.Except, f.Present = p.Network, ids, true
	}
	f.Offset, f.Limit = look.Window(in.Paging)
	found, total, err := t.Machines.List(ctx, f)
	if err != nil {
		return none, err
	}
	shown, err := t.Shown(ctx, found)
	if !in.IPs {
		return api.Page[cs.VirtualMachine]{Count: total, Items: shown}, err
	}
	with := make([]cs.BalancedMachine, len(shown))
	for i, vm := range shown {
		with[i] = cs.BalancedMachine{VirtualMachine: vm, Addresses: addresses[vm.ID]}
	}
	return api.Page[cs.VirtualMachine]{Count: total, Other: with}, err
}

func (t Translator) stick(ctx context.Context, in cs.CreateLBStickinessPolicyIn) (api.Started, error) {
	params := map[string]string{}
	for _, p := range in.Params {
		if _, twice := params[p.Name]; twice {
			return api.Started{}, fault.Invalidf("param holds %q twice", p.Name)
		}
		params[p.Name] = p.Value
	}
	id, job, err := t.Rules.Stick(ctx, rule.StickIn{
		Rule: uid.Rule(in.RuleID), Name: in.Name, Description: in.Description, Method: in.Method, Params: params,
		Hidden: in.Display != nil && !*in.Display,
	})
	return api.Started{ID: string(id), JobID: job}, err
}

func (t Translator) policies(ctx context.Context, in cs.ListLBStickinessPoliciesIn) (none api.Page[cs.LBStickiness], err error) {
	f := rule.Filter{Scope: auth.From(ctx).Reach(), Balancer: uid.Rule(in.RuleID), Display: in.Display, Keyword: in.Keyword}
	if in.ID != "" {
		f.IDs = []string{string(in.ID)}
	}
	if !auth.From(ctx).IsRoot() {
		f.Display = new(true)
	}
	f.Offset, f.Limit = look.Window(in.Paging)
	found, total, err := t.Rules.Policies(ctx, f)
	if err != nil {
		return none, err
	}
	items, err := t.policiesOut(ctx, found)
	return api.Page[cs.LBStickiness]{Count: total, Items: items}, err
}

func (t Translator) policiesOut(ctx context.Context, all []rule.Policy) ([]cs.LBStickiness, error) {
	n, l := len(all), look.In(t.DB.Read())
	rules := look.Related(ctx, l, n, func(i int) uid.Rule { return all[i].Rule }, rule.PortsByID)
	networks := look.Related(ctx, l, n, func(i int) uid.Network { return rules[all[i].Rule].Network }, network.ByID)
	if l.Err != nil {
		return nil, l.Err
	}
	out := make([]cs.LBStickiness, n)
	for i, y := range all {
		p := rules[y.Rule]
		out[i] = cs.LBStickiness{
			RuleID: uid.LoadBalancer(y.Rule), Name: p.Name, Description: p.Description, State: string(p.State), ZoneID: networks[p.Network].Zone,
			Policies: []cs.StickinessPolicy{{
				ID: y.ID, Name: y.Name, Description: y.Description, Method: y.Method, Params: y.Params, State: string(y.State),
				Display: new(y.Display),
			}},
		}
	}
	if err := t.Owned.Owners(ctx, n, func(i int) (uid.Account, *cs.Owner) { return all[i].Account, &out[i].Owner }); err != nil {
		return nil, err
	}
	return out, t.Owned.Pending(ctx, n, func(i int) (string, *cs.Pending) { return string(all[i].ID), &out[i].Pending })
}
