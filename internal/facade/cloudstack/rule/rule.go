package rule

import (
	"context"
	"reflect"
	"strconv"

	"github.com/virga-cloud/virga/api"
	cs "github.com/virga-cloud/virga/api/cloudstack"
	"github.com/virga-cloud/virga/internal/auth"
	"github.com/virga-cloud/virga/internal/compute"
	"github.com/virga-cloud/virga/internal/db"
	"github.com/virga-cloud/virga/internal/facade/cloudstack/look"
	"github.com/virga-cloud/virga/internal/facade/cloudstack/owned"
	"github.com/virga-cloud/virga/internal/facade/cloudstack/wire"
	"github.com/virga-cloud/virga/internal/network"
	"github.com/virga-cloud/virga/internal/rule"
	"github.com/virga-cloud/virga/internal/tag"
	"github.com/virga-cloud/virga/uid"
)

// Translator translates for the service that keeps rules.
type Translator struct {
	DB    *db.DB
	Owned owned.Lists
	Rules *rule.Service
}

// Register gives the commands their handlers.
func (t Translator) Register(m *api.Mux) {
	port := look.Subject(look.Show(t.DB.Read, rule.PortsByID, t.portsOut))
	wall := look.Subject(look.Show(t.DB.Read, rule.WallsByID, t.wallsOut))
	api.HandleJob(m, cs.CreatePortForwardingRule, t.forward, port)
	api.HandleJob(m, cs.UpdatePortForwardingRule, t.changeForward, port)
	api.HandleJob(m, cs.DeletePortForwardingRule, func(ctx context.Context, in cs.DeletePortForwardingRuleIn) (api.Started, error) {
		return started(t.Rules.Delete(ctx, rule.Forwarding, uid.Rule(in.ID), in.AccountID))
	}, look.Succeeded)
	api.HandleList(m, cs.ListPortForwardingRules, t.listForwards)
	api.HandleCall(m, cs.EnableStaticNAT, func(ctx context.Context, in cs.EnableStaticNATIn) (api.Success, error) {
		err := t.Rules.Enable(ctx, in.IPAddressID, in.VirtualMachineID, in.NetworkID, in.VMGuestIP)
		return api.Success{Success: err == nil}, err
	})
	api.HandleJob(m, cs.DisableStaticNAT, func(ctx context.Context, in cs.DisableStaticNATIn) (api.Started, error) {
		return started(t.Rules.Disable(ctx, in.IPAddressID))
	}, look.Succeeded)
	api.HandleJob(m, cs.CreateIPForwardingRule, t.pass, look.Subject(look.Show(t.DB.Read, rule.PortsByID, t.passesOut)))
	api.HandleJob(m, cs.DeleteIPForwardingRule, func(ctx context.Context, in cs.DeleteIPForwardingRuleIn) (api.Started, error) {
		return started(t.Rules.Delete(ctx, rule.StaticNAT, uid.Rule(in.ID), in.AccountID))
	}, look.Succeeded)
	api.HandleList(m, cs.ListIPForwardingRules, t.listPasses)
	api.HandleJob(m, cs.CreateFirewallRule, t.open, wall)
	api.HandleJob(m, cs.DeleteFirewallRule, func(ctx context.Context, in cs.DeleteFirewallRuleIn) (api.Started, error) {
		return started(t.Rules.Close(ctx, in.ID, false, in.AccountID))
	}, look.Succeeded)
	api.HandleJob(m, cs.UpdateFirewallRule, func(ctx context.Context, in cs.UpdateFirewallRuleIn) (api.Started, error) {
		return started(t.Rules.ShowWall(ctx, in.ID, false, rule.Showing[uid.FirewallRule]{ID: in.CustomID, Display: in.Display}))
	}, wall)
	api.HandleList(m, cs.ListFirewallRules, t.listWalls)
	api.HandleJob(m, cs.CreateEgressFirewallRule, t.openEgress, wall)
	api.HandleJob(m, cs.DeleteEgressFirewallRule, func(ctx context.Context, in cs.DeleteEgressFirewallRuleIn) (api.Started, error) {
		return started(t.Rules.Close(ctx, uid.FirewallRule(in.ID), true, in.AccountID))
	}, look.Succeeded)
	api.HandleJob(m, cs.UpdateEgressFirewallRule, func(ctx context.Context, in cs.UpdateEgressFirewallRuleIn) (api.Started, error) {
		to := rule.Showing[uid.FirewallRule]{ID: uid.FirewallRule(in.CustomID), Display: in.Display}
		return started(t.Rules.ShowWall(ctx, uid.FirewallRule(in.ID), true, to))
	}, wall)
	api.HandleList(m, cs.ListEgressFirewallRules, t.listEgress)
}

func started(job uid.Op, err error) (api.Started, error) { return api.Started{JobID: job}, err }

// unless is what a switch says that is on unless it was given.
func unless(given *bool) bool { return given == nil || *given }

func (t Translator) forward(ctx context.Context, in cs.CreatePortForwardingRuleIn) (api.Started, error) {
	id, job, err := t.Rules.Forward(ctx, rule.ForwardIn{
		Address: in.IPAddressID, Network: in.NetworkID, Protocol: in.Protocol, First: in.PublicPort, Last: in.PublicEndPort,
		GuestFirst: in.PrivatePort,
		GuestLast:  in.PrivateEndPort, VM: in.VirtualMachineID, GuestIP: in.VMGuestIP, CIDRs: in.CIDRs, Open: unless(in.OpenFirewall),
		Hidden: !unless(in.Display),
	})
	return api.Started{ID: string(id), JobID: job}, err
}

func (t Translator) changeForward(ctx context.Context, in cs.UpdatePortForwardingRuleIn) (api.Started, error) {
	if in.VMGuestIP == "" {
		in.VMGuestIP = in.PrivateIP
	}
	to := rule.ForwardChange{
		Address: in.IPAddressID, Protocol: in.Protocol, First: in.PublicPort, VM: in.VirtualMachineID, GuestIP: in.VMGuestIP,
		GuestFirst: in.PrivatePort, GuestLast: in.PrivateEndPort, CIDRs: in.CIDRs, Display: in.Display,
	}
	if in.CustomID == "" {
		return started(t.Rules.ChangeForward(ctx, uid.Rule(in.ID), to))
	}
	if !reflect.DeepEqual(to, rule.ForwardChange{Display: in.Display}) {
		return api.Started{}, look.Alone("customid", "fordisplay")
	}
	return started(t.Rules.ShowPort(ctx, rule.Forwarding, uid.Rule(in.ID), rule.Showing[uid.Rule]{ID: uid.Rule(in.CustomID), Display: in.Display}))
}

func (t Translator) pass(ctx context.Context, in cs.CreateIPForwardingRuleIn) (api.Started, error) {
	id, job, err := t.Rules.Pass(ctx, rule.PassIn{
		Address: in.IPAddressID, Protocol: in.Protocol, First: in.StartPort, Last: in.EndPort, CIDRs: in.CIDRs, Open: unless(in.OpenFirewall),
	})
	return api.Started{ID: string(id), JobID: job}, err
}

func (t Translator) listForwards(ctx context.Context, in cs.ListPortForwardingRulesIn) (none api.Page[cs.PortForwardingRule], err error) {
	scope, err := t.Owned.ScopeIn(ctx, in.Scope, in.ID != "", in.InProject)
	if err != nil {
		return none, err
	}
	return t.ports(ctx, in.Paging, rule.Filter{
		Scope: scope, Kind: rule.Forwarding, IDs: only(in.ID), Address: in.IPAddressID, Network: in.NetworkID, Display: in.Display,
		Tags: wire.Wanted(in.Tagged), Keyword: in.Keyword,
	})
}

func (t Translator) listPasses(ctx context.Context, in cs.ListIPForwardingRulesIn) (none api.Page[cs.IPForwardingRule], err error) {
	scope, err := t.Owned.ScopeIn(ctx, in.Scope, in.ID != "" || in.VirtualMachineID != "", in.InProject)
	if err != nil {
		return none, err
	}
	f := rule.Filter{
		Scope: scope, Kind: rule.StaticNAT, IDs: only(in.ID), Address: in.IPAddressID, VM: in.VirtualMachineID, Keyword: in.Keyword,
	}
	f.Offset, f.Limit = look.Window(in.Paging)
	found, total, err := t.Rules.Ports(ctx, f)
	if err != nil {
		return none, err
	}
	items, err := t.passesOut(ctx, found)
	return api.Page[cs.IPForwardingRule]{Count: total, Items: items}, err
}

// passesOut shows rules on ports of static NATs.
func (t Translator) passesOut(ctx context.Context, all []rule.Port) ([]cs.IPForwardingRule, error) {
	shown, err := t.portsOut(ctx, all)
	out := make([]cs.IPForwardingRule, len(shown))
	for i, one := range shown {
		out[i] = cs.IPForwardingRule{PortForwardingRule: one, StartPort: all[i].First, EndPort: all[i].Last}
	}
	return out, err
}

// only is a list of the one id, none of "".
func only[ID ~string](id ID) []string {
	if id == "" {
		return nil
	}
	return []string{string(id)}
}

func (t Translator) ports(ctx context.Context, p api.Paging, f rule.Filter) (none api.Page[cs.PortForwardingRule], err error) {
	if !auth.From(ctx).IsRoot() {
		f.Display = new(true)
	}
	f.Offset, f.Limit = look.Window(p)
	found, total, err := t.Rules.Ports(ctx, f)
	if err != nil {
		return none, err
	}
	items, err := t.portsOut(ctx, found)
	return api.Page[cs.PortForwardingRule]{Count: total, Items: items}, err
}

func (t Translator) portsOut(ctx context.Context, all []rule.Port) ([]cs.PortForwardingRule, error) {
	n, l := len(all), look.In(t.DB.Read())
	machines := look.Related(ctx, l, n, func(i int) uid.VM { return all[i].VM }, compute.ByID)
	addresses := look.Related(ctx, l, n, func(i int) uid.PublicIP { return all[i].Address }, network.AddressesByID)
	cards := look.Related(ctx, l, n, func(i int) uid.NIC { return all[i].NIC }, rule.CardIPs)
	opened := look.Related(ctx, l, n, func(i int) uid.Rule { return all[i].ID }, rule.OpenedFor)
	if l.Err != nil {
		return nil, l.Err
	}
	out := make([]cs.PortForwardingRule, n)
	for i, p := range all {
		vm := machines[p.VM]
		out[i] = cs.PortForwardingRule{
			ID: string(p.ID), Protocol: p.Protocol, PublicPort: strconv.Itoa(p.First), PublicEndPort: strconv.Itoa(p.Last),
			PrivatePort: strconv.Itoa(p.GuestFirst), PrivateEndPort: strconv.Itoa(p.GuestLast), VirtualMachineID: p.VM, VirtualMachineName: vm.Name,
			VMDisplayName: vm.DisplayName, VMGuestIP: cards[p.NIC].String(), IPAddressID: p.Address, IPAddress: addresses[p.Address].IP.String(),
			NetworkID: p.Network, CIDRs: opened[p.ID], State: string(p.State), Display: new(p.Display),
		}
	}
	if err := t.Owned.Pending(ctx, n, func(i int) (string, *cs.Pending) { return out[i].ID, &out[i].Pending }); err != nil {
		return nil, err
	}
	return out, tagged(ctx, t.Owned, tag.PortForwarding, n, func(i int) (uid.Account, uid.Rule, *[]cs.Tag) {
		return all[i].Account,
			all[i].ID, &out[i].Tags
	})
}

// tagged fills in the tags of rules, whose answers don't say whose they are.
func tagged[K ~string](ctx context.Context, l owned.Lists, kind tag.Type, n int, at func(i int) (uid.Account, K, *[]cs.Tag)) error {
	owners := make([]cs.Owner, n)
	err := l.Owners(ctx, n, func(i int) (uid.Account, *cs.Owner) { account, _, _ := at(i); return account, &owners[i] })
	if err != nil {
		return err
	}
	return owned.Tagged(ctx, l, kind, n, func(i int) (K, cs.Owner, *[]cs.Tag) { _, id, to := at(i); return id, owners[i], to })
}
