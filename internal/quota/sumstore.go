package quota

import (
	"context"
	"strconv"
	"strings"
	"sync"

	"github.com/virga-cloud/virga/internal/db"
	"github.com/virga-cloud/virga/internal/limit"
	"github.com/virga-cloud/virga/uid"
)

var totalsOf = sync.OnceValue(func() *db.Statement {
	kinds := limit.Kinds()
	columns := make([]string, len(kinds))
	for i, k := range kinds {
		columns[i] = "cast(sum(c." + string(k) + "_used) as bigint)"
	}
	return db.PrepareMany("select top.id, concat_ws(' ', " + strings.Join(columns, ", ") + `) as counts from domains top
		join domains d on d.removed is null and (d.id = top.id or substr(d.path, 1, length(top.path) + 1) = top.path || '/')
		join accounts a on a.domain_id = d.id and a.removed is null join resource_counts c on c.account_id = a.id
		where top.id in (?) group by top.id`)
})

func totals(ctx context.Context, q db.Tx, ids []uid.Domain) (map[uid.Domain]limit.Use, error) {
	type total struct {
		ID     uid.Domain
		Counts string
	}
	return db.ByID(ctx, q, totalsOf(), ids, func(r total) (uid.Domain, limit.Use) {
		use, words := limit.Use{}, strings.Fields(r.Counts)
		for i, k := range limit.Kinds() {
			use[k], _ = strconv.ParseInt(words[i], 10, 64) // as the database wrote it
		}
		return r.ID, use
	})
}

// down are a domain, whose id is the argument, and all below it.
const down = `with recursive down (id) as (select cast(? as text) union all select d.id from domains d join down on d.parent_id = down.id)`

// accountsEverBelow are the accounts in a domain and below it, removed ones too.
func accountsEverBelow(ctx context.Context, q db.Tx, id uid.Domain) (found []uid.Account, err error) {
	err = q.NewRaw(down+" select id from accounts where domain_id in (select id from down) order by id", id).Scan(ctx, &found)
	return found, err
}

// family are a domain, all above it but for ROOT, and all below, from the top, as they are locked by who counts.
func family(ctx context.Context, q db.Tx, id uid.Domain) (found []uid.Domain, err error) {
	err = q.NewRaw(down+`, up (id) as (select id from domains where id = ? union all
			select d.parent_id from domains d join up on d.id = up.id where d.parent_id is not null)
		select id from domains where parent_id is not null and (id in (select id from up) or id in (select id from down))
		order by level, id`, id, id).Scan(ctx, &found)
	return found, err
}
