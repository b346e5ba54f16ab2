package router

import (
	"context"

	"github.com/uptrace/bun"

	"github.com/virga-cloud/virga/internal/auth"
	"github.com/virga-cloud/virga/internal/db"
	"github.com/virga-cloud/virga/internal/network"
	"github.com/virga-cloud/virga/uid"
)

// Filter says which routers a list shows. Zero fields don't restrict, but for Scope, whose zero value shows nothing.
type Filter struct {
	Scope   auth.Scope
	ID      uid.Router
	Name    string
	State   State
	Zone    uid.Zone
	Pod     uid.Pod
	Cluster uid.Cluster
	Host    uid.Host
	Network uid.Network
	Healthy *bool  // whether it could be given its newest document, and all of its services run as far as its host was asked
	Keyword string // in the name
	Offset  int
	Limit   int // 0 or less: all
}

// List gives a page of routers, the oldest first, and how many there are in all.
func (s *Service) List(ctx context.Context, f Filter) ([]Router, int, error) {
	var rows []routerRow
	q := f.Scope.Where(s.db.Read().NewSelect().Model(&rows), "r").Where("r.removed is null").Order("r.id")
	db.Equal(q, "r.id", f.ID)
	db.Equal(q, "r.name", f.Name)
	db.EqualFold(q, "r.state", f.State)
	db.Equal(q, "r.zone_id", f.Zone)
	db.Equal(q, "r.host_id", f.Host)
	db.Equal(q, "r.network_id", f.Network)
	if f.Pod != "" {
		q.Where("r.host_id in (select id from hosts where pod_id = ?)", f.Pod)
	}
	if f.Cluster != "" {
		q.Where("r.host_id in (select id from hosts where cluster_id = ?)", f.Cluster)
	}
	if f.Healthy != nil {
		q.Where("(r.problem = '' and not r.ailing) = ?", *f.Healthy)
	}
	db.Like(q, f.Keyword, "r.name")
	n, err := db.PageByID(ctx, q, f.Offset, f.Limit)
	return routers(rows), n, err
}

func routers(rows []routerRow) []Router {
	out := make([]Router, len(rows))
	for i, r := range rows {
		out[i] = r.Router
	}
	return out
}

var byIDs = db.PrepareMany("select * from routers where id in (?)")

// ByID gives routers by their ids, removed ones too, in one query.
func ByID(ctx context.Context, q db.Tx, ids []uid.Router) (map[uid.Router]Router, error) {
	return db.ByID(ctx, q, byIDs, ids, func(r routerRow) (uid.Router, Router) { return r.ID, r.Router })
}

// PublicSide is a router's first public address.
type PublicSide struct{ IP, Netmask, Gateway string }

// PublicSides gives the public sides of networks' routers, in one query.
func PublicSides(ctx context.Context, q db.Tx, ids []uid.Network) (map[uid.Network]PublicSide, error) {
	var rows []struct {
		NetworkID        uid.Network
		IP               network.IP `bun:"ip"`
		Netmask, Gateway string
	}
	err := q.NewRaw(`select a.network_id, a.ip, r.netmask, r.gateway from public_ips a join ip_ranges r on r.id = a.range_id
		where a.network_id in (?) and a.source_nat`, bun.List(ids)).Scan(ctx, &rows)
	out := map[uid.Network]PublicSide{}
	for _, r := range rows {
		out[r.NetworkID] = PublicSide{r.IP.String(), r.Netmask, r.Gateway}
	}
	return out, err
}
