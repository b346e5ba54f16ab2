package volume

import (
	"context"

	"github.com/uptrace/bun"

	"github.com/virga-cloud/virga/internal/auth"
	"github.com/virga-cloud/virga/internal/db"
	"github.com/virga-cloud/virga/uid"
)

type volumeRow struct {
	bun.BaseModel `bun:"table:volumes,alias:v"`
	Volume
}

// Insert adds volumes.
func Insert(ctx context.Context, tx db.Tx, volumes []Volume) error {
	for _, v := range volumes {
		if err := tx.Insert(ctx, &volumeRow{Volume: v}); err != nil {
			return err
		}
	}
	return nil
}

var ofOne = db.Prepare("select * from volumes where vm_id = ? and removed is null order by device")

// Of gives the volumes of machines, each machine's by device, in one query.
func Of(ctx context.Context, q db.Tx, vms []uid.VM) (map[uid.VM][]Volume, error) {
	out := map[uid.VM][]Volume{}
	var rows []volumeRow
	switch len(vms) {
	case 0:
		return out, nil
	case 1:
		err := q.Select(ctx, ofOne, &rows, vms[0])
		for _, r := range rows {
			out[r.VM] = append(out[r.VM], r.Volume)
		}
		return out, err
	}
	err := q.NewSelect().Model(&rows).Where("v.vm_id in (?) and v.removed is null", bun.List(vms)).Order("v.vm_id", "v.device").Scan(ctx)
	for _, r := range rows {
		out[r.VM] = append(out[r.VM], r.Volume)
	}
	return out, err
}

var setPlaced = db.Prepare("update volumes set state = ?, pool_id = ? where id = ?")

// SetPlaced records the pool in which a volume's disk is to be made; pool "" takes it back.
func SetPlaced(ctx context.Context, tx db.Tx, id uid.Volume, s State, pool uid.Pool) error {
	var p any = pool
	if pool == "" {
		p = nil
	}
	return tx.Later(ctx, setPlaced, s, p, id)
}

var setState = db.Prepare("update volumes set state = ? where id = ?")

// SetState records where a volume stands.
func SetState(ctx context.Context, tx db.Tx, id uid.Volume, s State) error {
	return tx.Later(ctx, setState, s, id)
}

var setRemoved = db.Prepare("update volumes set state = ?, removed = ? where id = ?")

// Remove records that a volume is no more.
func Remove(ctx context.Context, tx db.Tx, id uid.Volume) error {
	return tx.Later(ctx, setRemoved, Expunged, tx.Now, id)
}

var detach = db.Prepare("update volumes set vm_id = null, device = null, attached = null where id = ?")

// Detach takes a volume from its machine.
func Detach(ctx context.Context, tx db.Tx, id uid.Volume) error {
	return tx.Later(ctx, detach, id)
}

// Filter says which volumes a list shows. Zero fields don't restrict, but for Scope, whose zero value shows nothing.
type Filter struct {
	Scope        auth.Scope
	IDs          []uid.Volume
	Name         string
	Type         Type
	State        State
	VM           uid.VM
	Zone         uid.Zone
	Pod          uid.Pod
	DiskOffering uid.DiskOffering
	Keyword      string // in the name
	Offset       int
	Limit        int // 0 or less: all
}

// Service lists volumes.
type Service struct{ db *db.DB }

// New makes a service.
func New(d *db.DB) *Service { return &Service{d} }

// List gives a page of volumes, the oldest first, and how many there are in all.
func (s *Service) List(ctx context.Context, f Filter) ([]Volume, int, error) {
	var rows []volumeRow
	q := f.Scope.Where(s.db.Read().NewSelect().Model(&rows), "v").Where("v.removed is null").Order("v.id")
	db.In(q, "v.id", f.IDs)
	db.Equal(q, "v.name", f.Name)
	db.EqualFold(q, "v.type", f.Type)
	db.EqualFold(q, "v.state", f.State)
	db.Equal(q, "v.vm_id", f.VM)
	db.Equal(q, "v.zone_id", f.Zone)
	db.Equal(q, "v.disk_offering_id", f.DiskOffering)
	if f.Pod != "" {
		q.Where("v.pool_id in (select id from storage_pools where pod_id = ?)", f.Pod)
	}
	db.Like(q, f.Keyword, "v.name")
	n, err := db.Page(ctx, q, f.Offset, f.Limit)
	out := make([]Volume, len(rows))
	for i, r := range rows {
		out[i] = r.Volume
	}
	return out, n, err
}
