package physnet

import (
	"context"

	"github.com/uptrace/bun"

	"github.com/virga-cloud/virga/internal/db"
	"github.com/virga-cloud/virga/uid"
)

type trafficRow struct {
	bun.BaseModel `bun:"table:traffic_types,alias:t"`
	Traffic
}

func insertTraffic(ctx context.Context, tx db.Tx, t Traffic) error {
	_, err := tx.NewInsert().Model(&trafficRow{Traffic: t}).Exec(ctx)
	return err
}

func enableTraffic(ctx context.Context, tx db.Tx, id uid.TrafficType) error {
	_, err := tx.NewRaw("update traffic_types set state = ? where id = ?", Enabled, id).Exec(ctx)
	return err
}

func dropTraffic(ctx context.Context, tx db.Tx, id uid.TrafficType) error {
	_, err := tx.NewRaw("delete from traffic_types where id = ?", id).Exec(ctx)
	return err
}

// Carrying gives a zone's physical networks that carry some kind of traffic, whatever their state.
func Carrying(ctx context.Context, tx db.Tx, zone uid.Zone, traffic string) ([]Network, error) {
	var rows []networkRow
	err := tx.NewSelect().Model(&rows).Where("p.zone_id = ? and p.removed is null", zone).
		Where("p.id in (select physical_network_id from traffic_types where type = ?)", traffic).Order("p.id").Scan(ctx)
	return networks(rows), err
}

// Carries tells whether a physical network carries some kind of traffic.
func Carries(ctx context.Context, tx db.Tx, id uid.PhysicalNetwork, traffic string) (yes bool, err error) {
	err = tx.NewRaw("select exists (select 1 from traffic_types where physical_network_id = ? and type = ?)", id, traffic).Scan(ctx, &yes)
	return yes, err
}

// GuestWire gives what hosts under KVM call the link that carries a physical network's guest traffic; "" where that was not said.
func GuestWire(ctx context.Context, q db.Tx, id uid.PhysicalNetwork) (label string, err error) {
	err = q.NewRaw("select kvm_label from traffic_types where physical_network_id = ? and type = ?", id, TrafficGuest).Scan(ctx, &label)
	if db.IsNone(err) {
		return "", nil
	}
	return label, err
}

// TrafficFilter says which kinds of traffic a list shows.
type TrafficFilter struct {
	Physical uid.PhysicalNetwork
	Keyword  string // in the type
	Offset   int
	Limit    int // 0 or less: all
}

// Traffics gives a page of the kinds of traffic that a physical network carries, and how many there are in all.
func (s *Service) Traffics(ctx context.Context, f TrafficFilter) ([]Traffic, int, error) {
	if _, err := find(ctx, s.db.Read(), f.Physical, forReading); err != nil {
		return nil, 0, err
	}
	var rows []trafficRow
	q := s.db.Read().NewSelect().Model(&rows).Where("t.physical_network_id = ?", f.Physical).Order("t.id")
	db.Like(q, f.Keyword, "t.type")
	n, err := db.Page(ctx, q, f.Offset, f.Limit)
	return traffics(rows), n, err
}

func traffics(rows []trafficRow) []Traffic {
	out := make([]Traffic, len(rows))
	for i, r := range rows {
		out[i] = r.Traffic
	}
	return out
}

// TrafficsByID gives kinds of traffic on physical networks by their ids, in one query.
func TrafficsByID(ctx context.Context, q db.Tx, ids []uid.TrafficType) (map[uid.TrafficType]Traffic, error) {
	out := map[uid.TrafficType]Traffic{}
	if len(ids) == 0 {
		return out, nil
	}
	var rows []trafficRow
	err := q.NewSelect().Model(&rows).Where("t.id in (?)", bun.List(ids)).Scan(ctx)
	for _, r := range rows {
		out[r.ID] = r.Traffic
	}
	return out, err
}
