package oidc

import (
	"context"
	"time"

	"github.com/uptrace/bun"

	"github.com/virga-cloud/virga/internal/auth"
	"github.com/virga-cloud/virga/internal/db"
	"github.com/virga-cloud/virga/uid"
)

type providerRow struct {
	bun.BaseModel `bun:"table:oauth_providers,alias:p"`
	Provider
	Secret string // sealed
}

func insertProvider(ctx context.Context, tx db.Tx, p Provider, sealed string) error {
	_, err := tx.NewInsert().Model(&providerRow{Provider: p, Secret: sealed}).Exec(ctx)
	return err
}

func saveProvider(ctx context.Context, tx db.Tx, row providerRow) error {
	_, err := tx.NewUpdate().Model(&row).Column("description", "client_id", "redirect_uri", "enabled", "secret").WherePK().Exec(ctx)
	return err
}

func lockProvider(ctx context.Context, tx db.Tx, id uid.OAuthProvider) (providerRow, error) {
	var row providerRow
	err := tx.Lock(tx.NewSelect().Model(&row).Where("p.id = ?", id)).Scan(ctx)
	return row, err
}

func deleteProvider(ctx context.Context, tx db.Tx, id uid.OAuthProvider) error {
	if _, err := tx.NewRaw("delete from oauth_identities where provider_id = ?", id).Exec(ctx); err != nil {
		return err
	}
	if _, err := tx.NewRaw("delete from oauth_codes where provider_id = ?", id).Exec(ctx); err != nil {
		return err
	}
	_, err := tx.NewRaw("delete from oauth_providers where id = ?", id).Exec(ctx)
	return err
}

func listProviders(ctx context.Context, q db.Tx, f Filter, enabled bool) ([]providerRow, int, error) {
	var rows []providerRow
	s := q.NewSelect().Model(&rows).OrderExpr("p.id")
	db.Equal(s, "p.id", f.ID)
	db.Equal(s, "p.name", f.Name)
	db.Like(s, f.Keyword, "p.name", "p.description")
	if enabled {
		s.Where("p.enabled")
	}
	total, err := db.Page(ctx, s, f.Offset, f.Limit)
	return rows, total, err
}

func enabledProvider(ctx context.Context, q db.Tx, name string) (providerRow, error) {
	var row providerRow
	err := q.NewSelect().Model(&row).Where("p.name = ? and p.enabled", name).Scan(ctx)
	return row, err
}

// codeRow is a code for which a provider has told whose it is. Its ID is that of the way in.
type codeRow struct {
	bun.BaseModel `bun:"table:oauth_codes"`
	ID            string `bun:",pk"`
	ProviderID    uid.OAuthProvider
	Code          string // its digest
	Subject       string
	Email         string
	Used          bool
	Expires       time.Time
}

func insertCode(ctx context.Context, tx db.Tx, row codeRow) error {
	_, err := tx.NewInsert().Model(&row).Exec(ctx)
	return err
}

func findCode(ctx context.Context, q db.Tx, id string) (codeRow, error) {
	var row codeRow
	err := q.NewSelect().Model(&row).Where("id = ?", id).Scan(ctx)
	return row, err
}

// useCode tells whether the code was good until now.
func useCode(ctx context.Context, tx db.Tx, id string) (bool, error) {
	n, err := db.Changed(tx.NewRaw("update oauth_codes set used = ? where id = ? and not used and expires > ?", true, id, tx.Now).Exec(ctx))
	return n == 1, err
}

func deleteCodes(ctx context.Context, tx db.Tx) error {
	_, err := tx.NewRaw("delete from oauth_codes where expires <= ?", tx.Now).Exec(ctx)
	return err
}

// known gives the users that are known to be somebody of a provider, in one domain if one is named.
func known(ctx context.Context, tx db.Tx, p uid.OAuthProvider, subject string, in domain) (ids []uid.User, err error) {
	q := tx.NewSelect().TableExpr("oauth_identities as i").ColumnExpr("i.user_id").
		Join("join users as u on u.id = i.user_id").Join("join domains as d on d.id = u.domain_id").
		Where("i.provider_id = ? and i.subject = ? and u.removed is null and u.source = ?", p, subject, auth.OAuth2)
	err = in.where(q).OrderExpr("i.user_id").Limit(2).Scan(ctx, &ids)
	return ids, err
}

// byEmail gives the users with an address that nobody of the provider is known to be yet.
func byEmail(ctx context.Context, tx db.Tx, p uid.OAuthProvider, email string, in domain) (ids []uid.User, err error) {
	q := tx.NewSelect().TableExpr("users as u").ColumnExpr("u.id").Join("join domains as d on d.id = u.domain_id").
		Where("lower(u.email) = lower(?) and u.removed is null and u.source = ?", email, auth.OAuth2).
		Where("not exists (select 1 from oauth_identities as i where i.provider_id = ? and i.user_id = u.id)", p)
	err = in.where(q).OrderExpr("u.id").Limit(2).Scan(ctx, &ids)
	return ids, err
}

// domain is one by its ID or path; none restricts nothing.
type domain struct {
	id   uid.Domain
	path string
}

func (d domain) where(q *bun.SelectQuery) *bun.SelectQuery {
	switch {
	case d.id != "":
		q.Where("d.id = ?", d.id)
	case d.path != "":
		q.Where("d.path = ?", d.path)
	}
	return q
}

func insertIdentity(ctx context.Context, tx db.Tx, p uid.OAuthProvider, subject string, user uid.User) error {
	_, err := tx.NewRaw("insert into oauth_identities (provider_id, user_id, subject, created) values (?, ?, ?, ?)", p, user, subject, tx.Now).
		Exec(ctx)
	return err
}

func deleteIdentities(ctx context.Context, tx db.Tx, user uid.User) error {
	_, err := tx.NewRaw("delete from oauth_identities where user_id = ?", user).Exec(ctx)
	return err
}
