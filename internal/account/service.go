package account

import (
	"context"

	"github.com/virga-cloud/virga/internal/auth"
	"github.com/virga-cloud/virga/internal/db"
	"github.com/virga-cloud/virga/internal/secret"
	"github.com/virga-cloud/virga/uid"
)

// Service is where accounts are kept and callers established. All methods may be called concurrently.
type Service struct {
	db       *db.DB
	box      *secret.Box
	hasher   *auth.Hasher
	sessions *auth.Sessions
}

// New makes a service.
func New(d *db.DB, box *secret.Box, hasher *auth.Hasher, sessions *auth.Sessions) *Service {
	return &Service{db: d, box: box, hasher: hasher, sessions: sessions}
}

// BootstrapIn says what the first root admin is to be.
type BootstrapIn struct {
	Username string
	Password secret.String
	Keys     bool // give it API keys too
}

// Admin is the first root admin.
type Admin struct {
	User    uid.User
	Created bool // by this call
	Keys    Keys // when they were asked for
}

// Bootstrap makes what a new cloud begins with.
func (s *Service) Bootstrap(ctx context.Context, in BootstrapIn) (Admin, error) { panic("soon") }

// CreateDomainIn says what domain to make.
type CreateDomainIn struct {
	Name          string
	Parent        uid.Domain // "": the caller's
	NetworkDomain string
}

// CreateDomain makes a domain below one that the caller, an admin, reaches.
func (s *Service) CreateDomain(ctx context.Context, in CreateDomainIn) (Domain, error) { panic("soon") }

// CreateAccountIn says what account to make, and its first user.
type CreateAccountIn struct {
	Name          string     // "": the username
	Domain        uid.Domain // "": the caller's
	Type          auth.AccountType
	NetworkDomain string
	Username      string
	Password      secret.String
	Firstname     string
	Lastname      string
	Email         string
	Timezone      string
}

// CreateAccount makes an account and its first user.
func (s *Service) CreateAccount(ctx context.Context, in CreateAccountIn) (Account, User, error) {
	panic("soon")
}

// Login signs a user in by password. Domain is a path ("ROOT/a", "/a/"), "" for ROOT, or an id.
func (s *Service) Login(ctx context.Context, username string, password secret.String, domain string) (auth.Caller, User, error) {
	panic("soon")
}

// ByKey gives who an API key belongs to and the secret that its requests are signed with.
func (s *Service) ByKey(ctx context.Context, apiKey string) (auth.Caller, secret.String, error) {
	panic("soon")
}

// ByUser gives a signed-in user as a caller.
func (s *Service) ByUser(ctx context.Context, id uid.User) (auth.Caller, User, error) { panic("soon") }

// Keys are what a program signs its requests with.
type Keys struct {
	APIKey string
	Secret secret.String
}

// RegisterKeys gives a user new keys; the old ones die.
func (s *Service) RegisterKeys(ctx context.Context, id uid.User) (Keys, error) { panic("soon") }

// Keys gives a user's keys.
func (s *Service) Keys(ctx context.Context, id uid.User) (Keys, error) { panic("soon") }

// ListScope is what a list command says about whose things it wants to see.
type ListScope struct {
	Account   string     // an account's name
	Domain    uid.Domain // where that account is, or the domain whose things to list
	Recursive bool       // and those of the domains below
	All       bool       // everything the caller may see
	ByID      bool       // ids were given, so everything in reach is looked through
}

// Scope turns what a list command says into the rows that it may show to the caller in ctx.
func (s *Service) Scope(ctx context.Context, in ListScope) (auth.Scope, error) { panic("soon") }

// Owner is who a new thing will belong to.
type Owner struct {
	Account uid.Account
	Domain  uid.Domain
}

// Owner decides who owns what the caller in ctx creates: the caller, or the named account if the caller reaches it.
func (s *Service) Owner(ctx context.Context, tx db.Tx, account string, domain uid.Domain) (Owner, error) {
	panic("soon")
}

// Filter says which users, accounts or domains to list.
type (
	// UserFilter says which users to list. Zero fields do not restrict, but for Scope, whose zero value shows nothing.
	UserFilter struct {
		Scope    auth.Scope
		ID       uid.User
		Username string
		State    State
		Type     *auth.AccountType
		Keyword  string
		Offset   int
		Limit    int // 0: all
	}
	// AccountFilter says which accounts to list. Zero fields do not restrict, but for Scope, whose zero value shows nothing.
	AccountFilter struct {
		Scope   auth.Scope
		ID      uid.Account
		Name    string
		State   State
		Type    *auth.AccountType
		Keyword string
		Offset  int
		Limit   int // 0: all
	}
	// DomainFilter says which domains to list. Zero fields do not restrict, but for Scope, whose zero value shows nothing;
	// a scope of one account shows the domain it is in.
	DomainFilter struct {
		Scope   auth.Scope
		ID      uid.Domain
		Parent  uid.Domain
		Name    string
		Level   *int
		Keyword string
		Offset  int
		Limit   int // 0: all
	}
)

// Users gives the users of one page and how many there are on all pages.
func (s *Service) Users(ctx context.Context, f UserFilter) ([]User, int, error) { panic("soon") }

// Accounts gives the accounts of one page, with counts and users, and how many there are on all pages.
func (s *Service) Accounts(ctx context.Context, f AccountFilter) ([]Account, int, error) {
	panic("soon")
}

// Domains gives the domains of one page and how many there are on all pages.
func (s *Service) Domains(ctx context.Context, f DomainFilter) ([]Domain, int, error) { panic("soon") }

// Name is how an account is shown beside the things it owns.
type Name struct {
	Account    string
	Domain     uid.Domain
	DomainName string
	DomainPath string
}

// Names gives the names of accounts, removed ones too, in one query.
func Names(ctx context.Context, q db.Tx, ids []uid.Account) (map[uid.Account]Name, error) {
	panic("soon")
}

// Usernames gives the names of users, removed ones too, in one query.
func Usernames(ctx context.Context, q db.Tx, ids []uid.User) (map[uid.User]string, error) {
	panic("soon")
}
