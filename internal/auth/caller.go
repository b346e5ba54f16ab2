package auth

import (
	"context"

	"github.com/virga-cloud/virga/uid"
)

// AccountType is what an account may be used for; its number is the wire's.
type AccountType int

// The account types, with CloudStack's numbers.
const (
	User          AccountType = 0
	RootAdmin     AccountType = 1
	DomainAdmin   AccountType = 2
	ResourceAdmin AccountType = 3
)

// Caller is who asks: a user, the account whose resources it works with, and the domain that the account is in. The zero
// value is nobody and may do nothing.
type Caller struct {
	User       uid.User
	Username   string
	Account    uid.Account
	Domain     uid.Domain
	DomainPath string // "ROOT/a/b"
	Type       AccountType
	Role       uid.Role // says which commands; "": the default one of the type
	// Key is the pair of keys that signed, "" in sessions; Only are its rules, as package role packs them: of what the role allows, no
	// more than they do. "" for all of it.
	Key  uid.KeyPair
	Only string
}

// IsNobody tells whether no caller was established.
func (c Caller) IsNobody() bool { return c.User == "" }

// IsRoot tells whether the caller is a root admin.
func (c Caller) IsRoot() bool { return !c.IsNobody() && c.Type == RootAdmin }

// System is the house itself as a caller: who keepers act as, and who owns what belongs to no tenant. Its domain is ROOT. The
// ids are the same in every cloud, so that nobody has to look them up; nobody can sign in as its user.
func System() Caller {
	return Caller{
		User: "00000000-0000-7000-8000-000000000003", Username: "system",
		Account: "00000000-0000-7000-8000-000000000002",
		Domain:  "00000000-0000-7000-8000-000000000001", DomainPath: "ROOT",
		Type: RootAdmin, Role: DefaultRole(RootAdmin),
	}
}

type callerKey struct{}

// With gives a context in which c calls.
func With(ctx context.Context, c Caller) context.Context {
	return context.WithValue(ctx, callerKey{}, c)
}

// From is who calls in ctx; nobody when it was not said.
func From(ctx context.Context) Caller {
	c, _ := ctx.Value(callerKey{}).(Caller)
	return c
}

// Scope is a set of owned rows: what a list shows, or what a caller may touch. The zero value is the empty set.
type Scope struct {
	All     bool        // every row
	Account uid.Account // the rows of one account
	Domain  uid.Domain  // the rows of one domain's accounts
	Under   string      // the rows of all accounts in the domain with this path and below it
}

// Reach is everything that c may touch: all for a root admin, its domain and below for a domain admin, its own account's for
// a user, nothing for nobody.
func (c Caller) Reach() Scope {
	switch {
	case c.IsNobody():
		return Scope{}
	case c.Type == RootAdmin:
		return Scope{All: true}
	case c.Type == DomainAdmin || c.Type == ResourceAdmin:
		return Scope{Under: c.DomainPath}
	default:
		return Scope{Account: c.Account}
	}
}
