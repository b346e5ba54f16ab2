package project

import (
	"context"
	"fmt"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/virga-cloud/virga/internal/account"
	"github.com/virga-cloud/virga/internal/auth"
	"github.com/virga-cloud/virga/internal/db"
	"github.com/virga-cloud/virga/internal/event"
	"github.com/virga-cloud/virga/internal/fault"
	"github.com/virga-cloud/virga/internal/op"
	"github.com/virga-cloud/virga/internal/setting"
	"github.com/virga-cloud/virga/internal/tag"
	"github.com/virga-cloud/virga/uid"
)

// State is what a project may be used for; its text is the wire's.
type State string

// The states of projects. In a suspended one nothing is made or started, and a disabled one is being deleted.
const (
	Active    State = "Active"
	Suspended State = "Suspended"
	Disabled  State = "Disabled"
)

// Project is a project.
type Project struct {
	ID          uid.Project `bun:",pk"`
	Account     uid.Account `bun:"account_id"` // which owns what belongs to it; its ID is the project's
	Domain      uid.Domain  `bun:"domain_id"`
	DisplayText string
	Created     time.Time
	Removed     time.Time `bun:",nullzero"`

	Name         string        `bun:",scanonly"` // unique in its domain
	AccountState account.State `bun:",scanonly"`
	Closing      bool          `bun:",scanonly"`
	DomainName   string        `bun:",scanonly"`
	DomainPath   string        `bun:",scanonly"`
}

// State is the state that the project is in.
func (p Project) State() State {
	switch {
	case p.Closing:
		return Disabled
	case p.AccountState != account.Enabled:
		return Suspended
	default:
		return Active
	}
}

// Taggable are the projects that can have tags.
var Taggable = tag.Kind{Type: tag.Project, Table: "projects", Live: "removed is null"}

// Service keeps projects. All methods may be called concurrently.
type Service struct {
	db       *db.DB
	accounts *account.Service
	settings *setting.Settings
	changing *op.Runner[change]
}

// New makes a service and registers its plans with the engine.
func New(d *db.DB, e *op.Engine, accounts *account.Service, settings *setting.Settings) *Service {
	s := &Service{db: d, accounts: accounts, settings: settings}
	s.changing = op.Register(e, op.New[change]("project.change").NoWayBack().Accept(s.accept, nil))
	return s
}

// change is the state of an operation on a project. All of it is done when it is accepted; there is an operation because clients are
// answered with a job.
type change struct {
	Project uid.Project `json:"project"`

	do func(ctx context.Context, tx db.Tx) (announcement, error)
}

// announcement is what the event of a change says.
type announcement struct {
	project account.Account
	kind    event.Kind
	text    string
}

func (s *Service) accept(ctx context.Context, tx db.Tx, q *op.Request, c *change) error {
	a, err := c.do(ctx, tx)
	if err != nil {
		return err
	}
	q.Account, q.Domain = a.project.ID, a.project.Domain
	q.Event, err = event.Write(ctx, tx, event.Event{
		Type: a.kind, State: event.Scheduled, Description: a.text, Account: q.Account, Domain: q.Domain, User: q.Caller.User, ResourceID: q.SubjectID,
	})
	return err
}

// start does a change at once, and gives the job that says so.
func (s *Service) start(
	ctx context.Context, command string, id uid.Project, do func(ctx context.Context, tx db.Tx) (announcement, error),
) (op.ID, error) {
	job, _, err := s.changing.Start(ctx, op.Request{
		Thing: op.On("project change", uid.New[uid.Op]()), Fresh: true, // it waits for nothing, and nothing else for it
		Caller: auth.From(ctx), Command: command, SubjectKind: "Project", SubjectID: string(id),
	}, change{Project: id, do: do})
	return job, err
}

// announce writes the event of a change that is no job.
func announce(ctx context.Context, tx db.Tx, a announcement) error {
	_, err := event.Write(ctx, tx, event.Event{
		Type: a.kind, Description: a.text, Account: a.project.ID, Domain: a.project.Domain, ResourceID: string(a.project.ID),
	})
	return err
}

const maxName = 255

// checkName refuses names that nobody could tell from others.
func checkName(what, name string) error {
	odd := func(c rune) bool { return c != ' ' && !unicode.IsPrint(c) }
	if strings.TrimSpace(name) == "" || strings.TrimSpace(name) != name || strings.ContainsFunc(name, odd) || utf8.RuneCountInString(name) > maxName {
		return fault.Invalidf("%q is no name for a %s: want 1 to %d characters that can be seen, with no space at the beginning or the end",
			name, what, maxName)
	}
	return nil
}

// administered finds a project that the caller administers: a member of it that is its administrator, or an admin of its domain or above.
// Nobody else changes it until the transaction's end.
func (s *Service) administered(ctx context.Context, tx db.Tx, id uid.Project) (account.Account, error) {
	c := auth.From(ctx)
	if _, err := account.ProjectInScope(ctx, tx, c.Reach(), id); err != nil {
		return account.Account{}, err
	}
	if err := account.Hold(ctx, tx, account.OfProject(id)); err != nil {
		return account.Account{}, err
	}
	a, err := account.ProjectInScope(ctx, tx, c.Reach(), id)
	if err != nil {
		return a, err
	}
	if err := s.mayAdminister(ctx, tx, a); err != nil {
		return a, err
	}
	if a.Closing {
		return a, fault.Conflictf("project %q is being deleted", a.Name)
	}
	return a, nil
}

// mayAdminister refuses members of a project, which the caller reaches, that are not its administrators.
func (s *Service) mayAdminister(ctx context.Context, q db.Tx, a account.Account) error {
	c := auth.From(ctx)
	if c.Type != auth.User {
		return nil
	}
	is, err := administers(ctx, q, c, uid.Project(a.ID))
	switch {
	case err != nil:
		return fmt.Errorf("look who administers project %s: %w", a.ID, err)
	case !is:
		return fault.Deniedf("only who administers project %q may do this", a.Name)
	}
	return nil
}
