package cloudstack

import (
	"context"

	"github.com/virga-cloud/virga/api"
	cs "github.com/virga-cloud/virga/api/cloudstack"
	"github.com/virga-cloud/virga/internal/auth"
	"github.com/virga-cloud/virga/internal/facade/cloudstack/look"
	"github.com/virga-cloud/virga/internal/fault"
	"github.com/virga-cloud/virga/internal/role"
	"github.com/virga-cloud/virga/uid"
)

func (f *Facade) registerRoles(m *api.Mux) {
	showRole := look.Show(f.DB.Read, role.ByID, rolesOut)
	api.HandleCreate(m, cs.CreateRole, f.createRole, showRole)
	api.HandleCreate(m, cs.ImportRole, f.importRole, showRole)
	api.HandleCall(m, cs.UpdateRole, func(ctx context.Context, in cs.UpdateRoleIn) (cs.Role, error) {
		if err := f.updateRole(ctx, in); err != nil {
			return cs.Role{}, err
		}
		return showRole(ctx, in.ID)
	})
	api.HandleCall(m, cs.DeleteRole, f.deleteRole)
	api.HandleCall(m, cs.EnableRole, f.enableRole)
	api.HandleCall(m, cs.DisableRole, f.disableRole)
	api.HandleList(m, cs.ListRoles, f.listRoles)
	api.HandleCreate(m, cs.CreateRolePermission, f.createRolePermission, look.Show(f.DB.Read, role.RulesByID, f.rulesOut))
	api.HandleCall(m, cs.UpdateRolePermission, f.updateRolePermission)
	api.HandleCall(m, cs.DeleteRolePermission, f.deleteRolePermission)
	api.HandleList(m, cs.ListRolePermissions, f.listRolePermissions)
}

// roleTypes are the types of accounts as the commands about roles call them.
var roleTypes = map[auth.AccountType]string{
	auth.RootAdmin: "Admin", auth.ResourceAdmin: "ResourceAdmin", auth.DomainAdmin: "DomainAdmin", auth.User: "User",
}

// typeNamed gives the type of that name, nil for none; the contract lets no other name pass.
func typeNamed(name string) *auth.AccountType {
	for t, known := range roleTypes {
		if known == name {
			return &t
		}
	}
	return nil
}

const (
	allow = "allow"
	deny  = "deny"
)

func (f *Facade) createRole(ctx context.Context, in cs.CreateRoleIn) (uid.Role, error) {
	return f.Roles.Create(ctx, role.CreateIn{
		Name: in.Name, Description: in.Description, Type: typeNamed(in.Type), From: in.RoleID, Private: in.Public != nil && !*in.Public,
	})
}

func (f *Facade) importRole(ctx context.Context, in cs.ImportRoleIn) (uid.Role, error) {
	t := typeNamed(in.Type)
	if t == nil {
		return "", fault.Invalidf("type is missing: Admin, ResourceAdmin, DomainAdmin or User")
	}
	what := role.ImportIn{
		Name: in.Name, Description: in.Description, Type: *t, Private: in.Public != nil && !*in.Public, Forced: in.Forced,
	}
	what.Rules = rulesIn(in.Rules)
	return f.Roles.Import(ctx, what)
}

func (f *Facade) updateRole(ctx context.Context, in cs.UpdateRoleIn) error {
	what := role.UpdateIn{Name: in.Name, Description: in.Description, Public: in.Public}
	if in.Type != nil {
		what.Type = typeNamed(*in.Type)
	}
	return f.Roles.Update(ctx, in.ID, what)
}

func (f *Facade) deleteRole(ctx context.Context, in cs.RoleID) (api.Success, error) {
	return outcome(f.Roles.Delete(ctx, in.ID))
}

func (f *Facade) enableRole(ctx context.Context, in cs.RoleID) (api.Success, error) {
	return outcome(f.Roles.SetState(ctx, in.ID, role.Enabled))
}

func (f *Facade) disableRole(ctx context.Context, in cs.RoleID) (api.Success, error) {
	return outcome(f.Roles.SetState(ctx, in.ID, role.Disabled))
}

func outcome(err error) (api.Success, error) { return api.Success{Success: err == nil}, err }

func (f *Facade) listRoles(ctx context.Context, in cs.ListRolesIn) (none api.Page[cs.Role], err error) {
	filter := role.Filter{ID: in.ID, Name: in.Name, Type: typeNamed(in.Type), State: role.State(in.State), Keyword: in.Keyword}
	filter.Offset, filter.Limit = look.Window(in.Paging)
	roles, total, err := f.Roles.List(ctx, filter)
	if err != nil {
		return none, err
	}
	items, err := rolesOut(ctx, roles)
	return api.Page[cs.Role]{Count: total, Items: items}, err
}

func rolesOut(_ context.Context, roles []role.Role) ([]cs.Role, error) {
	out := make([]cs.Role, len(roles))
	for i, r := range roles {
		out[i] = cs.Role{
			ID: r.ID, Name: r.Name, Type: roleTypes[r.Type], Description: r.Description,
			Public: r.Public, Default: r.IsDefault(), State: string(r.State),
		}
	}
	return out, nil
}

func (f *Facade) createRolePermission(ctx context.Context, in cs.CreateRolePermissionIn) (uid.RolePermission, error) {
	return f.Roles.AddRule(ctx, role.Rule{Role: in.RoleID, Pattern: in.Rule, Allow: in.Permission == allow, Description: in.Description})
}

func (f *Facade) updateRolePermission(ctx context.Context, in cs.UpdateRolePermissionIn) (api.Success, error) {
	one := in.RuleID != "" || in.Permission != ""
	switch {
	case one == (len(in.RuleOrder) > 0):
		return api.Success{}, fault.Invalidf("give either ruleorder, or ruleid and permission")
	case !one:
		return outcome(f.Roles.OrderRules(ctx, in.RoleID, in.RuleOrder))
	case in.RuleID == "" || in.Permission == "":
		return api.Success{}, fault.Invalidf("ruleid and permission go together")
	}
	return outcome(f.Roles.TurnRule(ctx, in.RoleID, in.RuleID, in.Permission == allow))
}

func (f *Facade) deleteRolePermission(ctx context.Context, in cs.RolePermissionID) (api.Success, error) {
	return outcome(f.Roles.DeleteRule(ctx, in.ID))
}

func (f *Facade) listRolePermissions(ctx context.Context, in cs.ListRolePermissionsIn) (none api.Page[cs.RolePermission], err error) {
	rules, err := f.Roles.Rules(ctx, in.RoleID)
	if err != nil {
		return none, err
	}
	items, err := f.rulesOut(ctx, rules)
	return api.Page[cs.RolePermission]{Count: len(items), Items: items}, err
}

func (f *Facade) rulesOut(ctx context.Context, rules []role.Rule) ([]cs.RolePermission, error) {
	l := look.In(f.DB.Read())
	roles := look.Related(ctx, l, len(rules), func(i int) uid.Role { return rules[i].Role }, role.ByID)
	out := make([]cs.RolePermission, len(rules))
	for i, r := range rules {
		out[i] = cs.RolePermission{
			ID: r.ID, RoleID: r.Role, RoleName: roles[r.Role].Name, Rule: r.Pattern, Permission: permission(r.Allow),
			Description: r.Description,
		}
	}
	return out, l.Err
}

// inRoles fills in which roles the n accounts of a page have, with one query at most. at gives the role of the ith account, and where
// it goes.
func (f *Facade) inRoles(ctx context.Context, n int, at func(i int) (uid.Role, *cs.InRole)) error {
	l := look.In(f.DB.Read())
	roles := look.Related(ctx, l, n, func(i int) uid.Role { id, _ := at(i); return id }, role.ByID)
	for i := range n {
		id, to := at(i)
		*to = cs.InRole{RoleID: id, RoleName: roles[id].Name, RoleType: roleTypes[roles[id].Type]}
	}
	return l.Err
}
