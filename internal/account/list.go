package account

import (
	"context"
	"fmt"

	"github.com/virga-cloud/virga/internal/auth"
	"github.com/virga-cloud/virga/internal/db"
	"github.com/virga-cloud/virga/internal/limit"
	"github.com/virga-cloud/virga/uid"
)

// UserFilter says which users to list. Zero fields do not restrict, but for Scope, whose zero value shows nothing.
type UserFilter struct {
	Scope    auth.Scope
	ID       uid.User
	Username string
	State    State
	Type     *auth.AccountType // of the account
	Keys     *KeyAccess
	Source   auth.Source
	Keyword  string // part of a name or the mail address, in any case
	Offset   int
	Limit    int // 0: all
}

// AccountFilter says which accounts to list. Zero fields do not restrict, but for Scope, whose zero value shows nothing.
type AccountFilter struct {
	Scope   auth.Scope
	ID      uid.Account
	Name    string
	State   State
	Type    *auth.AccountType
	Keys    *KeyAccess
	Closing *bool // being deleted
	// Projects shows the accounts of projects, too.
	Projects bool
	Keyword  string // part of the name, in any case
	Offset   int
	Limit    int // 0: all
}

// DomainFilter says which domains to list. Zero fields do not restrict, but for Scope, whose zero value shows nothing; the
// scope of one account shows the domain that it is in.
type DomainFilter struct {
	Scope   auth.Scope
	ID      uid.Domain
	Parent  uid.Domain // those in it; with Below, at any depth
	Below   bool
	Name    string
	Level   *int
	Keyword string // part of the name, in any case
	Offset  int
	Limit   int // 0: all
}

// Users gives the users of one page, the oldest first, and how many there are on all pages. The system's are never shown.
func (s *Service) Users(ctx context.Context, f UserFilter) ([]User, int, error) {
	users, total, err := listUsers(ctx, s.db.Read(), f)
	if err != nil {
		return nil, 0, fmt.Errorf("list users: %w", err)
	}
	return users, total, nil
}

// Accounts gives the accounts of one page, the oldest first, and how many there are on all pages. The system's is never shown.
func (s *Service) Accounts(ctx context.Context, f AccountFilter) ([]Account, int, error) {
	accounts, total, err := listAccounts(ctx, s.db.Read(), f)
	if err != nil {
		return nil, 0, fmt.Errorf("list accounts: %w", err)
	}
	return accounts, total, nil
}

// Dress gives accounts their counts and users.
func Dress(ctx context.Context, q db.Tx, accounts []Account) error {
	ids := make([]uid.Account, len(accounts))
	for i, a := range accounts {
		ids[i] = a.ID
	}
	counts, err := limit.OfAccounts(ctx, q, ids...)
	if err != nil {
		return err
	}
	users, err := usersOf(ctx, q, ids)
	if err != nil {
		return fmt.Errorf("list the users of the accounts: %w", err)
	}
	for i := range accounts {
		a := &accounts[i]
		a.Counts, a.Users = counts[a.ID], users[a.ID]
		for j := range a.Users {
			u := &a.Users[j]
			u.AccountName, u.AccountType, u.AccountRole, u.AccountState = a.Name, a.Type, a.Role, a.State
			u.DomainName, u.DomainPath = a.DomainName, a.DomainPath
		}
	}
	return nil
}

// Domains gives the domains of one page, the oldest first, and how many there are on all pages.
func (s *Service) Domains(ctx context.Context, f DomainFilter) ([]Domain, int, error) {
	domains, total, err := listDomains(ctx, s.db.Read(), f)
	if err != nil {
		return nil, 0, fmt.Errorf("list domains: %w", err)
	}
	return domains, total, nil
}

// Name is how an account is shown beside the things it owns.
type Name struct {
	Account    string
	Type       auth.AccountType
	Domain     uid.Domain
	DomainName string
	DomainPath string
}

// Names gives the names of accounts, removed ones too, in one query.
func Names(ctx context.Context, q db.Tx, ids []uid.Account) (map[uid.Account]Name, error) {
	return names.Find(ctx, q, ids)
}

var usernames = db.RememberNames[uid.User]("users", "users", "username")

// Usernames gives the names of users, removed ones too, in one query.
func Usernames(ctx context.Context, q db.Tx, ids []uid.User) (map[uid.User]string, error) {
	return usernames.Find(ctx, q, ids)
}
