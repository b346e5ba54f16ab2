package meter

import (
	"context"

	"github.com/uptrace/bun"

	"github.com/virga-cloud/virga/internal/db"
	"github.com/virga-cloud/virga/uid"
)

type machineRow struct {
	bun.BaseModel `bun:"table:vm_stats"`
	Machine
	Seen seen
}

var lastMachines = db.PrepareMany("select * from vm_stats where vm_id in (?)")

func machinesByID(ctx context.Context, q db.Tx, ids []uid.VM) (map[uid.VM]machineRow, error) {
	return db.ByID(ctx, q, lastMachines, ids, func(r machineRow) (uid.VM, machineRow) { return r.VM, r })
}

// shown is all but what only the next look needs.
var shown = db.PrepareMany(`select vm_id, host_id, measured, cpu, memory_kb, received, sent, read_bytes, written_bytes, reads, writes
	from vm_stats where vm_id in (?)`)

func shownByID(ctx context.Context, q db.Tx, ids []uid.VM) (map[uid.VM]Machine, error) {
	return db.ByID(ctx, q, shown, ids, func(m Machine) (uid.VM, Machine) { return m.VM, m })
}

// place is where a machine runs.
type place struct {
	ID   uid.VM
	Host uid.Host `bun:"host_id"`
	CPUs int64    `bun:"cpu_number"`
}

var machinePlaces = db.PrepareMany("select id, host_id, cpu_number from vms where id in (?) and host_id is not null and removed is null")

func placesOf(ctx context.Context, q db.Tx, ids []uid.VM) (map[uid.VM]place, error) {
	return db.ByID(ctx, q, machinePlaces, ids, func(p place) (uid.VM, place) { return p.ID, p })
}

func putMachines(ctx context.Context, tx db.Tx, rows []machineRow) error {
	return put(ctx, tx, &rows, "vm_id", "host_id", "measured", "cpu", "memory_kb", "received", "sent",
		"read_bytes", "written_bytes", "reads", "writes", "seen")
}

// put writes rows, in the place of those with the same key.
func put(ctx context.Context, tx db.Tx, rows any, key string, columns ...string) error {
	q := tx.NewInsert().Model(rows).On("conflict (?) do update", bun.Ident(key))
	for _, c := range columns {
		q.Set("? = excluded.?", bun.Ident(c), bun.Ident(c))
	}
	_, err := q.Exec(ctx)
	return err
}

// mostGone is how many machines, or hosts, are forgotten in a round.
const mostGone = 5000

func goneMachines(ctx context.Context, q db.Tx) (ids []uid.VM, err error) {
	err = q.NewRaw(`select s.vm_id from vm_stats s left join vms v on v.id = s.vm_id
		where v.id is null or v.removed is not null order by s.vm_id limit ?`, mostGone).Scan(ctx, &ids)
	return ids, err
}

func forgetMachines(ctx context.Context, tx db.Tx, ids []uid.VM) error {
	_, err := tx.NewRaw("delete from vm_stats where vm_id in (?)", bun.List(ids)).Exec(ctx)
	return err
}

type hostRow struct {
	bun.BaseModel `bun:"table:host_stats"`
	Host
}

var lastHosts = db.PrepareMany("select * from host_stats where host_id in (?)")

func hostsByID(ctx context.Context, q db.Tx, ids []uid.Host) (map[uid.Host]Host, error) {
	return db.ByID(ctx, q, lastHosts, ids, func(r hostRow) (uid.Host, Host) { return r.Host.Host, r.Host })
}

func putHosts(ctx context.Context, tx db.Tx, rows []hostRow) error {
	return put(ctx, tx, &rows, "host_id", "measured", "cpu", "load", "memory_kb", "sent", "received")
}

func goneHosts(ctx context.Context, q db.Tx) (ids []uid.Host, err error) {
	err = q.NewRaw(`select s.host_id from host_stats s left join hosts h on h.id = s.host_id
		where h.id is null or h.removed is not null order by s.host_id limit ?`, mostGone).Scan(ctx, &ids)
	return ids, err
}

func forgetHosts(ctx context.Context, tx db.Tx, ids []uid.Host) error {
	_, err := tx.NewRaw("delete from host_stats where host_id in (?)", bun.List(ids)).Exec(ctx)
	return err
}
