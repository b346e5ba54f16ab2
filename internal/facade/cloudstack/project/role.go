package project

import (
	"context"

	"github.com/virga-cloud/virga/api"
	cs "github.com/virga-cloud/virga/api/cloudstack"
	"github.com/virga-cloud/virga/internal/facade/cloudstack/look"
	"github.com/virga-cloud/virga/internal/fault"
	"github.com/virga-cloud/virga/internal/project"
	"github.com/virga-cloud/virga/uid"
)

func (t Translator) registerRoles(m *api.Mux) {
	showRole := look.Show(t.DB.Read, project.RolesByID, rolesOut)
	api.HandleCreate(m, cs.CreateProjectRole, t.createRole, showRole)
	api.HandleCall(m, cs.UpdateProjectRole, func(ctx context.Context, in cs.UpdateProjectRoleIn) (cs.ProjectRole, error) {
		if err := t.Projects.UpdateRole(ctx, in.ProjectID, in.ID, in.Name, in.Description); err != nil {
			return cs.ProjectRole{}, err
		}
		return showRole(ctx, in.ID)
	})
	api.HandleCall(m, cs.DeleteProjectRole, func(ctx context.Context, in cs.DeleteProjectRoleIn) (api.Success, error) {
		return outcome(t.Projects.DeleteRole(ctx, in.ProjectID, in.ID))
	})
	api.HandleList(m, cs.ListProjectRoles, t.listRoles)
	api.HandleCreate(m, cs.CreateProjectRolePermission, t.createRule, look.Show(t.DB.Read, project.RulesByID, t.rulesOut))
	api.HandleCall(m, cs.UpdateProjectRolePermission, t.updateRule)
	api.HandleCall(m, cs.DeleteProjectRolePermission, func(ctx context.Context, in cs.DeleteProjectRolePermissionIn) (api.Success, error) {
		return outcome(t.Projects.DeleteRule(ctx, in.ProjectID, in.ID))
	})
	api.HandleList(m, cs.ListProjectRolePermissions, t.listRules)
}

func outcome(err error) (api.Success, error) { return api.Success{Success: err == nil}, err }

func (t Translator) createRole(ctx context.Context, in cs.CreateProjectRoleIn) (uid.ProjectRole, error) {
	return t.Projects.CreateRole(ctx, project.Role{Project: in.ProjectID, Name: in.Name, Description: in.Description})
}

func (t Translator) listRoles(ctx context.Context, in cs.ListProjectRolesIn) (none api.Page[cs.ProjectRole], err error) {
	filter := project.RoleFilter{Project: in.ProjectID, ID: in.ID, Name: in.Name, Keyword: in.Keyword}
	filter.Offset, filter.Limit = look.Window(in.Paging)
	found, total, err := t.Projects.Roles(ctx, filter)
	if err != nil {
		return none, err
	}
	items, err := rolesOut(ctx, found)
	return api.Page[cs.ProjectRole]{Count: total, Items: items}, err
}

func rolesOut(_ context.Context, roles []project.Role) ([]cs.ProjectRole, error) {
	out := make([]cs.ProjectRole, len(roles))
	for i, r := range roles {
		out[i] = cs.ProjectRole{ID: r.ID, Name: r.Name, Description: r.Description, ProjectID: r.Project, Public: true}
	}
	return out, nil
}

// What rules do, in the words of the API.
const (
	allow = "allow"
	deny  = "deny"
)

func (t Translator) createRule(ctx context.Context, in cs.CreateProjectRolePermissionIn) (uid.ProjectRolePermission, error) {
	return t.Projects.AddRule(ctx, in.ProjectID, project.Rule{
		Role: in.RoleID, Pattern: in.Rule, Allow: in.Permission == allow, Description: in.Description,
	})
}

func (t Translator) updateRule(ctx context.Context, in cs.UpdateProjectRolePermissionIn) (api.Success, error) {
	one := in.RuleID != "" || in.Permission != ""
	switch {
	case one == (len(in.Order) > 0):
		return api.Success{}, fault.Invalidf("give either ruleorder, or projectrolepermissionid and permission")
	case !one:
		return outcome(t.Projects.OrderRules(ctx, in.ProjectID, in.RoleID, in.Order))
	case in.RuleID == "" || in.Permission == "":
		return api.Success{}, fault.Invalidf("projectrolepermissionid and permission go together")
	}
	return outcome(t.Projects.TurnRule(ctx, in.ProjectID, in.RoleID, in.RuleID, in.Permission == allow))
}

func (t Translator) listRules(ctx context.Context, in cs.ListProjectRolePermissionsIn) (none api.Page[cs.ProjectRolePermission], err error) {
	rules, err := t.Projects.Rules(ctx, in.ProjectID, in.RoleID)
	if err != nil {
		return none, err
	}
	items, err := t.rulesOut(ctx, rules)
	return api.Page[cs.ProjectRolePermission]{Count: len(items), Items: items}, err
}

func (t Translator) rulesOut(ctx context.Context, rules []project.Rule) ([]cs.ProjectRolePermission, error) {
	l := look.In(t.DB.Read())
	roles := look.Related(ctx, l, len(rules), func(i int) uid.ProjectRole { return rules[i].Role }, project.RolesByID)
	out := make([]cs.ProjectRolePermission, len(rules))
	for i, r := range rules {
		of := roles[r.Role]
		out[i] = cs.ProjectRolePermission{
			ID: r.ID, ProjectID: of.Project, RoleID: r.Role, RoleName: of.Name, Rule: r.Pattern, Permission: deny, Description: r.Description,
		}
		if r.Allow {
			out[i].Permission = allow
		}
	}
	return out, l.Err
}
