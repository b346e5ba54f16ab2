package router

import (
	"context"

	"github.com/virga-cloud/virga/internal/db"
	"github.com/virga-cloud/virga/uid"
)

// withRouters gives hosts on which routers do their work, after one of them.
func withRouters(ctx context.Context, q db.Tx, after uid.Host, limit int) (places []Place, err error) {
	err = q.NewRaw(`select distinct host_id as id, hypervisor from routers where removed is null and state = ? and host_id > ?
		order by host_id limit ?`,
		Running, after, limit).Scan(ctx, &places)
	return places, err
}

// runningOn gives the routers that do their work on a host, each with its network's revision.
func runningOn(ctx context.Context, q db.Tx, on uid.Host) (map[uid.Router]int64, error) {
	var rows []struct {
		ID       uid.Router
		Revision int64
	}
	err := q.NewRaw(`select r.id, n.revision from routers r join networks n on n.id = r.network_id
		where r.host_id = ? and r.removed is null and r.state = ?`,
		on, Running).Scan(ctx, &rows)
	out := map[uid.Router]int64{}
	for _, r := range rows {
		out[r.ID] = r.Revision
	}
	return out, err
}

func setParts(ctx context.Context, tx db.Tx, id uid.Router, parts []Part, ailing bool) error {
	_, err := tx.NewUpdate().Model(&routerRow{Router: Router{ID: id, Parts: parts, Ailing: ailing}}).Column("parts", "ailing").WherePK().Exec(ctx)
	return err
}

func bytesOf(ctx context.Context, q db.Tx, id uid.Router) (rows []Bytes, err error) {
	err = q.NewRaw(`select network_id, ip, sent, received, seen_sent, seen_received from router_bytes
		where router_id = ? order by network_id, ip`, id).Scan(ctx, &rows)
	return rows, err
}

func setBytes(ctx context.Context, tx db.Tx, id uid.Router, b Bytes) error {
	_, err := tx.NewRaw(`insert into router_bytes (router_id, network_id, ip, sent, received, seen_sent, seen_received, counted)
		values (?, ?, ?, ?, ?, ?, ?, ?) on conflict (router_id, network_id, ip) do update set sent = excluded.sent, received = excluded.received,
		seen_sent = excluded.seen_sent, seen_received = excluded.seen_received, counted = excluded.counted`,
		id, b.Network, b.IP, b.Sent, b.Received, b.SeenSent, b.SeenReceived, tx.Now).Exec(ctx)
	return err
}
