package role

import (
	"context"
	"sync"
	"sync/atomic"
	"time"

	"github.com/virga-cloud/virga/internal/auth"
	"github.com/virga-cloud/virga/internal/db"
	"github.com/virga-cloud/virga/uid"
)

// State is whether a role is in force; its text is the wire's.
type State string

// The states of roles. A disabled one allows nothing, and nobody is given it.
const (
	Enabled  State = "enabled"
	Disabled State = "disabled"
)

// Role is a set of commands that accounts are given.
type Role struct {
	ID          uid.Role `bun:",pk"`
	Name        string   // unique
	Description string
	Type        auth.AccountType // of the accounts that it is for
	State       State
	Public      bool  // domain admins may see it and give it
	Version     int64 // counts the changes of it and of its rules
	Created     time.Time
	Removed     time.Time `bun:",nullzero"`
}

// Rule allows or denies the commands whose names match.
type Rule struct {
	ID          uid.RolePermission `bun:",pk"`
	Role        uid.Role           `bun:"role_id"`
	Position    int64              // its place among the role's rules
	Pattern     string             // the name of a command, in any case; "*" stands for anything, also in the middle
	Allow       bool
	Description string
}

// Command is what roles are about.
type Command struct {
	Name string
	Open []auth.AccountType // the types of accounts whose default role allows it
}

// Uses counts the accounts that have a role.
type Uses func(ctx context.Context, q db.Tx, id uid.Role) (int, error)

// Service keeps the roles, and knows in memory what each allows. All methods may be called concurrently, but for UsedBy.
type Service struct {
	db       *db.DB
	commands []Command
	uses     Uses

	presets roles // those that every cloud has
	known   atomic.Pointer[roles]
	loading sync.Mutex // one at a time, so that no old reading comes after a new one
}

// New makes a service for a cloud with these commands.
func New(d *db.DB, commands []Command) *Service {
	s := &Service{db: d, commands: commands, uses: func(context.Context, db.Tx, uid.Role) (int, error) { return 0, nil }}
	s.presets = s.defaults()
	s.known.Store(&s.presets)
	return s
}

// UsedBy says who knows which accounts have a role. It is called before the service is used.
func (s *Service) UsedBy(uses Uses) { s.uses = uses }
