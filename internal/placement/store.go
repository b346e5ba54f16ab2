package placement

import (
	"context"
	"strconv"
	"sync"
	"sync/atomic"

	"github.com/uptrace/bun"

	"github.com/virga-cloud/virga/internal/db"
	"github.com/virga-cloud/virga/internal/host"
	"github.com/virga-cloud/virga/uid"
)

// statements are the searches that there have been, by their SQL: it is different for each set of filters that there is, and
// the same for all machines of a kind.
var (
	statements sync.Map // string → *db.Statement
	prepared   atomic.Int64
)

// mostStatements bounds the different searches that are prepared. More than these are rare ones.
const mostStatements = 256

// ask runs a query and reads its rows into dest, a pointer to a slice.
func ask(ctx context.Context, q db.Tx, dest any, c clause) error {
	known, ok := statements.Load(c.sql)
	if !ok {
		if prepared.Load() >= mostStatements {
			return q.NewRaw(c.sql, c.args...).Scan(ctx, dest)
		}
		var loaded bool
		if known, loaded = statements.LoadOrStore(c.sql, db.Prepare(c.sql)); !loaded {
			prepared.Add(1)
		}
	}
	return q.Select(ctx, known.(*db.Statement), dest, c.args...)
}

// sum is what the hosts of a cluster that may be used have together.
type sum struct {
	bun.BaseModel `bun:"table:hosts,alias:h"`
	Zone          uid.Zone    `bun:"zone_id"`
	ID            uid.Cluster `bun:"cluster_id"`
	Hosts         int
	CPUUsed       int64 `bun:"cpu_used"`     // MHz
	CPUTotal      int64 `bun:"cpu_total"`    // with the cluster's overcommit
	MemoryUsed    int64 `bun:"memory_used"`  // MB
	MemoryTotal   int64 `bun:"memory_total"` // with the cluster's overcommit
}

var selectSums = db.Prepare(`select h.zone_id, h.cluster_id, count(*) as hosts,
	cast(sum(h.cpu_used) as bigint) as cpu_used, cast(sum(h.cpu_total) as bigint) as cpu_total,
	cast(sum(h.memory_used) as bigint) as memory_used, cast(sum(h.memory_total) as bigint) as memory_total
	from hosts h where h.removed is null and h.state = 'Up' and h.resource_state = 'Enabled' group by h.zone_id, h.cluster_id
	order by h.cluster_id`)

func sumClusters(ctx context.Context, q db.Tx) (sums []sum, err error) {
	err = q.Select(ctx, selectSums, &sums)
	return sums, err
}

// candidate is a host that all filters keep.
type candidate struct {
	bun.BaseModel `bun:"table:hosts,alias:h"`
	ID            uid.Host
	Name          string
	Pod           uid.Pod     `bun:"pod_id"`
	Cluster       uid.Cluster `bun:"cluster_id"`
	CPUUsed       int64       `bun:"cpu_used"`
	CPUTotal      int64       `bun:"cpu_total"`
	MemoryUsed    int64       `bun:"memory_used"`
	MemoryTotal   int64       `bun:"memory_total"`

	place int // in the order in which the query gave them
	mine  int // machines of the account there
}

const candidateColumns = "h.id, h.name, h.pod_id, h.cluster_id, h.cpu_used, h.cpu_total, h.memory_used, h.memory_total"

// load is how much of a host is given away, in millionths: of its memory or of its CPU, whichever is more. The index hosts_load
// is on just this.
const load = `(case when h.memory_used * h.cpu_total >= h.cpu_used * h.memory_total
	then h.memory_used * 1000000 / nullif(h.memory_total, 0) else h.cpu_used * 1000000 / nullif(h.cpu_total, 0) end)`

// candidates gives some hosts that all filters keep: the emptiest, or the oldest where the algorithm fills one after the other.
// only restricts them to one host.
func (l *look) candidates(ctx context.Context, q db.Tx, only uid.Host, limit int) ([]candidate, error) {
	var rows []candidate
	err := ask(ctx, q, &rows, l.kept(candidateColumns, only, limit))
	for i := range rows {
		rows[i].place = i
	}
	return rows, err
}

// kept is the query for candidates.
func (l *look) kept(columns string, only uid.Host, limit int) clause {
	c := is("select " + columns + " from hosts h where ").join(l.among())
	if only != "" {
		c = c.join(is(" and h.id = ?", only))
	}
	for _, f := range l.filters {
		c = c.join(is(" and "), l.likely(f))
	}
	order := load + ", h.id"
	if l.algorithm == firstFit {
		order = "h.id"
	}
	return c.join(is(" order by " + order + " limit " + strconv.Itoa(limit)))
}

// likely is a filter's condition as one that most hosts meet. PostgreSQL takes a condition that it can't count for one that hardly
// any host meets; having thought so of three or four it expects to find no host at all, and then looks at every one of them instead
// of stopping, in the order of the index, at the first few.
func (l *look) likely(f filter) clause {
	if !l.postgres || f.counted {
		return f.keep
	}
	return is("case when ").join(f.keep, is(" then 1 else 0 end <> 0"))
}

// first is the number of the first filter that a host fails, -1 for none.
func (l *look) first() clause {
	c := is("cast(case")
	for i, f := range l.filters {
		c = c.join(is(" when ("), f.keep, is(") is not true then "+strconv.Itoa(i)))
	}
	return c.join(is(" else -1 end as bigint)"))
}

// left is how much a host, with the number of the filter that it fails as dropped, has of what that asks for; -1 where it is no
// amount.
func (l *look) left() clause {
	c := is("cast(case h.dropped")
	for i, f := range l.filters {
		if f.free.sql != "" {
			c = c.join(is(" when "+strconv.Itoa(i)+" then "), f.free)
		}
	}
	return c.join(is(" else -1 end as bigint)"))
}

// lost are hosts that a filter did not keep: one, or some of the same reason.
type lost struct {
	bun.BaseModel `bun:"table:hosts,alias:h"`
	Dropped       int // the filter; -1 for none
	Hosts         int
	State         host.State
	ResourceState host.ResourceState
	Least, Most   int64 // the amounts that they have of what the filter asks for

	ID      uid.Host // of one
	Name    string
	Pod     uid.Pod     `bun:"pod_id"`
	Cluster uid.Cluster `bun:"cluster_id"`
}

// count counts the hosts that come into question by why they are not kept.
func (l *look) count(ctx context.Context, q db.Tx) (groups []lost, err error) {
	state, resource := "''", "''"
	for i, f := range l.filters {
		switch f.name {
		case "state":
			state = "case when h.dropped = " + strconv.Itoa(i) + " then h.state else '' end"
		case "resourcestate":
			resource = "case when h.dropped = " + strconv.Itoa(i) + " then h.resource_state else '' end"
		}
	}
	// Materialized, or else SQLite would look for the first filter anew each time that it is used.
	c := is("with d as materialized (select h.*, ").join(l.first(), is(" as dropped from hosts h where "), l.among(),
		is("), f as materialized (select h.*, "), l.left(), is(" as free from d h) select h.dropped, "+state+" as state, "+resource+
			" as resource_state, count(*) as hosts, min(h.free) as least, max(h.free) as most from f h group by 1, 2, 3 order by 1, 2, 3"))
	err = ask(ctx, q, &groups, c)
	return groups, err
}

// these gives some hosts, each with the first filter that it fails.
func (l *look) these(ctx context.Context, q db.Tx, ids []uid.Host) (hosts []lost, err error) {
	c := is("select h.id, h.name, h.pod_id, h.cluster_id, h.dropped, h.state, h.resource_state, cast(1 as bigint) as hosts, ").
		join(l.left(), is(" as least from (select h.*, "), l.first(), is(" as dropped from hosts h where h.removed is null and h.id in "+
			l.elements(), asJSON(ids)), is(") h"))
	err = ask(ctx, q, &hosts, c)
	for i := range hosts {
		hosts[i].Most = hosts[i].Least
	}
	return hosts, err
}

// each gives the first hosts by name that are not kept. The index on names lets it stop when it has them.
func (l *look) each(ctx context.Context, q db.Tx, limit int) (hosts []lost, err error) {
	c := is("select h.id, h.name, h.pod_id, h.cluster_id, h.dropped, h.state, h.resource_state, cast(1 as bigint) as hosts, ").
		join(l.left(), is(" as least from (select h.*, "), l.first(), is(" as dropped from hosts h where "), l.among(),
			is(") h where h.dropped >= 0 order by h.name limit "+strconv.Itoa(limit)))
	err = ask(ctx, q, &hosts, c)
	for i := range hosts {
		hosts[i].Most = hosts[i].Least
	}
	return hosts, err
}
