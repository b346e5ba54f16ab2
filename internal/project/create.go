package project

import (
	"cmp"
	"context"
	"fmt"

	"github.com/virga-cloud/virga/internal/account"
	"github.com/virga-cloud/virga/internal/auth"
	"github.com/virga-cloud/virga/internal/db"
	"github.com/virga-cloud/virga/internal/event"
	"github.com/virga-cloud/virga/internal/fault"
	"github.com/virga-cloud/virga/internal/limit"
	"github.com/virga-cloud/virga/internal/op"
	"github.com/virga-cloud/virga/internal/setting"
	"github.com/virga-cloud/virga/uid"
)

// CreateIn says what project to make, and who is to administer it: the caller's account, or an account that is named by its ID, or by its
// name in a domain, or only a user of that account.
type CreateIn struct {
	Name        string
	DisplayText string // "": the name
	Account     string
	Domain      uid.Domain
	AccountID   uid.Account
	User        uid.User
}

// Create makes a project in the domain of who is to administer it, against whose limit of projects it counts.
func (s *Service) Create(ctx context.Context, in CreateIn) (uid.Project, op.ID, error) {
	if err := checkName("project", in.Name); err != nil {
		return "", "", err
	}
	if c := auth.From(ctx); c.Type == auth.User && !setting.UsersCreateProjects.Of(s.settings) {
		return "", "", fault.Deniedf("only admins may create projects here (allow.user.create.projects)")
	}
	id := uid.New[uid.Project]()
	job, err := s.start(ctx, "createProject", id, func(ctx context.Context, tx db.Tx) (a announcement, err error) {
		m, in2, err := s.firstMember(ctx, tx, in)
		if err != nil {
			return a, err
		}
		if err := s.accounts.OpenProject(ctx, tx, id, in.Name, in2); err != nil {
			return a, err
		}
		p := Project{ID: id, Account: account.OfProject(id), Domain: in2.ID, DisplayText: cmp.Or(in.DisplayText, in.Name), Created: tx.Now}
		if err := insert(ctx, tx, p); err != nil {
			return a, fmt.Errorf("make project %q: %w", in.Name, err)
		}
		m.Project, m.Admin = id, true
		if err := join(ctx, tx, m); err != nil {
			return a, err
		}
		return announcement{account.Account{ID: p.Account, Domain: p.Domain}, event.ProjectCreate, "creating project " + in.Name}, nil
	})
	return id, job, err
}

// firstMember finds who is to administer a new project, and the domain that it comes into.
func (s *Service) firstMember(ctx context.Context, tx db.Tx, in CreateIn) (m Member, d account.Domain, err error) {
	owner, err := s.owner(ctx, tx, in)
	if err != nil {
		return m, d, err
	}
	if err := account.Stays(ctx, tx, owner.Account); err != nil {
		return m, d, err
	}
	m.Account = owner.Account
	if in.User != "" {
		if m, err = s.userOf(ctx, tx, in.User, owner); err != nil {
			return m, d, err
		}
	}
	found, err := account.DomainsByID(ctx, tx, []uid.Domain{owner.Domain})
	return m, found[owner.Domain], err
}

func (s *Service) owner(ctx context.Context, tx db.Tx, in CreateIn) (account.Owner, error) {
	c := auth.From(ctx)
	switch {
	case in.AccountID != "" && in.Account != "":
		return account.Owner{}, fault.Invalidf("account and accountid were both given; use one of them")
	case in.AccountID == "" || in.AccountID == c.Account:
		return s.accounts.Owner(ctx, tx, account.For{Account: in.Account, Domain: in.Domain})
	}
	a, err := s.accounts.Changeable(ctx, tx, account.Named{ID: in.AccountID})
	if err == nil && a.State != account.Enabled {
		err = fault.Conflictf("account %q is %s", a.Name, a.State)
	}
	return account.Owner{Account: a.ID, Domain: a.Domain}, err
}

// userOf makes a member of a user, who must be one of an account's.
func (s *Service) userOf(ctx context.Context, tx db.Tx, id uid.User, owner account.Owner) (Member, error) {
	if err := account.HoldUser(ctx, tx, id, owner.Account); err != nil {
		return Member{}, err
	}
	return Member{Account: owner.Account, User: id}, nil
}

// UpdateIn says what to change of a project. Zero fields leave things as they are.
type UpdateIn struct {
	Name        string
	DisplayText *string
	// Account, by its name in the project's domain, or User is the member whose part in the project changes: Admin says how; without it, it
	// administers the project from now on in the place of who did.
	Account string
	User    uid.User
	Admin   *bool
}

// Update changes a project that the caller administers.
func (s *Service) Update(ctx context.Context, id uid.Project, in UpdateIn) (op.ID, error) {
	switch {
	case in.Account != "" && in.User != "":
		return "", fault.Invalidf("account and userid were both given; use one of them")
	case in.Admin != nil && in.Account == "" && in.User == "":
		return "", fault.Invalidf("roletype is whose: name an account or a userid, too")
	}
	if in.Name != "" {
		if err := checkName("project", in.Name); err != nil {
			return "", err
		}
	}
	return s.start(ctx, "updateProject", id, func(ctx context.Context, tx db.Tx) (announcement, error) {
		a, err := s.administered(ctx, tx, id)
		if err != nil {
			return announcement{}, err
		}
		text := "changing project " + a.Name
		if in.Name != "" && in.Name != a.Name {
			if err := account.Rename(ctx, tx, a.ID, in.Name); db.IsUnique(err) {
				return announcement{}, fault.Conflictf("there is a project named %q in domain %s already", in.Name, a.DomainPath)
			} else if err != nil {
				return announcement{}, fmt.Errorf("rename project %s: %w", id, err)
			}
			text += ", which is called " + in.Name + " now"
		}
		if in.DisplayText != nil {
			if err := setDisplayText(ctx, tx, id, *in.DisplayText); err != nil {
				return announcement{}, fmt.Errorf("change project %s: %w", id, err)
			}
		}
		if in.Account != "" || in.User != "" {
			if err := s.reassign(ctx, tx, a, in); err != nil {
				return announcement{}, err
			}
		}
		return announcement{a, event.ProjectUpdate, text}, nil
	})
}

// Activate lets a project that was suspended be used again.
func (s *Service) Activate(ctx context.Context, id uid.Project) (op.ID, error) {
	return s.start(ctx, "activateProject", id, func(ctx context.Context, tx db.Tx) (announcement, error) {
		a, err := s.administered(ctx, tx, id)
		if err != nil {
			return announcement{}, err
		}
		if err := account.SetState(ctx, tx, account.OfProject(id), account.Enabled); err != nil {
			return announcement{}, fmt.Errorf("activate project %s: %w", id, err)
		}
		return announcement{a, event.ProjectActivate, "activating project " + a.Name}, nil
	})
}

// Suspend lets nothing be made or started in a project that the caller administers. What runs is stopped by who calls this.
func (s *Service) Suspend(ctx context.Context, tx db.Tx, id uid.Project) (account.Account, error) {
	if err := tx.Retire(ctx, id); err != nil { // of those who make something in it; see account.Owner
		return account.Account{}, err
	}
	a, err := s.administered(ctx, tx, id)
	if err != nil {
		return a, err
	}
	return a, account.SetState(ctx, tx, account.OfProject(id), account.Disabled)
}

// Close begins to delete a project that the caller administers: nothing is made in it any more. Without cleanup it must be empty. One that
// is closed already stays so.
func (s *Service) Close(ctx context.Context, tx db.Tx, id uid.Project, cleanup bool) (a account.Account, already bool, err error) {
	if err := tx.Retire(ctx, id); err != nil {
		return a, false, err
	}
	c := auth.From(ctx)
	if a, err = account.ProjectInScope(ctx, tx, c.Reach(), id); err != nil {
		return a, false, err
	}
	if !a.Closing {
		if a, err = s.administered(ctx, tx, id); err != nil {
			return a, false, err
		}
	} else if err := s.mayAdminister(ctx, tx, a); err != nil {
		return a, true, err
	}
	already = a.Closing
	if err := account.CloseProject(ctx, tx, id); err != nil {
		return a, already, err
	}
	if cleanup || already {
		return a, already, nil
	}
	counts, err := limit.OfAccounts(ctx, tx, a.ID) // which nobody adds to any more
	if err != nil {
		return a, false, err
	}
	if has := inside(counts[a.ID]); has != "" {
		return a, false, fault.Conflictf("in project %q there are %s; delete them first, or give cleanup=true", a.Name, has)
	}
	return a, false, nil
}

// Remove removes a project that was closed, and owns nothing any more, but for its account.
func Remove(ctx context.Context, tx db.Tx, id uid.Project) error {
	if err := account.Hold(ctx, tx, account.OfProject(id)); err != nil {
		return err
	}
	members, err := membersOf(ctx, tx, id)
	if err != nil {
		return fmt.Errorf("find the members of project %s: %w", id, err)
	}
	for _, m := range members {
		if err := leave(ctx, tx, m); err != nil {
			return err
		}
	}
	if err := remove(ctx, tx, id); err != nil {
		return fmt.Errorf("remove project %s: %w", id, err)
	}
	return nil
}
