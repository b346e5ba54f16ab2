package saml

import (
	"context"
	"time"

	"github.com/uptrace/bun"

	"github.com/virga-cloud/virga/internal/auth"
	"github.com/virga-cloud/virga/internal/db"
	"github.com/virga-cloud/virga/uid"
)

type keyRow struct {
	bun.BaseModel `bun:"table:saml_keys"`
	ID            string `bun:",pk"`
	Key           string // sealed
	Certificate   string
	Created       time.Time
}

func findKey(ctx context.Context, q db.Tx) (keyRow, error) {
	var row keyRow
	err := q.NewSelect().Model(&row).Where("id = ?", theKey).Scan(ctx)
	return row, err
}

func putKeyOnce(ctx context.Context, tx db.Tx, row keyRow) error {
	_, err := tx.NewInsert().Model(&row).On("conflict do nothing").Exec(ctx)
	return err
}

// useUp tells whether something was never shown before.
func useUp(ctx context.Context, tx db.Tx, id string, until time.Time) (bool, error) {
	n, err := db.Changed(tx.NewRaw("insert into saml_used (id, expires) values (?, ?) on conflict do nothing", id, until).Exec(ctx))
	return n == 1, err
}

type ticketRow struct {
	bun.BaseModel `bun:"table:saml_tickets"`
	ID            string `bun:",pk"`
	Request       string
	IDP           string
	Username      string
	NameID        string
	NameFormat    string
	SessionIndex  string
	Expires       time.Time
}

func insertTicket(ctx context.Context, tx db.Tx, row ticketRow) error {
	_, err := tx.NewInsert().Model(&row).Exec(ctx)
	return err
}

// takeTicket gives a ticket that is good, to one who asks.
func takeTicket(ctx context.Context, tx db.Tx, id string) (ticketRow, error) {
	var row ticketRow
	err := tx.NewRaw("delete from saml_tickets where id = ? and expires > ? returning *", id, tx.Now).Scan(ctx, &row)
	return row, err
}

// authorized gives the user of that name who was authorized first, in one domain if its path is given.
func authorized(ctx context.Context, tx db.Tx, idp, username, path string) (id uid.User, err error) {
	q := tx.NewSelect().TableExpr("saml_users as s").ColumnExpr("s.user_id").Join("join users as u on u.id = s.user_id").
		Join("join domains as d on d.id = u.domain_id").
		Where("s.idp = ? and u.username = ? and u.source = ? and u.state = 'enabled' and u.removed is null", idp, username, auth.SAML2)
	if path != "" {
		q.Where("d.path = ?", path)
	}
	err = q.OrderExpr("s.created, s.user_id").Limit(1).Scan(ctx, &id)
	return id, err
}

type sessionRow struct {
	bun.BaseModel `bun:"table:saml_sessions"`
	SessionID     string `bun:",pk"`
	IDP           string
	NameID        string
	NameFormat    string
	SessionIndex  string
}

func insertSession(ctx context.Context, tx db.Tx, row sessionRow) error {
	_, err := tx.NewInsert().Model(&row).Exec(ctx)
	return err
}

func findSession(ctx context.Context, q db.Tx, id string) (sessionRow, error) {
	var row sessionRow
	err := q.NewSelect().Model(&row).Where("session_id = ?", id).Scan(ctx)
	return row, err
}

// leaving is a session that a provider ends.
type leaving struct {
	SessionID string
	UserID    uid.User
	Username  string
	AccountID uid.Account
	DomainID  uid.Domain
}

// sessionsOf gives the sessions of somebody of a provider; of one session of it, where indexes are given.
func sessionsOf(ctx context.Context, q db.Tx, idp, nameID string, indexes []string) (rows []leaving, err error) {
	s := q.NewSelect().TableExpr("saml_sessions as s").ColumnExpr("s.session_id, u.id as user_id, u.username, u.account_id, u.domain_id").
		Join("join sessions as x on x.id = s.session_id").Join("join users as u on u.id = x.user_id").
		Where("s.idp = ? and s.name_id = ?", idp, nameID)
	db.In(s, "s.session_index", indexes)
	err = s.OrderExpr("s.session_id").Scan(ctx, &rows)
	return rows, err
}

func putUser(ctx context.Context, tx db.Tx, user uid.User, idp string) error {
	_, err := tx.NewRaw(`insert into saml_users (user_id, idp, created) values (?, ?, ?)
		on conflict (user_id) do update set idp = excluded.idp, created = excluded.created`, user, idp, tx.Now).Exec(ctx)
	return err
}

type authorizationRow struct {
	bun.BaseModel `bun:"table:saml_users,alias:s"`
	Authorization
}

func listAuthorizations(ctx context.Context, q db.Tx, f Filter, scope auth.Scope) ([]Authorization, int, error) {
	var rows []authorizationRow
	s := scope.Where(q.NewSelect().Model(&rows).ColumnExpr("s.user_id, s.idp, u.source").
		Join("join users as u on u.id = s.user_id"), "u").Where("u.removed is null and u.source in ('saml2', 'saml2disabled')")
	db.Equal(s, "s.user_id", f.User)
	db.Like(s, f.Keyword, "u.username")
	total, err := db.Page(ctx, s.OrderExpr("s.user_id"), f.Offset, f.Limit)
	out := make([]Authorization, len(rows))
	for i, r := range rows {
		out[i] = r.Authorization
	}
	return out, total, err
}

func samePerson(ctx context.Context, q db.Tx, user uid.User) (rows []Person, err error) {
	err = q.NewSelect().TableExpr("saml_users as s").
		ColumnExpr("u.id as user, u.username, d.id as domain, d.name as domain_name, d.path as domain_path, a.name as account, s.idp").
		Join("join users as u on u.id = s.user_id").Join("join accounts as a on a.id = u.account_id").Join("join domains as d on d.id = u.domain_id").
		Join("join saml_users as mine on mine.user_id = ? and mine.idp = s.idp", user).
		Join("join users as me on me.id = mine.user_id and me.username = u.username and me.source = ?", auth.SAML2).
		Where("u.source = ? and u.state = 'enabled' and u.removed is null and a.state = 'enabled'", auth.SAML2).
		OrderExpr("s.created, s.user_id").Scan(ctx, &rows)
	return rows, err
}

func expire(ctx context.Context, tx db.Tx) error {
	if _, err := tx.NewRaw("delete from saml_used where expires <= ?", tx.Now).Exec(ctx); err != nil {
		return err
	}
	_, err := tx.NewRaw("delete from saml_tickets where expires <= ?", tx.Now).Exec(ctx)
	return err
}
