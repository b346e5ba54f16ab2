package account

import (
	"context"
	"fmt"
	"maps"

	"github.com/virga-cloud/virga/internal/auth"
	"github.com/virga-cloud/virga/internal/db"
	"github.com/virga-cloud/virga/internal/event"
	"github.com/virga-cloud/virga/internal/fault"
	"github.com/virga-cloud/virga/uid"
)

// Change says what to change of an account. Zero fields leave things as they are.
type Change struct {
	Name          string
	NetworkDomain *string
	Details       map[string]string // these, beside what is noted already
	Role          uid.Role          // says the type, too
	KeyAccess     *KeyAccess        // only root admins say it
}

// mostDetails is how many details an account can have.
const mostDetails = 100

// Update changes an account, and gives its id.
func (s *Service) Update(ctx context.Context, n Named, c Change) (uid.Account, error) {
	if c.Name != "" {
		if err := checkName("account", c.Name); err != nil {
			return "", err
		}
	}
	if c.NetworkDomain != nil {
		if err := checkNetworkDomain(*c.NetworkDomain); err != nil {
			return "", err
		}
	}
	if c.KeyAccess != nil && !auth.From(ctx).IsRoot() {
		return "", errKeyAccess()
	}
	return s.change(ctx, n, func(ctx context.Context, tx db.Tx, a Account) error {
		was := a.Name
		text := fmt.Sprintf("account %s was changed", was)
		if c.Role != "" && c.Role != a.Role {
			if err := notOwn(ctx, a.ID, "change the role of"); err != nil {
				return err
			}
			t, id, err := s.roleFor(ctx, tx, Domain{ID: a.Domain, Path: a.DomainPath}, a.Type, c.Role)
			if err != nil {
				return err
			}
			a.Type, a.Role = t, id
			text = fmt.Sprintf("account %s got the role %s", was, id)
		}
		if c.Name != "" {
			a.Name = c.Name
		}
		if c.NetworkDomain != nil {
			a.NetworkDomain = *c.NetworkDomain
		}
		if a.Details == nil {
			a.Details = map[string]string{}
		}
		maps.Copy(a.Details, c.Details)
		if len(a.Details) > mostDetails {
			return fault.Invalidf("account %q would have %d details; it can have %d", was, len(a.Details), mostDetails)
		}
		if c.KeyAccess != nil {
			a.KeyAccess = *c.KeyAccess
		}
		if err := saveAccount(ctx, tx, a); err != nil {
			return taken(err, "account", a.Name, a.DomainPath)
		}
		if was != a.Name {
			text = fmt.Sprintf("account %s is called %s now", was, a.Name)
		}
		return accountEvent(ctx, tx, event.AccountUpdate, a, text)
	})
}

// change finds an account that may be changed, and does it.
func (s *Service) change(ctx context.Context, n Named, do func(context.Context, db.Tx, Account) error) (id uid.Account, err error) {
	err = s.db.Write(ctx, func(ctx context.Context, tx db.Tx) error {
		a, err := s.Changeable(ctx, tx, n)
		if err != nil {
			return err
		}
		id = a.ID
		return do(ctx, tx, a)
	})
	return id, err
}

func accountEvent(ctx context.Context, tx db.Tx, kind event.Kind, a Account, text string) error {
	_, err := event.Write(ctx, tx, event.Event{Type: kind, Description: text, Account: a.ID, Domain: a.Domain, ResourceID: string(a.ID)})
	return err
}

// Enable lets an account act that was disabled or locked.
func (s *Service) Enable(ctx context.Context, n Named) (uid.Account, error) {
	return s.change(ctx, n, s.enable)
}

func (s *Service) enable(ctx context.Context, tx db.Tx, a Account) error {
	if a.State == Enabled {
		return nil
	}
	if err := SetState(ctx, tx, a.ID, Enabled); err != nil {
		return fmt.Errorf("enable account %s: %w", a.ID, err)
	}
	return accountEvent(ctx, tx, event.AccountEnable, a, fmt.Sprintf("account %s was enabled", a.Name))
}

// Lock keeps an account that is enabled from acting. What it runs goes on.
func (s *Service) Lock(ctx context.Context, n Named) (uid.Account, error) {
	return s.change(ctx, n, func(ctx context.Context, tx db.Tx, a Account) error {
		changed, err := s.Shut(ctx, tx, a, Locked)
		if err != nil || !changed {
			return err
		}
		return accountEvent(ctx, tx, event.AccountDisable, a, fmt.Sprintf("account %s was locked", a.Name))
	})
}

// Shut disables or locks an account that may be changed, and ends its users' sessions. It tells whether that changed anything: an
// account that is in that state stays in it. One that is disabled can't be locked. It writes no event.
func (s *Service) Shut(ctx context.Context, tx db.Tx, a Account, to State) (changed bool, err error) {
	if err := notOwn(ctx, a.ID, "disable or lock"); err != nil {
		return false, err
	}
	switch {
	case a.State == to:
		return false, nil
	case to == Locked && a.State != Enabled:
		return false, fault.Conflictf("account %q is %s, and only one that is enabled can be locked", a.Name, a.State)
	}
	if err := SetState(ctx, tx, a.ID, to); err != nil {
		return false, fmt.Errorf("shut account %s: %w", a.ID, err)
	}
	return true, s.closeSessions(ctx, tx, a.ID)
}

// closeSessions ends the sessions of all users of an account.
func (s *Service) closeSessions(ctx context.Context, tx db.Tx, id uid.Account) error {
	users, err := usersOf(ctx, tx, []uid.Account{id})
	if err != nil {
		return fmt.Errorf("find the users of account %s: %w", id, err)
	}
	for _, u := range users[id] {
		if err := s.sessions.CloseAllOf(ctx, tx, u.ID); err != nil {
			return fmt.Errorf("end the sessions of user %s: %w", u.ID, err)
		}
	}
	return nil
}

// MarkZone notes which zone is an account's default; "" for none.
func MarkZone(ctx context.Context, tx db.Tx, id uid.Account, zone uid.Zone) error {
	return setDefaultZone(ctx, tx, id, zone)
}

// Close begins to delete an account: its users are removed with their keys and sessions, and nothing new is made for it. One that is
// closed already stays so. What it owns, and then the account, goes later.
func (s *Service) Close(ctx context.Context, tx db.Tx, id uid.Account) (a Account, already bool, err error) {
	if err := tx.Retire(ctx, id); err != nil {
		return a, false, err
	}
	a, err = s.target(ctx, tx, Named{ID: id})
	if err != nil || a.Closing {
		return a, true, err
	}
	if err := notOwn(ctx, a.ID, "delete"); err != nil {
		return a, false, err
	}
	if err := s.closeSessions(ctx, tx, a.ID); err != nil {
		return a, false, err
	}
	if err := closeAccount(ctx, tx, a.ID); err != nil {
		return a, false, fmt.Errorf("close account %s: %w", a.ID, err)
	}
	a.Closing, a.State = true, Disabled
	return a, false, nil
}

// Remove removes an account that was closed, and owns nothing any more.
func Remove(ctx context.Context, tx db.Tx, id uid.Account) error { return removeAccount(ctx, tx, id) }

// Of finds an account whoever asks; ok is false for one that was removed.
func Of(ctx context.Context, q db.Tx, id uid.Account) (a Account, ok bool, err error) {
	a, err = accountInScope(ctx, q, auth.Scope{All: true}, id)
	if db.IsNone(err) {
		return Account{}, false, nil
	}
	return a, err == nil, err
}
