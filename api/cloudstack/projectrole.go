package cloudstack

import (
	"github.com/virga-cloud/virga/api"
	"github.com/virga-cloud/virga/uid"
)

// CreateProjectRole makes a role of a project.
var CreateProjectRole = api.Call[CreateProjectRoleIn, ProjectRole]{
	Name: "createProjectRole", Noun: "Project", Role: api.Everyone, Object: "projectrole", Event: "PROJECT.ROLE.CREATE", Since: "4.15.0", Creates: true,
	Doc: "Makes a role for members of a project, which allows nothing yet. Of what their own role allows, members with it may use in the project what it allows, too.",
}

// CreateProjectRoleIn says what role.
type CreateProjectRoleIn struct {
	api.Once
	OfProject
	Name        string `api:"name,required" doc:"The name of the role, unique in the project."`
	Description string `api:"description" doc:"What the role is for."`
}

// UpdateProjectRole changes a role of a project.
var UpdateProjectRole = api.Call[UpdateProjectRoleIn, ProjectRole]{
	Name: "updateProjectRole", Noun: "Project", Role: api.Everyone, Object: "projectrole", Event: "PROJECT.ROLE.UPDATE", Since: "4.15.0",
	Doc: "Changes what a project role is called.",
}

// UpdateProjectRoleIn says what to change.
type UpdateProjectRoleIn struct {
	ID uid.ProjectRole `api:"id,required" doc:"The ID of the role."`
	OfProject
	Name        *string `api:"name" doc:"Its new name."`
	Description *string `api:"description" doc:"What it is for."`
}

// DeleteProjectRole removes a role of a project.
var DeleteProjectRole = api.Call[DeleteProjectRoleIn, api.Success]{
	Name: "deleteProjectRole", Noun: "Project", Role: api.Everyone, Event: "PROJECT.ROLE.DELETE", Since: "4.15.0",
	Doc: "Removes a project role that no member and no open invitation has.",
}

// DeleteProjectRoleIn names the role.
type DeleteProjectRoleIn struct {
	ID uid.ProjectRole `api:"id,required" doc:"The ID of the role."`
	OfProject
}

// ListProjectRoles shows the roles of a project.
var ListProjectRoles = api.List[ListProjectRolesIn, ProjectRole]{
	Name: "listProjectRoles", Noun: "Project", Role: api.Everyone, Object: "projectrole", Since: "4.15.0",
	Doc: "Lists the roles of a project.",
}

// ListProjectRolesIn chooses roles.
type ListProjectRolesIn struct {
	api.Paging
	OfProject
	ID   uid.ProjectRole `api:"projectroleid" doc:"Shows only the role with this ID."`
	Name string          `api:"name" doc:"Shows only the role of this name."`
}

// ProjectRole is a role of a project.
type ProjectRole struct {
	ID          uid.ProjectRole `json:"id" doc:"The ID of the role."`
	Name        string          `json:"name" doc:"The name of the role, unique in the project."`
	Description string          `json:"description,omitempty" doc:"What the role is for."`
	ProjectID   uid.Project     `json:"projectid" doc:"The ID of the project."`
	Public      bool            `json:"ispublic" doc:"Whether all members of the project may see it, which they may."`
	Pending
}

// CreateProjectRolePermission adds a rule to a project role.
var CreateProjectRolePermission = api.Call[CreateProjectRolePermissionIn, ProjectRolePermission]{
	Name: "createProjectRolePermission", Noun: "Project", Role: api.Everyone, Object: "projectrolepermission",
	Event: "PROJECT.ROLE.PERMISSION.CREATE", Since: "4.15.0", Creates: true,
	Doc: "Gives a project role one more rule, after those that it has. The first rule that matches a command decides; what none matches is denied.",
}

// CreateProjectRolePermissionIn says what rule.
type CreateProjectRolePermissionIn struct {
	api.Once
	OfProject
	RoleID      uid.ProjectRole `api:"projectroleid,required" doc:"The ID of the role."`
	Rule        string          `api:"rule,required" doc:"The name of a command, in which * stands for anything."`
	Permission  string          `api:"permission,required,one=allow|deny" doc:"Whether it allows or denies."`
	Description string          `api:"description" doc:"What the rule is for."`
}

// UpdateProjectRolePermission changes the rules of a project role.
var UpdateProjectRolePermission = api.Call[UpdateProjectRolePermissionIn, api.Success]{
	Name: "updateProjectRolePermission", Noun: "Project", Role: api.Everyone, Event: "PROJECT.ROLE.PERMISSION.UPDATE", Since: "4.15.0",
	Doc: "Makes a rule of a project role allow or deny, or puts all its rules into another order.",
}

// UpdateProjectRolePermissionIn says what to change.
type UpdateProjectRolePermissionIn struct {
	OfProject
	RoleID     uid.ProjectRole             `api:"projectroleid,required" doc:"The ID of the role."`
	RuleID     uid.ProjectRolePermission   `api:"projectrolepermissionid" doc:"The ID of the rule that is to allow or deny. Goes together with permission."`
	Permission string                      `api:"permission,one=allow|deny" doc:"Whether the rule allows or denies."`
	Order      []uid.ProjectRolePermission `api:"ruleorder" doc:"The IDs of all rules of the role in their new order, with commas between them; this, or a rule and its permission."`
}

// DeleteProjectRolePermission takes a rule from a project role.
var DeleteProjectRolePermission = api.Call[DeleteProjectRolePermissionIn, api.Success]{
	Name: "deleteProjectRolePermission", Noun: "Project", Role: api.Everyone, Event: "PROJECT.ROLE.PERMISSION.DELETE", Since: "4.15.0",
	Doc: "Takes a rule away from a project role.",
}

// DeleteProjectRolePermissionIn names the rule.
type DeleteProjectRolePermissionIn struct {
	ID uid.ProjectRolePermission `api:"id,required" doc:"The ID of the rule."`
	OfProject
}

// ListProjectRolePermissions shows the rules of project roles.
var ListProjectRolePermissions = api.List[ListProjectRolePermissionsIn, ProjectRolePermission]{
	Name: "listProjectRolePermissions", Noun: "Project", Role: api.Everyone, Object: "projectrolepermission", Since: "4.15.0",
	Doc: "Lists the rules of one role of a project, or of all, in order.",
}

// ListProjectRolePermissionsIn chooses rules.
type ListProjectRolePermissionsIn struct {
	OfProject
	RoleID uid.ProjectRole `api:"projectroleid" doc:"Shows only the rules of this role."`
}

// ProjectRolePermission is a rule of a project role.
type ProjectRolePermission struct {
	ID          uid.ProjectRolePermission `json:"id" doc:"The ID of the rule."`
	ProjectID   uid.Project               `json:"projectid" doc:"The ID of the project."`
	RoleID      uid.ProjectRole           `json:"projectroleid" doc:"The ID of the role."`
	RoleName    string                    `json:"projectrolename" doc:"The name of the role."`
	Rule        string                    `json:"rule" doc:"The name of a command, in which * stands for anything."`
	Permission  string                    `json:"permission" doc:"Whether it allows or denies: allow or deny."`
	Description string                    `json:"description,omitempty" doc:"What the rule is for."`
	Pending
}
