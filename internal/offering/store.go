package offering

import (
	"context"

	"github.com/uptrace/bun"

	"github.com/virga-cloud/virga/internal/db"
	"github.com/virga-cloud/virga/internal/fault"
	"github.com/virga-cloud/virga/uid"
)

type networkRow struct {
	bun.BaseModel `bun:"table:network_offerings,alias:o"`
	Network
}

func insert(ctx context.Context, tx db.Tx, row any) error {
	_, err := tx.NewInsert().Model(row).Exec(ctx)
	return err
}

// FindNetwork gives a network offering that is not removed.
func FindNetwork(ctx context.Context, q db.Tx, id uid.NetworkOffering) (Network, error) {
	var row networkRow
	err := find(ctx, q, id, &row)
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

// Filter says which offerings a list shows. Zero fields don't restrict; those that a kind does not have are ignored.
type Filter struct {
	ID           string
	Name         string
	State        State
	System       *bool // service offerings, as the fields below
	SystemType   string
	MinCPU       int // at least so much; customized offerings count with their upper bounds
	MinMHz       int
	MinMemoryMB  int
	ChangeFrom   *Compute    // what a machine of this offering can be given instead, see [Compute.ChangesTo]
	RootBytes    int64       // whose root disks hold so much
	StorageType  StorageType // service and disk offerings, as the next two
	Zone         uid.Zone    // offered there
	Domain       uid.Domain  // offered to this domain by name
	DisplayText  string      // network offerings, as the fields below
	TrafficType  string
	Default      *bool
	SpecifyVLAN  *bool
	Availability string
	GuestType    GuestType
	ForVPC       *bool
	SourceNAT    *bool
	Keyword      string // in name or display text
	Offset       int
	Limit        int // 0 or less: all
}

func (f Filter) apply(q *bun.SelectQuery) *bun.SelectQuery {
	q.Where("o.removed is null").Order("o.id")
	db.Equal(q, "o.id", f.ID)
	db.Equal(q, "o.name", f.Name)
	db.EqualFold(q, "o.state", f.State)
	db.Like(q, f.Keyword, "o.name", "o.display_text")
	return q
}

// Networks gives a page of network offerings, the oldest first, and how many there are in all.
func (s *Service) Networks(ctx context.Context, f Filter) ([]Network, int, error) {
	var rows []networkRow
	q := f.apply(s.db.Read().NewSelect().Model(&rows))
	db.Equal(q, "o.display_text", f.DisplayText)
	db.EqualFold(q, "o.traffic_type", f.TrafficType)
	db.EqualFold(q, "o.availability", f.Availability)
	db.EqualFold(q, "o.guest_type", f.GuestType)
	where(q, "o.is_default", f.Default)
	where(q, "o.specify_vlan", f.SpecifyVLAN)
	where(q, "o.for_vpc", f.ForVPC)
	if f.SourceNAT != nil {
		not := map[bool]string{true: "", false: "not"}[*f.SourceNAT]
		q.Where("o.services ? like ?", bun.Safe(not), `%"name":"SourceNat"%`)
	}
	n, err := db.Page(ctx, q, f.Offset, f.Limit)
	out := make([]Network, len(rows))
	for i, r := range rows {
		out[i] = r.Network
	}
	return out, n, err
}

func where(q *bun.SelectQuery, column string, value *bool) {
	if value != nil {
		q.Where("? = ?", bun.Safe(column), *value)
	}
}

func find(ctx context.Context, q db.Tx, id uid.Typed, row any) error {
	err := q.NewSelect().Model(row).Where("o.id = ? and o.removed is null", id.String()).Scan(ctx)
	if db.IsNone(err) {
		return fault.Missing(id)
	}
	return err
}

var networksByID = db.PrepareMany("select * from network_offerings where id in (?)")

// NetworksByID gives network offerings by their ids, removed ones too, in one query.
func NetworksByID(ctx context.Context, q db.Tx, ids []uid.NetworkOffering) (map[uid.NetworkOffering]Network, error) {
	return db.ByID(ctx, q, networksByID, ids, func(r networkRow) (uid.NetworkOffering, Network) { return r.ID, r.Network })
}
