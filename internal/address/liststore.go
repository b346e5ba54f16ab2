package address

import (
	"context"

	"github.com/uptrace/bun"

	"github.com/virga-cloud/virga/internal/auth"
	"github.com/virga-cloud/virga/internal/db"
	"github.com/virga-cloud/virga/internal/network"
	"github.com/virga-cloud/virga/internal/subnet"
	"github.com/virga-cloud/virga/internal/tag"
	"github.com/virga-cloud/virga/uid"
)

// Filter says which addresses a list shows. Zero fields don't restrict, but for Scope, whose zero value shows nothing.
type Filter struct {
	Scope      auth.Scope
	ID         uid.PublicIP
	IP         string
	Zone       uid.Zone
	Physical   uid.PhysicalNetwork
	Range      uid.IPRange
	Network    uid.Network // whose range it is of
	Associated uid.Network // that it serves
	Public     *bool
	SourceNAT  *bool
	StaticNAT  *bool // a machine's
	Balanced   *bool // has load balancers
	ForSystem  *bool
	State      network.AddressState
	Free       bool // free ones, too; they are nobody's
	Display    *bool
	Tags       tag.Wanted
	Keyword    string
	Offset     int
	Limit      int // 0 or less: all
}

type addressRow struct {
	bun.BaseModel `bun:"table:public_ips,alias:a"`
	network.Address
}

// List gives a page of addresses, range by range, and how many there are in all.
func (s *Service) List(ctx context.Context, f Filter) ([]network.Address, int, error) {
	var rows []addressRow
	q := s.db.Read().NewSelect().Model(&rows).Order("a.id")
	if f.Free && f.Scope.All {
		q.Where("1 = 1")
	} else {
		q = f.Scope.Where(q, "a").Where("a.state <> ?", network.Free)
	}
	if f.IP != "" {
		ip, err := subnet.ParseIP("ipaddress", f.IP)
		if err != nil {
			return nil, 0, err
		}
		q.Where("a.ip = ?", ip)
	}
	db.Equal(q, "a.id", f.ID)
	f.Tags.Where(q, tag.PublicIP, "a.id")
	db.Equal(q, "a.range_id", f.Range)
	db.Equal(q, "a.network_id", f.Associated)
	db.EqualFold(q, "a.state", f.State)
	if f.SourceNAT != nil {
		q.Where("a.source_nat = ?", *f.SourceNAT)
	}
	if f.Zone != "" || f.Physical != "" || f.Network != "" || f.Public != nil || f.ForSystem != nil {
		q.Where("a.range_id in (?)", s.rangesOf(f))
	}
	if ip, err := subnet.ParseIP("keyword", f.Keyword); err == nil {
		q.Where("a.ip = ?", ip)
	} else if f.Keyword != "" {
		tagged := s.db.Read().NewSelect().Table("ip_ranges").Column("id")
		db.Like(tagged, f.Keyword, "vlan")
		q.WhereGroup(" and ", func(q *bun.SelectQuery) *bun.SelectQuery {
			db.Like(q, f.Keyword, "a.state")
			return q.WhereOr("a.range_id in (?)", tagged)
		})
	}
	for _, one := range []struct {
		given *bool
		there string
	}{
		{f.StaticNAT, "exists (select 1 from static_nats s where s.id = a.id)"},
		{f.Balanced, "exists (select 1 from port_rules p where p.address_id = a.id and p.kind = 'LoadBalancing')"},
	} {
		if one.given != nil {
			q.Where("(?) = ?", bun.Safe(one.there), *one.given)
		}
	}
	if f.Display != nil {
		q.Where("a.display = ?", *f.Display)
	}
	n, err := db.PageByID(ctx, q, f.Offset, f.Limit)
	out := make([]network.Address, len(rows))
	for i, r := range rows {
		out[i] = r.Address
	}
	return out, n, err
}

// rangesOf are the ranges in which a filter looks for addresses.
func (s *Service) rangesOf(f Filter) *bun.SelectQuery {
	q := s.db.Read().NewSelect().TableExpr("ip_ranges r").Column("id")
	db.Equal(q, "r.zone_id", f.Zone)
	db.Equal(q, "r.physical_network_id", f.Physical)
	db.Equal(q, "r.network_id", f.Network)
	if f.Public != nil {
		not := map[bool]string{true: "", false: "not"}[*f.Public]
		q.Where("r.network_id is ? null", bun.Safe(not))
	}
	if f.ForSystem != nil {
		q.Where("r.for_system = ?", *f.ForSystem)
	}
	return q
}
