package tag

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/virga-cloud/virga/internal/auth"
	"github.com/virga-cloud/virga/internal/db"
	"github.com/virga-cloud/virga/internal/fault"
	"github.com/virga-cloud/virga/internal/op"
	"github.com/virga-cloud/virga/uid"
)

// Type is a kind of thing, by the name that CloudStack has for it.
type Type string

// The types of which Virga has things that can have tags.
const (
	VM            Type = "UserVm"
	Template      Type = "Template"
	ISO           Type = "ISO"
	Volume        Type = "Volume"
	Snapshot      Type = "Snapshot"
	VMSnapshot    Type = "VMSnapshot"
	Network       Type = "Network"
	SecurityGroup Type = "SecurityGroup"
	PublicIP      Type = "PublicIpAddress"
	Zone          Type = "Zone"
	Project       Type = "Project"

	PortForwarding Type = "PortForwardingRule"
	LoadBalancer   Type = "LoadBalancer"
	Firewall       Type = "FirewallRule"

	SecurityGroupRule Type = "SecurityGroupRule"
)

// coming are the types that CloudStack's clients know and of which Virga has no things yet: nothing of such a type has a tag.
var coming = []Type{
	"Backup", "Vpc", "NetworkACL", "NetworkACLList", "StaticRoute",
	"RemoteAccessVpn", "SnapshotPolicy", "VpcOffering", "AutoScaleVmGroup", "AutoScaleVmProfile", "User",
}

// Tag is a tag on a thing.
type Tag struct {
	Type     Type   `bun:"resource_type"`
	Resource string `bun:"resource_id"` // the thing's id
	Key      string // unique on the thing
	Value    string
	Customer string      // whose own tag it is, in the words of who set it; "" for nobody's
	Account  uid.Account `bun:"account_id,nullzero"` // the thing's owner; "" of what is the cloud's own
	Domain   uid.Domain  `bun:"domain_id,nullzero"`
	Created  time.Time
}

// Kind says where the things of a type are. It is declared by the package that owns the table.
type Kind struct {
	Type  Type
	Table string // has the columns id, account_id and domain_id
	Live  string // what holds for rows that can have tags, in SQL
	// Common things are the cloud's own: only root admins tag them. Their table need not say whose they are.
	Common bool
}

// Service writes tags on things, and takes them off.
type Service struct {
	db             *db.DB
	kinds          []Kind
	create, remove *op.Runner[change]
}

// New makes a service for some kinds of things.
func New(d *db.DB, e *op.Engine, kinds ...Kind) *Service {
	s := &Service{db: d, kinds: kinds}
	s.create = op.Register(e, op.New[change]("tag.create").NoWayBack().Accept(s.add, nil))
	s.remove = op.Register(e, op.New[change]("tag.delete").NoWayBack().Accept(s.drop, nil))
	return s
}

// kind finds a kind by its type, in any case.
func (s *Service) kind(t Type) (Kind, error) {
	names := make([]string, len(s.kinds))
	for i, k := range s.kinds {
		if strings.EqualFold(string(k.Type), string(t)) {
			return k, nil
		}
		names[i] = string(k.Type)
	}
	return Kind{}, fault.Invalidf("resourcetype %q: things of that type can't have tags; those of these can: %s", t, strings.Join(names, ", "))
}

// Filter says which tags a list shows. Zero fields don't restrict, but for Scope, whose zero value shows nothing.
type Filter struct {
	Scope                auth.Scope
	Type                 Type // in any case
	Resource             string
	Key, Value, Customer string
	Keyword              string // in key or value
	Offset               int
	Limit                int // 0 or less: all
}

// List gives a page of tags, thing by thing, and how many there are in all.
func (s *Service) List(ctx context.Context, f Filter) ([]Tag, int, error) {
	if f.Type != "" {
		k, err := s.kind(f.Type)
		switch {
		case err != nil && slices.ContainsFunc(coming, func(t Type) bool { return strings.EqualFold(string(t), string(f.Type)) }):
			return nil, 0, nil
		case err != nil:
			return nil, 0, err
		}
		f.Type = k.Type
	}
	return s.list(ctx, f)
}

// Pair is a key and a value.
type Pair struct{ Key, Value string }

// Wanted are the tags of which a thing must have one to be in a list; none do not restrict. "" is any value.
type Wanted []Pair
