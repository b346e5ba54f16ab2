package secgroup

import (
	"context"

	"github.com/virga-cloud/virga/api"
	cs "github.com/virga-cloud/virga/api/cloudstack"
	"github.com/virga-cloud/virga/internal/account"
	"github.com/virga-cloud/virga/internal/db"
	"github.com/virga-cloud/virga/internal/facade/cloudstack/look"
	"github.com/virga-cloud/virga/internal/facade/cloudstack/owned"
	"github.com/virga-cloud/virga/internal/facade/cloudstack/wire"
	"github.com/virga-cloud/virga/internal/secgroup"
	"github.com/virga-cloud/virga/internal/tag"
	"github.com/virga-cloud/virga/uid"
)

// Translator translates for the service that keeps security groups.
type Translator struct {
	DB     *db.DB
	Owned  owned.Lists
	Groups *secgroup.Service
}

// Register gives the commands their handlers.
func (t Translator) Register(m *api.Mux) {
	api.HandleCreate(m, cs.CreateSecurityGroup, t.create, t.show)
	api.HandleCall(m, cs.UpdateSecurityGroup, t.update)
	api.HandleCall(m, cs.DeleteSecurityGroup, t.remove)
	api.HandleList(m, cs.ListSecurityGroups, t.list)
	api.HandleJob(m, cs.AuthorizeSecurityGroupIngress, func(ctx context.Context, in cs.AuthorizeSecurityGroupIn) (api.Started, error) {
		return t.authorize(ctx, in, false)
	}, look.Subject(t.added))
	api.HandleJob(m, cs.AuthorizeSecurityGroupEgress, func(ctx context.Context, in cs.AuthorizeSecurityGroupIn) (api.Started, error) {
		return t.authorize(ctx, in, true)
	}, look.Subject(t.added))
	api.HandleJob(m, cs.RevokeSecurityGroupIngress, func(ctx context.Context, in cs.RevokeSecurityGroupIngressIn) (api.Started, error) {
		job, err := t.Groups.Revoke(ctx, in.ID, false)
		return api.Started{JobID: job}, err
	}, look.Succeeded)
	api.HandleJob(m, cs.RevokeSecurityGroupEgress, func(ctx context.Context, in cs.RevokeSecurityGroupEgressIn) (api.Started, error) {
		job, err := t.Groups.Revoke(ctx, uid.SecurityGroupRule(in.ID), true)
		return api.Started{JobID: job}, err
	}, look.Succeeded)
}

func (t Translator) show(ctx context.Context, id uid.SecurityGroup) (cs.SecurityGroup, error) {
	return look.Show(t.DB.Read, secgroup.ByID, t.out)(ctx, id)
}

func (t Translator) create(ctx context.Context, in cs.CreateSecurityGroupIn) (uid.SecurityGroup, error) {
	return t.Groups.Create(ctx, secgroup.CreateIn{
		Name: in.Name, Description: in.Description, Owner: account.For{Account: in.Account, Domain: in.DomainID, Project: in.ProjectID},
	})
}

func (t Translator) update(ctx context.Context, in cs.UpdateSecurityGroupIn) (cs.SecurityGroup, error) {
	id, err := t.Groups.Update(ctx, in.ID, secgroup.Change{Name: in.Name, ID: in.CustomID})
	if err != nil {
		return cs.SecurityGroup{}, err
	}
	return t.show(ctx, id)
}

func (t Translator) remove(ctx context.Context, in cs.DeleteSecurityGroupIn) (api.Success, error) {
	err := t.Groups.Delete(ctx, secgroup.Which{
		ID: in.ID, Name: in.Name, Owner: account.For{Account: in.Account, Domain: in.DomainID, Project: in.ProjectID},
	})
	return api.Success{Success: err == nil}, err
}

func (t Translator) authorize(ctx context.Context, in cs.AuthorizeSecurityGroupIn, egress bool) (api.Started, error) {
	traffic := secgroup.Traffic{
		Protocol: in.Protocol, First: in.StartPort, Last: in.EndPort, ICMPType: in.ICMPType, ICMPCode: in.ICMPCode, CIDRs: in.CIDRs,
	}
	for _, g := range in.Groups {
		traffic.Peers = append(traffic.Peers, secgroup.Peer{Account: g.Account, Group: g.Group})
	}
	id, job, err := t.Groups.Authorize(ctx, secgroup.AuthorizeIn{
		Which: secgroup.Which{
			ID: in.ID, Name: in.Name, Owner: account.For{Account: in.Account, Domain: in.DomainID, Project: in.ProjectID},
		},
		Traffic: traffic, Egress: egress,
	})
	return api.Started{ID: string(id), JobID: job}, err
}

// added shows a group with the rules that were made in one go, of which the first is named, and no others.
func (t Translator) added(ctx context.Context, id uid.SecurityGroupRule) (none cs.SecurityGroup, err error) {
	return look.Show(t.DB.Read, secgroup.Batches, func(ctx context.Context, made [][]secgroup.Rule) ([]cs.SecurityGroup, error) {
		rules := made[0]
		found, err := secgroup.ByID(ctx, t.DB.Read(), []uid.SecurityGroup{rules[0].Group})
		if err != nil {
			return nil, err
		}
		return t.with(ctx, []secgroup.Group{found[rules[0].Group]}, map[uid.SecurityGroup][]secgroup.Rule{rules[0].Group: rules})
	})(ctx, id)
}

func (t Translator) list(ctx context.Context, in cs.ListSecurityGroupsIn) (none api.Page[cs.SecurityGroup], err error) {
	scope, err := t.Owned.ScopeIn(ctx, in.Scope, in.ID != "" || in.VirtualMachineID != "", in.InProject)
	if err != nil {
		return none, err
	}
	filter := secgroup.Filter{Scope: scope, ID: in.ID, Name: in.Name, VM: in.VirtualMachineID, Tags: wire.Wanted(in.Tagged), Keyword: in.Keyword}
	filter.Offset, filter.Limit = look.Window(in.Paging)
	groups, total, err := t.Groups.List(ctx, filter)
	if err != nil {
		return none, err
	}
	items, err := t.out(ctx, groups)
	return api.Page[cs.SecurityGroup]{Count: total, Items: items}, err
}

func (t Translator) out(ctx context.Context, groups []secgroup.Group) ([]cs.SecurityGroup, error) {
	l := look.In(t.DB.Read())
	rules := look.Related(ctx, l, len(groups), func(i int) uid.SecurityGroup { return groups[i].ID }, secgroup.RulesOf)
	if l.Err != nil {
		return nil, l.Err
	}
	return t.with(ctx, groups, rules)
}

// with shows groups with some of their rules.
func (t Translator) with(ctx context.Context, groups []secgroup.Group, rules map[uid.SecurityGroup][]secgroup.Rule) ([]cs.SecurityGroup, error) {
	n, l := len(groups), look.In(t.DB.Read())
	members := look.Related(ctx, l, n, func(i int) uid.SecurityGroup { return groups[i].ID }, secgroup.Members)
	if l.Err != nil {
		return nil, l.Err
	}
	out := make([]cs.SecurityGroup, n)
	for i, g := range groups {
		in := members[g.ID]
		out[i] = cs.SecurityGroup{
			ID: g.ID, Name: g.Name, Description: g.Description, IngressRules: []cs.SecurityGroupRule{}, EgressRules: []cs.SecurityGroupRule{},
			VirtualMachineCount: len(in), VirtualMachineIDs: in,
		}
	}
	if err := t.Owned.Owners(ctx, n, func(i int) (uid.Account, *cs.Owner) { return groups[i].Account, &out[i].Owner }); err != nil {
		return nil, err
	}
	if err := t.rules(ctx, out, rules); err != nil {
		return nil, err
	}
	return out, owned.Tagged(ctx, t.Owned, tag.SecurityGroup, n, func(i int) (uid.SecurityGroup, cs.Owner, *[]cs.Tag) {
		return out[i].ID, out[i].Owner, &out[i].Tags
	})
}

// rules adds groups their rules.
func (t Translator) rules(ctx context.Context, groups []cs.SecurityGroup, of map[uid.SecurityGroup][]secgroup.Rule) error {
	var all []secgroup.Rule
	var owners []cs.Owner
	for _, g := range groups {
		for _, r := range of[g.ID] {
			all, owners = append(all, r), append(owners, g.Owner)
		}
	}
	n, l := len(all), look.In(t.DB.Read())
	peers := look.Related(ctx, l, n, func(i int) uid.SecurityGroup { return all[i].Peer }, secgroup.ByID)
	if l.Err != nil {
		return l.Err
	}
	names, err := t.Owned.AccountNames(ctx, n, func(i int) uid.Account { return peers[all[i].Peer].Account })
	if err != nil {
		return err
	}
	shown := make([]cs.SecurityGroupRule, n)
	for i, r := range all {
		shown[i] = rule(r)
		if p, ok := peers[r.Peer]; ok {
			shown[i].SecurityGroup, shown[i].Account = p.Name, names[p.Account].Account
		}
	}
	err = owned.Tagged(ctx, t.Owned, tag.SecurityGroupRule, n, func(i int) (uid.SecurityGroupRule, cs.Owner, *[]cs.Tag) {
		return all[i].ID, owners[i], &shown[i].Tags
	})
	if err != nil {
		return err
	}
	at := map[uid.SecurityGroup]*cs.SecurityGroup{}
	for i := range groups {
		at[groups[i].ID] = &groups[i]
	}
	for i, r := range all {
		if g := at[r.Group]; r.Egress {
			g.EgressRules = append(g.EgressRules, shown[i])
		} else {
			g.IngressRules = append(g.IngressRules, shown[i])
		}
	}
	return nil
}

// lastPort is the last one there is.
const lastPort = 65535

func rule(r secgroup.Rule) cs.SecurityGroupRule {
	out := cs.SecurityGroupRule{ID: r.ID, Protocol: r.Protocol, CIDR: r.CIDR}
	switch r.Protocol {
	case "tcp", "udp":
		if out.StartPort, out.EndPort = new(r.First), new(r.Last); r.Last == 0 {
			*out.EndPort = lastPort
		}
	case "icmp":
		out.ICMPType, out.ICMPCode = new(r.ICMPType), new(r.ICMPCode)
	}
	return out
}
