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
	// Project is the type of accounts that own what belongs to a project. Nobody signs in to one.
	Project AccountType = 5
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

	// Joined says that the user, or its account, has been made a member of projects, so that it is worth while to look of which;
	// NoProjects, that there has never been a project in the cloud.
	Joined, NoProjects bool
	// Projects are the accounts of the projects that an ordinary user reaches beside the own account: those that it is a member of, and
	// whose role for it allows the command that is being called. Admins reach those of their domains anyway.
	Projects []uid.Account
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
	All     bool          // every row
	Account uid.Account   // the rows of one account
	More    []uid.Account // and of these, or of these alone
	Domain  uid.Domain    // the rows of one domain's accounts
	Under   string        // the rows of all accounts in the domain with this path and below it
	Of      Owners        // of these, those of certain owners only
}

// Owners are kinds of owners.
type Owners int

// The kinds of owners.
const (
	Anybody      Owners = iota
	NotProjects         // no project
	OnlyProjects        // projects
)

// IsEmpty tells whether nothing is in the scope.
func (s Scope) IsEmpty() bool {
	return !s.All && s.Account == "" && len(s.More) == 0 && s.Domain == "" && s.Under == ""
}

// Reach is everything that c may touch: all for a root admin, its domain and below for a domain admin, its own account's and that of its
// projects for a user, nothing for nobody.
func (c Caller) Reach() Scope {
	switch {
	case c.IsNobody():
		return Scope{}
	case c.Type == RootAdmin:
		return Scope{All: true}
	case c.Type == DomainAdmin || c.Type == ResourceAdmin:
		return Scope{Under: c.DomainPath}
	default:
		return Scope{Account: c.Account, More: c.Projects}
	}
}

// Without leaves projects' rows out of what c may see of a scope.
func (c Caller) Without(s Scope) Scope {
	s.More = nil
	if s.Account == "" && !c.NoProjects {
		s.Of = NotProjects
	}
	return s
}

// InProjects is what belongs to the projects in the reach of c.
func (c Caller) InProjects() Scope {
	s := c.Reach()
	s.Account = ""
	if s.All || s.Under != "" {
		s.Of = OnlyProjects
	}
	return s
}
