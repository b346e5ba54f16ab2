package physnet

import (
	"context"
	"unicode/utf8"

	"github.com/uptrace/bun"

	"github.com/virga-cloud/virga/internal/db"
	"github.com/virga-cloud/virga/internal/fault"
	"github.com/virga-cloud/virga/internal/zone"
	"github.com/virga-cloud/virga/uid"
)

type networkRow struct {
	bun.BaseModel `bun:"table:physical_networks,alias:p"`
	Network
}

func insert(ctx context.Context, tx db.Tx, p Network) error {
	_, err := tx.NewInsert().Model(&networkRow{Network: p}).Exec(ctx)
	return err
}

func update(ctx context.Context, tx db.Tx, p Network) error {
	_, err := tx.NewUpdate().Model(&networkRow{Network: p}).Column("state", "speed", "tags", "vlans").WherePK().Exec(ctx)
	return err
}

// hold says how a row is kept until the transaction's end.
type hold int

const (
	forUpdate  hold = iota // nobody else may change it or rely on it
	forShare               // nobody may change it
	forReading             // it is not kept
)

// held locks what a query reads. SQLite's writer is alone anyway.
func held(tx db.Tx, q *bun.SelectQuery, h hold) *bun.SelectQuery {
	switch {
	case h == forReading:
		return q
	case tx.Postgres && h == forShare:
		return q.For("SHARE")
	}
	return tx.Lock(q)
}

// Lock gives a physical network and keeps others from changing or relying on it until the transaction's end.
func Lock(ctx context.Context, tx db.Tx, id uid.PhysicalNetwork) (Network, error) {
	return find(ctx, tx, id, forUpdate)
}

func find(ctx context.Context, tx db.Tx, id uid.PhysicalNetwork, h hold) (Network, error) {
	var row networkRow
	err := held(tx, tx.NewSelect().Model(&row).Where("p.id = ? and p.removed is null", id), h).Scan(ctx)
	if db.IsNone(err) {
		return Network{}, fault.Missing(id)
	}
	return row.Network, err
}

// Carriers gives a zone's enabled physical networks that carry some kind of traffic, kept from being changed.
func Carriers(ctx context.Context, tx db.Tx, z uid.Zone, traffic string) ([]Network, error) {
	var rows []networkRow
	q := tx.NewSelect().Model(&rows).Where("p.zone_id = ? and p.state = ? and p.removed is null", z, Enabled).
		Where("p.id in (select physical_network_id from traffic_types where type = ?)", traffic).Order("p.id")
	err := held(tx, q, forShare).Scan(ctx)
	return networks(rows), err
}

func networks(rows []networkRow) []Network {
	out := make([]Network, len(rows))
	for i, r := range rows {
		out[i] = r.Network
	}
	return out
}

// Filter says which physical networks a list shows. Zero fields don't restrict.
type Filter struct {
	ID      uid.PhysicalNetwork
	Zone    uid.Zone
	Name    string
	Keyword string // in the name
	Offset  int
	Limit   int // 0 or less: all
}

// List gives a page of physical networks, the oldest first, and how many there are in all.
func (s *Service) List(ctx context.Context, f Filter) ([]Network, int, error) {
	var rows []networkRow
	q := s.db.Read().NewSelect().Model(&rows).Where("p.removed is null").Order("p.id")
	db.Equal(q, "p.id", f.ID)
	db.Equal(q, "p.zone_id", f.Zone)
	db.Equal(q, "p.name", f.Name)
	db.Like(q, f.Keyword, "p.name")
	n, err := db.Page(ctx, q, f.Offset, f.Limit)
	return networks(rows), n, err
}

// ByID gives physical networks by their ids, removed ones too, in one query.
func ByID(ctx context.Context, q db.Tx, ids []uid.PhysicalNetwork) (map[uid.PhysicalNetwork]Network, error) {
	out := map[uid.PhysicalNetwork]Network{}
	if len(ids) == 0 {
		return out, nil
	}
	var rows []networkRow
	err := q.NewSelect().Model(&rows).Where("p.id in (?)", bun.List(ids)).Scan(ctx)
	for _, r := range rows {
		out[r.ID] = r.Network
	}
	return out, err
}

// parts are the tables whose rows are parts of a physical network.
var parts = []string{"vlan_ranges", "vlans_free", "traffic_types"}

// drop takes back a physical network that was never used.
func drop(ctx context.Context, tx db.Tx, id uid.PhysicalNetwork) error {
	if err := dropParts(ctx, tx, id); err != nil {
		return err
	}
	_, err := tx.NewRaw("delete from physical_networks where id = ?", id).Exec(ctx)
	return err
}

func setRemoved(ctx context.Context, tx db.Tx, id uid.PhysicalNetwork) error {
	if err := dropParts(ctx, tx, id); err != nil {
		return err
	}
	_, err := tx.NewRaw("update physical_networks set removed = ?, state = ? where id = ?", tx.Now, Disabled, id).Exec(ctx)
	return err
}

func dropParts(ctx context.Context, tx db.Tx, id uid.PhysicalNetwork) error {
	_, err := tx.NewRaw("delete from router_elements where provider_id in (select id from network_providers where physical_network_id = ?)",
		id).Exec(ctx)
	for _, table := range append([]string{"network_providers"}, parts...) {
		if err == nil {
			_, err = tx.NewRaw("delete from ? where physical_network_id = ?", bun.Ident(table), id).Exec(ctx)
		}
	}
	return err
}

// lies tells whether a domain is another one or lies below it.
func lies(ctx context.Context, tx db.Tx, domain, in uid.Domain) (inside bool, err error) {
	err = tx.NewRaw(`select exists (select 1 from domains d join domains top on top.id = ?
		where d.id = ? and (d.id = top.id or substr(d.path, 1, length(top.path) + 1) = top.path || '/'))`, in, domain).Scan(ctx, &inside)
	return inside, err
}

// CountIn counts the physical networks of a zone: see [zone.Uses].
func CountIn(ctx context.Context, tx db.Tx, p zone.Place) ([]zone.Count, error) {
	if p.Zone == "" {
		return nil, nil
	}
	n, err := tx.NewSelect().Model((*networkRow)(nil)).Where("p.zone_id = ? and p.removed is null", p.Zone).Count(ctx)
	return []zone.Count{{Thing: "physical network", N: int(n)}}, err
}

// CountBelow counts the physical networks that are kept for the domain with a path, or for one below it.
func CountBelow(ctx context.Context, tx db.Tx, path string) ([]zone.Count, error) {
	n, err := tx.NewSelect().Model((*networkRow)(nil)).Where("p.removed is null").Where("p.domain_id in (select id from domains "+
		"where removed is null and (path = ? or substr(path, 1, ?) = ?))", path, utf8.RuneCountInString(path)+1, path+"/").Count(ctx)
	return []zone.Count{{Thing: "physical network", N: int(n)}}, err
}
