package cloudstack

import (
	"github.com/virga-cloud/virga/api"
	"github.com/virga-cloud/virga/uid"
)

// CreateRole makes a role.
var CreateRole = api.Call[CreateRoleIn, Role]{
	Name: "createRole", Noun: "Role", Role: api.RootOnly, Object: "role", Event: "ROLE.CREATE", Since: "4.9.0", Creates: true,
	Doc: "Makes a role: one of a type that allows nothing yet, or a copy of another one.",
}

// CreateRoleIn says what role.
type CreateRoleIn struct {
	api.Once
	Name        string   `api:"name,required" doc:"The name of the role, unique in the cloud."`
	Type        string   `api:"type,one=Admin|ResourceAdmin|DomainAdmin|User" doc:"For what type of accounts it is, for a role without rules. Either this or roleid."`
	RoleID      uid.Role `api:"roleid" doc:"The ID of the role that it is a copy of, with the rules that this one has now."`
	Description string   `api:"description" doc:"What the role is for."`
	Public      *bool    `api:"ispublic" doc:"Whether domain admins may see it, and give it to accounts if it allows no more than theirs; true by default."`
}

// ImportRole makes a role with its rules.
var ImportRole = api.Call[ImportRoleIn, Role]{
	Name: "importRole", Noun: "Role", Role: api.RootOnly, Object: "role", Event: "ROLE.IMPORT", Since: "4.15.0", Creates: true,
	Doc: "Makes a role with all its rules at once, or puts other rules into one that there is.",
}

// ImportRoleIn says what role.
type ImportRoleIn struct {
	api.Once
	Name        string     `api:"name,required" doc:"The name of the role."`
	Type        string     `api:"type,one=Admin|ResourceAdmin|DomainAdmin|User" doc:"For what type of accounts it is; this must be given."`
	Rules       []RoleRule `api:"rules,required,map,entries=500" doc:"The rules, in order."`
	Description string     `api:"description" doc:"What the role is for."`
	Public      *bool      `api:"ispublic" doc:"Whether domain admins may see it, and give it to accounts if it allows no more than theirs; true by default."`
	Forced      bool       `api:"forced" doc:"Replaces a role of this name. Without it there must be none."`
}

// RoleRule is a rule of a role that is imported.
type RoleRule struct {
	Rule        string `api:"rule,required" doc:"The name of a command, in which * stands for anything."`
	Permission  string `api:"permission,required,one=allow|deny" doc:"Whether it allows or denies."`
	Description string `api:"description" doc:"What the rule is for."`
}

// UpdateRole changes a role.
var UpdateRole = api.Call[UpdateRoleIn, Role]{
	Name: "updateRole", Noun: "Role", Role: api.RootOnly, Object: "role", Event: "ROLE.UPDATE", Since: "4.9.0",
	Doc: "Changes what a role is called, and for whom it is. The default roles can't be changed.",
}

// UpdateRoleIn says what to change.
type UpdateRoleIn struct {
	ID          uid.Role `api:"id,required" doc:"The ID of the role."`
	Name        *string  `api:"name" doc:"Its new name."`
	Description *string  `api:"description" doc:"What it is for."`
	Type        *string  `api:"type,one=Admin|ResourceAdmin|DomainAdmin|User" doc:"For what type of accounts it is. That of a role that accounts have can't be changed."`
	Public      *bool    `api:"ispublic" doc:"Whether domain admins may see it, and give it to accounts if it allows no more than theirs."`
}

// RoleID names a role.
type RoleID struct {
	ID uid.Role `api:"id,required" doc:"The ID of the role."`
}

// DeleteRole removes a role.
var DeleteRole = api.Call[RoleID, api.Success]{
	Name: "deleteRole", Noun: "Role", Role: api.RootOnly, Event: "ROLE.DELETE", Since: "4.9.0",
	Doc: "Removes a role that no account has.",
}

// EnableRole lets a role allow again what it allowed.
var EnableRole = api.Call[RoleID, api.Success]{
	Name: "enableRole", Noun: "Role", Role: api.RootOnly, Event: "ROLE.ENABLE", Since: "4.20.0",
	Doc: "Enables a role: what it allows is allowed again.",
}

// DisableRole lets a role allow nothing.
var DisableRole = api.Call[RoleID, api.Success]{
	Name: "disableRole", Noun: "Role", Role: api.RootOnly, Event: "ROLE.DISABLE", Since: "4.20.0",
	Doc: "Disables a role: users of accounts that have it can't do anything, and no further account is given it.",
}

// ListRoles shows roles.
var ListRoles = api.List[ListRolesIn, Role]{
	Name: "listRoles", Noun: "Role", Role: api.Admins, Object: "role", Since: "4.9.0",
	Doc: "Lists roles: all of them for root admins, for others those that they could give to an account.",
}

// ListRolesIn chooses roles.
type ListRolesIn struct {
	api.Paging
	ID    uid.Role `api:"id" doc:"Shows only the role with this ID."`
	Name  string   `api:"name" doc:"Shows only the role of this name."`
	Type  string   `api:"type,one=Admin|ResourceAdmin|DomainAdmin|User" doc:"Shows only roles for accounts of this type."`
	State string   `api:"state,one=enabled|disabled" doc:"Shows only roles that are in this state."`
}

// Role is a role.
type Role struct {
	ID          uid.Role `json:"id" doc:"The ID of the role."`
	Name        string   `json:"name" doc:"The name of the role."`
	Type        string   `json:"type" doc:"For what type of accounts it is: Admin, ResourceAdmin, DomainAdmin or User."`
	Description string   `json:"description,omitempty" doc:"What the role is for."`
	Public      bool     `json:"ispublic" doc:"Whether domain admins may see it, and give it to accounts if it allows no more than theirs."`
	Default     bool     `json:"isdefault" doc:"Whether it is one that every cloud has and nobody changes."`
	State       string   `json:"state" doc:"enabled or disabled."`
	Pending
}

// InRole says which role an account has.
type InRole struct {
	RoleID   uid.Role `json:"roleid" doc:"The ID of the account's role."`
	RoleName string   `json:"rolename" doc:"The name of the account's role."`
	RoleType string   `json:"roletype" doc:"For what type of accounts the role is: Admin, ResourceAdmin, DomainAdmin or User."`
}

// CreateRolePermission adds a rule to a role.
var CreateRolePermission = api.Call[CreateRolePermissionIn, RolePermission]{
	Name: "createRolePermission", Noun: "Role", Role: api.RootOnly, Object: "rolepermission", Event: "ROLE.PERMISSION.CREATE", Since: "4.9.0",
	Creates: true,
	Doc: "Adds a rule to a role, after those that it has. The first rule that matches a command decides; what none matches is denied. " +
		"As all changes of roles it has effect at once on the server that is asked, and on every other one within two seconds.",
}

// CreateRolePermissionIn says what rule.
type CreateRolePermissionIn struct {
	api.Once
	RoleID      uid.Role `api:"roleid,required" doc:"The ID of the role."`
	Rule        string   `api:"rule,required" doc:"The name of a command, in any case; * stands for anything, as in list*. With a *, nothing is allowed that accounts of the role's type may not use by default; such a command is named in full."`
	Permission  string   `api:"permission,required,one=allow|deny" doc:"Whether it allows or denies."`
	Description string   `api:"description" doc:"What the rule is for."`
}

// UpdateRolePermission changes the rules of a role.
var UpdateRolePermission = api.Call[UpdateRolePermissionIn, api.Success]{
	Name: "updateRolePermission", Noun: "Role", Role: api.RootOnly, Event: "ROLE.PERMISSION.UPDATE", Since: "4.9.0",
	Doc: "Puts the rules of a role into another order, or lets one of them allow or deny.",
}

// UpdateRolePermissionIn says what to change: the order, or one rule.
type UpdateRolePermissionIn struct {
	RoleID     uid.Role             `api:"roleid,required" doc:"The ID of the role."`
	RuleOrder  []uid.RolePermission `api:"ruleorder" doc:"The IDs of all rules of the role, in their new order."`
	RuleID     uid.RolePermission   `api:"ruleid,since=4.11" doc:"The ID of the rule that is to allow or to deny. Goes together with permission."`
	Permission string               `api:"permission,one=allow|deny,since=4.11" doc:"Whether that rule allows or denies."`
}

// DeleteRolePermission takes a rule away.
var DeleteRolePermission = api.Call[RolePermissionID, api.Success]{
	Name: "deleteRolePermission", Noun: "Role", Role: api.RootOnly, Event: "ROLE.PERMISSION.DELETE", Since: "4.9.0",
	Doc: "Takes a rule away from its role.",
}

// RolePermissionID names a rule.
type RolePermissionID struct {
	ID uid.RolePermission `api:"id,required" doc:"The ID of the rule."`
}

// ListRolePermissions shows the rules of roles.
var ListRolePermissions = api.List[ListRolePermissionsIn, RolePermission]{
	Name: "listRolePermissions", Noun: "Role", Role: api.RootOnly, Object: "rolepermission", Since: "4.9.0",
	Doc: "Lists the rules of roles, in the order in which they are asked. A default role shows a rule for each command that it allows.",
}

// ListRolePermissionsIn chooses the role.
type ListRolePermissionsIn struct {
	RoleID uid.Role `api:"roleid" doc:"Shows only the rules of the role with this ID."`
}

// RolePermission is a rule of a role.
type RolePermission struct {
	ID          uid.RolePermission `json:"id" doc:"The ID of the rule."`
	RoleID      uid.Role           `json:"roleid" doc:"The ID of the role."`
	RoleName    string             `json:"rolename" doc:"The name of the role."`
	Rule        string             `json:"rule" doc:"The name of a command, in which * stands for anything."`
	Permission  string             `json:"permission" doc:"allow or deny."`
	Description string             `json:"description,omitempty" doc:"What the rule is for."`
	Pending
}
