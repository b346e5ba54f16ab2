package offering

import (
	"context"

	"github.com/uptrace/bun"

	"github.com/virga-cloud/virga/internal/auth"
	"github.com/virga-cloud/virga/internal/db"
	"github.com/virga-cloud/virga/internal/fault"
	"github.com/virga-cloud/virga/uid"
)

type domainRow struct {
	bun.BaseModel `bun:"table:offering_domains,alias:x"`
	Offering      string     `bun:"offering_id,pk"`
	Domain        uid.Domain `bun:"domain_id,pk"`
}

type zoneRow struct {
	bun.BaseModel `bun:"table:offering_zones,alias:x"`
	Offering      string   `bun:"offering_id,pk"`
	Zone          uid.Zone `bun:"zone_id,pk"`
}

// setDomains makes an offering that of some domains, which must be there.
func setDomains(ctx context.Context, tx db.Tx, id string, domains []uid.Domain) error {
	if err := allThere(ctx, tx, "domains", domains); err != nil {
		return err
	}
	if _, err := tx.NewRaw("delete from offering_domains where offering_id = ?", id).Exec(ctx); err != nil {
		return err
	}
	if len(domains) == 0 {
		return nil
	}
	rows := make([]domainRow, len(domains))
	for i, d := range domains {
		rows[i] = domainRow{Offering: id, Domain: d}
	}
	return insert(ctx, tx, &rows)
}

// setZones makes an offering that of some zones, which must be there.
func setZones(ctx context.Context, tx db.Tx, id string, zones []uid.Zone) error {
	if err := allThere(ctx, tx, "zones", zones); err != nil {
		return err
	}
	if _, err := tx.NewRaw("delete from offering_zones where offering_id = ?", id).Exec(ctx); err != nil {
		return err
	}
	if len(zones) == 0 {
		return nil
	}
	rows := make([]zoneRow, len(zones))
	for i, z := range zones {
		rows[i] = zoneRow{Offering: id, Zone: z}
	}
	return insert(ctx, tx, &rows)
}

// allThere refuses ids of which there is no row that is not removed.
func allThere[ID interface {
	~string
	uid.Typed
}](ctx context.Context, tx db.Tx, table string, ids []ID) error {
	if len(ids) == 0 {
		return nil
	}
	var found []ID
	err := tx.NewSelect().Table(table).Column("id").Where("id in (?) and removed is null", bun.List(ids)).Scan(ctx, &found)
	if err != nil {
		return err
	}
	there := map[ID]bool{}
	for _, id := range found {
		there[id] = true
	}
	for _, id := range ids {
		if !there[id] {
			return fault.Missing(id)
		}
	}
	return nil
}

// visible keeps the offerings that a caller is offered: those of no domain, and those of the caller's domain and the ones above
// it; for admins those of the domains below, too.
func visible(q *bun.SelectQuery, caller auth.Caller) {
	if caller.IsRoot() {
		return
	}
	q.Where("(not o.in_domains or exists (?))", visibleDomains(q.NewSelect(), caller).Where("x.offering_id = o.id"))
}

func visibleDomains(q *bun.SelectQuery, caller auth.Caller) *bun.SelectQuery {
	q.TableExpr("offering_domains as x").Column("x.offering_id").Join("join domains as d on d.id = x.domain_id")
	return q.WhereGroup(" and ", func(q *bun.SelectQuery) *bun.SelectQuery {
		q.Where("substr(?, 1, length(d.path) + 1) = d.path || '/'", caller.DomainPath+"/")
		if caller.Type == auth.DomainAdmin || caller.Type == auth.ResourceAdmin {
			below := caller.DomainPath + "/"
			q.WhereOr("substr(d.path, 1, length(?)) = ?", below, below)
		}
		return q
	})
}

// seen restricts a query for offerings, known as x, to those that are for the caller.
func seen(q *bun.SelectQuery, caller auth.Caller) {
	q.Where("(not x.in_domains or x.id in (?))", visibleDomains(q.NewSelect(), caller))
}

// seenBy tells whether an offering that is for some domains only is for the caller.
func seenBy(ctx context.Context, q db.Tx, caller auth.Caller, id string) (bool, error) {
	if caller.IsRoot() {
		return true, nil
	}
	return visibleDomains(q.NewSelect(), caller).Where("x.offering_id = ?", id).Exists(ctx)
}

func inZone(ctx context.Context, q db.Tx, id string, zone uid.Zone) (bool, error) {
	return q.NewSelect().Model((*zoneRow)(nil)).Where("x.offering_id = ? and x.zone_id = ?", id, zone).Exists(ctx)
}

// scopesOf fills in the domains and zones of offerings, with one query for each where any of them has some.
func scopesOf(ctx context.Context, q db.Tx, ids []string, at func(i int) *Scope) error {
	index := map[string]*Scope{}
	var inDomains, inZones []string
	for i, id := range ids {
		s := at(i)
		index[id] = s
		if s.InDomains {
			inDomains = append(inDomains, id)
		}
		if s.InZones {
			inZones = append(inZones, id)
		}
	}
	if len(inDomains) > 0 {
		var rows []domainRow
		if err := q.NewSelect().Model(&rows).Where("x.offering_id in (?)", bun.List(inDomains)).Order("x.domain_id").Scan(ctx); err != nil {
			return err
		}
		for _, r := range rows {
			index[r.Offering].Domains = append(index[r.Offering].Domains, r.Domain)
		}
	}
	if len(inZones) > 0 {
		var rows []zoneRow
		if err := q.NewSelect().Model(&rows).Where("x.offering_id in (?)", bun.List(inZones)).Order("x.zone_id").Scan(ctx); err != nil {
			return err
		}
		for _, r := range rows {
			index[r.Offering].Zones = append(index[r.Offering].Zones, r.Zone)
		}
	}
	return nil
}

// DomainNames gives the names of domains, in one query.
func DomainNames(ctx context.Context, q db.Tx, ids []uid.Domain) (map[uid.Domain]string, error) {
	return db.Names(ctx, q, "domains", "name", ids)
}

// LeaveDomain takes a domain that is removed from the offerings that are offered to it. Those that were for it alone are for nobody then,
// and go: but for network offerings, which networks of others may have, and which are disabled.
func LeaveDomain(ctx context.Context, tx db.Tx, domain uid.Domain) error {
	alone := "id in (select offering_id from offering_domains group by offering_id having count(*) = 1 and min(domain_id) = ?)"
	for _, change := range []struct {
		query string
		args  []any
	}{
		{"update service_offerings set state = ?, removed = ? where removed is null and " + alone, []any{Inactive, tx.Now, domain}},
		{"update disk_offerings set state = ?, removed = ? where removed is null and " + alone, []any{Inactive, tx.Now, domain}},
		{"update network_offerings set state = ? where removed is null and " + alone, []any{Disabled, domain}},
		{"delete from offering_domains where domain_id = ?", []any{domain}},
	} {
		if _, err := tx.NewRaw(change.query, change.args...).Exec(ctx); err != nil {
			return err
		}
	}
	return forget(ctx, tx)
}
