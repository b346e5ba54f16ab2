package account

import (
	"context"
	"strings"
	"time"

	"github.com/uptrace/bun"

	"github.com/virga-cloud/virga/internal/auth"
	"github.com/virga-cloud/virga/internal/db"
	"github.com/virga-cloud/virga/uid"
)

type userRow struct {
	bun.BaseModel `bun:"table:users,alias:u"`
	User
	Password    string // a hash, or "" for nobody's
	Failures    int
	LockedUntil time.Time `bun:",nullzero"`
}

// mayAct is true for users that may sign in and act, where u, a and d are the user, its account and its domain.
const mayAct = `u.state = 'enabled' and u.removed is null and a.state = 'enabled' and a.removed is null
	and d.state = 'Active' and d.removed is null`

func insertUser(ctx context.Context, tx db.Tx, u User, hash string) error {
	_, err := tx.NewInsert().Model(&userRow{User: u, Password: hash}).Exec(ctx)
	return err
}

func selectUsers(q db.Tx, rows any) *bun.SelectQuery {
	s := q.NewSelect().Model(rows)
	withAccount(s)
	return s
}

func withAccount(q *bun.SelectQuery) {
	q.ColumnExpr("u.*, a.name as account_name, a.type as account_type, a.role_id as account_role, a.state as account_state").
		ColumnExpr("d.name as domain_name, d.path as domain_path, coalesce(k.api_key, '') as api_key").
		Join("join accounts as a on a.id = u.account_id").
		Join("join domains as d on d.id = u.domain_id").
		Join("left join api_keys as k on k.user_id = u.id")
}

// userByName finds a user by its name and its domain's path or id, whether it may act or not.
func userByName(ctx context.Context, q db.Tx, username, domain string) (userRow, error) {
	var row userRow
	s := selectUsers(q, &row).Where("u.username = ? and u.removed is null", username)
	if id := strings.ToLower(domain); uid.Valid(id) {
		s.Where("d.id = ?", id)
	} else {
		s.Where("d.path = ? and d.removed is null", domainPath(domain))
	}
	err := s.Scan(ctx)
	return row, err
}

func actingUser(ctx context.Context, q db.Tx, id uid.User) (User, error) {
	var row userRow
	err := selectUsers(q, &row).Where("u.id = ?", id).Where(mayAct).Scan(ctx)
	return row.User, err
}

// anyUserByKey finds a user by its API key, whether it may act or not.
func anyUserByKey(ctx context.Context, q db.Tx, apiKey string) (User, error) {
	var row userRow
	err := selectUsers(q, &row).Where("k.api_key = ? and u.removed is null", apiKey).Scan(ctx)
	return row.User, err
}

func userInScope(ctx context.Context, q db.Tx, scope auth.Scope, id uid.User) (User, error) {
	var row userRow
	err := scope.Where(selectUsers(q, &row), "u").Where("u.id = ? and u.removed is null", id).Scan(ctx)
	return row.User, err
}

// admit tells whether a user whose password was right may come in, and forgets its failures. The password must still be the
// one that was compared; it gets a new hash. (Two logins that renew a hash at the same moment: one of them has to try again.)
func admit(ctx context.Context, tx db.Tx, id uid.User, compared, hash string) (bool, error) {
	n, err := db.Changed(tx.NewRaw(`update users set failures = 0, locked_until = null, password = ?
		where id = ? and password = ? and state = 'enabled' and (locked_until is null or locked_until <= ?) and exists (
			select 1 from users as u join accounts as a on a.id = u.account_id join domains as d on d.id = u.domain_id
			where u.id = ? and `+mayAct+`)`, hash, id, compared, tx.Now, id).Exec(ctx))
	return n == 1, err
}

// lockFailures reads a user's failures and locks them until the transaction's end.
func lockFailures(ctx context.Context, tx db.Tx, id uid.User) (int, time.Time, error) {
	var row userRow
	err := tx.Lock(tx.NewSelect().Model(&row).Column("failures", "locked_until").Where("id = ?", id)).Scan(ctx)
	return row.Failures, row.LockedUntil, err
}

func putFailures(ctx context.Context, tx db.Tx, id uid.User, failures int, until time.Time) error {
	_, err := tx.NewRaw("update users set failures = ?, locked_until = ? where id = ?",
		failures, bun.NullTime{Time: until}, id).Exec(ctx)
	return err
}

func listUsers(ctx context.Context, tx db.Tx, f UserFilter) ([]User, int, error) {
	var rows []userRow
	q := f.Scope.Where(tx.NewSelect().Model(&rows), "u").
		Where("u.removed is null and u.id <> ?", auth.System().User).OrderExpr("u.id")
	if f.ID != "" {
		q.Where("u.id = ?", f.ID)
	}
	if f.Username != "" {
		q.Where("u.username = ?", f.Username)
	}
	if f.State != "" {
		q.Where("u.state = ?", f.State)
	}
	if f.Type != nil {
		q.Where("u.account_id in (select id from accounts where type = ?)", *f.Type)
	}
	db.Like(q, f.Keyword, "u.username", "u.firstname", "u.lastname", "u.email")
	total, err := db.PageByID(ctx, q, f.Offset, f.Limit, withAccount)
	users := make([]User, len(rows))
	for i, r := range rows {
		users[i] = r.User
	}
	return users, total, err
}

var usersOfMany = db.PrepareMany(`select u.id, u.account_id, u.domain_id, u.username, u.firstname, u.lastname, u.email, u.timezone, u.state,
	u.created, coalesce(k.api_key, '') as api_key
	from users u left join api_keys k on k.user_id = u.id where u.account_id in (?) and u.removed is null order by u.id`)

// usersOf gives accounts' users, without what the accounts know themselves.
func usersOf(ctx context.Context, q db.Tx, ids []uid.Account) (map[uid.Account][]User, error) {
	of := map[uid.Account][]User{}
	rows, err := db.Rows[userRow](ctx, q, usersOfMany, ids)
	for _, r := range rows {
		of[r.Account] = append(of[r.Account], r.User)
	}
	return of, err
}
