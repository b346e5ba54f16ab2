package cloudstack

import (
	"github.com/virga-cloud/virga/api"
	"github.com/virga-cloud/virga/uid"
)

// CreateProject makes a project.
var CreateProject = api.Job[CreateProjectIn, Project]{
	Name: "createProject", Noun: "Project", Role: api.Everyone, Object: "project", Event: "PROJECT.CREATE", Since: "3.0.0", Creates: true,
	Doc: "Makes a project: what is made in it belongs to all its members together. It counts against the limit of projects of the account that administers it.",
}

// CreateProjectIn says what project, and who administers it.
type CreateProjectIn struct {
	api.Once
	Name        string      `api:"name,required" doc:"The name of the project, unique in its domain."`
	DisplayText string      `api:"displaytext" doc:"What the project is for; its name unless given."`
	Account     string      `api:"account" doc:"The name of the account that is to administer it, in place of the caller's. Goes together with domainid."`
	DomainID    uid.Domain  `api:"domainid" doc:"The ID of that account's domain."`
	AccountID   uid.Account `api:"accountid" doc:"The ID of the account that is to administer it, where it is not named."`
	UserID      uid.User    `api:"userid" doc:"The ID of a user of that account that is to administer it, in place of the whole account."`
}

// UpdateProject changes a project.
var UpdateProject = api.Job[UpdateProjectIn, Project]{
	Name: "updateProject", Noun: "Project", Role: api.Everyone, Object: "project", Event: "PROJECT.UPDATE", Since: "3.0.0",
	Doc: "Changes a project, or who of its members administers it.",
}

// UpdateProjectIn says what to change.
type UpdateProjectIn struct {
	ID          uid.Project `api:"id,required" doc:"The ID of the project."`
	Name        string      `api:"name" doc:"Its new name."`
	DisplayText *string     `api:"displaytext" doc:"What it is for."`
	Account     string      `api:"account" doc:"The name of a member account, for swapowner or roletype."`
	UserID      uid.User    `api:"userid" doc:"The ID of a user that is a member by itself, for swapowner or roletype."`
	SwapOwner   *bool       `api:"swapowner" doc:"Whether the named member administers the project in the place of who does; true by default where roletype is not given. There must be one that does."`
	RoleType    string      `api:"roletype,one=Admin|Regular" doc:"Whether the named member administers the project beside others, or does not any more."`
}

// ActivateProject lets a suspended project be used again.
var ActivateProject = api.Job[ProjectID, Project]{
	Name: "activateProject", Noun: "Project", Role: api.Everyone, Object: "project", Event: "PROJECT.ACTIVATE", Since: "3.0.0",
	Doc: "Lets a project be used again that was suspended. Its machines stay stopped.",
}

// SuspendProject lets nothing be made or started in a project.
var SuspendProject = api.Job[ProjectID, Project]{
	Name: "suspendProject", Noun: "Project", Role: api.Everyone, Object: "project", Event: "PROJECT.SUSPEND", Since: "3.0.0",
	Doc: "Suspends a project: from then on nothing is made or started in it, and its machines are stopped.",
}

// ProjectID names a project.
type ProjectID struct {
	ID uid.Project `api:"id,required" doc:"The ID of the project."`
}

// DeleteProject deletes a project.
var DeleteProject = api.Job[DeleteProjectIn, api.Success]{
	Name: "deleteProject", Noun: "Project", Role: api.Everyone, Event: "PROJECT.DELETE", Since: "3.0.0",
	Doc: "Deletes a project. From the answer on nothing is made in it; there is no way back.",
}

// DeleteProjectIn names the project.
type DeleteProjectIn struct {
	ID      uid.Project `api:"id,required" doc:"The ID of the project."`
	Cleanup bool        `api:"cleanup" doc:"Deletes what is in it, too. Without it the project must be empty."`
}

// ListProjects shows projects.
var ListProjects = api.List[ListProjectsIn, Project]{
	Name: "listProjects", Noun: "Project", Role: api.Everyone, Object: "project", Since: "3.0.0",
	Doc: "Lists projects: those that the caller belongs to, or an account does, or for admins those of domains. Others than admins see no project that they don't belong to.",
}

// ListProjectsIn chooses projects.
type ListProjectsIn struct {
	api.Paging
	api.Scope
	Tagged
	ID          uid.Project `api:"id" doc:"Shows only the project with this ID."`
	Name        string      `api:"name" doc:"Shows only projects of this name."`
	DisplayText string      `api:"displaytext" doc:"Shows only projects with this text."`
	State       string      `api:"state" doc:"Shows only projects in this state: Active, Suspended or Disabled."`
	Username    string      `api:"username" doc:"Shows only projects that a user of this name belongs to."`
	Details     []string    `api:"details" doc:"What to show of each, with commas between them: min leaves out what it uses and may use; all and resource don't."`
}

// Project is a project.
type Project struct {
	ID          uid.Project    `json:"id" doc:"The ID of the project."`
	Name        string         `json:"name" doc:"The name of the project, unique in its domain."`
	DisplayText string         `json:"displaytext" doc:"What the project is for."`
	State       string         `json:"state" doc:"Active, Suspended, or Disabled while it is being deleted."`
	DomainID    uid.Domain     `json:"domainid" doc:"The ID of its domain."`
	Domain      string         `json:"domain" doc:"The name of its domain."`
	Created     api.Time       `json:"created,omitzero" doc:"When it was made."`
	Owner       string         `json:"account,omitempty" doc:"The name of the account that administers it, or of one of several."`
	Account     string         `json:"projectaccountname" doc:"The name of the account through which it owns things."`
	Owners      []ProjectOwner `json:"owner" doc:"Who administers it."`
	Tags        []Tag          `json:"tags,omitempty" api:"set" doc:"Its tags."`
	VMRunning   *int           `json:"vmrunning,omitempty" doc:"How many of its machines run."`
	VMStopped   *int           `json:"vmstopped,omitempty" doc:"How many of its machines don't run."`
	Resources
	Pending
}

// ProjectOwner is who administers a project.
type ProjectOwner struct {
	Account string   `json:"account" doc:"The name of the account, or of the user's."`
	User    string   `json:"user,omitempty" doc:"The name of the user, where it is one by itself."`
	UserID  uid.User `json:"userid,omitempty" doc:"The ID of that user."`
}
