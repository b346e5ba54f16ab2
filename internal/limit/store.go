package limit

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"sync"

	"github.com/uptrace/bun"

	"github.com/virga-cloud/virga/internal/db"
	"github.com/virga-cloud/virga/uid"
)

// holdingOf is where the counts of a holder are.
func holdingOf[Holder uid.Account | uid.Domain](of Holder) holding {
	if _, is := any(of).(uid.Domain); is {
		return ofDomains
	}
	return ofAccounts
}

// holding is whose counts a table has.
type holding struct {
	table, id string
	fallback  func(kindRow) string // the expression that stands in for a limit that was never set
}

// settingRef is the setting that stands in for a limit that was never set.
type settingRef struct {
	name    string
	initial int64
}

var (
	ofAccounts = holding{"resource_counts", "account_id", func(k kindRow) string {
		return "case when of_project then " + ref(k.project).value() + " else " + ref(k.maximum).value() + " end"
	}}
	ofDomains = holding{"domain_counts", "domain_id", func(k kindRow) string { return ref(k.together).value() }}
)

// most is the expression of a kind's limit. The setting is looked up by the statement itself, so that a change holds for
// whoever counts after it, on all servers.
func (h holding) most(k kindRow) string {
	return fmt.Sprintf("coalesce(%s_max, %s)", k.kind, h.fallback(k))
}

func (s *settingRef) value() string {
	return fmt.Sprintf("coalesce((select cast(value as bigint) from settings where name = '%s' and scope = '' and scope_id = ''), %d)",
		s.name, s.initial)
}

// countings are the statements that count, one for each set of kinds that is ever counted together: a machine takes of five
// kinds at once. The row is one that everything of its owner wants, so it is locked for the end of a transaction only.
var countings sync.Map // of countingKey, *db.Statement

type countingKey struct {
	table string
	give  bool
	kinds string
}

// counting gives the statement that takes or gives of some kinds. Asking and counting are one statement, so that no other
// transaction comes between. "max - used >= n" can't overflow, whatever n is. Its arguments are the amounts, the owner,
// and the amounts again.
func (h holding) counting(give bool, of []kindRow) *db.Statement {
	key := countingKey{table: h.table, give: give}
	for _, k := range of {
		key.kinds += string(k.kind) + " "
	}
	if known, ok := countings.Load(key); ok {
		return known.(*db.Statement)
	}
	sets, conditions := make([]string, len(of)), make([]string, len(of))
	for i, k := range of {
		used, most := string(k.kind)+"_used", h.most(k)
		sets[i], conditions[i] = used+" = "+used+" + ?", "("+most+" < 0 or "+most+" - "+used+" >= ?)"
		if give {
			sets[i], conditions[i] = used+" = "+used+" - ?", used+" >= ?"
		}
	}
	s, _ := countings.LoadOrStore(key, db.PrepareMust("update "+h.table+" set "+strings.Join(sets, ", ")+
		" where "+h.id+" = ? and "+strings.Join(conditions, " and ")).Hot())
	return s.(*db.Statement)
}

// count takes or gives all of use; the transaction fails with what otherwise gives where not all of it can be.
func (h holding) count(ctx context.Context, tx db.Tx, id string, use Use, give bool, otherwise func(ctx context.Context, q db.Tx) error) error {
	var of []kindRow
	var amounts []any
	for _, k := range kinds {
		if n := use[k.kind]; n != 0 {
			of, amounts = append(of, k), append(amounts, n)
		}
	}
	if len(of) == 0 {
		return nil
	}
	args := append(append(append([]any{}, amounts...), id), amounts...)
	return tx.Must(ctx, h.counting(give, of), otherwise, args...)
}

// reading is the query for the counts of many owners: one text for each, since values are what takes long when there are hundreds.
func (h holding) reading() *db.Statement {
	columns := make([]string, len(kinds))
	for i, k := range kinds {
		columns[i] = string(k.kind) + "_used, " + h.most(k)
	}
	return db.PrepareMany("select " + h.id + " as id, concat_ws(' ', " + strings.Join(columns, ", ") + ") as counts from " + h.table +
		" where " + h.id + " in (?)")
}

var (
	accountCounts = sync.OnceValue(ofAccounts.reading)
	domainCounts  = sync.OnceValue(ofDomains.reading)
)

func counts[ID ~string](ctx context.Context, q db.Tx, s *db.Statement, ids []ID) (map[ID]Counts, error) {
	type counted struct {
		ID     ID
		Counts string
	}
	return db.ByID(ctx, q, s, ids, func(r counted) (ID, Counts) {
		c, words := make(Counts, len(kinds)), strings.Fields(r.Counts)
		for i, k := range kinds {
			c[k.kind] = Count{Used: number(words[2*i]), Maximum: number(words[2*i+1])}
		}
		return r.ID, c
	})
}

// number reads what the database wrote.
func number(text string) int64 {
	n, _ := strconv.ParseInt(text, 10, 64)
	return n
}

// Owner is what kind of account is counted for.
type Owner int

// The kinds of accounts.
const (
	Tenant  Owner = iota // has no limits of its own at first
	Free                 // has none at all
	Project              // is a project's, which has other limits
)

// OpenAccount gives a new account its row.
func OpenAccount(ctx context.Context, tx db.Tx, account uid.Account, kind Owner) error {
	columns, args := []string{"account_id", "of_project"}, []any{account, kind == Project}
	if kind == Free {
		for _, k := range kinds {
			columns, args = append(columns, string(k.kind)+"_max"), append(args, Unlimited)
		}
	}
	_, err := tx.NewRaw("insert into resource_counts ("+strings.Join(columns, ", ")+") values (?"+
		strings.Repeat(", ?", len(columns)-1)+")", args...).Exec(ctx)
	return err
}

// OpenDomain gives a new domain its row, without limits of its own.
func OpenDomain(ctx context.Context, tx db.Tx, domain uid.Domain) error {
	_, err := tx.NewRaw("insert into domain_counts (domain_id) values (?)", domain).Exec(ctx)
	return err
}

// setMost sets an owner's own limit of a kind.
func (h holding) setMost(ctx context.Context, tx db.Tx, id string, kind Kind, most int64) error {
	_, err := tx.NewRaw("update "+h.table+" set "+string(kind)+"_max = ? where "+h.id+" = ?", most, id).Exec(ctx)
	return err
}

// HoldAccount keeps others from counting for an account until the transaction's end.
func HoldAccount(ctx context.Context, tx db.Tx, id uid.Account) error {
	var held []uid.Account
	err := tx.Lock(tx.NewSelect().Table("resource_counts").Column("account_id").Where("account_id = ?", id)).Scan(ctx, &held)
	if err != nil {
		return fmt.Errorf("hold the counts of account %s: %w", id, err)
	}
	return nil
}

// SetUsed says what an account uses of some kinds, whatever was counted. Its counts are held.
func SetUsed(ctx context.Context, tx db.Tx, id uid.Account, use Use) error {
	var sets []string
	var args []any
	for _, k := range kinds {
		if n, given := use[k.kind]; given {
			sets, args = append(sets, string(k.kind)+"_used = ?"), append(args, n)
		}
	}
	_, err := tx.NewRaw("update resource_counts set "+strings.Join(sets, ", ")+" where account_id = ?", append(args, id)...).Exec(ctx)
	if err != nil {
		return fmt.Errorf("set the counts of account %s: %w", id, err)
	}
	return nil
}

// Shut makes every limit of an account 0, so that nothing more is taken.
func Shut(ctx context.Context, tx db.Tx, id uid.Account) error {
	none := make([]string, len(kinds))
	for i, k := range kinds {
		none[i] = string(k.kind) + "_max = 0"
	}
	_, err := tx.NewRaw("update resource_counts set "+strings.Join(none, ", ")+" where account_id = ?", id).Exec(ctx)
	return err
}

// HoldDomain keeps others from counting for a domain until the transaction's end.
func HoldDomain(ctx context.Context, tx db.Tx, id uid.Domain) error {
	var held []uid.Domain
	return tx.Lock(tx.NewSelect().Table("domain_counts").Column("domain_id").Where("domain_id = ?", id)).Scan(ctx, &held)
}

// SumUp makes the counts of a domain, which are held, the sums of accounts'.
func SumUp(ctx context.Context, tx db.Tx, id uid.Domain, accounts []uid.Account) error {
	sums, sets := make([]string, len(kinds)), make([]string, len(kinds))
	for i, k := range kinds {
		sums[i] = fmt.Sprintf("cast(coalesce(sum(%s_used), 0) as bigint)", k.kind)
		sets[i] = string(k.kind) + "_used"
	}
	_, err := tx.NewRaw("update domain_counts set ("+strings.Join(sets, ", ")+") = (select "+strings.Join(sums, ", ")+
		" from resource_counts where account_id in (?)) where domain_id = ?", bun.List(accounts), id).Exec(ctx)
	return err
}
