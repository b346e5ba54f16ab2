package offering

import (
	"context"
	"slices"
	"strings"

	"github.com/virga-cloud/virga/internal/auth"
	"github.com/virga-cloud/virga/internal/db"
	"github.com/virga-cloud/virga/internal/event"
	"github.com/virga-cloud/virga/internal/fault"
	"github.com/virga-cloud/virga/uid"
)

// StorageType is where an offering's disks are.
type StorageType string

// The storage types.
const (
	SharedStorage StorageType = "shared"
	LocalStorage  StorageType = "local" // on the host itself
)

// complete reads a storage type in any case; "" is shared.
func (t *StorageType) complete() error {
	switch said := StorageType(strings.ToLower(string(*t))); said {
	case SharedStorage, LocalStorage:
		*t = said
	case "":
		*t = SharedStorage
	default:
		return fault.Invalidf("storagetype %q is unknown: want shared or local", *t)
	}
	return nil
}

// Details are what an operator notes of an offering.
type Details map[string]string

// Scope says to whom and where an offering is offered: to everybody and everywhere if it names nothing.
type Scope struct {
	Domains   []uid.Domain `bun:"-"` // their accounts and those of the domains below; filled in by lists
	Zones     []uid.Zone   `bun:"-"`
	InDomains bool         // whether it names any
	InZones   bool
}

// restrict brings the scope into one form.
func (s *Scope) restrict() {
	s.Domains, s.Zones = sorted(s.Domains), sorted(s.Zones)
	s.InDomains, s.InZones = len(s.Domains) > 0, len(s.Zones) > 0
}

func sorted[ID ~string](ids []ID) []ID { return slices.Compact(slices.Sorted(slices.Values(ids))) }

// offered refuses what is not offered to the caller in ctx, or not in the zone. Who is not offered it doesn't learn that it is
// there.
func (s Scope) offered(ctx context.Context, q db.Tx, id uid.Typed, zone uid.Zone) error {
	if s.InDomains {
		sees, err := seenBy(ctx, q, auth.From(ctx), id.String())
		if err != nil {
			return err
		}
		if !sees {
			return fault.Missing(id)
		}
	}
	if s.InZones {
		there, err := inZone(ctx, q, id.String(), zone)
		if err != nil {
			return err
		}
		if !there {
			return fault.Invalidf("%s %s is not offered in this zone", id.Kind(), id)
		}
	}
	return nil
}

// common are the fields that all kinds of offerings have.
type common struct {
	name, text *string
	sortKey    *int
	state      *State
	tags       *string
	scope      *Scope
}

func (c Change) apply(o common) {
	set(o.name, c.Name)
	set(o.text, c.DisplayText)
	set(o.sortKey, c.SortKey)
	set(o.state, c.State)
	if c.StorageTags != nil {
		*o.tags = tags(*c.StorageTags)
	}
	if c.Domains != nil {
		o.scope.Domains = sorted(*c.Domains)
		o.scope.InDomains = len(o.scope.Domains) > 0
	}
	if c.Zones != nil {
		o.scope.Zones = sorted(*c.Zones)
		o.scope.InZones = len(o.scope.Zones) > 0
	}
}

func set[T any](p, value *T) {
	if value != nil {
		*p = *value
	}
}

// changed is what save is to write besides the row.
type changed struct {
	kind           event.Kind
	what, name, id string
	change         Change
	scope          Scope
}

func save(ctx context.Context, tx db.Tx, row any, c changed) error {
	if err := update(ctx, tx, row); err != nil {
		return err
	}
	if c.change.Domains != nil {
		if err := setDomains(ctx, tx, c.id, c.scope.Domains); err != nil {
			return err
		}
	}
	if c.change.Zones != nil {
		if err := setZones(ctx, tx, c.id, c.scope.Zones); err != nil {
			return err
		}
	}
	return announce(ctx, tx, c.kind, "changed "+c.what, c.name, c.id)
}

func setScope(ctx context.Context, tx db.Tx, id string, s Scope) error {
	if err := setDomains(ctx, tx, id, s.Domains); err != nil {
		return err
	}
	return setZones(ctx, tx, id, s.Zones)
}
