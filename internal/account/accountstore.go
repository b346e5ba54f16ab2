package account

import (
	"context"

	"github.com/uptrace/bun"

	"github.com/virga-cloud/virga/internal/auth"
	"github.com/virga-cloud/virga/internal/db"
	"github.com/virga-cloud/virga/internal/limit"
	"github.com/virga-cloud/virga/uid"
)

type accountRow struct {
	bun.BaseModel `bun:"table:accounts,alias:a"`
	Account
	InProjects bool
}

func insertAccount(ctx context.Context, tx db.Tx, a Account) error {
	if a.Details == nil {
		a.Details = map[string]string{}
	}
	_, err := tx.NewInsert().Model(&accountRow{Account: a}).Exec(ctx)
	return err
}

func selectAccounts(q db.Tx, rows any) *bun.SelectQuery {
	s := q.NewSelect().Model(rows)
	withDomain(s)
	return s
}

func withDomain(q *bun.SelectQuery) {
	q.ColumnExpr("a.*, d.name as domain_name, d.path as domain_path").Join("join domains as d on d.id = a.domain_id")
}

func accountByName(ctx context.Context, q db.Tx, domain uid.Domain, name string) (Account, error) {
	var row accountRow
	err := selectAccounts(q, &row).Where("a.domain_id = ? and a.name = ? and a.type <> ? and a.removed is null", domain, name, auth.Project).Scan(ctx)
	return row.Account, err
}

var findNames = db.PrepareMany(`select a.id, a.name, a.type, a.domain_id, d.name as domain_name, d.path as domain_path
	from accounts a join domains d on d.id = a.domain_id where a.id in (?)`)

// names finds those of removed accounts too. Its accounts' names and its domains' are both behind it.
var names = db.Remember("accounts", func(ctx context.Context, q db.Tx, ids []uid.Account) (map[uid.Account]Name, error) {
	return db.ByID(ctx, q, findNames, ids, func(r accountRow) (uid.Account, Name) {
		return r.ID, Name{Account: r.Name, Type: r.Type, Domain: r.Domain, DomainName: r.DomainName, DomainPath: r.DomainPath}
	})
})

func listAccounts(ctx context.Context, tx db.Tx, f AccountFilter) ([]Account, int, error) {
	var rows []accountRow
	q := tx.NewSelect().Model(&rows).Where("a.removed is null and a.id <> ?", auth.System().Account).OrderExpr("a.id")
	f.Scope.WhereOwner(q, "a.id", "a.domain_id")
	if f.ID != "" {
		q.Where("a.id = ?", f.ID)
	}
	if f.Name != "" {
		q.Where("a.name = ?", f.Name)
	}
	if f.State != "" {
		q.Where("a.state = ?", f.State)
	}
	if f.Type != nil {
		q.Where("a.type = ?", *f.Type)
	}
	if !f.Projects {
		q.Where("a.type <> ?", auth.Project)
	}
	if f.Keys != nil {
		q.Where("a.key_access = ?", *f.Keys)
	}
	if f.Closing != nil {
		q.Where("a.closing = ?", *f.Closing)
	}
	db.Like(q, f.Keyword, "a.name")
	total, err := db.PageByID(ctx, q, f.Offset, f.Limit, withDomain)
	return accounts(rows), total, err
}

func accounts(rows []accountRow) []Account {
	all := make([]Account, len(rows))
	for i, r := range rows {
		all[i] = r.Account
	}
	return all
}

func countOfRole(ctx context.Context, q db.Tx, id uid.Role) (int, error) {
	n, err := q.NewSelect().Model((*accountRow)(nil)).Where("a.role_id = ? and a.removed is null", id).Count(ctx)
	return int(n), err
}

// Hold keeps others from changing an account, which may not be there, until the transaction's end.
func Hold(ctx context.Context, tx db.Tx, id uid.Account) error {
	var found []uid.Account
	return tx.Lock(tx.NewSelect().Table("accounts").Column("id").Where("id = ?", id)).Scan(ctx, &found)
}

func accountInScope(ctx context.Context, q db.Tx, scope auth.Scope, id uid.Account) (Account, error) {
	var row accountRow
	err := scope.WhereOwner(selectAccounts(q, &row), "a.id", "a.domain_id").Where("a.id = ? and a.removed is null", id).Scan(ctx)
	return row.Account, err
}

// ByID gives accounts by their ids, removed ones too, without what [Dress] gives them.
func ByID(ctx context.Context, q db.Tx, ids []uid.Account) (map[uid.Account]Account, error) {
	var rows []accountRow
	err := selectAccounts(q, &rows).Where("a.id in (?)", bun.List(ids)).Scan(ctx)
	out := make(map[uid.Account]Account, len(rows))
	for _, r := range rows {
		out[r.ID] = r.Account
	}
	return out, err
}

func isClosing(ctx context.Context, q db.Tx, id uid.Account) (closing bool, err error) {
	err = q.NewRaw("select closing from accounts where id = ? and removed is null", id).Scan(ctx, &closing)
	return closing, err
}

func hasID(ctx context.Context, q db.Tx, table, id string) (bool, error) {
	return q.NewSelect().Table(table).Where("id = ?", id).Exists(ctx)
}

func saveAccount(ctx context.Context, tx db.Tx, a Account) error {
	_, err := tx.NewUpdate().Model(&accountRow{Account: a}).
		Column("name", "type", "role_id", "network_domain", "details", "key_access").WherePK().Exec(ctx)
	if err != nil {
		return err
	}
	return names.Forget(ctx, tx)
}

// Rename gives an account another name.
func Rename(ctx context.Context, tx db.Tx, id uid.Account, name string) error {
	if _, err := tx.NewRaw("update accounts set name = ? where id = ?", name, id).Exec(ctx); err != nil {
		return err
	}
	return names.Forget(ctx, tx)
}

// Joins marks a user, or with none the account, as one to look up projects for. The mark stays: it saves those the look-up that have
// never been in one.
func Joins(ctx context.Context, tx db.Tx, id uid.Account, user uid.User) error {
	query, which := "update accounts set in_projects = ? where id = ? and in_projects <> ?", string(id)
	if user != "" {
		query, which = "update users set in_projects = ? where id = ? and in_projects <> ?", string(user)
	}
	_, err := tx.NewRaw(query, true, which, true).Exec(ctx)
	return err
}

// SetState says whether an account may act.
func SetState(ctx context.Context, tx db.Tx, id uid.Account, s State) error {
	_, err := tx.NewRaw("update accounts set state = ? where id = ?", s, id).Exec(ctx)
	return err
}

func setDefaultZone(ctx context.Context, tx db.Tx, id uid.Account, zone uid.Zone) error {
	_, err := tx.NewRaw("update accounts set default_zone_id = ? where id = ?", zone, id).Exec(ctx)
	return err
}

// closeAccount marks an account as being deleted and removes its users. A maximum of 0 lets no request through that counts something,
// not even one that is under way: they all change that row.
func closeAccount(ctx context.Context, tx db.Tx, id uid.Account) error {
	for _, change := range []struct {
		query string
		args  []any
	}{
		{"update accounts set closing = ?, state = ? where id = ?", []any{true, Disabled, id}},
		{"delete from api_keys where user_id in (select id from users where account_id = ?)", []any{id}},
		{"update users set removed = ? where account_id = ? and removed is null", []any{tx.Now, id}},
	} {
		if _, err := tx.NewRaw(change.query, change.args...).Exec(ctx); err != nil {
			return err
		}
	}
	return limit.Shut(ctx, tx, id)
}

func removeAccount(ctx context.Context, tx db.Tx, id uid.Account) error {
	_, err := tx.NewRaw("update accounts set removed = ? where id = ? and closing and removed is null", tx.Now, id).Exec(ctx)
	return err
}
