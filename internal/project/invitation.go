package project

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/virga-cloud/virga/internal/account"
	"github.com/virga-cloud/virga/internal/auth"
	"github.com/virga-cloud/virga/internal/db"
	"github.com/virga-cloud/virga/internal/event"
	"github.com/virga-cloud/virga/internal/fault"
	"github.com/virga-cloud/virga/internal/op"
	"github.com/virga-cloud/virga/internal/setting"
	"github.com/virga-cloud/virga/uid"
)

// InvitationState is what became of an invitation; its text is the wire's.
type InvitationState string

// The states of invitations. Expired is what a pending one becomes by itself: it is not written down.
const (
	Pending   InvitationState = "Pending"
	Completed InvitationState = "Completed"
	Declined  InvitationState = "Declined"
	Expired   InvitationState = "Expired"
)

// Invitation invites an account, or one user of it, to become a member of a project.
type Invitation struct {
	ID      uid.ProjectInvitation `bun:",pk"`
	Project uid.Project           `bun:"project_id"`
	Account uid.Account           `bun:"account_id"`
	User    uid.User              `bun:"user_id"` // "" for the whole account
	Admin   bool
	Role    uid.ProjectRole `bun:"role_id"`
	State   InvitationState
	Created time.Time
	Expires time.Time
}

// StateAt is the state of an invitation at some time.
func (i Invitation) StateAt(now time.Time) InvitationState {
	if i.State == Pending && !now.Before(i.Expires) {
		return Expired
	}
	return i.State
}

// invite invites somebody to a project, which is held. What became of earlier invitations is forgotten: there is one for each at most.
func (s *Service) invite(ctx context.Context, tx db.Tx, m Member, name string) error {
	open, err := pendingFor(ctx, tx, m)
	switch {
	case err != nil:
		return fmt.Errorf("look for invitations to project %s: %w", m.Project, err)
	case open.StateAt(tx.Now) == Pending:
		return fault.Conflictf("%s is invited already; delete that invitation first", name)
	}
	if err := forgetInvitations(ctx, tx, m); err != nil {
		return fmt.Errorf("forget earlier invitations to project %s: %w", m.Project, err)
	}
	err = insertInvitation(ctx, tx, Invitation{
		ID: uid.New[uid.ProjectInvitation](), Project: m.Project, Account: m.Account, User: m.User, Admin: m.Admin, Role: m.Role, State: Pending,
		Created: tx.Now, Expires: tx.Now.Add(setting.InviteTimeout.Of(s.settings)),
	})
	if err != nil {
		return fmt.Errorf("invite to project %s: %w", m.Project, err)
	}
	return nil
}

// AnswerIn says which invitation is answered: that of the caller's account, of a named one in the project's domain, or of a user.
type AnswerIn struct {
	Account string
	User    uid.User
	Decline bool
}

// Answer accepts or declines an invitation that is for the caller, or for whom the caller administers. To others there is none.
func (s *Service) Answer(ctx context.Context, id uid.Project, in AnswerIn) (op.ID, error) {
	none := fault.NotFoundf("there is no invitation to project %s that is open and yours to answer", id)
	if in.User != "" {
		none = fault.NotFoundf("there is no invitation of user %s to project %s that is open and yours to answer", in.User, id)
	}
	return s.start(ctx, "updateProjectInvitation", id, func(ctx context.Context, tx db.Tx) (announcement, error) {
		if err := account.Hold(ctx, tx, account.OfProject(id)); err != nil {
			return announcement{}, err
		}
		a, err := account.ProjectInScope(ctx, tx, auth.Scope{All: true}, id)
		if fault.Is(err, fault.NotFound) || err == nil && a.Closing {
			return announcement{}, none
		} else if err != nil {
			return announcement{}, err
		}
		i, err := s.invitationFor(ctx, tx, a, in)
		switch {
		case err != nil:
			return announcement{}, err
		case i.ID == "":
			return announcement{}, none
		case i.StateAt(tx.Now) == Expired:
			return announcement{}, fault.Conflictf("the invitation to project %q has expired: ask for another one", a.Name)
		}
		state, text := Completed, "accepting the invitation to project "+a.Name
		if in.Decline {
			state, text = Declined, "declining the invitation to project "+a.Name
		}
		if err := setInvitation(ctx, tx, i.ID, state); err != nil {
			return announcement{}, fmt.Errorf("answer invitation %s: %w", i.ID, err)
		}
		if !in.Decline {
			if err := s.accepted(ctx, tx, i); err != nil {
				return announcement{}, err
			}
		}
		return announcement{a, event.ProjectInvitationUpdate, text}, nil
	})
}

// accepted makes a member of who was invited. The role that was meant is there: none is deleted that an open invitation has.
func (s *Service) accepted(ctx context.Context, tx db.Tx, i Invitation) error {
	if err := account.Stays(ctx, tx, i.Account); err != nil {
		return err
	}
	if i.User != "" {
		if err := account.HoldUser(ctx, tx, i.User, i.Account); err != nil {
			return err
		}
	}
	err := join(ctx, tx, Member{Project: i.Project, Account: i.Account, User: i.User, Admin: i.Admin, Role: i.Role})
	if db.IsUnique(err) {
		err = fault.Conflictf("you belong to the project already")
	}
	return err
}

// invitationFor finds the open invitation that the caller answers, the zero value for none.
func (s *Service) invitationFor(ctx context.Context, tx db.Tx, of account.Account, in AnswerIn) (none Invitation, err error) {
	c := auth.From(ctx)
	who := Member{Project: uid.Project(of.ID), Account: c.Account}
	switch {
	case in.User != "" && in.Account != "":
		return none, fault.Invalidf("account and userid were both given; use one of them")
	case in.Account != "":
		a, there, err := account.InDomain(ctx, tx, of.Domain, in.Account)
		if err != nil || !there {
			return none, err
		}
		who.Account = a.ID
	case in.User != "":
		users, err := account.UsersByID(ctx, tx, []uid.User{in.User})
		if err != nil {
			return none, err
		}
		who.User, who.Account = in.User, users[in.User].Account
	}
	mine := who.Account == c.Account && (who.User == "" || who.User == c.User)
	if !mine {
		if _, err := s.accounts.Changeable(ctx, tx, account.Named{ID: who.Account}); err != nil || c.Type == auth.User {
			return none, nil //nolint:nilerr // it is not the caller's to answer, and so it is not there
		}
	}
	open, err := pendingFor(ctx, tx, who)
	if err == nil && open.ID == "" && in.User == "" && in.Account == "" { // or is the user alone invited?
		who.User = c.User
		open, err = pendingFor(ctx, tx, who)
	}
	return open, err
}

// DeleteInvitation takes an invitation back, for who administers the project.
func (s *Service) DeleteInvitation(ctx context.Context, id uid.ProjectInvitation) (op.ID, error) {
	found, err := InvitationsByID(ctx, s.db.Read(), []uid.ProjectInvitation{id})
	if err != nil {
		return "", err
	}
	i, there := found[id]
	if !there {
		return "", fault.Missing(id)
	}
	return s.start(ctx, "deleteProjectInvitation", i.Project, func(ctx context.Context, tx db.Tx) (announcement, error) {
		a, err := s.administered(ctx, tx, i.Project)
		if fault.Is(err, fault.NotFound) || fault.Is(err, fault.Denied) { // members are shown no invitations, and so there are none for them
			err = fault.Missing(id)
		}
		if err != nil {
			return announcement{}, err
		}
		gone, err := deleteInvitation(ctx, tx, id)
		switch {
		case err != nil:
			return announcement{}, fmt.Errorf("delete invitation %s: %w", id, err)
		case !gone:
			return announcement{}, fault.Missing(id)
		}
		return announcement{a, event.ProjectInvitationRemove, "deleting an invitation to project " + a.Name}, nil
	})
}

// InvitationFilter says which invitations to list. Zero fields do not restrict, but for Scope, whose zero value shows nothing.
type InvitationFilter struct {
	Scope   auth.Scope // of who is invited
	ID      uid.ProjectInvitation
	Project uid.Project
	User    uid.User
	State   InvitationState // in any case
	Active  bool            // only those that can be answered
	Keyword string          // in the project's name
	Offset  int
	Limit   int // 0: all
}

// Invitations gives a page of invitations, the oldest first, and how many there are in all: those of who is in the scope, and with a
// project or an ID those to projects that the caller administers.
func (s *Service) Invitations(ctx context.Context, f InvitationFilter) ([]Invitation, int, error) {
	for _, known := range []InvitationState{Pending, Completed, Declined, Expired} {
		if strings.EqualFold(string(known), string(f.State)) {
			f.State = known
		}
	}
	found, total, err := s.listInvitations(ctx, f)
	if err != nil {
		return nil, 0, fmt.Errorf("list invitations: %w", err)
	}
	return found, total, nil
}
