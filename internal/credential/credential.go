package credential

import (
	"github.com/virga-cloud/virga/internal/account"
	"github.com/virga-cloud/virga/internal/compute"
	"github.com/virga-cloud/virga/internal/db"
	"github.com/virga-cloud/virga/internal/op"
	"github.com/virga-cloud/virga/internal/router"
)

// Parts are what a service works with.
type Parts struct {
	DB       *db.DB
	Engine   *op.Engine
	Accounts *account.Service
	Routers  *router.Service
	Machines *compute.Service
}

// Service shows and changes by what machines let their users in.
type Service struct {
	Parts

	resetPassword *op.Runner[reset]
	resetKeys     *op.Runner[reset]
}

// New makes a service and registers its plans with the engine.
func New(p Parts) *Service {
	s := &Service{Parts: p}
	s.resetPassword = op.Register(p.Engine, s.resetPasswordPlan())
	s.resetKeys = op.Register(p.Engine, s.resetKeysPlan())
	return s
}
