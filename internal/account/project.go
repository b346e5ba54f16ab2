package account

import (
	"context"
	"fmt"

	"github.com/virga-cloud/virga/internal/auth"
	"github.com/virga-cloud/virga/internal/db"
	"github.com/virga-cloud/virga/internal/fault"
	"github.com/virga-cloud/virga/uid"
)

// A project owns what belongs to it through an account of type [auth.Project], whose ID is the project's. Such accounts are shown to nobody
// as accounts, nobody signs in to them, and only package project makes, renames and shuts them.

// OfProject is the account of a project.
func OfProject(id uid.Project) uid.Account { return uid.Account(id) }

// ProjectOf is the project whose account it is, if it is a project's.
func (n Name) ProjectOf(id uid.Account) (project uid.Project, ok bool) {
	return uid.Project(id), n.Type == auth.Project
}

// ownerInProject finds the project for which the caller makes something.
func ownerInProject(ctx context.Context, tx db.Tx, whose For) (Owner, error) {
	if whose.Account != "" {
		return Owner{}, errBoth()
	}
	if err := tx.Rely(ctx, whose.Project); err != nil { // it may be about to be suspended
		return Owner{}, err
	}
	a, err := ProjectInScope(ctx, tx, auth.From(ctx).Reach(), whose.Project)
	switch {
	case err != nil:
		return Owner{}, err
	case whose.Domain != "" && whose.Domain != a.Domain:
		return Owner{}, fault.Missing(whose.Project)
	case a.Closing:
		return Owner{}, fault.Conflictf("project %q is being deleted", a.Name)
	case a.State != Enabled:
		return Owner{}, fault.Conflictf("project %q is suspended", a.Name)
	}
	return Owner{Account: a.ID, Domain: a.Domain}, nil
}

// projectScope is Scope for lists of what belongs to projects.
func projectScope(ctx context.Context, q db.Tx, in ListScope) (auth.Scope, error) {
	c := auth.From(ctx)
	switch {
	case in.Account != "":
		return auth.Scope{}, errBoth()
	case in.EachProject:
		return c.InProjects(), nil
	}
	a, err := ProjectInScope(ctx, q, c.Reach(), in.Project)
	return auth.Scope{Account: a.ID}, err
}

// ProjectInScope gives the account of a project in a scope. Others are not there.
func ProjectInScope(ctx context.Context, q db.Tx, scope auth.Scope, id uid.Project) (Account, error) {
	a, err := accountInScope(ctx, q, scope, OfProject(id))
	switch {
	case db.IsNone(err) || err == nil && a.Type != auth.Project:
		return Account{}, fault.Missing(id)
	case err != nil:
		return Account{}, fmt.Errorf("find project %s: %w", id, err)
	}
	return a, nil
}

func errBoth() error { return fault.Invalidf("account and projectid were both given; use one of them") }

// OpenProject makes the account of a new project in a domain.
func (s *Service) OpenProject(ctx context.Context, tx db.Tx, id uid.Project, name string, in Domain) error {
	err := insertAccount(ctx, tx, Account{
		ID: OfProject(id), Domain: in.ID, Name: name, Type: auth.Project, State: Enabled, Created: tx.Now,
	})
	if err != nil {
		return taken(err, "project", name, in.Path)
	}
	return s.furnish(ctx, tx, OfProject(id), in.ID, auth.Project)
}

// CloseProject is [Service.Close] for the account of a project, of which the caller knows that it may be closed.
func CloseProject(ctx context.Context, tx db.Tx, id uid.Project) error {
	if err := tx.Retire(ctx, OfProject(id)); err != nil {
		return err
	}
	if err := closeAccount(ctx, tx, OfProject(id)); err != nil {
		return fmt.Errorf("close project %s: %w", id, err)
	}
	return nil
}

// InDomain finds an account of a domain by its name, whoever asks.
func InDomain(ctx context.Context, q db.Tx, domain uid.Domain, name string) (Account, bool, error) {
	a, err := accountByName(ctx, q, domain, name)
	if db.IsNone(err) || err == nil && a.ID == auth.System().Account {
		return Account{}, false, nil
	}
	return a, err == nil, err
}

// UserInDomain finds a user of a domain by its name, whoever asks.
func UserInDomain(ctx context.Context, q db.Tx, domain uid.Domain, name string) (User, bool, error) {
	u, err := userByName(ctx, q, name, string(domain))
	if db.IsNone(err) || err == nil && u.ID == auth.System().User {
		return User{}, false, nil
	}
	return u.User, err == nil, err
}

// HoldUser keeps others from changing or moving a user of an account until the transaction's end. One that is not there is fault.NotFound.
func HoldUser(ctx context.Context, tx db.Tx, id uid.User, of uid.Account) error {
	if err := lockUser(ctx, tx, id); err != nil {
		return fmt.Errorf("lock user %s: %w", id, err)
	}
	found, err := UsersByID(ctx, tx, []uid.User{id})
	if err != nil {
		return fmt.Errorf("find user %s: %w", id, err)
	}
	if u := found[id]; u.Account != of || !u.Removed.IsZero() {
		return fault.Missing(id)
	}
	return nil
}

// LeavesWith says what happens before a user is removed, or moved out of its account. It is called before the service is used.
func (s *Service) LeavesWith(leave func(ctx context.Context, tx db.Tx, id uid.Account, user uid.User) error) {
	s.leave = leave
}
