package offering

import (
	"context"
	"time"

	"github.com/virga-cloud/virga/internal/db"
	"github.com/virga-cloud/virga/internal/fault"
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

// GuestType is how a network's guests share it.
type GuestType string

// The guest types.
const (
	Isolated GuestType = "Isolated"
	Shared   GuestType = "Shared"
	L2       GuestType = "L2"
)

// NetworkService is one service of a network offering and who provides it.
type NetworkService struct {
	Name     string `json:"name"`
	Provider string `json:"provider"`
}

// Network is a network offering: what a network is and does.
type Network struct {
	ID              uid.NetworkOffering `bun:",pk"`
	Name            string
	DisplayText     string
	GuestType       GuestType
	TrafficType     string
	Availability    string // Required, Optional
	State           State
	Services        []NetworkService `bun:"services,type:text"`
	IsDefault       bool
	SpecifyVLAN     bool `bun:"specify_vlan"`
	SpecifyIPRanges bool `bun:"specify_ip_ranges"`
	ConserveMode    bool
	Persistent      bool
	ForVPC          bool  `bun:"for_vpc"`
	NetworkRate     int64 // Mbit/s
	Created         time.Time
	Removed         time.Time `bun:",nullzero"`
}

// Has tells whether the offering has a service ("SourceNat").
func (n Network) Has(service string) bool {
	for _, s := range n.Services {
		if s.Name == service {
			return true
		}
	}
	return false
}

// Required is the availability of the offering that networks are made from when nobody names one.
const Required = "Required"

// Service keeps offerings.
type Service struct{ db *db.DB }

// New makes a service.
func New(d *db.DB) *Service { return &Service{d} }

// CreateNetwork adds a network offering; its id and times are filled in.
func (s *Service) CreateNetwork(ctx context.Context, o Network) (Network, error) {
	err := s.db.Write(ctx, func(ctx context.Context, tx db.Tx) error {
		o.ID, o.Created = uid.New[uid.NetworkOffering](), tx.Now
		return insert(ctx, tx, &networkRow{Network: o})
	})
	if db.IsUnique(err) {
		err = fault.Conflictf("there is a network offering called %q already", o.Name)
	}
	return o, err
}
