package auth

import (
	"time"

	"github.com/virga-cloud/virga/internal/db"
)

// Sessions are the signed-in browsers.
type Sessions struct {
	db   *db.DB
	idle time.Duration
}

// NewSessions gives the sessions kept in d; one that nobody used for idle has ended.
func NewSessions(d *db.DB, idle time.Duration) *Sessions { return &Sessions{db: d, idle: idle} }
