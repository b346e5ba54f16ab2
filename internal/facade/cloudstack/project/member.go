package project

import (
	"context"

	"github.com/virga-cloud/virga/api"
	cs "github.com/virga-cloud/virga/api/cloudstack"
	"github.com/virga-cloud/virga/internal/account"
	"github.com/virga-cloud/virga/internal/facade/cloudstack/look"
	"github.com/virga-cloud/virga/internal/fault"
	"github.com/virga-cloud/virga/internal/project"
	"github.com/virga-cloud/virga/uid"
)

func (t Translator) registerMembers(m *api.Mux) {
	api.HandleJob(m, cs.AddAccountToProject, t.addAccount, look.Succeeded)
	api.HandleJob(m, cs.AddUserToProject, t.addUser, look.Succeeded)
	api.HandleJob(m, cs.DeleteAccountFromProject, func(ctx context.Context, in cs.DeleteAccountFromProjectIn) (api.Started, error) {
		return started(t.Projects.RemoveMember(ctx, in.ProjectID, project.RemoveIn{Account: in.Account}))
	}, look.Succeeded)
	api.HandleJob(m, cs.DeleteUserFromProject, func(ctx context.Context, in cs.DeleteUserFromProjectIn) (api.Started, error) {
		return started(t.Projects.RemoveMember(ctx, in.ProjectID, project.RemoveIn{User: in.UserID}))
	}, look.Succeeded)
	api.HandleList(m, cs.ListProjectAccounts, t.listMembers)
	api.HandleList(m, cs.ListProjectInvitations, t.listInvitations)
	api.HandleJob(m, cs.UpdateProjectInvitation, t.answerInvitation, look.Succeeded)
	api.HandleJob(m, cs.DeleteProjectInvitation, func(ctx context.Context, in cs.DeleteProjectInvitationIn) (api.Started, error) {
		return started(t.Projects.DeleteInvitation(ctx, in.ID))
	}, look.Succeeded)
}

func (t Translator) addAccount(ctx context.Context, in cs.AddAccountToProjectIn) (api.Started, error) {
	if in.Account == "" && in.Email == "" {
		return api.Started{}, fault.Invalidf("name the account that is to belong to the project")
	}
	return t.add(ctx, in.ProjectPart, project.AddIn{Account: in.Account})
}

func (t Translator) addUser(ctx context.Context, in cs.AddUserToProjectIn) (api.Started, error) {
	return t.add(ctx, in.ProjectPart, project.AddIn{Username: in.Username})
}

func (t Translator) add(ctx context.Context, in cs.ProjectPart, who project.AddIn) (api.Started, error) {
	if in.Email != "" {
		return api.Started{}, fault.Invalidf("no mail is sent here: leave out email, and tell whom you invite yourself")
	}
	who.Admin, who.Role = in.RoleType == admin, in.ProjectRoleID
	return started(t.Projects.Add(ctx, in.ProjectID, who))
}

func (t Translator) listMembers(ctx context.Context, in cs.ListProjectAccountsIn) (none api.Page[cs.ProjectAccount], err error) {
	filter := project.MemberFilter{
		Project: in.ProjectID, Account: in.Account, User: in.UserID, Admin: isAdmin(in.Role), Role: in.ProjectRoleID, Keyword: in.Keyword,
	}
	filter.Offset, filter.Limit = look.Window(in.Paging)
	of, members, total, err := t.Projects.Members(ctx, filter)
	if err != nil {
		return none, err
	}
	l := look.In(t.DB.Read())
	accounts := look.Related(ctx, l, len(members), func(i int) uid.Account { return members[i].Account }, account.Names)
	users := look.Related(ctx, l, len(members), func(i int) uid.User { return members[i].User }, account.Usernames)
	page := look.Page(members, total, func(m project.Member) cs.ProjectAccount {
		a := accounts[m.Account]
		out := cs.ProjectAccount{
			ProjectID: m.Project, Project: of.Name, AccountID: m.Account, Account: a.Account, AccountType: int(a.Type), UserID: m.User,
			Username: users[m.User], Role: regular, ProjectRoleID: m.Role, DomainID: of.Domain, Domain: of.DomainName,
		}
		if m.Admin {
			out.Role = admin
		}
		return out
	})
	return page, l.Err
}

func (t Translator) answerInvitation(ctx context.Context, in cs.UpdateProjectInvitationIn) (api.Started, error) {
	if in.Token != "" {
		return api.Started{}, fault.NotFoundf("there is no invitation with that token: Virga invites nobody by mail")
	}
	return started(t.Projects.Answer(ctx, in.ProjectID, project.AnswerIn{
		Account: in.Account, User: in.UserID, Decline: in.Accept != nil && !*in.Accept,
	}))
}

func (t Translator) listInvitations(ctx context.Context, in cs.ListProjectInvitationsIn) (none api.Page[cs.ProjectInvitation], err error) {
	scope, err := t.Owned.Scope(ctx, in.Scope, in.ID != "" || in.ProjectID != "")
	if err != nil {
		return none, err
	}
	filter := project.InvitationFilter{
		Scope: scope, ID: in.ID, Project: in.ProjectID, User: in.UserID, State: project.InvitationState(in.State), Active: in.ActiveOnly,
		Keyword: in.Keyword,
	}
	filter.Offset, filter.Limit = look.Window(in.Paging)
	found, total, err := t.Projects.Invitations(ctx, filter)
	if err != nil {
		return none, err
	}
	l := look.In(t.DB.Read())
	projects := look.Related(ctx, l, len(found), func(i int) uid.Project { return found[i].Project }, project.ByID)
	accounts := look.Related(ctx, l, len(found), func(i int) uid.Account { return found[i].Account }, account.Names)
	page := look.Page(found, total, func(i project.Invitation) cs.ProjectInvitation {
		p := projects[i.Project]
		return cs.ProjectInvitation{
			ID: i.ID, ProjectID: i.Project, Project: p.Name, Account: accounts[i.Account].Account, UserID: i.User, DomainID: p.Domain,
			Domain: p.DomainName, DomainPath: p.DomainPath, State: string(i.StateAt(t.DB.Now())),
		}
	})
	return page, l.Err
}
