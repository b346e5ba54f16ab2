package cloudstack

import (
	"github.com/virga-cloud/virga/api"
	"github.com/virga-cloud/virga/uid"
)

// OfProject names the project that a command is about.
type OfProject struct {
	ProjectID uid.Project `api:"projectid,required" doc:"The ID of the project."`
}

// AddAccountToProject makes an account a member of a project.
var AddAccountToProject = api.Job[AddAccountToProjectIn, api.Success]{
	Name: "addAccountToProject", Noun: "Project", Role: api.Everyone, Event: "PROJECT.ACCOUNT.ADD", Since: "3.0.0",
	Doc: "Makes an account with all its users a member of a project or, where invitations are required (project.invite.required), invites it.",
}

// ProjectPart says what a member becomes in a project.
type ProjectPart struct {
	OfProject
	Email         string          `api:"email" doc:"An address to send the invitation to. Virga sends no mail: it must be left out."`
	ProjectRoleID uid.ProjectRole `api:"projectroleid" doc:"The ID of the project role that says which commands it may use in the project; without one, all that it may use anyway."`
	RoleType      string          `api:"roletype,one=Admin|Regular" doc:"Whether it administers the project; Regular by default."`
}

// AddAccountToProjectIn names the account.
type AddAccountToProjectIn struct {
	Account string `api:"account" doc:"The name of the account, which is in the project's domain. It must be given."`
	ProjectPart
}

// AddUserToProject makes a user a member of a project.
var AddUserToProject = api.Job[AddUserToProjectIn, api.Success]{
	Name: "addUserToProject", Noun: "Project", Role: api.Everyone, Event: "PROJECT.USER.ADD", Since: "4.14",
	Doc: "Makes a user, without the others of its account, a member of a project or, where invitations are required, invites it.",
}

// AddUserToProjectIn names the user.
type AddUserToProjectIn struct {
	Username string `api:"username,required" doc:"The name of the user, which is in the project's domain."`
	ProjectPart
}

// DeleteAccountFromProject takes an account from a project.
var DeleteAccountFromProject = api.Job[DeleteAccountFromProjectIn, api.Success]{
	Name: "deleteAccountFromProject", Noun: "Project", Role: api.Everyone, Event: "PROJECT.ACCOUNT.REMOVE", Since: "3.0.0",
	Doc: "Takes an account from a project. Its users reach nothing of the project any more, unless they are members by themselves.",
}

// DeleteAccountFromProjectIn names the account.
type DeleteAccountFromProjectIn struct {
	OfProject
	Account string `api:"account,required" doc:"The name of the account."`
}

// DeleteUserFromProject takes a user from a project.
var DeleteUserFromProject = api.Job[DeleteUserFromProjectIn, api.Success]{
	Name: "deleteUserFromProject", Noun: "Project", Role: api.Everyone, Event: "PROJECT.USER.REMOVE", Since: "4.15.0",
	Doc: "Takes a user from a project that is a member by itself. Users may take themselves.",
}

// DeleteUserFromProjectIn names the user.
type DeleteUserFromProjectIn struct {
	OfProject
	UserID uid.User `api:"userid,required" doc:"The ID of the user."`
}

// ListProjectAccounts shows who belongs to a project.
var ListProjectAccounts = api.List[ListProjectAccountsIn, ProjectAccount]{
	Name: "listProjectAccounts", Noun: "Project", Role: api.Everyone, Object: "projectaccount", Since: "3.0.0",
	Doc: "Lists the members of a project: accounts, and users that are members by themselves.",
}

// ListProjectAccountsIn chooses members.
type ListProjectAccountsIn struct {
	api.Paging
	OfProject
	Account       string          `api:"account" doc:"Shows only the account of this name, and its users."`
	UserID        uid.User        `api:"userid" doc:"Shows only the user with this ID."`
	Role          string          `api:"role,one=Admin|Regular" doc:"Shows only members that administer the project, or that don't."`
	ProjectRoleID uid.ProjectRole `api:"projectroleid" doc:"Shows only members with this project role."`
}

// ProjectAccount is a member of a project.
type ProjectAccount struct {
	ProjectID     uid.Project     `json:"projectid" doc:"The ID of the project."`
	Project       string          `json:"project" doc:"The name of the project."`
	AccountID     uid.Account     `json:"accountid" doc:"The ID of the account, or of the user's."`
	Account       string          `json:"account" doc:"The name of that account."`
	AccountType   int             `json:"accounttype" doc:"The type of that account: 0 user, 1 root admin, 2 domain admin, 3 resource domain admin."`
	UserID        uid.User        `json:"userid,omitempty" doc:"The ID of the user, where it is a member by itself."`
	Username      string          `json:"username,omitempty" doc:"The name of that user."`
	Role          string          `json:"role" doc:"Admin for who administers the project, Regular for others."`
	ProjectRoleID uid.ProjectRole `json:"projectroleid,omitempty" doc:"The ID of its project role, where it has one."`
	DomainID      uid.Domain      `json:"domainid" doc:"The ID of the project's domain."`
	Domain        string          `json:"domain" doc:"The name of the project's domain."`
	Pending
}

// ListProjectInvitations shows invitations.
var ListProjectInvitations = api.List[ListProjectInvitationsIn, ProjectInvitation]{
	Name: "listProjectInvitations", Noun: "Project", Role: api.Everyone, Object: "projectinvitation", Since: "3.0.0",
	Doc: "Lists invitations to projects: the caller's own and, with projectid or id, those to projects that the caller administers.",
}

// ListProjectInvitationsIn chooses invitations.
type ListProjectInvitationsIn struct {
	api.Paging
	api.Scope
	ID         uid.ProjectInvitation `api:"id" doc:"Shows only the invitation with this ID."`
	ProjectID  uid.Project           `api:"projectid" doc:"Shows only invitations to this project."`
	UserID     uid.User              `api:"userid" doc:"Shows only invitations of this user."`
	State      string                `api:"state" doc:"Shows only invitations in this state: Pending, Completed, Declined or Expired."`
	ActiveOnly bool                  `api:"activeonly" doc:"Shows only invitations that can be answered."`
}

// UpdateProjectInvitation answers an invitation.
var UpdateProjectInvitation = api.Job[UpdateProjectInvitationIn, api.Success]{
	Name: "updateProjectInvitation", Noun: "Project", Role: api.Everyone, Event: "PROJECT.INVITATION.UPDATE", Since: "3.0.0",
	Doc: "Accepts or declines an invitation to a project.",
}

// UpdateProjectInvitationIn says which invitation, and the answer.
type UpdateProjectInvitationIn struct {
	OfProject
	Account string   `api:"account" doc:"The name of the account that is invited; the caller's unless given."`
	UserID  uid.User `api:"userid" doc:"The ID of the user that is invited by itself."`
	Accept  *bool    `api:"accept" doc:"Whether it is accepted; true by default."`
	Token   string   `api:"token" doc:"What an invitation by mail would hold. There are none: a token is never right."`
}

// DeleteProjectInvitation takes an invitation back.
var DeleteProjectInvitation = api.Job[DeleteProjectInvitationIn, api.Success]{
	Name: "deleteProjectInvitation", Noun: "Project", Role: api.Everyone, Event: "PROJECT.INVITATION.REMOVE", Since: "3.0.0",
	Doc: "Takes an invitation to a project back.",
}

// DeleteProjectInvitationIn names the invitation.
type DeleteProjectInvitationIn struct {
	ID uid.ProjectInvitation `api:"id,required" doc:"The ID of the invitation."`
}

// ProjectInvitation is an invitation to a project.
type ProjectInvitation struct {
	ID         uid.ProjectInvitation `json:"id" doc:"The ID of the invitation."`
	ProjectID  uid.Project           `json:"projectid" doc:"The ID of the project."`
	Project    string                `json:"project" doc:"The name of the project."`
	Account    string                `json:"account" doc:"The name of the account that is invited, or of the user's."`
	UserID     uid.User              `json:"userid,omitempty" doc:"The ID of the user that is invited by itself."`
	DomainID   uid.Domain            `json:"domainid" doc:"The ID of the project's domain."`
	Domain     string                `json:"domain" doc:"The name of the project's domain."`
	DomainPath string                `json:"domainpath" doc:"The path of the project's domain, from ROOT."`
	State      string                `json:"state" doc:"Pending, Completed, Declined or Expired."`
	Pending
}
