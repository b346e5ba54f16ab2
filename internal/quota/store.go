package quota

import (
	"context"

	"github.com/virga-cloud/virga/internal/db"
	"github.com/virga-cloud/virga/internal/limit"
	"github.com/virga-cloud/virga/uid"
)

// counted are the things of each kind that an account has. Kinds that are not here have no things yet.
var counted = map[limit.Kind]string{
	limit.VMs:      "select count(*) from vms where account_id = ? and removed is null and destroyed is null",
	limit.CPUs:     "select coalesce(sum(cpu_number), 0) from vms where account_id = ? and removed is null and destroyed is null",
	limit.MemoryMB: "select coalesce(sum(memory_mb), 0) from vms where account_id = ? and removed is null and destroyed is null",
	limit.Volumes:  "select count(*) from volumes where account_id = ? and removed is null",
	limit.PrimaryGB: `select coalesce(sum((size + 1073741823) / 1073741824), 0) from volumes
		where account_id = ? and removed is null`,
	limit.Projects:  "select count(*) from project_members where account_id = ? and admin",
	limit.Networks:  "select count(*) from networks where account_id = ? and removed is null",
	limit.PublicIPs: "select count(*) from public_ips where account_id = ? and vm_id is null",
	limit.Templates: "select count(*) from templates where account_id = ? and removed is null",
	limit.Snapshots: "select count(*) from snapshots where account_id = ? and removed is null",
	limit.SecondaryGB: `select coalesce(sum((x.bytes + 1073741823) / 1073741824), 0) from (
		select t.account_id, z.stored_bytes as bytes from template_zones z join templates t on t.id = z.template_id where z.removed is null
		union all select account_id, stored_bytes from snapshots where removed is null
		union all select account_id, stored_bytes from uploads) x where x.account_id = ?`,
}

func countOf(ctx context.Context, tx db.Tx, id uid.Account, k limit.Kind) (n int64, err error) {
	query, known := counted[k]
	if !known {
		return 0, nil
	}
	err = tx.NewRaw("select cast(("+query+") as bigint)", id).Scan(ctx, &n)
	return n, err
}
