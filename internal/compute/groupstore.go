package compute

import (
	"context"

	"github.com/uptrace/bun"

	"github.com/virga-cloud/virga/internal/db"
	"github.com/virga-cloud/virga/uid"
)

type groupRow struct {
	bun.BaseModel `bun:"table:vm_groups,alias:g"`
	Group
}

func groupByName(ctx context.Context, q db.Tx, account uid.Account, name string) (id uid.InstanceGroup, err error) {
	err = q.NewSelect().Model((*groupRow)(nil)).Column("id").Where("g.account_id = ? and g.name = ?", account, name).Scan(ctx, &id)
	if db.IsNone(err) {
		return "", nil
	}
	return id, err
}

func insertGroup(ctx context.Context, tx db.Tx, g Group) error {
	return tx.Insert(ctx, &groupRow{Group: g})
}

// GroupNames gives the names of groups, in one query.
func GroupNames(ctx context.Context, q db.Tx, ids []uid.InstanceGroup) (map[uid.InstanceGroup]string, error) {
	return db.Names(ctx, q, "vm_groups", "name", ids)
}

// RemoveGroupsOf removes the groups of an account that has no machines any more. Those that it had forget theirs.
func RemoveGroupsOf(ctx context.Context, tx db.Tx, account uid.Account) error {
	_, err := tx.NewRaw("update vms set group_id = null where group_id in (select id from vm_groups where account_id = ?)", account).Exec(ctx)
	if err != nil {
		return err
	}
	_, err = tx.NewRaw("delete from vm_groups where account_id = ?", account).Exec(ctx)
	return err
}
