package cloudstack

import (
	"context"

	"github.com/virga-cloud/virga/api"
	cs "github.com/virga-cloud/virga/api/cloudstack"
	"github.com/virga-cloud/virga/internal/account"
	"github.com/virga-cloud/virga/internal/facade/cloudstack/look"
	"github.com/virga-cloud/virga/internal/facade/cloudstack/owned"
	"github.com/virga-cloud/virga/internal/facade/cloudstack/wire"
	"github.com/virga-cloud/virga/internal/secgroup"
	"github.com/virga-cloud/virga/internal/tag"
	"github.com/virga-cloud/virga/uid"
)

func (f *Facade) registerSecurityGroups(m *api.Mux) {
	api.HandleCreate(m, cs.CreateSecurityGroup, f.createSecurityGroup, f.securityGroup)
	api.HandleCall(m, cs.UpdateSecurityGroup, f.updateSecurityGroup)
	api.HandleCall(m, cs.DeleteSecurityGroup, f.deleteSecurityGroup)
	api.HandleList(m, cs.ListSecurityGroups, f.listSecurityGroups)
}

func (f *Facade) securityGroup(ctx context.Context, id uid.SecurityGroup) (cs.SecurityGroup, error) {
	return look.Show(f.DB.Read, secgroup.ByID, f.securityGroupsOut)(ctx, id)
}

func (f *Facade) createSecurityGroup(ctx context.Context, in cs.CreateSecurityGroupIn) (uid.SecurityGroup, error) {
	return f.Groups.Create(ctx, secgroup.CreateIn{
		Name: in.Name, Description: in.Description, Owner: account.For{Account: in.Account, Domain: in.DomainID, Project: in.ProjectID},
	})
}

func (f *Facade) updateSecurityGroup(ctx context.Context, in cs.UpdateSecurityGroupIn) (cs.SecurityGroup, error) {
	id, err := f.Groups.Update(ctx, in.ID, secgroup.Change{Name: in.Name, ID: in.CustomID})
	if err != nil {
		return cs.SecurityGroup{}, err
	}
	return f.securityGroup(ctx, id)
}

func (f *Facade) deleteSecurityGroup(ctx context.Context, in cs.DeleteSecurityGroupIn) (api.Success, error) {
	err := f.Groups.Delete(ctx, secgroup.DeleteIn{
		ID: in.ID, Name: in.Name, Owner: account.For{Account: in.Account, Domain: in.DomainID, Project: in.ProjectID},
	})
	return api.Success{Success: err == nil}, err
}

func (f *Facade) listSecurityGroups(ctx context.Context, in cs.ListSecurityGroupsIn) (none api.Page[cs.SecurityGroup], err error) {
	scope, err := f.Owned.ScopeIn(ctx, in.Scope, in.ID != "" || in.VirtualMachineID != "", in.InProject)
	if err != nil {
		return none, err
	}
	filter := secgroup.Filter{Scope: scope, ID: in.ID, Name: in.Name, VM: in.VirtualMachineID, Tags: wire.Wanted(in.Tagged), Keyword: in.Keyword}
	filter.Offset, filter.Limit = look.Window(in.Paging)
	groups, total, err := f.Groups.List(ctx, filter)
	if err != nil {
		return none, err
	}
	items, err := f.securityGroupsOut(ctx, groups)
	return api.Page[cs.SecurityGroup]{Count: total, Items: items}, err
}

func (f *Facade) securityGroupsOut(ctx context.Context, groups []secgroup.Group) ([]cs.SecurityGroup, error) {
	n, l := len(groups), look.In(f.DB.Read())
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
	if err := f.Owned.Owners(ctx, n, func(i int) (uid.Account, *cs.Owner) { return groups[i].Account, &out[i].Owner }); err != nil {
		return nil, err
	}
	return out, owned.Tagged(ctx, f.Owned, tag.SecurityGroup, n, func(i int) (uid.SecurityGroup, cs.Owner, *[]cs.Tag) {
		return out[i].ID, out[i].Owner, &out[i].Tags
	})
}
