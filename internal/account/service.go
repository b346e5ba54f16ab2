package account

import (
	"context"

	"github.com/virga-cloud/virga/internal/auth"
	"github.com/virga-cloud/virga/internal/db"
	"github.com/virga-cloud/virga/internal/role"
	"github.com/virga-cloud/virga/internal/secret"
	"github.com/virga-cloud/virga/internal/setting"
	"github.com/virga-cloud/virga/uid"
)

// Service is where accounts are kept and callers established. All methods may be called concurrently.
type Service struct {
	db       *db.DB
	box      *secret.Box
	hasher   *auth.Hasher
	sessions *auth.Sessions
	roles    *role.Service
	settings *setting.Settings
	outside  map[auth.Source]Authenticator
	begin    []func(ctx context.Context, tx db.Tx, owner Owner) error
	leave    func(ctx context.Context, tx db.Tx, id uid.Account, user uid.User) error
}

// Parts are what a service works with.
type Parts struct {
	DB       *db.DB
	Box      *secret.Box // seals API keys' secrets
	Hasher   *auth.Hasher
	Sessions *auth.Sessions
	Settings *setting.Settings // nil: all settings have their defaults
	Roles    *role.Service     // nil: there are the default ones only, and they cover each other by the types of accounts
}

// New makes a service.
func New(p Parts) *Service {
	if p.Roles == nil {
		p.Roles = role.New(p.DB, nil)
	}
	return &Service{db: p.DB, box: p.Box, hasher: p.Hasher, sessions: p.Sessions, roles: p.Roles, settings: p.Settings,
		outside: map[auth.Source]Authenticator{},
		leave:   func(context.Context, db.Tx, uid.Account, uid.User) error { return nil },
	}
}

// BeginWith says what accounts have from their beginning: give makes it, in the transaction that makes the account. It is called
// before the service is used.
func (s *Service) BeginWith(give func(ctx context.Context, tx db.Tx, owner Owner) error) {
	s.begin = append(s.begin, give)
}
