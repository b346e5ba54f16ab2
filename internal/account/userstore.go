package account

import (
	"context"
	"strconv"
	"strings"
	"time"

	"github.com/uptrace/bun"

	"github.com/virga-cloud/virga/internal/auth"
	"github.com/virga-cloud/virga/internal/db"
	"github.com/virga-cloud/virga/internal/detail"
	"github.com/virga-cloud/virga/uid"
)

type userRow struct {
	bun.BaseModel `bun:"table:users,alias:u"`
	User
	Password    string // a hash, or "" for nobody's
	Failures    int
	LockedUntil time.Time `bun:",nullzero"`

	InProjects   bool
	FactorSecret string // sealed
	FactorStep   int64  // the last code that was used, and all before it are good for nothing
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
		ColumnExpr("a.key_access as account_key_access").
		ColumnExpr("d.name as domain_name, d.path as domain_path, coalesce(k.api_key, '') as api_key").
		Join("join accounts as a on a.id = u.account_id").
		Join("join domains as d on d.id = u.domain_id").
		Join("left join api_keys as k on k.user_id = u.id and k.name = ''")
}

// actingColumns is the beginning of a query for users that act: also whether one is to be asked for projects, and whether there are any.
var actingColumns = `u.*, a.name as account_name, a.type as account_type, a.role_id as account_role, a.state as account_state,
	a.key_access as account_key_access, d.name as domain_name, d.path as domain_path, coalesce(k.api_key, '') as api_key,
	(u.in_projects or a.in_projects) as joined,
	not exists (select 1 from accounts where type = ` + strconv.Itoa(int(auth.Project)) + `) as no_projects
	from users u join accounts a on a.id = u.account_id join domains d on d.id = u.domain_id
	left join api_keys k on k.user_id = u.id and k.name = ''`

var acting = db.Prepare("select " + actingColumns + " where u.id = ? and " + mayAct)

// userByName finds a user by its name and its domain's path or id, whether it may act or not.
func userByName(ctx context.Context, q db.Tx, username, domain string) (userRow, error) {
	var row userRow
	s := selectUsers(q, &row).Where("u.username = ? and u.removed is null", username)
	if id := strings.ToLower(domain); uid.Valid(id) {
		s.Where("d.id = ?", id)
	} else {
		s.Where("d.path = ? and d.removed is null", DomainPath(domain))
	}
	err := s.Scan(ctx)
	return row, err
}

func actingUser(ctx context.Context, q db.Tx, id uid.User) (User, error) {
	row, err := db.One[userRow](ctx, q, acting, id)
	return row.User, err
}

// anyUserByKey finds a user by its API key, whether it may act or not.
func anyUserByKey(ctx context.Context, q db.Tx, apiKey string) (User, error) {
	var row userRow
	err := selectUsers(q, &row).Join("join api_keys as p on p.user_id = u.id").
		Where("p.api_key = ? and u.removed is null", apiKey).Scan(ctx)
	return row.User, err
}

func userInScope(ctx context.Context, q db.Tx, scope auth.Scope, id uid.User) (User, error) {
	var row userRow
	err := scope.Where(selectUsers(q, &row), "u").Where("u.id = ? and u.removed is null", id).Scan(ctx)
	return row.User, err
}

// admit tells whether a user whose password was right may come in, and forgets its failures. The password, and who vouches for the user,
// must still be what was compared; it gets a new hash. (Two logins that renew a hash at the same moment: one of them has to try again.)
// Where a second factor is still to come they are kept: with each right password there would be new guesses of codes.
func admit(ctx context.Context, tx db.Tx, u User, compared, hash string, forget bool) (bool, error) {
	n, err := db.Changed(tx.NewRaw(`update users set failures = case when ? then 0 else failures end, locked_until = null, password = ?
		where id = ? and password = ? and source = ? and state = 'enabled' and (locked_until is null or locked_until <= ?) and exists (
			select 1 from users as u join accounts as a on a.id = u.account_id join domains as d on d.id = u.domain_id
			where u.id = ? and `+mayAct+`)`, forget, hash, u.ID, compared, u.Source, tx.Now, u.ID).Exec(ctx))
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
	if f.Source != "" {
		q.Where("u.source = ?", f.Source)
	}
	if f.Keys != nil {
		q.Where("u.key_access = ?", *f.Keys)
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

var usersOfMany = db.PrepareMany(`select u.id, u.account_id, u.domain_id, u.username, u.firstname, u.lastname, u.email, u.timezone, u.state, u.source,
	u.factor, u.factor_mandated,
	u.key_access, u.created, coalesce(k.api_key, '') as api_key
	from users u left join api_keys k on k.user_id = u.id and k.name = '' where u.account_id in (?) and u.removed is null order by u.id`)

// usersOf gives accounts' users, without what the accounts know themselves.
func usersOf(ctx context.Context, q db.Tx, ids []uid.Account) (map[uid.Account][]User, error) {
	of := map[uid.Account][]User{}
	rows, err := db.Rows[userRow](ctx, q, usersOfMany, ids)
	for _, r := range rows {
		of[r.Account] = append(of[r.Account], r.User)
	}
	return of, err
}

// lockUser keeps others from changing a user, which may not be there, until the transaction's end.
func lockUser(ctx context.Context, tx db.Tx, id uid.User) error {
	var found []uid.User
	return tx.Lock(tx.NewSelect().Table("users").Column("id").Where("id = ?", id)).Scan(ctx, &found)
}

// UsersByID gives users by their ids, removed ones too.
func UsersByID(ctx context.Context, q db.Tx, ids []uid.User) (map[uid.User]User, error) {
	var rows []userRow
	err := selectUsers(q, &rows).Where("u.id in (?)", bun.List(ids)).Scan(ctx)
	out := make(map[uid.User]User, len(rows))
	for _, r := range rows {
		out[r.ID] = r.User
	}
	return out, err
}

func saveUser(ctx context.Context, tx db.Tx, u User) error {
	_, err := tx.NewUpdate().Model(&userRow{User: u}).
		Column("username", "firstname", "lastname", "email", "timezone", "key_access").WherePK().Exec(ctx)
	if err != nil {
		return err
	}
	return usernames.Forget(ctx, tx)
}

func setUserState(ctx context.Context, tx db.Tx, id uid.User, s State, withdrawn bool) error {
	_, err := tx.NewRaw("update users set state = ?, withdrawn = ? where id = ?", s, withdrawn, id).Exec(ctx)
	return err
}

func setSource(ctx context.Context, tx db.Tx, id uid.User, source auth.Source) error {
	_, err := tx.NewRaw("update users set source = ? where id = ?", source, id).Exec(ctx)
	return err
}

func moveUser(ctx context.Context, tx db.Tx, id uid.User, to uid.Account) error {
	_, err := tx.NewRaw("update users set account_id = ? where id = ?", to, id).Exec(ctx)
	return err
}

func removeUser(ctx context.Context, tx db.Tx, id uid.User) error {
	if _, err := tx.NewRaw("delete from api_keys where user_id = ?", id).Exec(ctx); err != nil {
		return err
	}
	_, err := tx.NewRaw("update users set removed = ?, factor = '', factor_secret = '' where id = ?", tx.Now, id).Exec(ctx)
	return err
}

func enabledUsers(ctx context.Context, tx db.Tx, account uid.Account) (n int, err error) {
	err = tx.NewRaw("select count(*) from users where account_id = ? and state = ? and removed is null", account, Enabled).Scan(ctx, &n)
	return n, err
}

func passwordOf(ctx context.Context, q db.Tx, id uid.User) (hash string, err error) {
	err = q.NewRaw("select password from users where id = ?", id).Scan(ctx, &hash)
	return hash, err
}

// putPassword stores a hash in the place of the one that is known, "" for any, and forgets failures. It tells whether that one was there.
func putPassword(ctx context.Context, tx db.Tx, id uid.User, known, hash string) (bool, error) {
	n, err := db.Changed(tx.NewRaw(`update users set password = ?, failures = 0, locked_until = null
		where id = ? and (? = '' or password = ?)`, hash, id, known, known).Exec(ctx))
	return n == 1, err
}

// DetailedUser are the users that can have details.
var DetailedUser = detail.Kind{Type: "User", Table: "users", Live: "removed is null"}
