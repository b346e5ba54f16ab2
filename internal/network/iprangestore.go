package network

import (
	"context"
	"fmt"
	"strings"

	"github.com/uptrace/bun"

	"github.com/virga-cloud/virga/internal/db"
	"github.com/virga-cloud/virga/internal/fault"
	"github.com/virga-cloud/virga/internal/offering"
	"github.com/virga-cloud/virga/uid"
)

type rangeRow struct {
	bun.BaseModel `bun:"table:ip_ranges,alias:r"`
	Range
}

// fillRange makes the rows of a range's addresses. Their ids are the range's with the address at the end, so that in the order of
// ids they come range by range.
var fillRange = db.PrepareEach(`with recursive n (ip) as (select ? union all select ip + 1 from n where ip < ?)
	insert into public_ips (id, range_id, ip, state, free_for) select substr(?, 1, 24) || printf('%012x', ip), ?, ip, 'Free', ? from n`,
	`with n as (select generate_series(?::bigint, ?::bigint) as ip)
	insert into public_ips (id, range_id, ip, state, free_for)
	select substr(?::text, 1, 24) || lpad(to_hex(ip), 12, '0'), ?, ip, 'Free', ? from n`)

func insertRange(ctx context.Context, tx db.Tx, r Range) error {
	if _, err := tx.NewInsert().Model(&rangeRow{Range: r}).Exec(ctx); err != nil || r.StartIP == 0 {
		return err
	}
	_, err := tx.Run(ctx, fillRange, int64(r.StartIP), int64(r.EndIP), string(r.ID), string(r.ID), r.freeFor())
	if err != nil || r.RouterIP == 0 {
		return err
	}
	return keepAddress(ctx, tx, r.ID, r.RouterIP)
}

// overlapping gives a range that has some of the same addresses on the same VLAN of the zone, nil where there is none.
func overlapping(ctx context.Context, tx db.Tx, r Range) (*Range, error) {
	var rows []rangeRow
	err := tx.NewSelect().Model(&rows).Where("r.zone_id = ? and r.vlan = ? and r.removed is null", r.Zone, r.VLAN).
		Where("r.start_ip <> 0 and r.start_ip <= ? and r.end_ip >= ?", r.EndIP, r.StartIP).Limit(1).Scan(ctx)
	if err != nil || len(rows) == 0 {
		return nil, err
	}
	return &rows[0].Range, nil
}

func findRange(ctx context.Context, tx db.Tx, id uid.IPRange) (Range, error) {
	var row rangeRow
	err := tx.NewSelect().Model(&row).Where("r.id = ? and r.removed is null", id).Scan(ctx)
	if db.IsNone(err) {
		return Range{}, fault.Missing(id)
	}
	return row.Range, err
}

// usesOf counts the addresses of a range that are in use, and says of some by what. All of them are locked, so that no other is
// taken meanwhile.
func usesOf(ctx context.Context, tx db.Tx, id uid.IPRange) (n int, uses []string, err error) {
	var rows []addressRow
	if err := tx.Lock(tx.NewSelect().Model(&rows).Where("a.range_id = ?", id).Order("a.id")).Scan(ctx); err != nil {
		return 0, nil, err
	}
	const some = 5
	for _, a := range rows {
		if a.State == Free {
			continue
		}
		if n++; n > some {
			continue
		}
		use := "machine " + string(a.VM)
		switch {
		case a.SourceNAT:
			use = "source NAT of network " + string(a.Network)
		case a.VM == "":
			use = "network " + string(a.Network)
		}
		uses = append(uses, fmt.Sprintf("%s by %s", a.IP, use))
	}
	if n > some {
		uses = append(uses, "and others")
	}
	return n, uses, nil
}

func setRangeRemoved(ctx context.Context, tx db.Tx, id uid.IPRange) error {
	if _, err := tx.NewRaw("delete from public_ips where range_id = ?", id).Exec(ctx); err != nil {
		return err
	}
	_, err := tx.NewRaw("update ip_ranges set removed = ? where id = ?", tx.Now, id).Exec(ctx)
	return err
}

// dropRanges removes the ranges of a network that is deleted.
func dropRanges(ctx context.Context, tx db.Tx, network uid.Network) error {
	_, err := tx.NewRaw("delete from public_ips where range_id in (select id from ip_ranges where network_id = ?)", network).Exec(ctx)
	if err != nil {
		return err
	}
	_, err = tx.NewRaw("update ip_ranges set removed = ? where network_id = ? and removed is null", tx.Now, network).Exec(ctx)
	return err
}

// Ranges gives a page of ranges, the oldest first, and how many there are in all.
func (s *Service) Ranges(ctx context.Context, f RangeFilter) ([]Range, int, error) {
	var rows []rangeRow
	q := s.db.Read().NewSelect().Model(&rows).Where("r.removed is null").Order("r.id")
	db.Equal(q, "r.id", f.ID)
	db.Equal(q, "r.zone_id", f.Zone)
	db.Equal(q, "r.physical_network_id", f.Physical)
	db.Equal(q, "r.network_id", f.Network)
	db.Equal(q, "r.pod_id", f.Pod)
	db.Equal(q, "r.vlan", strings.TrimPrefix(strings.ToLower(f.VLAN), "vlan://"))
	if f.Owner != nil {
		f.Owner.Where(q, "r")
	}
	db.Equal(q, "r.domain_id", f.Domain)
	if f.Public != nil {
		not := map[bool]string{true: "", false: "not"}[*f.Public]
		q.Where("r.network_id is ? null", bun.Safe(not))
	}
	db.Like(q, f.Keyword, "r.vlan", "r.gateway", "r.cidr")
	n, err := db.Page(ctx, q, f.Offset, f.Limit)
	return ranges(rows), n, err
}

func ranges(rows []rangeRow) []Range {
	out := make([]Range, len(rows))
	for i, r := range rows {
		out[i] = r.Range
	}
	return out
}

// RangesByID gives ranges by their ids, removed ones too, in one query.
func RangesByID(ctx context.Context, q db.Tx, ids []uid.IPRange) (map[uid.IPRange]Range, error) {
	out := map[uid.IPRange]Range{}
	if len(ids) == 0 {
		return out, nil
	}
	var rows []rangeRow
	err := q.NewSelect().Model(&rows).Where("r.id in (?)", bun.List(ids)).Scan(ctx)
	for _, r := range rows {
		out[r.ID] = r.Range
	}
	return out, err
}

// groupNetworkFor gives the shared network with security groups that a machine of an account goes to in an advanced zone: the oldest of
// the account's and of those for its domain, one with free addresses before the others; "" where there is none.
func groupNetworkFor(ctx context.Context, tx db.Tx, account uid.Account, zone uid.Zone) (id uid.Network, err error) {
	err = tx.NewSelect().TableExpr("networks n").Column("n.id").
		Where("n.zone_id = ? and n.guest_type = ? and n.state <> ? and n.removed is null", zone, offering.Shared, Destroyed).
		Where("n.offering_id in (select id from network_offerings where services like ?)", `%"name":"`+groupService+`"%`).
		Where("(n.account_id = ? and n.acl_type = ? or exists (select 1 from domains d where "+
			"d.id = (select domain_id from accounts where id = ?) and "+forDomain+"))", account, ForAccount, account).
		OrderExpr("case when n.cidr = '' or exists (select 1 from public_ips p where p.free_for = n.id and p.state = 'Free') "+
			"then 0 else 1 end, n.id").
		Limit(1).Scan(ctx, &id)
	if db.IsNone(err) {
		return "", nil
	}
	return id, err
}

// guestNetworkOf gives the one guest network of a basic zone, "" where there is none.
func guestNetworkOf(ctx context.Context, tx db.Tx, zone uid.Zone) (id uid.Network, err error) {
	err = tx.NewRaw("select id from networks where zone_id = ? and per_pod and state <> ? and removed is null order by id limit 1",
		zone, Destroyed).Scan(ctx, &id)
	if db.IsNone(err) {
		return "", nil
	}
	return id, err
}

// ReleaseRangesOf makes the ranges of public addresses that are dedicated to an account everybody's.
func ReleaseRangesOf(ctx context.Context, tx db.Tx, account uid.Account) error {
	return releaseRanges(ctx, tx, "account_id = ?", account)
}

// ReleaseRangesFor makes the ranges of public addresses that are dedicated to a domain, and to no account, everybody's.
func ReleaseRangesFor(ctx context.Context, tx db.Tx, domain uid.Domain) error {
	return releaseRanges(ctx, tx, "domain_id = ? and account_id is null", domain)
}

func releaseRanges(ctx context.Context, tx db.Tx, which string, id any) error {
	which = "removed is null and network_id is null and " + which
	_, err := tx.NewRaw("update public_ips set free_for = (select r.zone_id from ip_ranges r where r.id = range_id) where range_id in "+
		"(select id from ip_ranges where "+which+")", id).Exec(ctx)
	if err != nil {
		return err
	}
	_, err = tx.NewRaw("update ip_ranges set account_id = null, domain_id = null where "+which, id).Exec(ctx)
	return err
}
