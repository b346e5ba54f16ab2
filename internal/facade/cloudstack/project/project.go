package project

import (
	"context"

	"github.com/virga-cloud/virga/api"
	cs "github.com/virga-cloud/virga/api/cloudstack"
	"github.com/virga-cloud/virga/internal/account"
	"github.com/virga-cloud/virga/internal/auth"
	"github.com/virga-cloud/virga/internal/closing"
	"github.com/virga-cloud/virga/internal/compute"
	"github.com/virga-cloud/virga/internal/db"
	"github.com/virga-cloud/virga/internal/facade/cloudstack/look"
	"github.com/virga-cloud/virga/internal/facade/cloudstack/owned"
	"github.com/virga-cloud/virga/internal/facade/cloudstack/wire"
	"github.com/virga-cloud/virga/internal/fault"
	"github.com/virga-cloud/virga/internal/limit"
	"github.com/virga-cloud/virga/internal/project"
	"github.com/virga-cloud/virga/internal/tag"
	"github.com/virga-cloud/virga/uid"
)

// Translator translates for the services that keep projects, and that end them.
type Translator struct {
	DB       *db.DB
	Owned    owned.Lists
	Projects *project.Service
	Closing  *closing.Service
}

// Register gives the commands their handlers.
func (t Translator) Register(m *api.Mux) {
	shown := look.Subject(look.Show(t.DB.Read, project.ByID, t.projectsOut))
	api.HandleJob(m, cs.CreateProject, t.createProject, shown)
	api.HandleJob(m, cs.UpdateProject, t.updateProject, shown)
	api.HandleJob(m, cs.ActivateProject, func(ctx context.Context, in cs.ProjectID) (api.Started, error) {
		return started(t.Projects.Activate(ctx, in.ID))
	}, shown)
	api.HandleJob(m, cs.SuspendProject, func(ctx context.Context, in cs.ProjectID) (api.Started, error) {
		return started(t.Closing.SuspendProject(ctx, in.ID))
	}, shown)
	api.HandleJob(m, cs.DeleteProject, func(ctx context.Context, in cs.DeleteProjectIn) (api.Started, error) {
		return started(t.Closing.DeleteProject(ctx, in.ID, in.Cleanup))
	}, look.Succeeded)
	api.HandleList(m, cs.ListProjects, t.listProjects)
	t.registerMembers(m)
	t.registerRoles(m)
}

func started(job uid.Op, err error) (api.Started, error) { return api.Started{JobID: job}, err }

// The parts that members have in a project, in the words of the API.
const (
	admin   = "Admin"
	regular = "Regular"
)

// isAdmin reads a part, nil for none.
func isAdmin(part string) *bool {
	if part == "" {
		return nil
	}
	return new(part == admin)
}

func (t Translator) createProject(ctx context.Context, in cs.CreateProjectIn) (api.Started, error) {
	id, job, err := t.Projects.Create(ctx, project.CreateIn{
		Name: in.Name, DisplayText: in.DisplayText, Account: in.Account, Domain: in.DomainID, AccountID: in.AccountID, User: in.UserID,
	})
	return api.Started{ID: string(id), JobID: job}, err
}

func (t Translator) updateProject(ctx context.Context, in cs.UpdateProjectIn) (api.Started, error) {
	change := project.UpdateIn{Name: in.Name, DisplayText: in.DisplayText, Account: in.Account, User: in.UserID, Admin: isAdmin(in.RoleType)}
	if in.SwapOwner != nil {
		switch named := in.Account != "" || in.UserID != ""; {
		case *in.SwapOwner && !named:
			return api.Started{}, fault.Invalidf("swapowner is with whom: name an account or a userid, too")
		case *in.SwapOwner && in.RoleType == regular:
			return api.Started{}, fault.Invalidf("swapowner lets the named member administer the project: leave it out, or roletype=Regular")
		case *in.SwapOwner:
			change.Admin = nil
		case named && in.RoleType == "":
			return api.Started{}, fault.Invalidf("without swapowner, say in roletype what becomes of the named member")
		}
	}
	return started(t.Projects.Update(ctx, in.ID, change))
}

func (t Translator) listProjects(ctx context.Context, in cs.ListProjectsIn) (none api.Page[cs.Project], err error) {
	scope, err := t.Owned.Scope(ctx, in.Scope, in.ID != "")
	if err != nil {
		return none, err
	}
	figures, err := look.Figures(in.Details)
	if err != nil {
		return none, err
	}
	filter := project.Filter{
		Scope: scope, ID: in.ID, Name: in.Name, DisplayText: in.DisplayText, State: project.State(in.State), Username: in.Username,
		Tags: wire.Wanted(in.Tagged), Keyword: in.Keyword,
	}
	filter.Offset, filter.Limit = look.Window(in.Paging)
	found, total, err := t.Projects.List(ctx, filter)
	if err != nil {
		return none, err
	}
	items, err := t.projectsFor(ctx, found, figures)
	return api.Page[cs.Project]{Count: total, Items: items}, err
}

func (t Translator) projectsOut(ctx context.Context, projects []project.Project) ([]cs.Project, error) {
	return t.projectsFor(ctx, projects, true)
}

// projectsFor shows projects, with one query for each kind of thing that they name; with figures also what they use and may use.
func (t Translator) projectsFor(ctx context.Context, projects []project.Project, figures bool) ([]cs.Project, error) {
	n, l := len(projects), look.In(t.DB.Read())
	admins := look.Related(ctx, l, n, func(i int) uid.Project { return projects[i].ID }, project.AdminsOf)
	var all []project.Member
	for _, p := range projects {
		all = append(all, admins[p.ID]...)
	}
	accounts := look.Related(ctx, l, len(all), func(i int) uid.Account { return all[i].Account }, account.Names)
	users := look.Related(ctx, l, len(all), func(i int) uid.User { return all[i].User }, account.Usernames)
	var counts map[uid.Account]limit.Counts
	var machines map[uid.Account]compute.States
	if figures {
		owner := func(i int) uid.Account { return projects[i].Account }
		counts = look.Related(ctx, l, n, owner, project.CountsOf)
		machines = look.Related(ctx, l, n, owner, compute.StatesOf)
	}
	if l.Err != nil {
		return nil, l.Err
	}
	out := make([]cs.Project, n)
	for i, p := range projects {
		out[i] = cs.Project{
			ID: p.ID, Name: p.Name, DisplayText: p.DisplayText, State: string(p.State()), DomainID: p.Domain, Domain: p.DomainName,
			Created: api.At(p.Created), Account: p.Name,
		}
		for _, m := range admins[p.ID] {
			out[i].Owners = append(out[i].Owners, cs.ProjectOwner{Account: accounts[m.Account].Account, User: users[m.User], UserID: m.User})
		}
		if len(out[i].Owners) > 0 {
			out[i].Owner = out[i].Owners[0].Account
		}
		if figures {
			out[i].Resources = wire.Resources(counts[p.Account])
			out[i].ProjectLimit, out[i].ProjectTotal, out[i].ProjectAvailable = "", nil, ""
			out[i].VMRunning, out[i].VMStopped = new(machines[p.Account].Running), new(machines[p.Account].Stopped)
		}
	}
	err := owned.Tagged(ctx, t.Owned, tag.Project, n, func(i int) (uid.Project, cs.Owner, *[]cs.Tag) {
		p := projects[i]
		name := account.Name{Account: p.Name, Type: auth.Project, Domain: p.Domain, DomainName: p.DomainName, DomainPath: p.DomainPath}
		return p.ID, wire.Owner(p.Account, name), &out[i].Tags
	})
	if err != nil {
		return nil, err
	}
	return out, t.Owned.Pending(ctx, n, func(i int) (string, *cs.Pending) { return string(out[i].ID), &out[i].Pending })
}
