package account

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"sync"

	"github.com/virga-cloud/virga/internal/db"
	"github.com/virga-cloud/virga/uid"
)

// holding is whose counts a table has.
type holding struct {
	table, id string
	fallback  func(kindRow) *settingRef
}

// settingRef is the setting that stands in for a limit that was never set.
type settingRef struct {
	name    string
	initial int64
}

var (
	ofAccounts = holding{"resource_counts", "account_id", func(k kindRow) *settingRef { return ref(k.maximum) }}
	ofDomains  = holding{"domain_counts", "domain_id", func(k kindRow) *settingRef { return ref(k.together) }}
)

// most is the expression of a kind's limit. The setting is looked up by the statement itself, so that a change holds for
// whoever counts after it, on all servers.
func (h holding) most(k kindRow) string {
	s := h.fallback(k)
	return fmt.Sprintf("coalesce(%s_max, (select cast(value as bigint) from settings where name = '%s' and scope = '' and scope_id = ''), %d)",
		k.kind, s.name, s.initial)
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
		columns[i] = string(k.kind) + "_used || ' ' || " + h.most(k)
	}
	return db.PrepareMany("select " + h.id + " as id, " + strings.Join(columns, " || ' ' || ") + " as counts from " + h.table +
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

// insertCounts gives a new account its row: without limits of its own, or with none at all.
func insertCounts(ctx context.Context, tx db.Tx, account uid.Account, unlimited bool) error {
	columns, args := []string{"account_id"}, []any{account}
	if unlimited {
		for _, k := range kinds {
			columns, args = append(columns, string(k.kind)+"_max"), append(args, Unlimited)
		}
	}
	_, err := tx.NewRaw("insert into resource_counts ("+strings.Join(columns, ", ")+") values (?"+
		strings.Repeat(", ?", len(columns)-1)+")", args...).Exec(ctx)
	return err
}

func insertDomainCounts(ctx context.Context, tx db.Tx, domain uid.Domain) error {
	_, err := tx.NewRaw("insert into domain_counts (domain_id) values (?)", domain).Exec(ctx)
	return err
}

// above are the domains that an account is in and below, but for ROOT, from the top. (Not by their paths: a removed domain may have
// had the path that another one has now.)
var above = db.Prepare(`with recursive up (id, parent_id, level) as (
		select d.id, d.parent_id, d.level from domains d join accounts a on a.domain_id = d.id where a.id = ?
		union all select p.id, p.parent_id, p.level from domains p join up on p.id = up.parent_id)
	select id from up where parent_id is not null order by level`)

// down are a domain, whose id is the argument, and all below it.
const down = `with recursive down (id) as (select cast(? as text) union all select d.id from domains d join down on d.parent_id = down.id)`

// setLimit sets an owner's own limit of a kind.
func (h holding) setLimit(ctx context.Context, tx db.Tx, id string, kind Kind, most int64) error {
	_, err := tx.NewRaw("update "+h.table+" set "+string(kind)+"_max = ? where "+h.id+" = ?", most, id).Exec(ctx)
	return err
}

// HoldCounts keeps others from counting for an account until the transaction's end.
func HoldCounts(ctx context.Context, tx db.Tx, id uid.Account) error {
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

// Below gives the accounts in a domain and below it, removed ones too.
func Below(ctx context.Context, q db.Tx, id uid.Domain) ([]uid.Account, error) {
	var found []uid.Account
	err := q.NewRaw(down+" select id from accounts where domain_id in (select id from down) order by id", id).Scan(ctx, &found)
	if err != nil {
		return nil, fmt.Errorf("find the accounts below domain %s: %w", id, err)
	}
	return found, nil
}

// SumUp makes the counts of a domain, and of all domains above and below it, the sums of their accounts'.
func SumUp(ctx context.Context, tx db.Tx, id uid.Domain) error {
	var family []uid.Domain // from the top, as they are locked by who counts
	err := tx.NewRaw(down+`, up (id) as (select id from domains where id = ? union all
			select d.parent_id from domains d join up on d.id = up.id where d.parent_id is not null)
		select id from domains where parent_id is not null and (id in (select id from up) or id in (select id from down))
		order by level, id`, id, id).Scan(ctx, &family)
	if err != nil {
		return fmt.Errorf("find the domains around %s: %w", id, err)
	}
	sums, sets := make([]string, len(kinds)), make([]string, len(kinds))
	for i, k := range kinds {
		sums[i] = fmt.Sprintf("cast(coalesce(sum(%s_used), 0) as bigint)", k.kind)
		sets[i] = string(k.kind) + "_used"
	}
	sum := "update domain_counts set (" + strings.Join(sets, ", ") + ") = (" + down + " select " + strings.Join(sums, ", ") + `
		from resource_counts where account_id in (select id from accounts where domain_id in (select id from down))) where domain_id = ?`
	for _, d := range family {
		// Held first: what the sums see must be as new as the lock.
		var held []uid.Domain
		err := tx.Lock(tx.NewSelect().Table("domain_counts").Column("domain_id").Where("domain_id = ?", d)).Scan(ctx, &held)
		if err == nil {
			_, err = tx.NewRaw(sum, d, d).Exec(ctx)
		}
		if err != nil {
			return fmt.Errorf("sum up what the accounts of domain %s have: %w", d, err)
		}
	}
	return nil
}
