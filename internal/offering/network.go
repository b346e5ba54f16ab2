package offering

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/virga-cloud/virga/internal/db"
	"github.com/virga-cloud/virga/internal/event"
	"github.com/virga-cloud/virga/internal/fault"
	"github.com/virga-cloud/virga/internal/setting"
	"github.com/virga-cloud/virga/uid"
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

// NetworkCapability is something that a service of a network offering is told to do.
type NetworkCapability struct {
	Service string `json:"service"`
	Name    string `json:"name"`
	Value   string `json:"value"`
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
	Services        []NetworkService    `bun:"services,type:text"`
	Capabilities    []NetworkCapability `bun:"capabilities,type:text"`
	Details         Details
	Tags            string // of the physical network that it wants, with commas between them
	IsDefault       bool
	SpecifyVLAN     bool `bun:"specify_vlan"`
	SpecifyIPRanges bool `bun:"specify_ip_ranges"`
	ConserveMode    bool
	Persistent      bool
	ForVPC          bool                `bun:"for_vpc"`
	EgressOpen      bool                // what a guest sends is let out unless a rule forbids it
	NetworkRate     int64               // Mbit/s
	RouterOffering  uid.ServiceOffering `bun:"service_offering_id,nullzero"` // of the routers; "": the cloud's own
	SortKey         int
	Scope
	Created time.Time
	Removed time.Time `bun:",nullzero"`
}

// Has tells whether the offering has a service ("SourceNat").
func (o Network) Has(service string) bool {
	return slices.ContainsFunc(o.Services, func(s NetworkService) bool { return s.Name == service })
}

// Providers gives the services that each of the offering's providers has to give.
func (o Network) Providers() map[string][]string {
	out := map[string][]string{}
	for _, s := range o.Services {
		out[s.Provider] = append(out[s.Provider], s.Name)
	}
	return out
}

// The availabilities. Networks are made from the offering that is Required when nobody names one.
const (
	Required = "Required"
	Optional = "Optional"
)

// CreateNetwork adds a network offering. Its id and times are filled in, and what it leaves out: the display text, the
// availability (Optional), the kind of traffic (Guest), the state (Disabled) and the rate.
func (s *Service) CreateNetwork(ctx context.Context, o Network) (Network, error) {
	o.restrict()
	if o.NetworkRate == 0 {
		o.NetworkRate = setting.NetworkRate.Of(s.settings)
	}
	if err := o.complete(); err != nil {
		return Network{}, err
	}
	err := s.db.Write(ctx, func(ctx context.Context, tx db.Tx) error {
		o.ID, o.Created = uid.New[uid.NetworkOffering](), tx.Now
		if o.RouterOffering != "" {
			if err := forRouters(ctx, tx, o.RouterOffering); err != nil {
				return err
			}
		}
		if err := insert(ctx, tx, &networkRow{Network: o}); err != nil {
			return err
		}
		return made(ctx, tx, string(o.ID), o.Scope, event.NetworkOfferingCreate, "created network offering", o.Name)
	})
	if db.IsUnique(err) {
		err = fault.Conflictf("there is a network offering called %q already", o.Name)
	}
	return o, err
}

// forRouters refuses a service offering that routers can't be made from.
func forRouters(ctx context.Context, tx db.Tx, id uid.ServiceOffering) error {
	c, err := FindCompute(ctx, tx, id)
	if err == nil && (!c.IsSystem || c.SystemType != DomainRouter) {
		err = fault.Invalidf("service offering %q is not for virtual routers: want a system offering for domainrouter", c.Name)
	}
	return err
}

// complete fills in what a network offering leaves out and checks it.
func (o *Network) complete() error {
	o.Tags = tags(o.Tags)
	fill(&o.DisplayText, o.Name)
	fill(&o.Availability, Optional)
	fill(&o.TrafficType, "Guest")
	fill(&o.State, Disabled)
	if o.Details == nil {
		o.Details = Details{}
	}
	if o.Services == nil {
		o.Services = []NetworkService{}
	}
	if o.Capabilities == nil {
		o.Capabilities = []NetworkCapability{}
	}
	if o.NetworkRate < 0 {
		return fault.Invalidf("networkrate %d is no rate: want Mbit/s, 1 or more", o.NetworkRate)
	}
	if err := oneOf("guestiptype", &o.GuestType, Isolated, Shared, L2); err != nil {
		return err
	}
	if err := oneOf("availability", &o.Availability, Required, Optional); err != nil {
		return err
	}
	if err := oneOf("traffictype", &o.TrafficType, "Guest"); err != nil {
		return err
	}
	return o.fits()
}

// fits refuses what does not go together. The rules are CloudStack's.
func (o *Network) fits() error {
	addressed := strings.Fields("Dhcp Dns UserData SourceNat StaticNat PortForwarding Lb Firewall Vpn Gateway NetworkACL")
	switch {
	case o.Availability == Required && (o.GuestType != Isolated || !o.Has("SourceNat")):
		return fault.Invalidf("availability Required is for isolated networks with the service SourceNat: want Optional")
	case o.IsDefault: // those of CloudStack's simulator are as they are
	case o.GuestType == Shared && !o.SpecifyVLAN:
		return fault.Invalidf("a shared network's VLAN is said when it is made: want specifyvlan=true")
	case o.GuestType == Shared && !o.SpecifyIPRanges:
		return fault.Invalidf("a shared network's addresses are said when it is made: want specifyipranges=true")
	case o.GuestType == Shared && o.Has("SourceNat"):
		return fault.Invalidf("shared networks have no source NAT: leave out the service SourceNat")
	case o.GuestType != Isolated && o.ForVPC:
		return fault.Invalidf("networks of a VPC are isolated: want guestiptype=Isolated")
	case o.GuestType == Isolated && o.SpecifyIPRanges && o.Has("SourceNat"):
		return fault.Invalidf("an isolated network with source NAT chooses its addresses itself: leave out specifyipranges, or the service SourceNat")
	case o.GuestType == L2 && o.SpecifyIPRanges:
		return fault.Invalidf("L2 networks have no addresses: leave out specifyipranges")
	case o.GuestType == Shared && o.Persistent:
		return fault.Invalidf("shared networks are always there: leave out ispersistent")
	case o.Has("StaticNat") && !o.Has("SourceNat") && o.GuestType == Isolated,
		o.Has("PortForwarding") && !o.Has("SourceNat") && o.GuestType == Isolated:
		return fault.Invalidf("the services StaticNat and PortForwarding of isolated networks need the service SourceNat: add it")
	}
	if o.GuestType == L2 {
		for _, s := range o.Services {
			if slices.Contains(addressed, s.Name) && s.Name != "UserData" {
				return fault.Invalidf("L2 networks have no addresses, hence no service %s", s.Name)
			}
		}
	}
	return nil
}

// fill gives a text that is empty a value.
func fill[T ~string](p *T, value T) {
	if *p == "" {
		*p = value
	}
}

// oneOf brings a word in any case into its own spelling.
func oneOf[T ~string](name string, p *T, words ...T) error {
	var known []string
	for _, w := range words {
		if strings.EqualFold(string(w), string(*p)) {
			*p = w
			return nil
		}
		known = append(known, string(w))
	}
	return fault.Invalidf("%s %q is unknown: want %s", name, *p, strings.Join(known, ", "))
}

// CountNetworks says how to find out how many networks were made from an offering: those that have some stay.
func (s *Service) CountNetworks(count func(ctx context.Context, q db.Tx, id uid.NetworkOffering) (int, error)) {
	s.networks = count
}

func (s *Service) networksOf(ctx context.Context, tx db.Tx, id uid.NetworkOffering) (int, error) {
	if s.networks == nil {
		return 0, nil // nobody makes any
	}
	return s.networks(ctx, tx, id)
}

// ChangeNetwork says what to change of a network offering, besides what can be changed of every kind. Its tags are those of
// physical networks.
type ChangeNetwork struct {
	Change
	Availability *string
}

// UpdateNetwork changes a network offering. Networks keep what they have.
func (s *Service) UpdateNetwork(ctx context.Context, id uid.NetworkOffering, c ChangeNetwork) (Network, error) {
	var o Network
	err := s.db.Write(ctx, func(ctx context.Context, tx db.Tx) error {
		var row networkRow
		if err := findLocked(ctx, tx, id, &row); err != nil {
			return err
		}
		if c.StorageTags != nil && tags(*c.StorageTags) != row.Tags {
			used, err := s.networksOf(ctx, tx, id)
			if err != nil {
				return err
			}
			if used > 0 {
				return fault.Conflictf("network offering %q has %s: its tags can't be changed until those are deleted", row.Name,
					fault.Count(used, "network"))
			}
		}
		c.apply(common{&row.Name, &row.DisplayText, &row.SortKey, &row.State, &row.Tags, &row.Scope})
		set(&row.Availability, c.Availability)
		if err := oneOf("state", &row.State, Enabled, Disabled); err != nil {
			return err
		}
		if err := row.complete(); err != nil {
			return err
		}
		o = row.Network
		return save(ctx, tx, &row, changed{event.NetworkOfferingEdit, "network offering", o.Name, string(id), c.Change, o.Scope})
	})
	if db.IsUnique(err) {
		err = fault.Conflictf("there is a network offering called %q already", *c.Name)
	}
	return o, err
}

// DeleteNetwork removes a network offering that no network was made from.
func (s *Service) DeleteNetwork(ctx context.Context, id uid.NetworkOffering) error {
	return s.db.Write(ctx, func(ctx context.Context, tx db.Tx) error {
		var row networkRow
		if err := findLocked(ctx, tx, id, &row); err != nil {
			return err
		}
		if row.IsDefault {
			return fault.Conflictf("network offering %q came with the cloud and can't be deleted; disable it instead", row.Name)
		}
		used, err := s.networksOf(ctx, tx, id)
		if err != nil {
			return err
		}
		if used > 0 {
			return fault.Conflictf("network offering %q has %s: delete those first, or disable the offering", row.Name, fault.Count(used, "network"))
		}
		if err := remove(ctx, tx, "network_offerings", string(id)); err != nil {
			return err
		}
		return announce(ctx, tx, event.NetworkOfferingDelete, "deleted network offering", row.Name, string(id))
	})
}

// UsableNetwork gives the network offering that the caller in ctx may make a network from in a zone. It is kept until the
// transaction's end.
func UsableNetwork(ctx context.Context, tx db.Tx, id uid.NetworkOffering, zone uid.Zone) (Network, error) {
	o, err := findNetworkKept(ctx, tx, id)
	if err != nil {
		return Network{}, err
	}
	if err := o.offered(ctx, tx, id, zone); err != nil {
		return Network{}, err
	}
	if o.State != Enabled {
		return Network{}, fault.Conflictf("network offering %q is disabled", o.Name)
	}
	return o, nil
}
