package offering

import (
	"context"

	"github.com/uptrace/bun"

	"github.com/virga-cloud/virga/internal/auth"
	"github.com/virga-cloud/virga/internal/db"
	"github.com/virga-cloud/virga/internal/fault"
	"github.com/virga-cloud/virga/uid"
)

type networkRow struct {
	bun.BaseModel `bun:"table:network_offerings,alias:o"`
	Network
}

// FindNetwork gives a network offering that is not removed.
func FindNetwork(ctx context.Context, q db.Tx, id uid.NetworkOffering) (Network, error) {
	var row networkRow
	err := find(ctx, q, id, &row)
	return row.Network, err
}

// findNetworkKept is FindNetwork, and nobody changes the offering before the transaction's end.
func findNetworkKept(ctx context.Context, tx db.Tx, id uid.NetworkOffering) (Network, error) {
	var row networkRow
	q := tx.NewSelect().Model(&row).Where("o.id = ? and o.removed is null", id)
	if tx.Postgres {
		q.For("SHARE")
	}
	err := q.Scan(ctx)
	if db.IsNone(err) {
		return Network{}, fault.Missing(id)
	}
	return row.Network, err
}

// RequiredNetwork gives the offering that an account's first network is made from when nobody names one: the isolated one
// that is Required and has source NAT.
func RequiredNetwork(ctx context.Context, q db.Tx) (Network, error) {
	var rows []networkRow
	err := q.NewSelect().Model(&rows).Where("o.removed is null and o.state = ? and o.availability = ? and o.guest_type = ?",
		Enabled, Required, Isolated).Order("o.id").Scan(ctx)
	for _, r := range rows {
		if r.Has("SourceNat") {
			return r.Network, nil
		}
	}
	if err == nil {
		err = fault.Conflictf("no network was named, and no enabled network offering is Required and has SourceNat to make one from; " +
			"name one in networkids")
	}
	return Network{}, err
}

// withService is what the services of an offering that has one look like.
func withService(name string) string { return `%"name":"` + auth.LikeEscape(name) + `"%` }

// Networks gives a page of the network offerings that the caller in ctx is offered, and how many there are in all.
func (s *Service) Networks(ctx context.Context, f Filter) ([]Network, int, error) {
	var rows []networkRow
	q := s.offered(s.db.Read().NewSelect().Model(&rows), f, auth.From(ctx))
	db.Equal(q, "o.display_text", f.DisplayText)
	db.EqualFold(q, "o.traffic_type", f.TrafficType)
	db.EqualFold(q, "o.availability", f.Availability)
	db.EqualFold(q, "o.guest_type", f.GuestType)
	where(q, "o.is_default", f.Default)
	where(q, "o.specify_vlan", f.SpecifyVLAN)
	where(q, "o.specify_ip_ranges", f.IPRanges)
	where(q, "o.for_vpc", f.ForVPC)
	if f.SourceNAT != nil {
		not := map[bool]string{true: "", false: "not"}[*f.SourceNAT]
		q.Where("o.services ? like ? escape '!'", bun.Safe(not), withService("SourceNat"))
	}
	for _, name := range f.Services {
		q.Where("o.services like ? escape '!'", withService(name))
	}
	if f.Tagged != nil {
		q.Where("? = (o.tags <> '')", *f.Tagged)
	}
	if f.Tag != "" {
		q.Where("',' || o.tags || ',' like ? escape '!'", "%,"+auth.LikeEscape(f.Tag)+",%")
	}
	if f.ChangeNet != nil {
		from := f.ChangeNet
		q.Where("o.id <> ? and o.guest_type = ? and o.traffic_type = ? and o.for_vpc = ? and o.tags = ? and o.specify_vlan = ? and o.state = ?",
			from.ID, from.GuestType, from.TrafficType, from.ForVPC, from.Tags, from.SpecifyVLAN, Enabled)
	}
	n, err := db.Page(ctx, q, f.Offset, f.Limit)
	if err != nil {
		return nil, 0, err
	}
	out, ids := make([]Network, len(rows)), make([]string, len(rows))
	for i, r := range rows {
		out[i], ids[i] = r.Network, string(r.ID)
	}
	return out, n, scopesOf(ctx, s.db.Read(), ids, func(i int) *Scope { return &out[i].Scope })
}

var networksByID = db.PrepareMany("select * from network_offerings where id in (?)")

var networks = db.Remember("offerings", func(ctx context.Context, q db.Tx, ids []uid.NetworkOffering) (map[uid.NetworkOffering]Network, error) {
	return db.ByID(ctx, q, networksByID, ids, func(r networkRow) (uid.NetworkOffering, Network) { return r.ID, r.Network })
})

// NetworksByID gives network offerings by their ids, removed ones too, in one query. Their domains and zones are left out.
func NetworksByID(ctx context.Context, q db.Tx, ids []uid.NetworkOffering) (map[uid.NetworkOffering]Network, error) {
	return networks.Find(ctx, q, ids)
}

// WithScopes fills in the domains and zones of network offerings.
func WithScopes(ctx context.Context, q db.Tx, offerings []Network) error {
	ids := make([]string, len(offerings))
	for i, o := range offerings {
		ids[i] = string(o.ID)
	}
	return scopesOf(ctx, q, ids, func(i int) *Scope { return &offerings[i].Scope })
}
