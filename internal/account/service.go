package account

import (
	"github.com/virga-cloud/virga/internal/auth"
	"github.com/virga-cloud/virga/internal/db"
	"github.com/virga-cloud/virga/internal/secret"
)

// Service is where accounts are kept and callers established. All methods may be called concurrently.
type Service struct {
	db       *db.DB
	box      *secret.Box
	hasher   *auth.Hasher
	sessions *auth.Sessions
}

// New makes a service. The box seals API keys' secrets.
func New(d *db.DB, box *secret.Box, hasher *auth.Hasher, sessions *auth.Sessions) *Service {
	return &Service{db: d, box: box, hasher: hasher, sessions: sessions}
}
