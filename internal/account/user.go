package account

import (
	"cmp"
	"context"
	"fmt"

	"github.com/virga-cloud/virga/internal/auth"
	"github.com/virga-cloud/virga/internal/db"
	"github.com/virga-cloud/virga/internal/event"
	"github.com/virga-cloud/virga/internal/fault"
	"github.com/virga-cloud/virga/internal/once"
	"github.com/virga-cloud/virga/internal/secret"
	"github.com/virga-cloud/virga/uid"
)

// CreateUserIn says what user to make, and of which account.
type CreateUserIn struct {
	ID        uid.User // "": a new one; only root admins choose it
	Account   string
	Domain    uid.Domain // the account's; "": the caller's
	Username  string
	Password  secret.String
	Firstname string
	Lastname  string
	Email     string
	Timezone  string
	Source    auth.Source // "": native; for MakeUser only
}

// CreateUser makes one more user of an account that may not do more than the caller's.
func (s *Service) CreateUser(ctx context.Context, in CreateUserIn) (uid.User, error) {
	if err := in.check(); err != nil {
		return "", err
	}
	in.Source = auth.Native
	if _, err := s.look(ctx, s.db.Read(), Named{Name: in.Account, Domain: in.Domain}); err != nil { // before the hash, which costs
		return "", err
	}
	hash, err := s.hasher.Hash(ctx, in.Password)
	if err != nil {
		return "", err
	}
	var u User
	err = s.db.Write(ctx, func(ctx context.Context, tx db.Tx) error {
		if u, err = s.makeUser(ctx, tx, in, hash); err != nil {
			return err
		}
		return once.Record(ctx, tx, string(u.ID), "")
	})
	return u.ID, err
}

func (in CreateUserIn) check() error {
	if err := checkName("user", in.Username); err != nil {
		return err
	}
	return checkPerson(in.Firstname, in.Lastname, in.Email, in.Timezone)
}

// MakeUser makes a user as CreateUser does, which has no password here: another source vouches for it.
func (s *Service) MakeUser(ctx context.Context, tx db.Tx, in CreateUserIn) (User, error) {
	if err := in.check(); err != nil {
		return User{}, err
	}
	return s.makeUser(ctx, tx, in, "")
}

func (s *Service) makeUser(ctx context.Context, tx db.Tx, in CreateUserIn, hash string) (User, error) {
	a, err := s.Changeable(ctx, tx, Named{Name: in.Account, Domain: in.Domain})
	if err != nil {
		return User{}, err
	}
	if err := chosen(ctx, tx, "userid", "users", in.ID); err != nil {
		return User{}, err
	}
	u := User{
		ID: cmp.Or(in.ID, uid.New[uid.User]()), Account: a.ID, Domain: a.Domain, Username: in.Username, Firstname: in.Firstname,
		Lastname: in.Lastname, Email: in.Email, Timezone: in.Timezone, State: Enabled, Source: in.Source, Created: tx.Now,
	}
	if err := insertUser(ctx, tx, u, hash); err != nil {
		return u, taken(err, "user", u.Username, a.DomainPath)
	}
	return u, userEvent(ctx, tx, event.UserCreate, u, fmt.Sprintf("user %s was made in account %s", u.Username, a.Name))
}

func userEvent(ctx context.Context, tx db.Tx, kind event.Kind, u User, text string) error {
	_, err := event.Write(ctx, tx, event.Event{Type: kind, Description: text, Account: u.Account, Domain: u.Domain, ResourceID: string(u.ID)})
	return err
}

// DeleteUser removes a user, but not the own one, with its keys and sessions.
func (s *Service) DeleteUser(ctx context.Context, id uid.User) error {
	return s.db.Write(ctx, func(ctx context.Context, tx db.Tx) error {
		u, err := s.targetOther(ctx, tx, id, "delete")
		if err != nil {
			return err
		}
		if err := s.leave(ctx, tx, u.Account, id); err != nil {
			return err
		}
		if err := s.sessions.CloseAllOf(ctx, tx, id); err != nil {
			return fmt.Errorf("end the sessions of user %s: %w", id, err)
		}
		if err := removeUser(ctx, tx, id); err != nil {
			return fmt.Errorf("remove user %s: %w", id, err)
		}
		return userEvent(ctx, tx, event.UserDelete, u, fmt.Sprintf("user %s was deleted", u.Username))
	})
}

// LockUser keeps a user that is enabled, but not the own one, from acting. When that was the account's last one, the account is
// locked, too.
func (s *Service) LockUser(ctx context.Context, id uid.User) error {
	return s.db.Write(ctx, func(ctx context.Context, tx db.Tx) error {
		u, err := s.targetOther(ctx, tx, id, "lock")
		switch {
		case err != nil || u.State == Locked:
			return err
		case u.State != Enabled:
			return fault.Conflictf("user %s is %s, and only one that is enabled can be locked", u.Username, u.State)
		}
		if err := s.shutUser(ctx, tx, u, Locked, false); err != nil {
			return err
		}
		if err := userEvent(ctx, tx, event.UserLock, u, fmt.Sprintf("user %s was locked", u.Username)); err != nil {
			return err
		}
		left, err := enabledUsers(ctx, tx, u.Account)
		if err != nil || left > 0 || u.AccountState != Enabled {
			return err
		}
		if err := SetState(ctx, tx, u.Account, Locked); err != nil {
			return fmt.Errorf("lock account %s: %w", u.Account, err)
		}
		return accountEvent(ctx, tx, event.AccountDisable, Account{ID: u.Account, Domain: u.Domain},
			fmt.Sprintf("account %s was locked with its last user", u.AccountName))
	})
}

// ShutUser disables a user, but not the own one, and ends its sessions. It writes no event.
func (s *Service) ShutUser(ctx context.Context, tx db.Tx, id uid.User) (User, error) {
	u, err := s.targetOther(ctx, tx, id, "disable")
	if err != nil {
		return u, err
	}
	return u, s.shutUser(ctx, tx, u, Disabled, false)
}

func (s *Service) shutUser(ctx context.Context, tx db.Tx, u User, to State, withdrawn bool) error {
	if err := setUserState(ctx, tx, u.ID, to, withdrawn); err != nil {
		return fmt.Errorf("change the state of user %s: %w", u.ID, err)
	}
	return s.EndSessions(ctx, tx, u.ID)
}

// EndSessions signs a user out everywhere.
func (s *Service) EndSessions(ctx context.Context, tx db.Tx, id uid.User) error {
	if err := s.sessions.CloseAllOf(ctx, tx, id); err != nil {
		return fmt.Errorf("end the sessions of user %s: %w", id, err)
	}
	return nil
}

// EnableUser lets a user act that was disabled or locked, and its account, too. A lock after wrong passwords ends with it.
func (s *Service) EnableUser(ctx context.Context, id uid.User) error {
	return s.db.Write(ctx, func(ctx context.Context, tx db.Tx) error {
		u, err := s.targetOther(ctx, tx, id, "enable")
		if err != nil {
			return err
		}
		if err := s.shutUser(ctx, tx, u, Enabled, false); err != nil { // a session that began while it was being disabled ends
			return err
		}
		if err := putFailures(ctx, tx, id, 0, noTime); err != nil {
			return fmt.Errorf("forget the failures of user %s: %w", id, err)
		}
		if err := userEvent(ctx, tx, event.UserEnable, u, fmt.Sprintf("user %s was enabled", u.Username)); err != nil {
			return err
		}
		return s.enable(ctx, tx, Account{ID: u.Account, Domain: u.Domain, Name: u.AccountName, State: u.AccountState})
	})
}

// MoveUser moves a user, but not the own one, into another account of its domain, named by its id or name. Neither account may do more
// than the caller's.
func (s *Service) MoveUser(ctx context.Context, id uid.User, to Named) error {
	return s.db.Write(ctx, func(ctx context.Context, tx db.Tx) error { return s.MoveIn(ctx, tx, id, to) })
}

// MoveIn is MoveUser in a transaction.
func (s *Service) MoveIn(ctx context.Context, tx db.Tx, id uid.User, to Named) error {
	u, err := s.targetOther(ctx, tx, id, "move")
	if err != nil {
		return err
	}
	if to.ID == "" {
		to.Domain = u.Domain
	}
	a, err := s.Changeable(ctx, tx, to)
	switch {
	case err != nil:
		return err
	case a.Domain != u.Domain:
		return fault.Invalidf("account %q is in another domain than user %s", a.Name, u.Username)
	case a.ID == u.Account:
		return fault.Invalidf("user %s is in account %q already", u.Username, a.Name)
	}
	if err := s.leave(ctx, tx, u.Account, id); err != nil {
		return err
	}
	if err := moveUser(ctx, tx, id, a.ID); err != nil {
		return fmt.Errorf("move user %s: %w", id, err)
	}
	if err := once.Withdraw(ctx, tx, id); err != nil {
		return err
	}
	if err := s.EndSessions(ctx, tx, id); err != nil {
		return err
	}
	text := fmt.Sprintf("user %s was moved from account %s to account %s", u.Username, u.AccountName, a.Name)
	u.Account = a.ID
	return userEvent(ctx, tx, event.UserMove, u, text)
}

// isOwn tells whether the caller in ctx is that user.
func isOwn(ctx context.Context, id uid.User) bool { return auth.From(ctx).User == id }
