package detail

import (
	"context"
	"slices"
	"strings"

	"github.com/virga-cloud/virga/internal/auth"
	"github.com/virga-cloud/virga/internal/db"
	"github.com/virga-cloud/virga/internal/fault"
	"github.com/virga-cloud/virga/internal/op"
	"github.com/virga-cloud/virga/uid"
)

// Kind is a type of things that can have details. The package that owns their table declares it.
type Kind struct {
	Type  string // CloudStack's name
	Table string // has the columns id, and unless Common account_id and domain_id; or a query for these in parentheses
	Live  string // what holds for rows that can have details, in SQL
	// Common things are the cloud's own: only root admins change their details here.
	Common bool
	// Seen says which common things a caller sees who is no root admin; nil: none.
	Seen Seen
	// Keep writes the details that stand in a thing's own row, in the column details; nil where there is no such column.
	Keep func(ctx context.Context, tx db.Tx, id string, details map[string]string) error
	// Fixed tells why a key can't be changed here; "" where it can. nil: all can.
	Fixed func(key string) string
}

// coming are the types that CloudStack's clients know and of which Virga has no things yet: nothing of such a type has a detail.
var coming = []string{
	"LoadBalancer", "PortForwardingRule", "FirewallRule", "Vpc", "NetworkACL", "RemoteAccessVpn", "PrivateGateway", "NetworkACLList", "VpnGateway",
	"CustomerGateway", "VpnConnection", "AutoScaleVmProfile", "AutoScaleVmGroup", "LBStickinessPolicy", "LBHealthCheckPolicy", "SnapshotPolicy",
}

// Detail is one detail of a thing.
type Detail struct {
	Type     string `bun:"-"`
	Resource string `bun:"resource_id"`
	Key      string
	Value    string
	Display  bool        // ordinary users see it
	Account  uid.Account `bun:"account_id"` // the thing's owner; "" of what is the cloud's own
	Domain   uid.Domain  `bun:"domain_id"`
}

// Service writes and lists details.
type Service struct {
	db          *db.DB
	kinds       []Kind
	add, remove *op.Runner[change]
}

// New makes a service for some kinds of things.
func New(d *db.DB, e *op.Engine, kinds ...Kind) *Service {
	s := &Service{db: d, kinds: kinds}
	s.add = op.Register(e, op.New[change]("detail.add").NoWayBack().Accept(s.accept, nil))
	s.remove = op.Register(e, op.New[change]("detail.remove").NoWayBack().Accept(s.acceptRemoval, nil))
	return s
}

// kind finds a kind by its type, in any case.
func (s *Service) kind(t string) (Kind, error) {
	names := make([]string, len(s.kinds))
	for i, k := range s.kinds {
		if strings.EqualFold(k.Type, t) {
			return k, nil
		}
		names[i] = k.Type
	}
	return Kind{}, fault.Invalidf("resourcetype %q: things of that type can't have details; those of these can: %s", t, strings.Join(names, ", "))
}

// Filter says which details a list shows. Zero fields don't restrict, but for Scope, whose zero value shows nothing.
type Filter struct {
	Scope      auth.Scope
	Type       string // in any case; required
	Resource   string
	Key, Value string
	Display    *bool  // ordinary users are shown no others than displayed ones
	Keyword    string // in key or value
	Offset     int
	Limit      int // 0 or less: all
}

// List gives a page of the details of things of one type, thing by thing, and how many there are in all.
func (s *Service) List(ctx context.Context, f Filter) ([]Detail, int, error) {
	k, err := s.kind(f.Type)
	switch {
	case err != nil && slices.ContainsFunc(coming, func(t string) bool { return strings.EqualFold(t, f.Type) }):
		return nil, 0, nil
	case err != nil:
		return nil, 0, err
	}
	c := auth.From(ctx)
	if !c.IsRoot() {
		if k.Common && k.Seen == nil || f.Display != nil && !*f.Display {
			return nil, 0, nil
		}
		f.Display = new(true)
	}
	f.Resource = strings.ToLower(f.Resource)
	return s.list(ctx, k, f)
}

// Sweep removes what is noted of things that are gone. It is a keeper's round; till then nobody is shown it.
func (s *Service) Sweep(ctx context.Context) error {
	return s.db.Write(ctx, func(ctx context.Context, tx db.Tx) error {
		for _, k := range s.kinds {
			if err := sweep(ctx, tx, k); err != nil {
				return err
			}
		}
		return nil
	})
}
