package network

import (
	"context"

	"github.com/uptrace/bun"

	"github.com/virga-cloud/virga/internal/auth"
	"github.com/virga-cloud/virga/internal/db"
	"github.com/virga-cloud/virga/internal/detail"
	"github.com/virga-cloud/virga/internal/fault"
	"github.com/virga-cloud/virga/internal/offering"
	"github.com/virga-cloud/virga/internal/tag"
	"github.com/virga-cloud/virga/internal/vlan"
	"github.com/virga-cloud/virga/uid"
)

// forDomain keeps the networks n for a domain that domain d is, or lies below.
const forDomain = `n.acl_type = 'Domain' and exists (select 1 from domains nd where nd.id = n.domain_id and (nd.id = d.id
	or n.subdomain_access and substr(d.path, 1, length(nd.path) + 1) = nd.path || '/'))`

// orShared adds to a query's networks in a scope those for domains that the scope's accounts are in.
func orShared(q *bun.SelectQuery, scope auth.Scope) *bun.SelectQuery {
	if scope.All {
		return q
	}
	own := scope.Where(q.NewSelect().TableExpr("networks n").Column("n.id").Where("n.removed is null"), "n")
	shared := q.NewSelect().TableExpr("networks n").Column("n.id").Where("n.removed is null and n.acl_type = 'Domain'")
	of := func(which string, args ...any) *bun.SelectQuery {
		return shared.Where("exists (select 1 from domains d where "+which+" and "+forDomain+")", args...)
	}
	switch {
	case scope.Account != "":
		own.Union(of("d.id = (select domain_id from accounts where id = ?)", scope.Account))
	case scope.Domain != "":
		own.Union(of("d.id = ?", scope.Domain))
	case scope.Under != "":
		own.Union(of("d.path = ?", scope.Under))
	}
	// Not "or", with which every network would be looked at: this way the few that are for domains are, and the scope's own.
	return q.Where("n.id in (?)", own)
}

// sharedWith tells whether a network is for a domain that an account is in.
func sharedWith(ctx context.Context, tx db.Tx, id uid.Network, account uid.Account) (bool, error) {
	return tx.NewSelect().Model((*networkRow)(nil)).Where("n.id = ?", id).
		Where("exists (select 1 from domains d where d.id = (select domain_id from accounts where id = ?) and "+forDomain+")", account).Exists(ctx)
}

// lockShared is [lock] for networks in a scope, or for a domain that an account is in.
func lockShared(ctx context.Context, tx db.Tx, scope auth.Scope, account uid.Account, ids []uid.Network) (map[uid.Network]Network, error) {
	var rows []networkRow
	q := tx.NewSelect().Model(&rows).Where("n.id in (?) and n.removed is null", bun.List(ids)).Order("n.id")
	q.WhereGroup(" and ", func(q *bun.SelectQuery) *bun.SelectQuery {
		if scope.All {
			return q.Where("1 = 1")
		}
		scope.Where(q, "n")
		return q.WhereOr("exists (select 1 from domains d where d.id = (select domain_id from accounts where id = ?) and "+forDomain+")", account)
	})
	if tx.Postgres {
		q.For("UPDATE OF n")
	}
	if err := q.Scan(ctx); err != nil {
		return nil, err
	}
	networks := make(map[uid.Network]Network, len(ids))
	for _, r := range rows {
		networks[r.ID] = r.Network
	}
	for _, id := range ids {
		if _, ok := networks[id]; !ok {
			return nil, fault.Missing(id)
		}
	}
	return networks, nil
}

// Taggable are the networks that can have tags.
var Taggable = tag.Kind{Type: tag.Network, Table: "networks", Live: "removed is null"}

// Filter says which networks a list shows. Zero fields don't restrict, but for Scope, whose zero value shows nothing.
type Filter struct {
	Scope       auth.Scope
	Owned       bool // not those that others' domains share
	ID          uid.Network
	Name        string
	Zone        uid.Zone
	Physical    uid.PhysicalNetwork
	GuestType   offering.GuestType
	TrafficType string
	ACLType     string
	Offering    uid.NetworkOffering
	VLAN        string
	Services    []string // its offering has all of them
	IPRanges    *bool    // its offering wants addresses
	Deployable  *bool    // machines may be put there
	Display     *bool
	Tags        tag.Wanted
	Keyword     string // in name or display text
	Offset      int
	Limit       int // 0 or less: all
}

// List gives a page of networks, the oldest first, and how many there are in all.
func (s *Service) List(ctx context.Context, f Filter) ([]Network, int, error) {
	var rows []networkRow
	q := s.db.Read().NewSelect().Model(&rows).Where("n.removed is null").Order("n.id")
	if f.Owned || f.Scope.All || f.Scope.IsEmpty() || f.Scope.Of == auth.OnlyProjects {
		q = f.Scope.Where(q, "n")
	} else {
		orShared(q, f.Scope)
	}
	db.Equal(q, "n.id", f.ID)
	f.Tags.Where(q, tag.Network, "n.id")
	db.Equal(q, "n.name", f.Name)
	db.Equal(q, "n.zone_id", f.Zone)
	db.Equal(q, "n.physical_network_id", f.Physical)
	db.EqualFold(q, "n.guest_type", f.GuestType)
	db.EqualFold(q, "n.traffic_type", f.TrafficType)
	db.EqualFold(q, "n.acl_type", f.ACLType)
	db.Equal(q, "n.offering_id", f.Offering)
	if f.Deployable != nil {
		op := map[bool]string{true: "<>", false: "="}[*f.Deployable]
		q.Where("n.state ? ?", bun.Safe(op), Destroyed)
	}
	if f.Display != nil {
		q.Where("n.display = ?", *f.Display)
	}
	if f.IPRanges != nil {
		q.Where("n.offering_id in (select id from network_offerings where specify_ip_ranges = ?)", *f.IPRanges)
	}
	for _, name := range f.Services {
		q.Where("n.offering_id in (select id from network_offerings where services like ? escape '!')", `%"name":"`+auth.LikeEscape(name)+`"%`)
	}
	switch tag, err := vlan.Parse(f.VLAN); {
	case f.VLAN == "":
	case err != nil:
		return nil, 0, err
	case tag == 0:
		q.Where("n.untagged")
	default:
		q.Where("n.vlan = ?", tag)
	}
	db.Like(q, f.Keyword, "n.name", "n.display_text")
	n, err := db.PageByID(ctx, q, f.Offset, f.Limit)
	out := make([]Network, len(rows))
	for i, r := range rows {
		out[i] = r.Network
	}
	return out, n, err
}

// Detailed are the networks that can have details.
var Detailed = detail.Kind{Type: "Network", Table: "networks", Live: "removed is null"}
