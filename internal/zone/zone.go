package zone

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/virga-cloud/virga/internal/auth"
	"github.com/virga-cloud/virga/internal/db"
	"github.com/virga-cloud/virga/internal/event"
	"github.com/virga-cloud/virga/internal/fault"
	"github.com/virga-cloud/virga/internal/once"
	"github.com/virga-cloud/virga/internal/setting"
	"github.com/virga-cloud/virga/internal/tag"
	"github.com/virga-cloud/virga/uid"
)

// Allocation says whether new things may be placed somewhere.
type Allocation string

// The allocation states.
const (
	Enabled  Allocation = "Enabled"
	Disabled Allocation = "Disabled"
)

// NetworkType is a zone's networking model.
type NetworkType string

// The networking models.
const (
	Advanced NetworkType = "Advanced"
	Basic    NetworkType = "Basic"
)

// VirtualRouter is the only provider of DHCP that there is.
const VirtualRouter = "VirtualRouter"

// Zone is a data centre.
type Zone struct {
	ID             uid.Zone `bun:",pk"`
	Name           string
	NetworkType    NetworkType
	SecurityGroups bool
	Allocation     Allocation `bun:"allocation_state"`
	DNS1           string     `bun:"dns1"`
	DNS2           string     `bun:"dns2"`
	InternalDNS1   string     `bun:"internal_dns1"`
	InternalDNS2   string     `bun:"internal_dns2"`
	IP6DNS1        string     `bun:"ip6_dns1"`
	IP6DNS2        string     `bun:"ip6_dns2"`
	GuestCIDR      string     `bun:"guest_cidr"`
	NetworkDomain  string
	Domain         uid.Domain `bun:"domain_id,nullzero"` // whose it is alone, with the domains below; "" for everyone's
	LocalStorage   bool
	DHCPProvider   string `bun:"dhcp_provider"`
	Token          string
	SortKey        int
	Details        Details
	Created        time.Time
	Removed        time.Time `bun:",nullzero"`
}

// Service keeps zones, pods and clusters.
type Service struct {
	db       *db.DB
	settings *setting.Settings
	users    []Uses
	leaves   []Leave
}

// New makes a service; nil settings are the defaults.
func New(d *db.DB, settings *setting.Settings) *Service { return &Service{db: d, settings: settings} }

// CreateZone adds a zone; its id, token and times are filled in.
func (s *Service) CreateZone(ctx context.Context, z Zone) (Zone, error) {
	z.Allocation = orEnabled(z.Allocation)
	if z.NetworkType == Basic {
		z.SecurityGroups = true // a basic zone's tenants share one network: groups are what keeps them apart
	}
	if z.DHCPProvider == "" {
		z.DHCPProvider = VirtualRouter
	}
	if err := z.check(); err != nil {
		return Zone{}, err
	}
	z.Token = string(uid.New[uid.Zone]()) // any text that nobody else has
	err := s.db.Write(ctx, func(ctx context.Context, tx db.Tx) error {
		if z.Domain != "" {
			if _, err := DomainPath(ctx, tx, z.Domain); err != nil {
				return err
			}
		}
		z.ID, z.Created = uid.New[uid.Zone](), tx.Now
		if err := insert(ctx, tx, &zoneRow{Zone: z}); err != nil {
			return named(err, "zone", z.Name)
		}
		if err := written(ctx, tx, event.ZoneCreate, "added", z.Name, string(z.ID)); err != nil {
			return err
		}
		return once.Record(ctx, tx, string(z.ID), "")
	})
	return z, err
}

// ZoneChange is what to change of a zone; nil fields stay.
type ZoneChange struct {
	Name, NetworkDomain, GuestCIDR, DHCPProvider             *string
	DNS1, DNS2, InternalDNS1, InternalDNS2, IP6DNS1, IP6DNS2 *string
	Allocation                                               *Allocation
	LocalStorage                                             *bool
	Public                                                   *bool // true: everyone's from now on
	SortKey                                                  *int
	DNSSearch                                                []string // domains that guests look names up in
	Details                                                  Details  // added to those that are there
}

// UpdateZone changes a zone.
func (s *Service) UpdateZone(ctx context.Context, id uid.Zone, c ZoneChange) error {
	return s.db.Write(ctx, func(ctx context.Context, tx db.Tx) error {
		z, err := Lock(ctx, tx, id)
		if err != nil {
			return err
		}
		if err := c.apply(&z); err != nil {
			return err
		}
		if err := z.check(); err != nil {
			return err
		}
		if err := update(ctx, tx, &zoneRow{Zone: z}); err != nil {
			return named(err, "zone", z.Name)
		}
		return written(ctx, tx, event.ZoneEdit, "changed", z.Name, string(z.ID))
	})
}

func (c ZoneChange) apply(z *Zone) error {
	set(&z.Name, c.Name)
	set(&z.DNS1, c.DNS1)
	set(&z.DNS2, c.DNS2)
	set(&z.InternalDNS1, c.InternalDNS1)
	set(&z.InternalDNS2, c.InternalDNS2)
	set(&z.IP6DNS1, c.IP6DNS1)
	set(&z.IP6DNS2, c.IP6DNS2)
	set(&z.GuestCIDR, c.GuestCIDR)
	set(&z.NetworkDomain, c.NetworkDomain)
	set(&z.DHCPProvider, c.DHCPProvider)
	set(&z.Allocation, c.Allocation)
	set(&z.LocalStorage, c.LocalStorage)
	set(&z.SortKey, c.SortKey)
	switch {
	case c.Public != nil && *c.Public:
		z.Domain = ""
	case c.Public != nil && z.Domain == "":
		return fault.Invalidf("zone %q is everyone's and can't be taken back: a zone of one domain is made by createZone with domainid", z.Name)
	}
	z.Details = z.Details.with(c.Details)
	if len(c.DNSSearch) > 0 {
		z.Details = z.Details.with(Details{DNSSearch: strings.Join(c.DNSSearch, ",")})
	}
	return nil
}

// DeleteZone removes a zone in which there is nothing.
func (s *Service) DeleteZone(ctx context.Context, id uid.Zone) error {
	return s.db.Write(ctx, func(ctx context.Context, tx db.Tx) error {
		if err := tx.Retire(ctx, id); err != nil {
			return err
		}
		z, err := Lock(ctx, tx, id)
		if err != nil {
			return err
		}
		if err := s.unused(ctx, tx, "zone", z.Name, Place{Zone: id}); err != nil {
			return err
		}
		for _, leave := range s.leaves {
			if err := leave(ctx, tx, id); err != nil {
				return err
			}
		}
		if err := setting.Forget(ctx, tx, setting.InZone(id)); err != nil {
			return err
		}
		if err := remove(ctx, tx, "zones", string(id)); err != nil {
			return err
		}
		if err := tag.Forget(ctx, tx, tag.Zone, id); err != nil {
			return err
		}
		return written(ctx, tx, event.ZoneDelete, "deleted", z.Name, string(id))
	})
}

// Usable gives the zone in which a domain's things are to be made: one that is disabled is for root admins only, and one that
// belongs to a domain is for that domain and those below. In a transaction nobody deletes it before the end.
func Usable(ctx context.Context, q db.Tx, id uid.Zone, owner uid.Domain) (Zone, error) {
	z, err := Kept(ctx, q, id)
	if err != nil {
		return Zone{}, err
	}
	if z.Domain != "" && z.Domain != owner {
		root := auth.From(ctx).IsRoot()
		whose, err := DomainPath(ctx, q, z.Domain)
		if err != nil {
			return Zone{}, err
		}
		path, err := DomainPath(ctx, q, owner)
		switch {
		case err != nil:
			return Zone{}, err
		case !strings.HasPrefix(path+"/", whose+"/") && root:
			return Zone{}, fault.Deniedf("zone %q belongs to the domain %s; %s is not in it", z.Name, whose, path)
		case !strings.HasPrefix(path+"/", whose+"/"):
			return Zone{}, fault.Missing(id) // as for one that is not there
		}
	}
	return z, z.open(ctx)
}

// Open refuses a zone that is disabled to callers who are not root admins: nothing is made or started there.
func Open(ctx context.Context, q db.Tx, id uid.Zone) error {
	z, err := Find(ctx, q, id)
	if err != nil {
		return err
	}
	return z.open(ctx)
}

func (z Zone) open(ctx context.Context) error {
	if z.Allocation != Enabled && !auth.From(ctx).IsRoot() {
		return fault.Conflictf("zone %q is disabled", z.Name)
	}
	return nil
}

// named says that a name is taken, where that is what err is.
func named(err error, kind, name string) error {
	if db.IsUnique(err) {
		return fault.Conflictf("there is a %s called %q already", kind, name)
	}
	return err
}

// written records what was done to a place.
func written(ctx context.Context, tx db.Tx, kind event.Kind, did, name, id string) error {
	_, err := event.Write(ctx, tx, event.Event{
		Type: kind, Description: fmt.Sprintf("%s %s %s (%s)", did, strings.ToLower(kind.Resource()), name, id), ResourceID: id,
	})
	return err
}

// set takes a new value over, if there is one.
func set[T any](to, from *T) {
	if from != nil {
		*to = *from
	}
}

func orEnabled(a Allocation) Allocation {
	if a == "" {
		return Enabled
	}
	return a
}
