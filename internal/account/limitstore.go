package account

import (
	"context"
	"strconv"
	"strings"
	"sync"

	"github.com/virga-cloud/virga/internal/db"
	"github.com/virga-cloud/virga/uid"
)

// countings are the statements that count, one for each set of kinds that is ever counted together: a machine takes of five
// kinds at once. The row is one that everything of the account wants, so it is locked for the end of a transaction only.
var countings sync.Map // of countingKey, *db.Statement

type countingKey struct {
	give  bool
	kinds string
}

// counting gives the statement that takes or gives of some kinds. Asking and counting are one statement, so that no other
// transaction comes between. "max - used >= n" can't overflow, whatever n is. Its arguments are the amounts, the account,
// and the amounts again.
func counting(give bool, kinds []Kind) *db.Statement {
	key := countingKey{give: give}
	for _, k := range kinds {
		key.kinds += string(k) + " "
	}
	if known, ok := countings.Load(key); ok {
		return known.(*db.Statement)
	}
	sets, conditions := make([]string, len(kinds)), make([]string, len(kinds))
	for i, k := range kinds {
		used, most := string(k)+"_used", string(k)+"_max"
		sets[i], conditions[i] = used+" = "+used+" + ?", "("+most+" < 0 or "+most+" - "+used+" >= ?)"
		if give {
			sets[i], conditions[i] = used+" = "+used+" - ?", used+" >= ?"
		}
	}
	s, _ := countings.LoadOrStore(key, db.PrepareMust("update resource_counts set "+strings.Join(sets, ", ")+
		" where account_id = ? and "+strings.Join(conditions, " and ")).Hot())
	return s.(*db.Statement)
}

// count takes or gives all of use; the transaction fails with what otherwise gives where not all of it can be.
func count(ctx context.Context, tx db.Tx, account uid.Account, use Use, give bool, otherwise func(ctx context.Context, q db.Tx) error) error {
	var of []Kind
	var amounts []any
	for _, k := range kinds {
		if n := use[k.kind]; n != 0 {
			of, amounts = append(of, k.kind), append(amounts, n)
		}
	}
	if len(of) == 0 {
		return nil
	}
	args := append(append(append([]any{}, amounts...), account), amounts...)
	return tx.Must(ctx, counting(give, of), otherwise, args...)
}

var countsOf = sync.OnceValue(func() *db.Statement {
	columns := make([]string, len(kinds))
	for i, k := range kinds {
		columns[i] = string(k.kind) + "_used || ' ' || " + string(k.kind) + "_max"
	}
	return db.PrepareMany("select account_id, " + strings.Join(columns, " || ' ' || ") + " as counts from resource_counts where account_id in (?)")
})

func counts(ctx context.Context, q db.Tx, accounts []uid.Account) (map[uid.Account]Counts, error) {
	type counted struct {
		AccountID uid.Account
		Counts    string
	}
	return db.ByID(ctx, q, countsOf(), accounts, func(r counted) (uid.Account, Counts) {
		c, words := make(Counts, len(kinds)), strings.Fields(r.Counts)
		for i, k := range kinds {
			c[k.kind] = Count{Used: number(words[2*i]), Maximum: number(words[2*i+1])}
		}
		return r.AccountID, c
	})
}

// number reads what the database wrote.
func number(text string) int64 {
	n, _ := strconv.ParseInt(text, 10, 64)
	return n
}

// insertCounts gives a new account its row.
func insertCounts(ctx context.Context, tx db.Tx, account uid.Account, maxima map[Kind]int64) error {
	columns, args := []string{"account_id"}, []any{account}
	for _, k := range kinds {
		columns, args = append(columns, string(k.kind)+"_max"), append(args, maxima[k.kind])
	}
	_, err := tx.NewRaw("insert into resource_counts ("+strings.Join(columns, ", ")+") values (?"+
		strings.Repeat(", ?", len(kinds))+")", args...).Exec(ctx)
	return err
}
