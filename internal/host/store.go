package host

import (
	"context"

	"github.com/uptrace/bun"

	"github.com/virga-cloud/virga/internal/db"
	"github.com/virga-cloud/virga/internal/fault"
	"github.com/virga-cloud/virga/uid"
)

type hostRow struct {
	bun.BaseModel `bun:"table:hosts,alias:h"`
	Host
}

// insertHosts adds hosts, some hundreds per statement.
func insertHosts(ctx context.Context, tx db.Tx, hosts []Host) error {
	const batch = 500
	for len(hosts) > 0 {
		n := min(batch, len(hosts))
		rows := make([]hostRow, n)
		for i := range rows {
			hosts[i].Created, hosts[i].LastSeen = tx.Now, tx.Now
			rows[i].Host = hosts[i]
		}
		if _, err := tx.NewInsert().Model(&rows).Exec(ctx); err != nil {
			return err
		}
		hosts = hosts[n:]
	}
	return nil
}

// Find gives a host that is not removed.
func Find(ctx context.Context, q db.Tx, id uid.Host) (Host, error) {
	var row hostRow
	err := q.NewSelect().Model(&row).Where("h.id = ? and h.removed is null", id).Scan(ctx)
	if db.IsNone(err) {
		return Host{}, fault.Missing(id)
	}
	return row.Host, err
}

// Need is the room that a machine takes.
type Need struct {
	CPU    int64 // MHz
	Memory int64 // MB
}

var reserve = db.PrepareHoped(`update hosts set cpu_used = cpu_used + ?, memory_used = memory_used + ?
	where id = ? and cpu_used + ? <= cpu_total and memory_used + ? <= memory_total
	and state = 'Up' and resource_state = 'Enabled' and removed is null`)

// Reserve takes room on a host and tells whether there was enough; it is not given where the host may not be used.
// It may be hoped for: see [db.Tx.Hope].
func Reserve(ctx context.Context, tx db.Tx, id uid.Host, n Need) (bool, error) {
	return tx.Hope(ctx, reserve, n.CPU, n.Memory, id, n.CPU, n.Memory)
}

var giveBack = db.Prepare("update hosts set cpu_used = cpu_used - ?, memory_used = memory_used - ? where id = ?")

// Release gives room back that was reserved.
func Release(ctx context.Context, tx db.Tx, id uid.Host, n Need) error {
	return tx.Later(ctx, giveBack, n.CPU, n.Memory, id)
}

// Filter says which hosts a list shows. Zero fields don't restrict.
type Filter struct {
	ID            uid.Host
	IDs           []uid.Host
	Zone          uid.Zone
	Pod           uid.Pod
	Cluster       uid.Cluster
	Except        uid.Host // not this one
	Name          string
	Type          string
	State         State
	ResourceState ResourceState
	Hypervisor    string
	Keyword       string // in the name
	Offset        int
	Limit         int // 0 or less: all
}

// List gives a page of hosts, the oldest first, and how many there are in all.
func (s *Service) List(ctx context.Context, f Filter) ([]Host, int, error) {
	var rows []hostRow
	q := s.db.Read().NewSelect().Model(&rows).Where("h.removed is null").Order("h.id")
	db.Equal(q, "h.id", f.ID)
	db.In(q, "h.id", f.IDs)
	if f.Except != "" {
		q.Where("h.id <> ?", f.Except)
	}
	db.Equal(q, "h.zone_id", f.Zone)
	db.Equal(q, "h.pod_id", f.Pod)
	db.Equal(q, "h.cluster_id", f.Cluster)
	db.Equal(q, "h.name", f.Name)
	db.EqualFold(q, "h.type", f.Type)
	db.EqualFold(q, "h.state", f.State)
	db.EqualFold(q, "h.resource_state", f.ResourceState)
	db.EqualFold(q, "h.hypervisor", f.Hypervisor)
	db.Like(q, f.Keyword, "h.name")
	n, err := db.PageByID(ctx, q, f.Offset, f.Limit)
	return hosts(rows), n, err
}

var names = db.RememberNames[uid.Host]("hosts", "hosts", "name")

// Names gives the names of hosts, removed ones too, in one query.
func Names(ctx context.Context, q db.Tx, ids []uid.Host) (map[uid.Host]string, error) {
	return names.Find(ctx, q, ids)
}

// page gives what a health round needs of every host that is ours to look after, in id order, a page at a time.
func page(ctx context.Context, q db.Tx, after uid.Host, limit int) ([]Host, error) {
	var rows []hostRow
	err := ours(q.NewSelect().Model(&rows)).Where("h.id > ?", after).Order("h.id").Limit(int64(limit)).Scan(ctx)
	return hosts(rows), err
}

// tended gives the same of one host, and whether it is ours to look after.
func tended(ctx context.Context, q db.Tx, id uid.Host) (Host, bool, error) {
	var row hostRow
	err := ours(q.NewSelect().Model(&row)).Where("h.id = ?", id).Scan(ctx)
	if db.IsNone(err) {
		return Host{}, false, nil
	}
	return row.Host, err == nil, err
}

func ours(q *bun.SelectQuery) *bun.SelectQuery {
	return q.Column("id", "name", "hypervisor", "ip_address", "state", "last_seen", "lost").
		Where("h.removed is null and h.state <> 'Removed' and h.resource_state <> 'Creating'").
		Where("not exists (select 1 from clusters c where c.id = h.cluster_id and c.managed_state <> 'Managed')")
}

func setTold(ctx context.Context, tx db.Tx, id uid.Host, t Told) error {
	_, err := tx.NewRaw("update hosts set agent_version = ?, capabilities = ? where id = ?", t.Version, t.Capabilities, id).Exec(ctx)
	return err
}

// setState changes a host's state if it is still the one that the caller saw, and tells whether it was.
func setState(ctx context.Context, tx db.Tx, id uid.Host, from, to State) (bool, error) {
	n, err := db.Changed(tx.NewRaw(`update hosts set state = ?, unsure = unsure + 1, last_seen = case when ? = 'Up' then ? else last_seen end,
		lost = case when ? = 'Up' then null else coalesce(lost, ?) end where id = ? and state = ?`,
		to, to, tx.Now, to, tx.Now, id, from).Exec(ctx))
	return n == 1, err
}

// setSeen notes that hosts answered. On PostgreSQL it leaves out those that a placement holds at this moment, instead of waiting
// for them with others locked; the next round notes them.
func setSeen(ctx context.Context, tx db.Tx, ids []uid.Host) error {
	free := tx.NewSelect().Table("hosts").Column("id").Where("id in (?)", bun.List(ids))
	if tx.Postgres {
		free.For("no key update skip locked")
	}
	_, err := tx.NewRaw("update hosts set last_seen = ? where id in (?)", tx.Now, free).Exec(ctx)
	return err
}
