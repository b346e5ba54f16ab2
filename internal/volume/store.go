package volume

import (
	"context"

	"github.com/uptrace/bun"

	"github.com/virga-cloud/virga/internal/auth"
	"github.com/virga-cloud/virga/internal/db"
	"github.com/virga-cloud/virga/internal/fault"
	"github.com/virga-cloud/virga/internal/offering"
	"github.com/virga-cloud/virga/internal/tag"
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

var (
	ofOne  = db.Prepare("select * from volumes where vm_id = ? and removed is null order by device")
	ofMany = db.PrepareMany("select * from volumes where vm_id in (?) and removed is null order by vm_id, device")
)

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
	rows, err := db.Rows[volumeRow](ctx, q, ofMany, vms)
	for _, r := range rows {
		out[r.VM] = append(out[r.VM], r.Volume)
	}
	return out, err
}

// Disk is what is shown of a root disk with its machine.
type Disk struct {
	VM     uid.VM   `bun:"vm_id"`
	Pool   uid.Pool `bun:"pool_id,nullzero"` // "" before it is made
	Device int
}

var rootsOf = db.PrepareMany(`select vm_id, pool_id, device from volumes
	where vm_id in (?) and type = 'ROOT' and device is not null and removed is null`)

// RootsOf gives machines' root disks, in one query. A machine may have none (any more).
func RootsOf(ctx context.Context, q db.Tx, vms []uid.VM) (map[uid.VM]Disk, error) {
	return db.ByID(ctx, q, rootsOf, vms, func(d Disk) (uid.VM, Disk) { return d.VM, d })
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

var settle = db.Prepare("update volumes set state = ? where id = ? and state = ?")

// Settle moves a volume from a state to another one, unless it has left that meanwhile, with its machine for instance.
func Settle(ctx context.Context, tx db.Tx, id uid.Volume, from, to State) error {
	return tx.Later(ctx, settle, to, id, from)
}

// Advance moves a volume from a state to another one, and tells whether it was in that.
func Advance(ctx context.Context, tx db.Tx, id uid.Volume, from, to State) (bool, error) {
	done, err := tx.NewRaw("update volumes set state = ? where id = ? and state = ? and removed is null", to, id, from).Exec(ctx)
	if err != nil {
		return false, err
	}
	n, err := done.RowsAffected()
	return n > 0, err
}

func forgetUpload(ctx context.Context, tx db.Tx, id uid.Volume) error {
	_, err := tx.NewRaw("update volumes set upload_id = null where id = ?", id).Exec(ctx)
	return err
}

// setSize records the size of a volume's disk, and the offering that says it.
func setSize(ctx context.Context, tx db.Tx, id uid.Volume, bytes int64, offering uid.DiskOffering) error {
	_, err := tx.NewRaw("update volumes set size = ?, disk_offering_id = nullif(?, '') where id = ?", bytes, offering, id).Exec(ctx)
	return err
}

var setRemoved = db.Prepare("update volumes set state = ?, removed = ? where id = ?")

// Remove records that a volume is no more.
func Remove(ctx context.Context, tx db.Tx, id uid.Volume) error {
	if err := tx.Later(ctx, setRemoved, Expunged, tx.Now, id); err != nil {
		return err
	}
	return tag.Forget(ctx, tx, tag.Volume, id)
}

var detach = db.Prepare("update volumes set vm_id = null, device = null, attached = null where id = ?")

// Detach takes a volume from its machine.
func Detach(ctx context.Context, tx db.Tx, id uid.Volume) error {
	return tx.Later(ctx, detach, id)
}

var selectLocked = db.PrepareEach("select * from volumes where id = ? and removed is null",
	"select * from volumes where id = ? and removed is null for update")

// Locked gives a volume within a scope and keeps others from changing it until the transaction's end.
func Locked(ctx context.Context, tx db.Tx, scope auth.Scope, id uid.Volume) (Volume, error) {
	if scope.All {
		var rows []volumeRow
		if err := tx.Select(ctx, selectLocked, &rows, id); err != nil {
			return Volume{}, err
		}
		if len(rows) == 0 {
			return Volume{}, fault.Missing(id)
		}
		return rows[0].Volume, nil
	}
	var row volumeRow
	q := scope.Where(tx.NewSelect().Model(&row), "v").Where("v.id = ? and v.removed is null", id)
	err := tx.Lock(q).Scan(ctx)
	if db.IsNone(err) {
		return Volume{}, fault.Missing(id)
	}
	return row.Volume, err
}

// ByID gives volumes by their ids, removed ones too, in one query. The caller has checked who may see them.
func ByID(ctx context.Context, q db.Tx, ids []uid.Volume) (map[uid.Volume]Volume, error) {
	out := map[uid.Volume]Volume{}
	if len(ids) == 0 {
		return out, nil
	}
	var rows []volumeRow
	err := q.NewSelect().Model(&rows).Where("v.id in (?)", bun.List(ids)).Scan(ctx)
	for _, r := range rows {
		out[r.ID] = r.Volume
	}
	return out, err
}

var attach = db.Prepare("update volumes set vm_id = ?, device = ?, attached = ?, state = ? where id = ?")

// Attach gives a volume to a machine, at a device that is free there, and leaves it in a state.
func Attach(ctx context.Context, tx db.Tx, id uid.Volume, vm uid.VM, device int, s State) error {
	return tx.Later(ctx, attach, vm, device, tx.Now, s, id)
}

// SetServiceOffering records the service offering of the machine whose root disk the volume is.
func SetServiceOffering(ctx context.Context, tx db.Tx, id uid.Volume, offering uid.ServiceOffering) error {
	_, err := tx.NewRaw("update volumes set service_offering_id = ? where id = ?", offering, id).Exec(ctx)
	return err
}

// Through gives a host that reaches a pool, one that is up where there is one, and its hypervisor.
func Through(ctx context.Context, q db.Tx, id uid.Pool) (uid.Host, string, error) {
	var row struct {
		ID         uid.Host
		Hypervisor string
	}
	err := q.NewRaw(`select h.id, h.hypervisor from hosts h join storage_pools p on p.zone_id = h.zone_id
		and (p.scope = 'CLUSTER' and p.cluster_id = h.cluster_id or p.scope = 'HOST' and p.host_id = h.id
			or p.scope = 'ZONE' and lower(p.hypervisor) = lower(h.hypervisor))
		where p.id = ? and h.removed is null order by case when h.state = 'Up' then 0 else 1 end, h.id limit 1`, id).Scan(ctx, &row)
	if db.IsNone(err) {
		return "", "", fault.Unavailablef("no host reaches storage pool %s", id)
	}
	return row.ID, row.Hypervisor, err
}

// Meet tells whether some host of a hypervisor reaches all of some pools.
func Meet(ctx context.Context, q db.Tx, hypervisor string, pools []uid.Pool) (bool, error) {
	return q.NewSelect().Table("hosts").Where(`removed is null and lower(hypervisor) = lower(?) and not exists (
		select 1 from storage_pools p where p.id in (?) and not (p.zone_id = hosts.zone_id
		and (p.scope = 'CLUSTER' and p.cluster_id = hosts.cluster_id or p.scope = 'HOST' and p.host_id = hosts.id
			or p.scope = 'ZONE' and lower(p.hypervisor) in (lower(hosts.hypervisor), 'any'))))`, hypervisor, bun.List(pools)).Exists(ctx)
}

var wants = db.Prepare(`select coalesce(o.storage_type, s.storage_type, 'shared') as type, coalesce(o.tags, s.storage_tags, '') as tags from volumes d
	left join disk_offerings o on o.id = d.disk_offering_id left join service_offerings s on s.id = d.service_offering_id where d.id = ?`)

// Wants gives what kind of storage a volume's offering wants it to lie in, and the tags that this must have, with commas between them.
func Wants(ctx context.Context, q db.Tx, id uid.Volume) (local bool, tags string, err error) {
	var rows []struct {
		Type offering.StorageType
		Tags string
	}
	if err := q.Select(ctx, wants, &rows, id); err != nil || len(rows) == 0 {
		return false, "", err
	}
	return rows[0].Type == offering.LocalStorage, rows[0].Tags, nil
}

var detachFrom = db.Prepare("update volumes set vm_id = null, device = null, attached = null where id = ? and vm_id = ?")

var (
	detached = db.Prepare("update volumes set vm_id = null, device = null, attached = null, state = ? where id = ? and state = 'Detaching'")
	kept     = db.Prepare("update volumes set state = ? where id = ? and state = 'Detaching'")
)

// Detached ends the detaching of a volume, which is then in the state that it had before. One that is gone meanwhile stays so.
func Detached(ctx context.Context, tx db.Tx, id uid.Volume, was State) error {
	return tx.Later(ctx, detached, was, id)
}

// Kept ends the detaching of a volume that stays its machine's.
func Kept(ctx context.Context, tx db.Tx, id uid.Volume, was State) error {
	return tx.Later(ctx, kept, was, id)
}

// DetachFrom is Detach if the volume is that machine's still.
func DetachFrom(ctx context.Context, tx db.Tx, id uid.Volume, vm uid.VM) error {
	return tx.Later(ctx, detachFrom, id, vm)
}
