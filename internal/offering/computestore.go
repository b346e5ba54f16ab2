package offering

import (
	"context"

	"github.com/uptrace/bun"

	"github.com/virga-cloud/virga/internal/auth"
	"github.com/virga-cloud/virga/internal/db"
	"github.com/virga-cloud/virga/internal/fault"
	"github.com/virga-cloud/virga/uid"
)

type computeRow struct {
	bun.BaseModel `bun:"table:service_offerings,alias:o"`
	Compute
}

var findCompute = db.Prepare("select * from service_offerings where id = ? and removed is null")

// FindCompute gives a service offering that is not removed.
func FindCompute(ctx context.Context, q db.Tx, id uid.ServiceOffering) (Compute, error) {
	var rows []computeRow
	if err := q.Select(ctx, findCompute, &rows, id); err != nil {
		return Compute{}, err
	}
	if len(rows) == 0 {
		return Compute{}, fault.Missing(id)
	}
	return rows[0].Compute, nil
}

// SystemDefault gives what the cloud makes its own machines of a type from; "" where there is nothing.
func SystemDefault(ctx context.Context, q db.Tx, systemType string) (id uid.ServiceOffering, err error) {
	err = q.NewSelect().Table("service_offerings").Column("id").Where("system_type = ? and is_default and removed is null", systemType).
		Order("id").Limit(1).Scan(ctx, &id)
	if db.IsNone(err) {
		return "", nil
	}
	return id, err
}

// Computes gives a page of the service offerings that the caller in ctx is offered, and how many there are in all.
func (s *Service) Computes(ctx context.Context, f Filter) ([]Compute, int, error) {
	var rows []computeRow
	q := s.offered(s.db.Read().NewSelect().Model(&rows), f, auth.From(ctx))
	where(q, "o.is_system", f.System)
	db.EqualFold(q, "o.system_type", f.SystemType)
	for _, least := range []struct {
		want       int
		column, at string
	}{
		{f.MinCPU, "o.cpu_number", "o.max_cpu"}, {f.MinMHz, "o.cpu_speed", "o.cpu_speed"}, {f.MinMemoryMB, "o.memory_mb", "o.max_memory_mb"},
	} {
		if least.want > 0 {
			q.Where("(? >= ? or o.customized and (? = 0 or ? >= ?))", bun.Safe(least.column), least.want,
				bun.Safe(least.at), bun.Safe(least.at), least.want)
		}
	}
	if f.ChangeFrom != nil {
		from := f.ChangeFrom
		q.Where("(o.id <> ? or o.customized) and o.is_system = ? and o.storage_type = ? and o.storage_tags in ('', ?)",
			from.ID, from.IsSystem, from.StorageType, from.StorageTags)
	}
	if f.RootBytes > 0 {
		q.Where("(o.root_gb = 0 or o.root_gb * 1073741824 >= ?)", f.RootBytes)
	}
	n, err := db.Page(ctx, q, f.Offset, f.Limit)
	if err != nil {
		return nil, 0, err
	}
	out, ids := make([]Compute, len(rows)), make([]string, len(rows))
	for i, r := range rows {
		out[i], ids[i] = r.Compute, string(r.ID)
	}
	return out, n, scopesOf(ctx, s.db.Read(), ids, func(i int) *Scope { return &out[i].Scope })
}

var computesByID = db.PrepareMany("select * from service_offerings where id in (?)")

var computes = db.Remember("offerings", func(ctx context.Context, q db.Tx, ids []uid.ServiceOffering) (map[uid.ServiceOffering]Compute, error) {
	return db.ByID(ctx, q, computesByID, ids, func(r computeRow) (uid.ServiceOffering, Compute) { return r.ID, r.Compute })
})

// ComputesByID gives service offerings by their ids, removed ones too, in one query. Their domains and zones are left out.
func ComputesByID(ctx context.Context, q db.Tx, ids []uid.ServiceOffering) (map[uid.ServiceOffering]Compute, error) {
	return computes.Find(ctx, q, ids)
}
