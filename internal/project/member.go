package project

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/virga-cloud/virga/internal/account"
	"github.com/virga-cloud/virga/internal/auth"
	"github.com/virga-cloud/virga/internal/db"
	"github.com/virga-cloud/virga/internal/event"
	"github.com/virga-cloud/virga/internal/fault"
	"github.com/virga-cloud/virga/internal/limit"
	"github.com/virga-cloud/virga/internal/once"
	"github.com/virga-cloud/virga/internal/op"
	"github.com/virga-cloud/virga/internal/setting"
	"github.com/virga-cloud/virga/uid"
)

// Member is an account that belongs to a project with all its users, or one user of an account.
type Member struct {
	Project uid.Project     `bun:"project_id"`
	Account uid.Account     `bun:"account_id"`
	User    uid.User        `bun:"user_id"` // "" for the whole account
	Admin   bool            // it administers the project
	Role    uid.ProjectRole `bun:"role_id"` // says which commands; "" for all that it may use anyway
	Created time.Time
}

// AddIn says who is to become a member: an account, by its name in the project's domain, or a user, by its.
type AddIn struct {
	Account  string
	Username string
	Admin    bool
	Role     uid.ProjectRole // of the project
}

// Add makes an account or a user a member of a project that the caller administers, or invites them where invitations are required.
func (s *Service) Add(ctx context.Context, id uid.Project, in AddIn) (op.ID, error) {
	command, kind := "addAccountToProject", event.ProjectAccountAdd
	if in.Username != "" {
		command, kind = "addUserToProject", event.ProjectUserAdd
	}
	return s.start(ctx, command, id, func(ctx context.Context, tx db.Tx) (announcement, error) {
		a, err := s.administered(ctx, tx, id)
		if err != nil {
			return announcement{}, err
		}
		m, name, err := s.newMember(ctx, tx, a, in)
		if err != nil {
			return announcement{}, err
		}
		known, err := membersOf(ctx, tx, id)
		if err != nil {
			return announcement{}, fmt.Errorf("find the members of project %s: %w", id, err)
		}
		if slices.ContainsFunc(known, m.is) {
			return announcement{}, fault.Conflictf("%s belongs to project %q already", name, a.Name)
		}
		if setting.InvitesRequired.Of(s.settings) {
			return announcement{a, kind, fmt.Sprintf("inviting %s to project %s", name, a.Name)}, s.invite(ctx, tx, m, name)
		}
		return announcement{a, kind, fmt.Sprintf("adding %s to project %s", name, a.Name)}, join(ctx, tx, m)
	})
}

// is tells whether it is the same account, or the same user, in the same project.
func (m Member) is(other Member) bool {
	return m.Project == other.Project && m.Account == other.Account && m.User == other.User
}

// newMember finds who is to become a member of a project, and what to call them.
func (s *Service) newMember(ctx context.Context, tx db.Tx, of account.Account, in AddIn) (m Member, name string, err error) {
	m = Member{Project: uid.Project(of.ID), Admin: in.Admin, Role: in.Role}
	if in.Role != "" {
		if _, err := roleOf(ctx, tx, m.Project, in.Role); err != nil {
			return m, "", err
		}
	}
	if in.Username == "" {
		a, there, err := account.InDomain(ctx, tx, of.Domain, in.Account)
		switch {
		case err != nil:
			return m, "", fmt.Errorf("find account %q: %w", in.Account, err)
		case !there:
			return m, "", fault.NotFoundf("there is no account %q in the project's domain", in.Account)
		}
		m.Account = a.ID
		return m, "account " + a.Name, account.Stays(ctx, tx, a.ID)
	}
	u, there, err := account.UserInDomain(ctx, tx, of.Domain, in.Username)
	switch {
	case err != nil:
		return m, "", fmt.Errorf("find user %q: %w", in.Username, err)
	case !there:
		return m, "", fault.NotFoundf("there is no user %q in the project's domain", in.Username)
	}
	m.Account, m.User = u.Account, u.ID
	if err := account.Stays(ctx, tx, u.Account); err != nil {
		return m, "", err
	}
	return m, "user " + u.Username, account.HoldUser(ctx, tx, u.ID, u.Account)
}

// administering is what a project counts for who administers it.
var administering = limit.Use{limit.Projects: 1}

// join makes somebody a member of a project, which is held.
func join(ctx context.Context, tx db.Tx, m Member) error {
	m.Created = tx.Now
	if err := insertMember(ctx, tx, m); err != nil {
		return fmt.Errorf("add a member to project %s: %w", m.Project, err)
	}
	if err := account.Joins(ctx, tx, m.Account, m.User); err != nil {
		return err
	}
	if !m.Admin {
		return nil
	}
	return account.Take(ctx, tx, m.Account, administering)
}

// leave takes a member from a project, which is held. What its users have made in it they are not shown again.
func leave(ctx context.Context, tx db.Tx, m Member) error {
	users, err := usersOf(ctx, tx, m)
	if err != nil {
		return fmt.Errorf("find the users of a member of project %s: %w", m.Project, err)
	}
	if err := once.Withdraw(ctx, tx, users...); err != nil {
		return err
	}
	if err := deleteMember(ctx, tx, m); err != nil {
		return fmt.Errorf("remove a member of project %s: %w", m.Project, err)
	}
	if !m.Admin {
		return nil
	}
	return account.Give(ctx, tx, m.Account, administering)
}

// promote lets a member of a project, which is held, administer it, or not any more.
func promote(ctx context.Context, tx db.Tx, m Member, admin bool) error {
	if m.Admin == admin {
		return nil
	}
	if err := setAdmin(ctx, tx, m, admin); err != nil {
		return fmt.Errorf("change a member of project %s: %w", m.Project, err)
	}
	if admin {
		return account.Take(ctx, tx, m.Account, administering)
	}
	return account.Give(ctx, tx, m.Account, administering)
}

// alone tells whether there is nobody among the members who administers the project but one.
func alone(members []Member, m Member) bool {
	return m.Admin && !slices.ContainsFunc(members, func(o Member) bool { return o.Admin && !m.is(o) })
}

// RemoveIn says who is to leave: an account, by its name in the project's domain, or a user.
type RemoveIn struct {
	Account string
	User    uid.User
}

// RemoveMember takes an account or a user from a project that the caller administers; users may take themselves. Who alone administers
// it stays.
func (s *Service) RemoveMember(ctx context.Context, id uid.Project, in RemoveIn) (op.ID, error) {
	command, kind := "deleteAccountFromProject", event.ProjectAccountRemove
	if in.User != "" {
		command, kind = "deleteUserFromProject", event.ProjectUserRemove
	}
	return s.start(ctx, command, id, func(ctx context.Context, tx db.Tx) (announcement, error) {
		a, err := s.administered(ctx, tx, id)
		if c := auth.From(ctx); fault.Is(err, fault.Denied) && in.User == c.User {
			err = nil
		}
		if err != nil {
			return announcement{}, err
		}
		members, err := membersOf(ctx, tx, id)
		if err != nil {
			return announcement{}, fmt.Errorf("find the members of project %s: %w", id, err)
		}
		m, err := member(ctx, tx, a, members, in)
		if err != nil {
			return announcement{}, err
		}
		if alone(members, m) {
			return announcement{}, errAlone(a.Name)
		}
		return announcement{a, kind, "removing " + in.name() + " from project " + a.Name}, leave(ctx, tx, m)
	})
}

func (in RemoveIn) name() string {
	if in.User != "" {
		return "user " + string(in.User)
	}
	return "account " + in.Account
}

func errAlone(project string) error {
	return fault.Conflictf("nobody else administers project %q: let another member do so first, with updateProject", project)
}

// member finds a member that somebody names.
func member(ctx context.Context, q db.Tx, of account.Account, members []Member, in RemoveIn) (Member, error) {
	if in.User != "" {
		if i := slices.IndexFunc(members, func(m Member) bool { return m.User == in.User }); i >= 0 {
			return members[i], nil
		}
		return Member{}, fault.NotFoundf("user %s does not belong to project %q by itself", in.User, of.Name)
	}
	a, there, err := account.InDomain(ctx, q, of.Domain, in.Account)
	if err != nil {
		return Member{}, fmt.Errorf("find account %q: %w", in.Account, err)
	}
	if i := slices.IndexFunc(members, func(m Member) bool { return m.User == "" && m.Account == a.ID }); there && i >= 0 {
		return members[i], nil
	}
	return Member{}, fault.NotFoundf("account %q does not belong to project %q", in.Account, of.Name)
}

// reassign changes who administers a project, which is held.
func (s *Service) reassign(ctx context.Context, tx db.Tx, a account.Account, in UpdateIn) error {
	members, err := membersOf(ctx, tx, uid.Project(a.ID))
	if err != nil {
		return fmt.Errorf("find the members of project %s: %w", a.ID, err)
	}
	m, err := member(ctx, tx, a, members, RemoveIn{Account: in.Account, User: in.User})
	if err != nil {
		return err
	}
	if in.Admin != nil {
		if !*in.Admin && alone(members, m) {
			return errAlone(a.Name)
		}
		return promote(ctx, tx, m, *in.Admin)
	}
	admins := slices.DeleteFunc(slices.Clone(members), func(m Member) bool { return !m.Admin })
	if len(admins) > 1 {
		return fault.Conflictf("project %q has %d administrators: say with roletype and swapowner=false what becomes of which", a.Name, len(admins))
	}
	for _, was := range admins {
		if !was.is(m) {
			if err := promote(ctx, tx, was, false); err != nil {
				return err
			}
		}
	}
	return promote(ctx, tx, m, true)
}

// Leave takes an account that is being deleted, with its users, or one user of it that is ("": all) from all projects. What it alone
// administers it must delete first, or leave to another member.
func Leave(ctx context.Context, tx db.Tx, id uid.Account, user uid.User) error {
	mine, err := membershipsOf(ctx, tx, id, user)
	if err != nil {
		return fmt.Errorf("find the projects of account %s: %w", id, err)
	}
	var left []string
	for _, m := range mine {
		if err := account.Hold(ctx, tx, account.OfProject(m.Project)); err != nil {
			return err
		}
		members, err := membersOf(ctx, tx, m.Project)
		if err != nil {
			return fmt.Errorf("find the members of project %s: %w", m.Project, err)
		}
		i := slices.IndexFunc(members, m.is)
		if i < 0 {
			continue
		}
		a, err := account.ProjectInScope(ctx, tx, auth.Scope{All: true}, m.Project)
		if err != nil {
			return err
		}
		if alone(members, members[i]) && !a.Closing {
			left = append(left, fmt.Sprintf("%q", a.Name))
			continue
		}
		if err := leave(ctx, tx, members[i]); err != nil {
			return err
		}
		text := fmt.Sprintf("a member of project %s was removed", a.Name)
		if err := announce(ctx, tx, announcement{a, event.ProjectAccountRemove, text}); err != nil {
			return err
		}
	}
	if len(left) > 0 {
		return fault.Conflictf("nobody else administers the projects %s: delete them, or let another member administer them, first",
			strings.Join(left, ", "))
	}
	return dropInvitations(ctx, tx, id, user)
}
