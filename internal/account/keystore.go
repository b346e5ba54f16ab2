package account

import (
	"context"
	"database/sql"

	"github.com/uptrace/bun"

	"github.com/virga-cloud/virga/internal/auth"
	"github.com/virga-cloud/virga/internal/db"
	"github.com/virga-cloud/virga/uid"
)

type pairRow struct {
	bun.BaseModel `bun:"table:api_keys,alias:k"`
	KeyPair
}

type keyHolderRow struct {
	bun.BaseModel `bun:"table:users,alias:u"`
	userRow
	KeyID  uid.KeyPair `bun:",scanonly"`
	Rules  string      `bun:",scanonly"`
	Sealed string      `bun:",scanonly"`
}

var keyHolder = db.Prepare("select p.id as key_id, p.rules, p.secret as sealed, " + actingColumns +
	" join api_keys p on p.user_id = u.id where " + mayAct + `
	and p.api_key = ? and (p.starts is null or p.starts <= ?) and (p.ends is null or p.ends > ?)`)

// userByKey finds who may sign with a key now, as far as rows tell.
func userByKey(ctx context.Context, q db.Tx, apiKey string) (User, KeyPair, error) {
	row, err := db.One[keyHolderRow](ctx, q, keyHolder, apiKey, q.Now, q.Now)
	return row.User, KeyPair{ID: row.KeyID, Rules: row.Rules, Sealed: row.Sealed}, err
}

// putPlain gives a user its plain pair in the place of the one that it has, in one statement: there is no moment without one.
func putPlain(ctx context.Context, tx db.Tx, p KeyPair) error {
	_, err := tx.NewInsert().Model(&pairRow{KeyPair: p}).On("conflict (user_id, name) do update").
		Set("id = excluded.id").Set("api_key = excluded.api_key").Set("secret = excluded.secret").Set("created = excluded.created").Exec(ctx)
	return err
}

func insertPair(ctx context.Context, tx db.Tx, p KeyPair) error {
	_, err := tx.NewInsert().Model(&pairRow{KeyPair: p}).Exec(ctx)
	return err
}

func countPairs(ctx context.Context, tx db.Tx, id uid.User) (n int, err error) {
	err = tx.NewRaw("select count(*) from api_keys where user_id = ?", id).Scan(ctx, &n)
	return n, err
}

func deletePair(ctx context.Context, tx db.Tx, id uid.KeyPair) (bool, error) {
	n, err := db.Changed(tx.NewRaw("delete from api_keys where id = ?", id).Exec(ctx))
	return n == 1, err
}

func selectPairs(q db.Tx, rows *[]pairRow) *bun.SelectQuery {
	return q.NewSelect().Model(rows).ColumnExpr("k.*").
		ColumnExpr("u.username, u.account_id, u.domain_id, a.name as account_name, a.type as account_type, a.role_id as account_role").
		ColumnExpr("d.name as domain_name, d.path as domain_path").
		Join("join users as u on u.id = k.user_id").
		Join("join accounts as a on a.id = u.account_id").
		Join("join domains as d on d.id = u.domain_id").
		Where("u.removed is null")
}

// latestPair finds the plain pair of a user, or where there is none the one that was made last.
func latestPair(ctx context.Context, q db.Tx, id uid.User) (KeyPair, error) {
	var rows []pairRow
	err := selectPairs(q, &rows).Where("k.user_id = ?", id).OrderExpr("(case when k.name = '' then 0 else 1 end), k.id desc").Limit(1).Scan(ctx)
	if err == nil && len(rows) == 0 {
		err = sql.ErrNoRows
	}
	if err != nil {
		return KeyPair{}, err
	}
	return rows[0].KeyPair, nil
}

// listPairs gives a page of pairs of keys, the oldest first, and how many there are on all pages. The system's user has none.
func listPairs(ctx context.Context, q db.Tx, f PairFilter, covered []uid.Role) ([]KeyPair, int, error) {
	var rows []pairRow
	s := f.Scope.Where(selectPairs(q, &rows), "u").Where("u.id <> ?", auth.System().User).OrderExpr("k.id")
	if f.ID != "" {
		s.Where("k.id = ?", f.ID)
	}
	if f.User != "" {
		s.Where("k.user_id = ?", f.User)
	}
	if f.APIKey != "" {
		s.Where("k.api_key = ?", f.APIKey)
	}
	if covered != nil {
		s.Where("(a.role_id in (?) or u.id = ?)", bun.List(covered), auth.From(ctx).User)
	}
	db.Like(s, f.Keyword, "k.name", "k.description")
	n, err := db.Page(ctx, s, f.Offset, f.Limit)
	pairs := make([]KeyPair, len(rows))
	for i, r := range rows {
		pairs[i] = r.KeyPair
	}
	return pairs, n, err
}

// rolesInUse are the roles of accounts that users have, each with its type.
func rolesInUse(ctx context.Context, q db.Tx) ([]Account, error) {
	var rows []accountRow
	err := q.NewRaw("select distinct role_id, type from accounts where removed is null and type <> ?", auth.Project).Scan(ctx, &rows)
	return accounts(rows), err
}
