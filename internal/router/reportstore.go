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

// standing is how a router stands before its host is asked.
type standing struct {
	ID       uid.Router
	Revision int64 // of its network
	Counted  int64
}

// runningOn gives the routers that do their work on a host.
func runningOn(ctx context.Context, q db.Tx, on uid.Host) (map[uid.Router]standing, error) {
	var rows []standing
	err := q.NewRaw(`select r.id, n.revision, r.counted from routers r join networks n on n.id = r.network_id
		where r.host_id = ? and r.removed is null and r.state = ?`,
		on, Running).Scan(ctx, &rows)
	out := map[uid.Router]standing{}
	for _, r := range rows {
		out[r.ID] = r
	}
	return out, err
}

// countedOf gives how often what went by a router's addresses was counted.
func countedOf(ctx context.Context, q db.Tx, id uid.Router) (n int64, err error) {
	err = q.NewRaw("select counted from routers where id = ?", id).Scan(ctx, &n)
	return n, err
}

// takeTurn tells whether what goes by a router's addresses was counted as often as that and not more often, and counts this time.
func takeTurn(ctx context.Context, tx db.Tx, id uid.Router, counted int64) (bool, error) {
	n, err := db.Changed(tx.NewRaw("update routers set counted = counted + 1 where id = ? and counted = ?", id, counted).Exec(ctx))
	return n == 1, err
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

// addBytes adds to what went by the public addresses of a router's account. What would be too much to count stays at the most.
func addBytes(ctx context.Context, tx db.Tx, id uid.Router, b Bytes) error {
	_, err := tx.NewRaw(`insert into account_bytes (account_id, sent, received) select account_id, ?, ? from routers where id = ?
		on conflict (account_id) do update set
			sent = case when account_bytes.sent > ? then account_bytes.sent else account_bytes.sent + excluded.sent end,
			received = case when account_bytes.received > ? then account_bytes.received else account_bytes.received + excluded.received end`,
		b.Sent, b.Received, id, int64(countable), int64(countable)).Exec(ctx)
	return err
}

// countable is where the counting of an account's bytes ends: a router's report adds less than there is room above.
const countable = 1 << 62

var trafficOf = db.PrepareMany("select account_id, sent, received from account_bytes where account_id in (?)")

// TrafficOf gives what went by the public addresses of accounts, of those with any, in one query.
func TrafficOf(ctx context.Context, q db.Tx, accounts []uid.Account) (map[uid.Account]Traffic, error) {
	return db.ByID(ctx, q, trafficOf, accounts, func(t Traffic) (uid.Account, Traffic) { return t.Account, t })
}
