package account

import (
	"context"
	"strconv"
	"strings"

	"github.com/uptrace/bun"

	"github.com/virga-cloud/virga/internal/db"
	"github.com/virga-cloud/virga/uid"
)

// uncounted gives the error of a count that could not be changed.
type uncounted = func(ctx context.Context, q db.Tx) error

type countRow struct {
	bun.BaseModel `bun:"table:resource_counts"`
	AccountID     uid.Account `bun:",pk"`
	Kind          Kind        `bun:",pk"`
	Used          int64
	Maximum       int64
}

// Asking and counting are one statement, so that no other transaction comes between. "maximum - used >= n" can't overflow,
// whatever n is.
var (
	takeCount = db.PrepareMust(`update resource_counts set used = used + ?
		where account_id = ? and kind = ? and (maximum < 0 or maximum - used >= ?)`)
	giveCount = db.PrepareMust("update resource_counts set used = used - ? where account_id = ? and kind = ? and used >= ?")
)

// take counts n more; the transaction fails with what otherwise gives where the limit does not allow them.
func take(ctx context.Context, tx db.Tx, account uid.Account, kind Kind, n int64, otherwise uncounted) error {
	return tx.Must(ctx, takeCount, otherwise, n, account, kind, n)
}

// give counts n less.
func give(ctx context.Context, tx db.Tx, account uid.Account, kind Kind, n int64, otherwise uncounted) error {
	return tx.Must(ctx, giveCount, otherwise, n, account, kind, n)
}

// countsOf gives a row for an account, and not one for each kind: rows are what takes long when there are hundreds of accounts.
var countsOf = db.PrepareMany(`select account_id, string_agg(kind || ' ' || used || ' ' || maximum, ' ') as counts
	from resource_counts where account_id in (?) group by account_id`)

func counts(ctx context.Context, q db.Tx, accounts []uid.Account) (map[uid.Account]Counts, error) {
	type counted struct {
		AccountID uid.Account
		Counts    string
	}
	return db.ByID(ctx, q, countsOf, accounts, func(r counted) (uid.Account, Counts) {
		c, words := Counts{}, strings.Fields(r.Counts)
		for i := 0; i+2 < len(words); i += 3 {
			c[Kind(words[i])] = Count{Used: number(words[i+1]), Maximum: number(words[i+2])}
		}
		return r.AccountID, c
	})
}

// number reads what the database wrote.
func number(text string) int64 {
	n, _ := strconv.ParseInt(text, 10, 64)
	return n
}

func insertCounts(ctx context.Context, tx db.Tx, rows []countRow) error {
	_, err := tx.NewInsert().Model(&rows).Exec(ctx)
	return err
}
