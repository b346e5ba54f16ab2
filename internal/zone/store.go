package zone

import (
	"context"
	"unicode/utf8"

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

func update(ctx context.Context, tx db.Tx, row any) error {
	if _, err := tx.NewUpdate().Model(row).WherePK().Exec(ctx); err != nil {
		return err
	}
	return forget(ctx, tx)
}

func remove(ctx context.Context, tx db.Tx, table, id string) error {
	if _, err := tx.NewRaw("update ? set removed = ? where id = ?", bun.Ident(table), tx.Now, id).Exec(ctx); err != nil {
		return err
	}
	return forget(ctx, tx)
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

// Kept is Find for who puts something into the zone: nobody deletes it before the transaction's end.
func Kept(ctx context.Context, tx db.Tx, id uid.Zone) (Zone, error) {
	if err := tx.Rely(ctx, id); err != nil {
		return Zone{}, err
	}
	return Find(ctx, tx, id)
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

// AnyWithGroups tells whether a zone has security groups.
func AnyWithGroups(ctx context.Context, q db.Tx) (bool, error) {
	return q.NewSelect().Model((*zoneRow)(nil)).Where("z.security_groups and z.removed is null").Exists(ctx)
}

// Lock is Find for who changes the zone, or what must be one in the whole of it: they wait for each other.
func Lock(ctx context.Context, tx db.Tx, id uid.Zone) (Zone, error) {
	var row zoneRow
	err := tx.Lock(tx.NewSelect().Model(&row).Where("z.id = ? and z.removed is null", id)).Scan(ctx)
	if db.IsNone(err) {
		return Zone{}, fault.Missing(id)
	}
	return row.Zone, err
}

// LockPod is FindPod for who changes the pod or puts something into it: both wait for each other.
func LockPod(ctx context.Context, tx db.Tx, id uid.Pod) (Pod, error) {
	var row podRow
	err := tx.Lock(tx.NewSelect().Model(&row).Where("p.id = ? and p.removed is null", id)).Scan(ctx)
	if db.IsNone(err) {
		return Pod{}, fault.Missing(id)
	}
	return row.Pod, err
}

// LockCluster is FindCluster for who changes the cluster or puts something into it.
func LockCluster(ctx context.Context, tx db.Tx, id uid.Cluster) (Cluster, error) {
	var row clusterRow
	err := tx.Lock(tx.NewSelect().Model(&row).Where("c.id = ? and c.removed is null", id)).Scan(ctx)
	if db.IsNone(err) {
		return Cluster{}, fault.Missing(id)
	}
	return row.Cluster, err
}

// ClusterNamed gives the cluster of a pod that has a name, or one without an ID.
func ClusterNamed(ctx context.Context, q db.Tx, pod uid.Pod, name string) (Cluster, error) {
	var row clusterRow
	err := q.NewSelect().Model(&row).Where("c.pod_id = ? and c.name = ? and c.removed is null", pod, name).Scan(ctx)
	if db.IsNone(err) {
		return Cluster{}, nil
	}
	return row.Cluster, err
}

func podsOf(ctx context.Context, q db.Tx, id uid.Zone) ([]Pod, error) {
	var rows []podRow
	err := q.NewSelect().Model(&rows).Where("p.zone_id = ? and p.removed is null", id).Order("p.id").Scan(ctx)
	return pods(rows), err
}

// DomainPath gives a domain's path; it is fault.NotFound when there is none.
func DomainPath(ctx context.Context, q db.Tx, id uid.Domain) (path string, err error) {
	err = q.NewRaw("select path from domains where id = ? and removed is null", id).Scan(ctx, &path)
	if db.IsNone(err) {
		return "", fault.Missing(id)
	}
	return path, err
}

// countPlaces counts the places within a place.
func countPlaces(ctx context.Context, q db.Tx, p Place) ([]Count, error) {
	var pods, clusters int
	var err error
	switch {
	case p.Zone != "":
		err = q.NewRaw(`select (select count(*) from pods where zone_id = ? and removed is null),
			(select count(*) from clusters where zone_id = ? and removed is null)`, p.Zone, p.Zone).Scan(ctx, &pods, &clusters)
	case p.Pod != "":
		err = q.NewRaw("select count(*) from clusters where pod_id = ? and removed is null", p.Pod).Scan(ctx, &clusters)
	}
	return []Count{{"pod", pods}, {"cluster", clusters}}, err
}

// The memories of places, of which none changes often.
var (
	zoneNames  = db.RememberNames[uid.Zone]("zones", "zones", "name")
	podNames   = db.RememberNames[uid.Pod]("zones", "pods", "name")
	wholeZones = db.Remember("zones", func(ctx context.Context, q db.Tx, ids []uid.Zone) (map[uid.Zone]Zone, error) {
		return db.ByID(ctx, q, zonesByID, ids, func(r zoneRow) (uid.Zone, Zone) { return r.ID, r.Zone })
	})
	wholeClusters = db.Remember("zones", func(ctx context.Context, q db.Tx, ids []uid.Cluster) (map[uid.Cluster]Cluster, error) {
		return db.ByID(ctx, q, clustersByID, ids, func(r clusterRow) (uid.Cluster, Cluster) { return r.ID, r.Cluster })
	})
)

// forget says that places change with a transaction.
func forget(ctx context.Context, tx db.Tx) error { return wholeZones.Forget(ctx, tx) }

// Names gives the names of zones, PodNames of pods, ClusterNames of clusters, removed ones too, in one query each.
func Names(ctx context.Context, q db.Tx, ids []uid.Zone) (map[uid.Zone]string, error) {
	return zoneNames.Find(ctx, q, ids)
}

// PodNames gives the names of pods.
func PodNames(ctx context.Context, q db.Tx, ids []uid.Pod) (map[uid.Pod]string, error) {
	return podNames.Find(ctx, q, ids)
}

// ClusterNames gives the names of clusters.
func ClusterNames(ctx context.Context, q db.Tx, ids []uid.Cluster) (map[uid.Cluster]string, error) {
	return db.Names(ctx, q, "clusters", "name", ids)
}

var (
	zonesByID    = db.PrepareMany("select * from zones where id in (?)")
	clustersByID = db.PrepareMany("select * from clusters where id in (?)")
)

// DomainNames gives the names of the domains that zones belong to.
func DomainNames(ctx context.Context, q db.Tx, ids []uid.Domain) (map[uid.Domain]string, error) {
	return db.Names(ctx, q, "domains", "name", ids)
}

// ByID gives zones by their ids, removed ones too, in one query.
func ByID(ctx context.Context, q db.Tx, ids []uid.Zone) (map[uid.Zone]Zone, error) {
	return wholeZones.Find(ctx, q, ids)
}

// PodsByID gives pods by their ids, removed ones too, in one query.
func PodsByID(ctx context.Context, q db.Tx, ids []uid.Pod) (map[uid.Pod]Pod, error) {
	out := map[uid.Pod]Pod{}
	if len(ids) == 0 {
		return out, nil
	}
	var rows []podRow
	err := q.NewSelect().Model(&rows).Where("p.id in (?)", bun.List(ids)).Scan(ctx)
	for _, r := range rows {
		out[r.ID] = r.Pod
	}
	return out, err
}

// ClustersByID gives clusters by their ids, removed ones too, in one query.
func ClustersByID(ctx context.Context, q db.Tx, ids []uid.Cluster) (map[uid.Cluster]Cluster, error) {
	return wholeClusters.Find(ctx, q, ids)
}

func zones(rows []zoneRow) []Zone {
	out := make([]Zone, len(rows))
	for i, r := range rows {
		out[i] = r.Zone
	}
	return out
}

func pods(rows []podRow) []Pod {
	out := make([]Pod, len(rows))
	for i, r := range rows {
		out[i] = r.Pod
	}
	return out
}

func clusters(rows []clusterRow) []Cluster {
	out := make([]Cluster, len(rows))
	for i, r := range rows {
		out[i] = r.Cluster
	}
	return out
}

// Runs tells whether a zone has a cluster of a hypervisor, whose name is spelled as [Hypervisor] does.
func Runs(ctx context.Context, q db.Tx, zone uid.Zone, hypervisor string) (bool, error) {
	return q.NewSelect().Model((*clusterRow)(nil)).Where("c.zone_id = ? and c.hypervisor = ? and c.removed is null", zone, hypervisor).Exists(ctx)
}

// CountBelow counts the zones that are kept for the domain with a path, or for one below it.
func CountBelow(ctx context.Context, tx db.Tx, path string) ([]Count, error) {
	var n int
	err := tx.NewRaw(`select count(*) from zones where removed is null and domain_id in
		(select id from domains where removed is null and (path = ? or substr(path, 1, ?) = ?))`,
		path, utf8.RuneCountInString(path)+1, path+"/").Scan(ctx, &n)
	return []Count{{Thing: "zone", N: n}}, err
}
