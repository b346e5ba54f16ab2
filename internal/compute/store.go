package compute

import (
	"context"
	"time"

	"github.com/uptrace/bun"

	"github.com/virga-cloud/virga/internal/auth"
	"github.com/virga-cloud/virga/internal/db"
	"github.com/virga-cloud/virga/internal/fault"
	"github.com/virga-cloud/virga/internal/network"
	"github.com/virga-cloud/virga/internal/tag"
	"github.com/virga-cloud/virga/uid"
)

type vmRow struct {
	bun.BaseModel `bun:"table:vms,alias:v"`
	VM
}

func insert(ctx context.Context, tx db.Tx, vm VM) error {
	return tx.Insert(ctx, &vmRow{VM: vm})
}

var selectOne = db.Prepare("select * from vms where id = ?")

// Find gives a machine, also a removed one. The caller checks who may see it.
func Find(ctx context.Context, q db.Tx, id uid.VM) (VM, error) {
	return one(ctx, q, selectOne, id)
}

func one(ctx context.Context, q db.Tx, s *db.Statement, id uid.VM) (VM, error) {
	var rows []vmRow
	if err := q.Select(ctx, s, &rows, id); err != nil {
		return VM{}, err
	}
	if len(rows) == 0 {
		return VM{}, fault.Missing(id)
	}
	return rows[0].VM, nil
}

var selectLocked = db.PrepareEach("select * from vms where id = ? and removed is null",
	"select * from vms where id = ? and removed is null for update")

// Locked gives a machine within a scope and keeps others from changing it until the transaction's end.
func Locked(ctx context.Context, tx db.Tx, scope auth.Scope, id uid.VM) (VM, error) {
	if scope.All {
		return one(ctx, tx, selectLocked, id)
	}
	var row vmRow
	q := scope.Where(tx.NewSelect().Model(&row), "v").Where("v.id = ? and v.removed is null", id)
	err := tx.Lock(q).Scan(ctx)
	if db.IsNone(err) {
		return VM{}, fault.Missing(id)
	}
	return row.VM, err
}

var updateState = db.Prepare("update vms set state = ?, version = version + 1 where id = ?")

func setState(ctx context.Context, tx db.Tx, id uid.VM, s State) error {
	return tx.Later(ctx, updateState, s, id)
}

var updateHost = db.Prepare("update vms set last_host_id = coalesce(host_id, last_host_id), host_id = ?, version = version + 1 where id = ?")

// setHost records where the machine has its room; "" for nowhere.
func setHost(ctx context.Context, tx db.Tx, id uid.VM, h uid.Host) error {
	var value any = h
	if h == "" {
		value = nil
	}
	return tx.Later(ctx, updateHost, value, id)
}

// saveChange records what a user may change of a machine.
func saveChange(ctx context.Context, tx db.Tx, vm VM) error {
	vm.Version++
	vm.Updated = tx.Now
	_, err := tx.NewUpdate().Model(&vmRow{VM: vm}).WherePK().Column("name", "display_name", "instance_name", "group_id", "os_type_id", "user_data",
		"details", "ha_enabled", "dynamic", "service_offering_id", "cpu_number", "cpu_speed", "memory_mb", "version", "updated").Exec(ctx)
	if err != nil {
		return err
	}
	return network.TouchOf(ctx, tx, vm.ID) // which tell it what it is
}

func setRecovered(ctx context.Context, tx db.Tx, id uid.VM) error {
	_, err := tx.NewRaw("update vms set state = ?, destroyed = null, version = version + 1 where id = ?", Stopped, id).Exec(ctx)
	return err
}

func setDestroyed(ctx context.Context, tx db.Tx, id uid.VM, at time.Time) error {
	_, err := tx.NewRaw("update vms set destroyed = ? where id = ?", at, id).Exec(ctx)
	return err
}

func setRemoved(ctx context.Context, tx db.Tx, id uid.VM, s State) error {
	_, err := tx.NewRaw(`update vms set state = ?, removed = ?, password = '', encrypted_password = '', version = version + 1
		where id = ?`, s, tx.Now, id).Exec(ctx)
	if err != nil {
		return err
	}
	return tag.Forget(ctx, tx, tag.VM, id)
}

// destroyedBefore gives machines that may be expunged, the longest destroyed first. Those that a job is working on are left
// out: a job can be stuck for days, and a batch's worth of stuck ones would keep all others waiting.
func destroyedBefore(ctx context.Context, q db.Tx, before time.Time, limit int) (ids []uid.VM, err error) {
	err = q.NewRaw(`select v.id from vms v where v.destroyed is not null and v.destroyed < ? and v.removed is null and v.state = ?
		and not exists (select 1 from operations o where o.thing = ? || v.id and o.finished is null)
		order by v.destroyed limit ?`, before, Destroyed, thing(""), limit).Scan(ctx, &ids)
	return ids, err
}

// anyHost gives a host that reaches all of the machine's disks: the last it ran on or, where that is not up, another one. ""
// means that no disk was ever made.
func anyHost(ctx context.Context, q db.Tx, id uid.VM) (h uid.Host, err error) {
	err = q.NewRaw(`select h.id from hosts h join vms v on v.id = ?
		where h.removed is null and h.zone_id = v.zone_id and lower(h.hypervisor) = lower(v.hypervisor)
		and exists (select 1 from volumes d where d.vm_id = v.id and d.pool_id is not null and d.removed is null)
		and not exists (select 1 from volumes d join storage_pools p on p.id = d.pool_id where d.vm_id = v.id and d.removed is null
			and (p.scope = 'CLUSTER' and p.cluster_id <> h.cluster_id or p.scope = 'HOST' and p.host_id <> h.id))
		order by case when h.id = v.last_host_id and h.state = 'Up' then 0 when h.state = 'Up' then 1 else 2 end, h.id limit 1`, id).Scan(ctx, &h)
	if db.IsNone(err) {
		return "", nil
	}
	return h, err
}
