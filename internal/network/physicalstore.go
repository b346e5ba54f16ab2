package network

import (
	"context"

	"github.com/uptrace/bun"

	"github.com/virga-cloud/virga/internal/db"
	"github.com/virga-cloud/virga/internal/fault"
	"github.com/virga-cloud/virga/uid"
)

type physicalRow struct {
	bun.BaseModel `bun:"table:physical_networks,alias:p"`
	Physical
}

func insertPhysical(ctx context.Context, tx db.Tx, p Physical) error {
	_, err := tx.NewInsert().Model(&physicalRow{Physical: p}).Exec(ctx)
	return err
}

func updatePhysical(ctx context.Context, tx db.Tx, p Physical) error {
	_, err := tx.NewUpdate().Model(&physicalRow{Physical: p}).Column("state", "speed", "tags", "vlans").WherePK().Exec(ctx)
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

func findPhysical(ctx context.Context, tx db.Tx, id uid.PhysicalNetwork, h hold) (Physical, error) {
	var row physicalRow
	err := held(tx, tx.NewSelect().Model(&row).Where("p.id = ? and p.removed is null", id), h).Scan(ctx)
	if db.IsNone(err) {
		return Physical{}, fault.Missing(id)
	}
	return row.Physical, err
}

// carriers gives a zone's enabled physical networks that carry some kind of traffic, kept from being changed.
func carriers(ctx context.Context, tx db.Tx, zone uid.Zone, traffic string) ([]Physical, error) {
	var rows []physicalRow
	q := tx.NewSelect().Model(&rows).Where("p.zone_id = ? and p.state = ? and p.removed is null", zone, Enabled).
		Where("p.id in (select physical_network_id from traffic_types where type = ?)", traffic).Order("p.id")
	err := held(tx, q, forShare).Scan(ctx)
	return physicals(rows), err
}

func physicals(rows []physicalRow) []Physical {
	out := make([]Physical, len(rows))
	for i, r := range rows {
		out[i] = r.Physical
	}
	return out
}

// Physicals gives a page of physical networks, the oldest first, and how many there are in all.
func (s *Service) Physicals(ctx context.Context, f PhysicalFilter) ([]Physical, int, error) {
	var rows []physicalRow
	q := s.db.Read().NewSelect().Model(&rows).Where("p.removed is null").Order("p.id")
	db.Equal(q, "p.id", f.ID)
	db.Equal(q, "p.zone_id", f.Zone)
	db.Equal(q, "p.name", f.Name)
	db.Like(q, f.Keyword, "p.name")
	n, err := db.Page(ctx, q, f.Offset, f.Limit)
	return physicals(rows), n, err
}

// PhysicalsByID gives physical networks by their ids, removed ones too, in one query.
func PhysicalsByID(ctx context.Context, q db.Tx, ids []uid.PhysicalNetwork) (map[uid.PhysicalNetwork]Physical, error) {
	out := map[uid.PhysicalNetwork]Physical{}
	if len(ids) == 0 {
		return out, nil
	}
	var rows []physicalRow
	err := q.NewSelect().Model(&rows).Where("p.id in (?)", bun.List(ids)).Scan(ctx)
	for _, r := range rows {
		out[r.ID] = r.Physical
	}
	return out, err
}

// parts are the tables whose rows are parts of a physical network.
var parts = []string{"vlan_ranges", "vlans_free", "traffic_types"}

// dropPhysical takes back a physical network that was never used.
func dropPhysical(ctx context.Context, tx db.Tx, id uid.PhysicalNetwork) error {
	if err := dropParts(ctx, tx, id); err != nil {
		return err
	}
	_, err := tx.NewRaw("delete from physical_networks where id = ?", id).Exec(ctx)
	return err
}

func setPhysicalRemoved(ctx context.Context, tx db.Tx, id uid.PhysicalNetwork) error {
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

// usersOf counts what uses a physical network.
func usersOf(ctx context.Context, tx db.Tx, id uid.PhysicalNetwork) (networks, ranges int, err error) {
	err = tx.NewRaw(`select (select count(*) from networks where physical_network_id = ? and removed is null),
		(select count(*) from ip_ranges where physical_network_id = ? and removed is null)`, id, id).Scan(ctx, &networks, &ranges)
	return networks, ranges, err
}

func domainExists(ctx context.Context, tx db.Tx, id uid.Domain) error {
	var there bool
	err := tx.NewRaw("select exists (select 1 from domains where id = ? and removed is null)", id).Scan(ctx, &there)
	if err == nil && !there {
		err = fault.Missing(id)
	}
	return err
}

// lies tells whether a domain is another one or lies below it.
func lies(ctx context.Context, tx db.Tx, domain, in uid.Domain) (inside bool, err error) {
	err = tx.NewRaw(`select exists (select 1 from domains d join domains top on top.id = ?
		where d.id = ? and (d.id = top.id or substr(d.path, 1, length(top.path) + 1) = top.path || '/'))`, in, domain).Scan(ctx, &inside)
	return inside, err
}
