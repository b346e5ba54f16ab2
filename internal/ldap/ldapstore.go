package ldap

import (
	"context"

	"github.com/uptrace/bun"

	"github.com/virga-cloud/virga/internal/auth"
	"github.com/virga-cloud/virga/internal/db"
	"github.com/virga-cloud/virga/uid"
)

type serverRow struct {
	bun.BaseModel `bun:"table:ldap_servers,alias:s"`
	Server
}

type linkRow struct {
	bun.BaseModel `bun:"table:ldap_links,alias:l"`
	Link
}

// lineOf gives a domain and those above it, the nearest first.
func lineOf(ctx context.Context, q db.Tx, id uid.Domain) (line []uid.Domain, err error) {
	err = q.NewRaw(`with recursive line (id, parent_id, level) as (
			select id, parent_id, level from domains where id = ?
			union all select d.id, d.parent_id, d.level from domains d join line l on d.id = l.parent_id)
		select id from line order by level desc`, id).Scan(ctx, &line)
	return line, err
}

func insertServer(ctx context.Context, tx db.Tx, s Server) error {
	_, err := tx.NewInsert().Model(&serverRow{Server: s}).Exec(ctx)
	return err
}

// serversOf gives domains' servers in the order in which they were added.
func serversOf(ctx context.Context, q db.Tx, domains []uid.Domain) (map[uid.Domain][]Server, error) {
	var rows []serverRow
	err := q.NewSelect().Model(&rows).Where("s.domain_id in (?)", bun.List(domains)).OrderExpr("s.created, s.id").Scan(ctx)
	of := map[uid.Domain][]Server{}
	for _, r := range rows {
		of[r.Domain] = append(of[r.Domain], r.Server)
	}
	return of, err
}

// liveServers are those of domains that are there, and of the whole cloud.
func liveServers(q *bun.SelectQuery) *bun.SelectQuery {
	return q.Where("(s.domain_id = '' or exists (select 1 from domains d where d.id = s.domain_id and d.removed is null))")
}

func listServers(ctx context.Context, q db.Tx, f Filter) ([]Server, int, error) {
	var rows []serverRow
	s := liveServers(q.NewSelect().Model(&rows)).OrderExpr("s.id")
	if f.ID != "" {
		s.Where("s.id = ?", f.ID)
	}
	if f.Domain != nil {
		s.Where("s.domain_id = ?", *f.Domain)
	}
	if f.Hostname != "" {
		s.Where("s.hostname = ?", f.Hostname)
	}
	if f.Port != 0 {
		s.Where("s.port = ?", f.Port)
	}
	db.Like(s, f.Keyword, "s.hostname")
	total, err := db.PageByID(ctx, s, f.Offset, f.Limit)
	out := make([]Server, len(rows))
	for i, r := range rows {
		out[i] = r.Server
	}
	return out, total, err
}

// ServersByID gives servers by their ids.
func ServersByID(ctx context.Context, q db.Tx, ids []uid.LDAPServer) (map[uid.LDAPServer]Server, error) {
	var rows []serverRow
	err := q.NewSelect().Model(&rows).Where("s.id in (?)", bun.List(ids)).Scan(ctx)
	out := make(map[uid.LDAPServer]Server, len(rows))
	for _, r := range rows {
		out[r.ID] = r.Server
	}
	return out, err
}

// deleteServer tells whether it was there.
func deleteServer(ctx context.Context, tx db.Tx, id uid.LDAPServer) (bool, error) {
	n, err := db.Changed(tx.NewRaw("delete from ldap_servers where id = ?", id).Exec(ctx))
	return n == 1, err
}

func selectLinks(q db.Tx, rows any) *bun.SelectQuery {
	return q.NewSelect().Model(rows).ColumnExpr("l.*, coalesce(a.name, '') as account_name").
		Join("left join accounts as a on a.id = l.account_id").Where("(l.account_id = '' or a.removed is null)").OrderExpr("l.created, l.account_id")
}

// linksOf gives a domain's links; those of accounts that are gone are none.
func linksOf(ctx context.Context, q db.Tx, domain uid.Domain) ([]Link, error) {
	var rows []linkRow
	err := selectLinks(q, &rows).Where("l.domain_id = ?", domain).Scan(ctx)
	out := make([]Link, len(rows))
	for i, r := range rows {
		out[i] = r.Link
	}
	return out, err
}

// putLink stores a link in the place of the one that its account has.
func putLink(ctx context.Context, tx db.Tx, l Link) error {
	// An account that is gone keeps no group from another.
	_, err := tx.NewRaw(`delete from ldap_links where domain_id = ? and name = ? and account_id <> '' and account_id in (
		select id from accounts where removed is not null)`, l.Domain, l.Name).Exec(ctx)
	if err != nil {
		return err
	}
	if _, err := deleteLink(ctx, tx, l.Domain, l.Account); err != nil {
		return err
	}
	_, err = tx.NewInsert().Model(&linkRow{Link: l}).Exec(ctx)
	return err
}

// deleteLink tells whether there was one.
func deleteLink(ctx context.Context, tx db.Tx, domain uid.Domain, account uid.Account) (bool, error) {
	n, err := db.Changed(tx.NewRaw("delete from ldap_links where domain_id = ? and account_id = ?", domain, account).Exec(ctx))
	return n == 1, err
}

// known gives the sources of the users that have these names: in a domain, or in it and all below.
func known(ctx context.Context, q db.Tx, scope auth.Scope, names []string) (map[string]auth.Source, error) {
	out := map[string]auth.Source{}
	for len(names) > 0 {
		n := min(len(names), 500)
		var rows []struct {
			Username string
			Source   auth.Source
		}
		s := q.NewSelect().TableExpr("users as u").Column("u.username", "u.source").
			Where("u.removed is null and u.username in (?)", bun.List(names[:n]))
		if err := scope.Where(s, "u").Scan(ctx, &rows); err != nil {
			return nil, err
		}
		for _, r := range rows {
			out[r.Username] = r.Source
		}
		names = names[n:]
	}
	return out, nil
}

// fromDirectories gives those users of a domain, or of one account of it, that a directory vouches for.
func fromDirectories(ctx context.Context, q db.Tx, domain uid.Domain, account string) (map[string]uid.User, error) {
	var rows []struct {
		ID       uid.User
		Username string
	}
	s := q.NewSelect().TableExpr("users as u").Column("u.id", "u.username").
		Where("u.removed is null and u.domain_id = ? and u.source = ?", domain, auth.LDAP)
	if account != "" {
		s.Where("u.account_id in (select id from accounts where domain_id = ? and name = ? and removed is null)", domain, account)
	}
	err := s.Scan(ctx, &rows)
	out := make(map[string]uid.User, len(rows))
	for _, r := range rows {
		out[r.Username] = r.ID
	}
	return out, err
}

// vouched is a user for whom a directory vouches.
type vouched struct {
	ID        uid.User
	Username  string
	Withdrawn bool
}

// ofDirectories selects users that could be disabled, or enabled again, because of a directory.
func ofDirectories(q db.Tx) *bun.SelectQuery {
	return q.NewSelect().TableExpr("users as u").Where("u.removed is null and u.source = ? and (u.state = 'enabled' or u.withdrawn)", auth.LDAP)
}

func domainsOfUsers(ctx context.Context, q db.Tx) (ids []uid.Domain, err error) {
	err = ofDirectories(q).ColumnExpr("distinct u.domain_id").OrderExpr("u.domain_id").Scan(ctx, &ids)
	return ids, err
}

func vouchedFor(ctx context.Context, q db.Tx, domain uid.Domain) (users []vouched, err error) {
	err = ofDirectories(q).Column("u.id", "u.username", "u.withdrawn").Where("u.domain_id = ?", domain).OrderExpr("u.id").Scan(ctx, &users)
	return users, err
}
