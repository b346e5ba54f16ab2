package offering

import (
	"context"

	"github.com/virga-cloud/virga/internal/db"
	"github.com/virga-cloud/virga/internal/setting"
	"github.com/virga-cloud/virga/uid"
)

// State says whether new things may be made from an offering. Network offerings are Enabled or Disabled, the others Active
// or Inactive, as on the wire.
type State string

// The states.
const (
	Active   State = "Active"
	Inactive State = "Inactive"
	Enabled  State = "Enabled"
	Disabled State = "Disabled"
)

// Service keeps offerings.
type Service struct {
	db       *db.DB
	settings *setting.Settings
	networks func(ctx context.Context, q db.Tx, id uid.NetworkOffering) (int, error) // see [Service.CountNetworks]
}

// New makes a service.
func New(d *db.DB, settings *setting.Settings) *Service { return &Service{db: d, settings: settings} }
