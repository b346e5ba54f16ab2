package saml

import (
	"context"
	"fmt"

	"github.com/virga-cloud/virga/internal/account"
	"github.com/virga-cloud/virga/internal/auth"
	"github.com/virga-cloud/virga/internal/db"
	"github.com/virga-cloud/virga/internal/event"
	"github.com/virga-cloud/virga/internal/fault"
	"github.com/virga-cloud/virga/uid"
)

// Authorize lets a user come in by a provider, and by its password no more; or, the other way round, by neither until it is
// authorized again.
func (s *Service) Authorize(ctx context.Context, id uid.User, enable bool, idp string) error {
	if enable {
		p, err := s.provider(ctx, idp)
		if err != nil {
			return err
		}
		idp = p.ID
	}
	return s.db.Write(ctx, func(ctx context.Context, tx db.Tx) error {
		to := auth.SAML2Disabled
		if enable {
			to = auth.SAML2
		}
		u, err := s.accounts.Vouch(ctx, tx, id, func(u account.User) (auth.Source, error) {
			saml := u.Source == auth.SAML2 || u.Source == auth.SAML2Disabled
			if !saml && (!enable || u.Source != auth.Native) {
				return "", fault.Conflictf("user %s comes in by %s", u.Username, u.Source)
			}
			return to, nil
		})
		if err != nil {
			return err
		}
		text := fmt.Sprintf("user %s comes in by SAML no more", u.Username)
		if enable {
			text = fmt.Sprintf("user %s comes in by the SAML provider %s", u.Username, idp)
			if err := putUser(ctx, tx, id, idp); err != nil {
				return fmt.Errorf("authorize user %s: %w", id, err)
			}
			if err := s.accounts.EndSessions(ctx, tx, id); err != nil { // of another provider
				return err
			}
		}
		_, err = event.Write(ctx, tx, event.Event{
			Type: event.UserUpdate, Description: text, Account: u.Account, Domain: u.Domain, ResourceID: string(id),
		})
		return err
	})
}

// Authorization is by which provider a user comes in, or did.
type Authorization struct {
	UserID uid.User
	IDP    string
	Source auth.Source `bun:",scanonly"`
}

// Filter says which authorizations a list shows. Zero fields don't restrict.
type Filter struct {
	User    uid.User
	Keyword string
	Offset  int
	Limit   int // 0: all
}

// Authorizations gives a page of those in the caller's reach, and how many there are in all.
func (s *Service) Authorizations(ctx context.Context, f Filter) ([]Authorization, int, error) {
	if f.User != "" {
		if _, err := s.accounts.UserInReach(ctx, f.User); err != nil {
			return nil, 0, err
		}
	}
	return listAuthorizations(ctx, s.db.Read(), f, auth.From(ctx).Reach())
}

// Person is one of the users that somebody of a provider is.
type Person struct {
	User       uid.User
	Username   string
	Domain     uid.Domain
	DomainName string
	DomainPath string
	Account    string
	IDP        string
}

// Persons gives the users of the caller's name who come in by the same provider, if the caller has come in so.
func (s *Service) Persons(ctx context.Context) ([]Person, error) {
	if _, err := s.own(ctx); err != nil {
		return nil, err
	}
	return samePerson(ctx, s.db.Read(), auth.From(ctx).User)
}

// own is what is kept of the caller's session.
func (s *Service) own(ctx context.Context) (sessionRow, error) {
	row, err := findSession(ctx, s.db.Read(), auth.SessionID(auth.SessionOf(ctx).Cookie))
	if db.IsNone(err) {
		err = fault.Deniedf("only who has come in by SAML may go on as another user")
	}
	return row, err
}

// Switch gives the way in as another user that the caller is.
func (s *Service) Switch(ctx context.Context, user uid.User, domain uid.Domain) (account.Entry, error) {
	row, err := s.own(ctx)
	if err != nil {
		return account.Entry{}, err
	}
	me := auth.From(ctx).User
	return account.Entry{
		Source: auth.SAML2,
		Prove: func(ctx context.Context, tx db.Tx) (uid.User, error) {
			persons, err := samePerson(ctx, tx, me)
			if err != nil {
				return "", err
			}
			for _, p := range persons {
				if p.User == user && p.Domain == domain {
					return user, nil
				}
			}
			return "", fault.Missing(user)
		},
		Note: func(ctx context.Context, tx db.Tx, session string) error {
			row := row
			row.SessionID = session
			return insertSession(ctx, tx, row)
		},
	}, nil
}
