package closing

import (
	"context"
	"fmt"

	"github.com/virga-cloud/virga/internal/account"
	"github.com/virga-cloud/virga/internal/auth"
	"github.com/virga-cloud/virga/internal/db"
	"github.com/virga-cloud/virga/internal/event"
	"github.com/virga-cloud/virga/internal/fault"
	"github.com/virga-cloud/virga/internal/op"
	"github.com/virga-cloud/virga/internal/project"
	"github.com/virga-cloud/virga/uid"
)

// DeleteProject begins to delete a project that the caller administers and that is empty or, with cleanup, also one that is not, with all
// that belongs to it. From its acceptance on nothing is made in it; there is no way back.
func (s *Service) DeleteProject(ctx context.Context, id uid.Project, cleanup bool) (op.ID, error) {
	job, _, err := s.project.Start(ctx, projectRequest(ctx, "deleteProject"), ending{Account: account.OfProject(id), Project: true, cleanup: cleanup})
	return job, err
}

// delete is DeleteAccount or DeleteProject, for who goes on with what has begun.
func (s *Service) delete(ctx context.Context, id uid.Account) error {
	a, there, err := account.Of(ctx, s.DB.Read(), id)
	if err != nil || !there {
		return err
	}
	if a.Type == auth.Project {
		_, err = s.DeleteProject(ctx, uid.Project(id), true)
		return err
	}
	_, err = s.DeleteAccount(ctx, id)
	return err
}

func (s *Service) projectPlan() *op.Plan[ending] { return s.ending("project.close", s.beginProject) }

func (s *Service) beginProject(ctx context.Context, tx db.Tx, q *op.Request, e *ending) error {
	a, already, err := s.Projects.Close(ctx, tx, uid.Project(e.Account), e.cleanup)
	if err != nil {
		return err
	}
	if already {
		open, err := op.OpenOn(ctx, tx, []string{string(a.ID)})
		if err != nil {
			return err
		}
		if job := open[string(a.ID)]; job != "" {
			return fault.Conflictf("project %q is being deleted already, by job %s", a.Name, job)
		}
	}
	e.Began = tx.Now
	return aboutProject(ctx, tx, q, a, event.ProjectDelete, "deleting")
}

// projectRequest is what operations on a project have in common. Which project it is, their acceptance knows.
func projectRequest(ctx context.Context, command string) op.Request {
	return op.Request{Caller: auth.From(ctx), Command: command, SubjectKind: "Project"}
}

// aboutProject says which project an operation is about, and writes its Scheduled event.
func aboutProject(ctx context.Context, tx db.Tx, q *op.Request, a account.Account, kind event.Kind, doing string) (err error) {
	q.Thing, q.SubjectID, q.Account, q.Domain = op.On("project", a.ID), string(a.ID), a.ID, a.Domain
	q.Event, err = event.Write(ctx, tx, event.Event{
		Type: kind, State: event.Scheduled, Description: fmt.Sprintf("%s project %s (%s)", doing, a.Name, a.ID), Account: a.ID, Domain: a.Domain,
		User: q.Caller.User, ResourceID: string(a.ID),
	})
	return err
}

// removeProject removes the project that is being deleted, if it is one.
func (e *ending) removeProject(ctx context.Context, tx db.Tx, id uid.Account) error {
	if !e.Project {
		return nil
	}
	return project.Remove(ctx, tx, uid.Project(id))
}

// SuspendProject begins to suspend a project that the caller administers: from its acceptance on nothing is made or started in it, and then
// its machines are stopped.
func (s *Service) SuspendProject(ctx context.Context, id uid.Project) (op.ID, error) {
	job, _, err := s.suspend.Start(ctx, projectRequest(ctx, "suspendProject"), shutting{Account: account.OfProject(id), Project: true})
	return job, err
}

// suspendPlan has no undo, as disablePlan.
func (s *Service) suspendPlan() *op.Plan[shutting] {
	return op.New[shutting]("project.suspend").Patience(patience).
		Accept(func(ctx context.Context, tx db.Tx, q *op.Request, j *shutting) error {
			a, err := s.Projects.Suspend(ctx, tx, uid.Project(j.Account))
			if err != nil {
				return err
			}
			j.Began = tx.Now
			return aboutProject(ctx, tx, q, a, event.ProjectSuspend, "suspending")
		}, nil).
		Do("machines", s.stopMachines, nil)
}
