package router

import (
	"context"

	"github.com/uptrace/bun"

	"github.com/virga-cloud/virga/internal/auth"
	"github.com/virga-cloud/virga/internal/db"
	"github.com/virga-cloud/virga/internal/fault"
	"github.com/virga-cloud/virga/internal/network"
	"github.com/virga-cloud/virga/internal/offering"
	"github.com/virga-cloud/virga/uid"
)

type routerRow struct {
	bun.BaseModel `bun:"table:routers,alias:r"`
	Router
}

func insert(ctx context.Context, tx db.Tx, r Router) error {
	return tx.Insert(ctx, &routerRow{Router: r})
}

var (
	selectOne = db.Prepare("select * from routers where id = ?")
	selectOf  = db.Prepare("select * from routers where network_id = ? and pod_id = ? and removed is null")
	selectFor = db.Prepare(`select * from routers where network_id = ? and pod_id in ('', coalesce((select pod_id from hosts where id = ?), ''))
		and removed is null`)
	selectOfNetwork = db.Prepare("select * from routers where network_id = ? and removed is null order by id")
)

func one(ctx context.Context, q db.Tx, s *db.Statement, args ...any) (Router, error) {
	var rows []routerRow
	if err := q.Select(ctx, s, &rows, args...); err != nil || len(rows) == 0 {
		return Router{}, err
	}
	return rows[0].Router, nil
}

// find gives a router, also a removed one.
func find(ctx context.Context, q db.Tx, id uid.Router) (Router, error) {
	r, err := one(ctx, q, selectOne, id)
	if err == nil && r.ID == "" {
		err = fault.Missing(id)
	}
	return r, err
}

// of gives the router of a site, a zero one where there is none.
func of(ctx context.Context, q db.Tx, at Site) (Router, error) {
	return one(ctx, q, selectOf, at.Network, at.Pod)
}

// serving gives the router that serves a network's machines on a host, a zero one where there is none.
func serving(ctx context.Context, q db.Tx, id uid.Network, on uid.Host) (Router, error) {
	return one(ctx, q, selectFor, id, on)
}

// ofNetwork gives the routers of a network: one at most, but for those of basic zones.
func ofNetwork(ctx context.Context, q db.Tx, id uid.Network) ([]Router, error) {
	var rows []routerRow
	err := q.Select(ctx, selectOfNetwork, &rows, id)
	return routers(rows), err
}

// podOf gives the pod of a host.
func podOf(ctx context.Context, q db.Tx, id uid.Host) (pod uid.Pod, err error) {
	err = q.NewRaw("select pod_id from hosts where id = ?", id).Scan(ctx, &pod)
	return pod, err
}

// ofPod counts the routers that serve a pod.
func ofPod(ctx context.Context, tx db.Tx, id uid.Pod) (n int, err error) {
	err = tx.NewRaw("select count(*) from routers where pod_id = ? and removed is null", id).Scan(ctx, &n)
	return n, err
}

// lateGone gives the revision up to which all routers of a site's network know which guests are gone, if this one knows it up to a revision.
func lateGone(ctx context.Context, q db.Tx, r Router, revision int64) (least int64, err error) {
	if r.Pod == "" {
		return revision, nil
	}
	err = q.NewRaw("select coalesce(min(applied), ?) from routers where network_id = ? and id <> ? and removed is null and applied between 1 and ?",
		revision, r.Network, r.ID, revision).Scan(ctx, &least)
	return least, err
}

// lock gives a router within a scope and keeps others from changing it until the transaction's end.
func lock(ctx context.Context, tx db.Tx, scope auth.Scope, id uid.Router) (Router, error) {
	var row routerRow
	q := scope.Where(tx.NewSelect().Model(&row), "r").Where("r.id = ? and r.removed is null", id)
	err := tx.Lock(q).Scan(ctx)
	if db.IsNone(err) {
		return Router{}, fault.Missing(id)
	}
	return row.Router, err
}

// place puts a router on a host, where it has got no document yet.
func place(ctx context.Context, tx db.Tx, id uid.Router, at Place, s State) error {
	_, err := tx.NewRaw(`update routers set host_id = ?, hypervisor = ?, state = ?, applied = 0, started = null, parts = '[]', ailing = false
		where id = ?`,
		at.Host, at.Hypervisor, s, id).Exec(ctx)
	return err
}

func setState(ctx context.Context, tx db.Tx, id uid.Router, s State) error {
	_, err := tx.NewRaw("update routers set state = ? where id = ?", s, id).Exec(ctx)
	return err
}

// setAgain has a router that is to do its work given a document anew.
func setAgain(ctx context.Context, tx db.Tx, id uid.Router) error {
	_, err := tx.NewRaw("update routers set applied = 0, started = null, state = case when state = ? then ? else state end where id = ?",
		Running, Starting, id).Exec(ctx)
	return err
}

func setOff(ctx context.Context, tx db.Tx, id uid.Router) error {
	_, err := tx.NewRaw("update routers set state = ?, applied = 0, started = null, parts = '[]', ailing = false where id = ?", Stopped, id).Exec(ctx)
	return err
}

// setApplied records which document a router has got, if it is still where it was and is to do its work.
func setApplied(ctx context.Context, tx db.Tx, r Router, version int64) (bool, error) {
	n, err := db.Changed(tx.NewRaw(`update routers set applied = ?, state = ?, problem = '', started = coalesce(started, ?)
		where id = ? and host_id = ? and state in (?, ?) and applied < ? and removed is null`,
		version, Running, tx.Now, r.ID, r.Host, Starting, Running, version).Exec(ctx))
	return n > 0, err
}

func setProblem(ctx context.Context, tx db.Tx, id uid.Router, text string) error {
	_, err := tx.NewRaw("update routers set problem = ? where id = ?", text, id).Exec(ctx)
	return err
}

func setRemoved(ctx context.Context, tx db.Tx, id uid.Router) error {
	_, err := tx.NewRaw("update routers set state = ?, applied = 0, started = null, removed = ? where id = ?", Stopped, tx.Now, id).Exec(ctx)
	return err
}

// hostsUp gives hosts of a zone, or of a pod in it, on which machines may be started now, those with the fewest routers first.
func hostsUp(ctx context.Context, q db.Tx, zone uid.Zone, pod uid.Pod, avoid uid.Host) (places []Place, err error) {
	err = q.NewRaw(`select h.id, h.hypervisor from hosts h left join routers r on r.host_id = h.id and r.removed is null
		where h.zone_id = ? and (? = '' or h.pod_id = ?) and h.id <> ? and h.state = 'Up' and h.resource_state = 'Enabled' and h.removed is null
		group by h.id, h.hypervisor order by count(r.id), h.id limit 20`, zone, pod, pod, avoid).Scan(ctx, &places)
	return places, err
}

// withoutRouter gives networks that carry traffic, want a router and have never had one.
func withoutRouter(ctx context.Context, q db.Tx, limit int) (ids []uid.Network, err error) {
	err = q.NewRaw(`select n.id from networks n where n.routed and n.state = ? and n.removed is null
		and not exists (select 1 from routers r where r.network_id = n.id) order by n.id limit ?`, network.Implemented, limit).Scan(ctx, &ids)
	return ids, err
}

// onLostHosts gives routers that are to do their work on hosts that can't have them do it.
func onLostHosts(ctx context.Context, q db.Tx, limit int) ([]Router, error) {
	var rows []routerRow
	err := q.NewSelect().Model(&rows).Join("join hosts as h on h.id = r.host_id").Where("r.removed is null and r.state in (?, ?)", Starting, Running).
		Where("(h.removed is not null or h.state in ('Down', 'Removed') or " +
			"h.resource_state in ('PrepareForMaintenance', 'ErrorInMaintenance', 'Maintenance'))").
		Order("r.id").Limit(int64(limit)).Scan(ctx)
	return routers(rows), err
}

// onHost gives routers that are to do their work on a host.
func onHost(ctx context.Context, q db.Tx, id uid.Host) ([]Router, error) {
	var rows []routerRow
	err := q.NewSelect().Model(&rows).Where("r.host_id = ? and r.removed is null and r.state in (?, ?)", id, Starting, Running).
		Order("r.id").Scan(ctx)
	return routers(rows), err
}

// behind gives the sites of routers that are to do their work and have not got the newest document, on hosts that may answer.
func behind(ctx context.Context, q db.Tx, limit int) (sites []Site, err error) {
	err = q.NewRaw(`select r.network_id as network, r.pod_id as pod from routers r join networks n on n.id = r.network_id
		where r.removed is null and r.state in (?, ?) and r.applied < n.revision and n.removed is null and n.state <> ?
		limit ?`, Starting, Running, network.Destroyed, limit).Scan(ctx, &sites)
	return sites, err
}

// fleeting gives routers that do their work in networks whose offering does not keep them, after one of them. Those of shared networks
// are kept: machines remember them as their name servers, and whoever starts the next one may not be who stopped the last.
func fleeting(ctx context.Context, q db.Tx, after uid.Router, limit int) ([]Router, error) {
	var rows []routerRow
	err := q.NewSelect().Model(&rows).Join("join networks as n on n.id = r.network_id").Join("join network_offerings as o on o.id = n.offering_id").
		Where("r.id > ? and r.removed is null and r.state in (?, ?) and not o.persistent and n.guest_type <> ?", after, Starting, Running,
			offering.Shared).
		Order("r.id").Limit(int64(limit)).Scan(ctx)
	return routers(rows), err
}

// setIdle notes which routers have had nothing to do from now on, and which have something to do.
func setIdle(ctx context.Context, tx db.Tx, idle, busy []uid.Router) error {
	for _, one := range []struct {
		ids   []uid.Router
		since any
	}{{idle, tx.Now}, {busy, nil}} {
		if len(one.ids) == 0 {
			continue
		}
		if _, err := tx.NewRaw("update routers set idle = ? where id in (?)", one.since, bun.List(one.ids)).Exec(ctx); err != nil {
			return err
		}
	}
	return nil
}

func leave(ctx context.Context, tx db.Tx, id uid.Router, on uid.Host) error {
	_, err := tx.NewRaw("insert into router_leftovers (router_id, host_id) values (?, ?) on conflict do nothing", id, on).Exec(ctx)
	return err
}

// leftovers gives what is left of routers on hosts, but for those that have come back there.
func leftovers(ctx context.Context, q db.Tx, limit int) (out []leftover, err error) {
	err = q.NewRaw(`select l.router_id, l.host_id, h.hypervisor, h.removed is not null or r.host_id = h.id and r.state in (?, ?)
			and r.removed is null as gone
		from router_leftovers l join hosts h on h.id = l.host_id join routers r on r.id = l.router_id order by l.router_id, l.host_id limit ?`,
		Starting, Running, limit).Scan(ctx, &out)
	return out, err
}

func cleaned(ctx context.Context, tx db.Tx, one leftover) error {
	_, err := tx.NewRaw("delete from router_leftovers where router_id = ? and host_id = ?", one.Router, one.Host).Exec(ctx)
	return err
}

// startAgain has a router given a document anew where it is.
func startAgain(ctx context.Context, tx db.Tx, id uid.Router) error {
	_, err := tx.NewRaw("update routers set applied = 0, started = null, parts = '[]', ailing = false, state = ? where id = ?",
		Starting, id).Exec(ctx)
	return err
}

func isUp(ctx context.Context, q db.Tx, id uid.Host) (up bool, err error) {
	err = q.NewRaw(`select exists (select 1 from hosts where id = ? and state = 'Up' and removed is null
		and resource_state not in ('PrepareForMaintenance', 'ErrorInMaintenance', 'Maintenance'))`, id).Scan(ctx, &up)
	return up, err
}
