package rule

import (
	"context"
	"strings"

	"github.com/virga-cloud/virga/api"
	cs "github.com/virga-cloud/virga/api/cloudstack"
	"github.com/virga-cloud/virga/internal/auth"
	"github.com/virga-cloud/virga/internal/facade/cloudstack/look"
	"github.com/virga-cloud/virga/internal/facade/cloudstack/wire"
	"github.com/virga-cloud/virga/internal/network"
	"github.com/virga-cloud/virga/internal/rule"
	"github.com/virga-cloud/virga/internal/tag"
	"github.com/virga-cloud/virga/uid"
)

func passage(in cs.Passage) rule.WallIn {
	return rule.WallIn{
		Protocol: in.Protocol, First: in.StartPort, Last: in.EndPort, ICMPType: in.ICMPType, ICMPCode: in.ICMPCode, Sources: in.CIDRs,
		System: strings.EqualFold(in.Type, "system"), Hidden: !unless(in.Display),
	}
}

func (t Translator) open(ctx context.Context, in cs.CreateFirewallRuleIn) (api.Started, error) {
	w := passage(in.Passage)
	w.Address = in.IPAddressID
	id, job, err := t.Rules.Open(ctx, w)
	return api.Started{ID: string(id), JobID: job}, err
}

func (t Translator) openEgress(ctx context.Context, in cs.CreateEgressFirewallRuleIn) (api.Started, error) {
	w := passage(in.Passage)
	w.Network, w.Targets = in.NetworkID, in.DestCIDRs
	id, job, err := t.Rules.Open(ctx, w)
	return api.Started{ID: string(id), JobID: job}, err
}

func (t Translator) listWalls(ctx context.Context, in cs.ListFirewallRulesIn) (none api.Page[cs.FirewallRule], err error) {
	scope, err := t.Owned.ScopeIn(ctx, in.Scope, in.ID != "", in.InProject)
	if err != nil {
		return none, err
	}
	return t.walls(ctx, in.Paging, rule.Filter{
		Scope: scope, IDs: only(in.ID), Address: in.IPAddressID, Network: in.NetworkID, Display: in.Display,
		Tags: wire.Wanted(in.Tagged), Keyword: in.Keyword,
	})
}

func (t Translator) listEgress(ctx context.Context, in cs.ListEgressFirewallRulesIn) (none api.Page[cs.FirewallRule], err error) {
	scope, err := t.Owned.ScopeIn(ctx, in.Scope, in.ID != "", in.InProject)
	if err != nil {
		return none, err
	}
	return t.walls(ctx, in.Paging, rule.Filter{
		Scope: scope, Egress: true, IDs: only(in.ID), Network: in.NetworkID, Serving: in.IPAddressID, Display: in.Display,
		Tags:    wire.Wanted(in.Tagged),
		Keyword: in.Keyword,
	})
}

func (t Translator) walls(ctx context.Context, p api.Paging, f rule.Filter) (none api.Page[cs.FirewallRule], err error) {
	if !auth.From(ctx).IsRoot() {
		f.Display = new(true)
	}
	f.Offset, f.Limit = look.Window(p)
	found, total, err := t.Rules.Walls(ctx, f)
	if err != nil {
		return none, err
	}
	items, err := t.wallsOut(ctx, found)
	return api.Page[cs.FirewallRule]{Count: total, Items: items}, err
}

func (t Translator) wallsOut(ctx context.Context, all []rule.Wall) ([]cs.FirewallRule, error) {
	n, l := len(all), look.In(t.DB.Read())
	addresses := look.Related(ctx, l, n, func(i int) uid.PublicIP { return all[i].Address }, network.AddressesByID)
	if l.Err != nil {
		return nil, l.Err
	}
	out := make([]cs.FirewallRule, n)
	for i, w := range all {
		out[i] = cs.FirewallRule{
			ID: string(w.ID), Protocol: w.Protocol, CIDRs: w.Sources, DestCIDRs: w.Targets, IPAddressID: w.Address,
			IPAddress: addresses[w.Address].IP.String(), NetworkID: w.Network, TrafficType: "Ingress", State: string(w.State),
			Display: new(w.Display),
		}
		if w.Egress() {
			out[i].TrafficType = "Egress"
		}
		if out[i].CIDRs == "" {
			out[i].CIDRs = "0.0.0.0/0"
		}
		if w.First != 0 {
			out[i].StartPort, out[i].EndPort = new(w.First), new(w.Last)
		}
		if w.Protocol == "icmp" {
			out[i].ICMPType, out[i].ICMPCode = new(w.ICMPType), new(w.ICMPCode)
		}
	}
	if err := t.Owned.Pending(ctx, n, func(i int) (string, *cs.Pending) { return out[i].ID, &out[i].Pending }); err != nil {
		return nil, err
	}
	return out, tagged(ctx, t.Owned, tag.Firewall, n, func(i int) (uid.Account, uid.FirewallRule, *[]cs.Tag) {
		return all[i].Account, all[i].ID, &out[i].Tags
	})
}
