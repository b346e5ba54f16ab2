package vpc

import (
	"context"
	"time"

	"github.com/virga-cloud/virga/internal/db"
	"github.com/virga-cloud/virga/internal/fault"
	"github.com/virga-cloud/virga/internal/offering"
	"github.com/virga-cloud/virga/uid"
)

// Offering is what a VPC can do.
type Offering struct {
	ID          uid.VPCOffering `bun:",pk"`
	Name        string
	DisplayText string
	State       offering.State            // Enabled, Disabled
	Services    []offering.NetworkService `bun:"services,type:text"`
	IsDefault   bool                      // came with the cloud
	Redundant   bool                      // two routers, of which one stands by
	Created     time.Time
	Removed     time.Time `bun:",nullzero"`
}

// Service keeps VPC offerings.
type Service struct{ db *db.DB }

// New makes a service.
func New(d *db.DB) *Service { return &Service{d} }

// CreateOffering adds a VPC offering; its id and times are filled in.
func (s *Service) CreateOffering(ctx context.Context, o Offering) (Offering, error) {
	err := s.db.Write(ctx, func(ctx context.Context, tx db.Tx) error {
		o.ID, o.Created = uid.New[uid.VPCOffering](), tx.Now
		return insert(ctx, tx, o)
	})
	if db.IsUnique(err) {
		err = fault.Conflictf("there is a VPC offering called %q already", o.Name)
	}
	return o, err
}
