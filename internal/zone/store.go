package zone

import (
	"context"

	"github.com/uptrace/bun"

	"github.com/virga-cloud/virga/internal/db"
	"github.com/virga-cloud/virga/internal/fault"
	"github.com/virga-cloud/virga/uid"
)

type zoneRow struct {
	bun.BaseModel `bun:"table:zones,alias:z"`
	Zone
}

type podRow struct {
	bun.BaseModel `bun:"table:pods,alias:p"`
	Pod
}

type clusterRow struct {
	bun.BaseModel `bun:"table:clusters,alias:c"`
	Cluster
}

func insert(ctx context.Context, tx db.Tx, row any) error {
	_, err := tx.NewInsert().Model(row).Exec(ctx)
	return err
}

var findZone = db.Prepare("select * from zones where id = ? and removed is null")

// Find gives a zone that is not removed; FindPod and FindCluster do the same for those.
func Find(ctx context.Context, q db.Tx, id uid.Zone) (Zone, error) {
	var rows []zoneRow
	if err := q.Select(ctx, findZone, &rows, id); err != nil {
		return Zone{}, err
	}
	if len(rows) == 0 {
		return Zone{}, fault.Missing(id)
	}
	return rows[0].Zone, nil
}

// FindPod gives a pod that is not removed.
func FindPod(ctx context.Context, q db.Tx, id uid.Pod) (Pod, error) {
	var row podRow
	err := q.NewSelect().Model(&row).Where("p.id = ? and p.removed is null", id).Scan(ctx)
	if db.IsNone(err) {
		return Pod{}, fault.Missing(id)
	}
	return row.Pod, err
}

// FindCluster gives a cluster that is not removed.
func FindCluster(ctx context.Context, q db.Tx, id uid.Cluster) (Cluster, error) {
	var row clusterRow
	err := q.NewSelect().Model(&row).Where("c.id = ? and c.removed is null", id).Scan(ctx)
	if db.IsNone(err) {
		return Cluster{}, fault.Missing(id)
	}
	return row.Cluster, err
}

// Filter says which zones, pods or clusters a list shows. Zero fields don't restrict.
type Filter struct {
	IDs         []string
	Zone        uid.Zone // of pods and clusters
	Pod         uid.Pod  // of clusters
	Name        string
	NetworkType NetworkType
	Hypervisor  string
	Allocation  Allocation
	Keyword     string // in the name
	Offset      int
	Limit       int // 0 or less: all
}

// apply restricts a query on the table known as t.
func (f Filter) apply(q *bun.SelectQuery, alias string) *bun.SelectQuery {
	q.Where("?.removed is null", bun.Safe(alias)).Order(alias + ".id")
	db.In(q, alias+".id", f.IDs)
	db.Equal(q, alias+".zone_id", f.Zone)
	db.Equal(q, alias+".pod_id", f.Pod)
	db.Equal(q, alias+".name", f.Name)
	db.EqualFold(q, alias+".network_type", f.NetworkType)
	db.EqualFold(q, alias+".hypervisor", f.Hypervisor)
	db.EqualFold(q, alias+".allocation_state", f.Allocation)
	db.Like(q, f.Keyword, alias+".name")
	return q
}

// Zones gives a page of zones, the oldest first, and how many there are in all.
func (s *Service) Zones(ctx context.Context, f Filter) ([]Zone, int, error) {
	var rows []zoneRow
	n, err := db.Page(ctx, f.apply(s.db.Read().NewSelect().Model(&rows), "z"), f.Offset, f.Limit)
	zones := make([]Zone, len(rows))
	for i, r := range rows {
		zones[i] = r.Zone
	}
	return zones, n, err
}

// Pods gives a page of pods, the oldest first, and how many there are in all.
func (s *Service) Pods(ctx context.Context, f Filter) ([]Pod, int, error) {
	var rows []podRow
	n, err := db.Page(ctx, f.apply(s.db.Read().NewSelect().Model(&rows), "p"), f.Offset, f.Limit)
	pods := make([]Pod, len(rows))
	for i, r := range rows {
		pods[i] = r.Pod
	}
	return pods, n, err
}

// Clusters gives a page of clusters, the oldest first, and how many there are in all.
func (s *Service) Clusters(ctx context.Context, f Filter) ([]Cluster, int, error) {
	var rows []clusterRow
	n, err := db.Page(ctx, f.apply(s.db.Read().NewSelect().Model(&rows), "c"), f.Offset, f.Limit)
	clusters := make([]Cluster, len(rows))
	for i, r := range rows {
		clusters[i] = r.Cluster
	}
	return clusters, n, err
}

// Hypervisors gives the hypervisors that clusters have, in one zone or ("") in all.
func (s *Service) Hypervisors(ctx context.Context, zone uid.Zone) ([]string, error) {
	var names []string
	q := s.db.Read().NewSelect().Model((*clusterRow)(nil)).ColumnExpr("distinct c.hypervisor").Where("c.removed is null").Order("c.hypervisor")
	db.Equal(q, "c.zone_id", zone)
	err := q.Scan(ctx, &names)
	return names, err
}

// Names gives the names of zones, PodNames of pods, ClusterNames of clusters, removed ones too, in one query each.
func Names(ctx context.Context, q db.Tx, ids []uid.Zone) (map[uid.Zone]string, error) {
	return db.Names(ctx, q, "zones", "name", ids)
}

// PodNames gives the names of pods.
func PodNames(ctx context.Context, q db.Tx, ids []uid.Pod) (map[uid.Pod]string, error) {
	return db.Names(ctx, q, "pods", "name", ids)
}

// ClusterNames gives the names of clusters.
func ClusterNames(ctx context.Context, q db.Tx, ids []uid.Cluster) (map[uid.Cluster]string, error) {
	return db.Names(ctx, q, "clusters", "name", ids)
}

var (
	zonesByID    = db.PrepareMany("select * from zones where id in (?)")
	clustersByID = db.PrepareMany("select * from clusters where id in (?)")
)

// ByID gives zones by their ids, removed ones too, in one query.
func ByID(ctx context.Context, q db.Tx, ids []uid.Zone) (map[uid.Zone]Zone, error) {
	return db.ByID(ctx, q, zonesByID, ids, func(r zoneRow) (uid.Zone, Zone) { return r.ID, r.Zone })
}

// ClustersByID gives clusters by their ids, removed ones too, in one query.
func ClustersByID(ctx context.Context, q db.Tx, ids []uid.Cluster) (map[uid.Cluster]Cluster, error) {
	return db.ByID(ctx, q, clustersByID, ids, func(r clusterRow) (uid.Cluster, Cluster) { return r.ID, r.Cluster })
}
