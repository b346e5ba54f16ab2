package zone

import (
	"context"

	"github.com/uptrace/bun"

	"github.com/virga-cloud/virga/internal/auth"
	"github.com/virga-cloud/virga/internal/db"
	"github.com/virga-cloud/virga/internal/setting"
	"github.com/virga-cloud/virga/internal/tag"
	"github.com/virga-cloud/virga/uid"
)

// Taggable are the zones, which root admins may tag.
var Taggable = tag.Kind{Type: tag.Zone, Table: "zones", Live: "removed is null", Common: true}

// Filter says which zones, pods or clusters a list shows. Zero fields don't restrict.
type Filter struct {
	IDs         []string
	Zone        uid.Zone // of pods and clusters
	Pod         uid.Pod  // of clusters
	Name        string
	NetworkType NetworkType
	Domain      uid.Domain // of zones: whose they are alone
	Hypervisor  string
	Type        string // of clusters
	Managed     string
	Allocation  Allocation
	Tags        tag.Wanted // of zones
	Keyword     string     // in the name
	Offset      int
	Limit       int // 0 or less: all
}

// apply restricts a query on the table known as t.
func (f Filter) apply(q *bun.SelectQuery, alias string) *bun.SelectQuery {
	q.Where("?.removed is null", bun.Safe(alias))
	db.In(q, alias+".id", f.IDs)
	db.Equal(q, alias+".zone_id", f.Zone)
	db.Equal(q, alias+".pod_id", f.Pod)
	db.Equal(q, alias+".name", f.Name)
	db.Equal(q, alias+".domain_id", f.Domain)
	db.EqualFold(q, alias+".network_type", f.NetworkType)
	db.EqualFold(q, alias+".hypervisor", f.Hypervisor)
	db.EqualFold(q, alias+".cluster_type", f.Type)
	db.EqualFold(q, alias+".managed_state", f.Managed)
	db.EqualFold(q, alias+".allocation_state", f.Allocation)
	db.Like(q, f.Keyword, alias+".name")
	return q
}

// Zones gives a page of the zones that the caller may know of, by sort key and then the oldest first, and how many there are in
// all. A zone that belongs to a domain is shown to that domain, to those below it, and to admins of those above.
func (s *Service) Zones(ctx context.Context, f Filter) ([]Zone, int, error) {
	var rows []zoneRow
	q := f.apply(s.db.Read().NewSelect().Model(&rows), "z").
		OrderExpr("z.sort_key " + db.Direction(setting.SortAscending.Of(s.settings))).Order("z.id")
	Known(q, auth.From(ctx), "z.id")
	f.Tags.Where(q, tag.Zone, "z.id")
	n, err := db.Page(ctx, q, f.Offset, f.Limit)
	return zones(rows), n, err
}

// Known restricts a query to what is in zones that a caller may know of; column holds the zone.
func Known(q *bun.SelectQuery, caller auth.Caller, column string) {
	reach, path := caller.Reach(), caller.DomainPath
	if reach.All {
		return
	}
	theirs, args := "path = ? or path || '/' = substr(?, 1, length(path) + 1)", []any{bun.Safe(column), path, path}
	if reach.Under != "" {
		theirs, args = theirs+" or substr(path, 1, length(?)) = ?", append(args, reach.Under+"/", reach.Under+"/")
	}
	q.Where("? not in (select id from zones where domain_id is not null and domain_id not in (select id from domains where "+theirs+"))", args...)
}

// Pods gives a page of pods, the oldest first, and how many there are in all.
func (s *Service) Pods(ctx context.Context, f Filter) ([]Pod, int, error) {
	var rows []podRow
	n, err := db.Page(ctx, f.apply(s.db.Read().NewSelect().Model(&rows), "p").Order("p.id"), f.Offset, f.Limit)
	return pods(rows), n, err
}

// Clusters gives a page of clusters, the oldest first, and how many there are in all.
func (s *Service) Clusters(ctx context.Context, f Filter) ([]Cluster, int, error) {
	var rows []clusterRow
	n, err := db.Page(ctx, f.apply(s.db.Read().NewSelect().Model(&rows), "c").Order("c.id"), f.Offset, f.Limit)
	return clusters(rows), n, err
}

// Hypervisors gives the hypervisors that clusters have, in one zone or ("") in all.
func (s *Service) Hypervisors(ctx context.Context, zone uid.Zone) ([]string, error) {
	var names []string
	q := s.db.Read().NewSelect().Model((*clusterRow)(nil)).ColumnExpr("distinct c.hypervisor").Where("c.removed is null").Order("c.hypervisor")
	db.Equal(q, "c.zone_id", zone)
	err := q.Scan(ctx, &names)
	return names, err
}
