package ldap

import (
	"cmp"
	"context"
	"fmt"

	"github.com/virga-cloud/virga/internal/account"
	"github.com/virga-cloud/virga/internal/auth"
	"github.com/virga-cloud/virga/internal/db"
	"github.com/virga-cloud/virga/internal/directory"
	"github.com/virga-cloud/virga/internal/fault"
	"github.com/virga-cloud/virga/internal/once"
	"github.com/virga-cloud/virga/uid"
)

// Enrolment says where somebody of a directory is to be here.
type Enrolment struct {
	Domain  uid.Domain // "": the caller's
	Account string     // "": one of the username's name. It is made where there is none, of Type and Role
	Type    auth.AccountType
	Role    uid.Role // "": the default one of the type
	Typed   bool     // the type was said, so that a role must be of it
	Moves   bool     // who is in another account of the domain goes into this one

	NetworkDomain string // of an account that is made; so are Details and Timezone
	Details       map[string]string
	Timezone      string
	AccountID     uid.Account
	UserID        uid.User
}

// said refuses accounts of which neither type nor role was said.
func said(typed bool, role uid.Role) error {
	if !typed && role == "" {
		return fault.Invalidf("neither roleid nor accounttype is given: " +
			"want 0 for users' accounts, 1 root admin, 2 domain admin or 3 resource domain admin")
	}
	return nil
}

// enrol sees to it that a person is a user here: it is made, with its account where there is none, or what has changed of it is changed.
// Where all is so already nothing happens. A user of that name for whom somebody else vouches is fault.Conflict.
func (s *Service) enrol(ctx context.Context, tx db.Tx, p directory.Person, e Enrolment) (uid.User, error) {
	u, err := account.UserNamed(ctx, tx, e.Domain, p.Username)
	switch {
	case err == nil && u.Source != auth.LDAP:
		return "", fault.Conflictf("there is a user %q in domain %s already, whom no directory vouches for", p.Username, u.DomainPath)
	case err == nil:
		return u.ID, s.keepUp(ctx, tx, u, p, e)
	case !db.IsNone(err):
		return "", fmt.Errorf("find user %q: %w", p.Username, err)
	}
	made, err := s.accounts.MakeUser(ctx, tx, account.CreateUserIn{
		ID: e.UserID, Account: cmp.Or(e.Account, p.Username), Domain: e.Domain, Username: p.Username, Source: auth.LDAP,
		Firstname: p.Firstname, Lastname: p.Lastname, Email: p.Email, Timezone: e.Timezone,
	})
	if fault.Is(err, fault.NotFound) { // there is no such account
		_, made, err = s.makeAccount(ctx, tx, p, e)
	}
	return made.ID, err
}

func (s *Service) makeAccount(ctx context.Context, tx db.Tx, p directory.Person, e Enrolment) (account.Account, account.User, error) {
	return s.accounts.MakeAccount(ctx, tx, account.CreateAccountIn{
		ID: e.AccountID, Name: cmp.Or(e.Account, p.Username), Domain: e.Domain, Type: e.Type, Role: e.Role, Typed: e.Typed,
		NetworkDomain: e.NetworkDomain, Details: e.Details, User: e.UserID, Username: p.Username, Source: auth.LDAP,
		Firstname: p.Firstname, Lastname: p.Lastname, Email: p.Email, Timezone: e.Timezone,
	})
}

// keepUp changes what a directory has of a user in another way. What it doesn't have stays.
func (s *Service) keepUp(ctx context.Context, tx db.Tx, u account.User, p directory.Person, e Enrolment) error {
	change := account.UserChange{
		Firstname: differs(u.Firstname, p.Firstname), Lastname: differs(u.Lastname, p.Lastname), Email: differs(u.Email, p.Email),
	}
	if change != (account.UserChange{}) {
		if err := s.accounts.ChangeUser(ctx, tx, u.ID, change); err != nil {
			return err
		}
	}
	if !e.Moves || u.AccountName == e.Account {
		return nil
	}
	return s.accounts.MoveIn(ctx, tx, u.ID, account.Named{Name: e.Account, Domain: u.Domain})
}

func differs(has, should string) string {
	if has == should {
		return ""
	}
	return should
}

// CreateAccount makes an account for somebody of a directory, who signs in there.
func (s *Service) CreateAccount(ctx context.Context, username string, e Enrolment) (uid.Account, error) {
	domain, err := account.AdminReaches(ctx, s.db.Read(), e.Domain)
	if err != nil {
		return "", err
	}
	if err := said(e.Typed, e.Role); err != nil {
		return "", err
	}
	e.Domain = domain.ID
	p, err := s.find(ctx, e.Domain, username)
	if err != nil {
		return "", err
	}
	var a account.Account
	err = s.db.Write(ctx, func(ctx context.Context, tx db.Tx) (err error) {
		if a, _, err = s.makeAccount(ctx, tx, p, e); err != nil {
			return err
		}
		return once.Record(ctx, tx, string(a.ID), "")
	})
	return a.ID, err
}
