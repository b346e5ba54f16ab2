package vmgroup

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

func byName(ctx context.Context, q db.Tx, account uid.Account, name string) (id uid.InstanceGroup, err error) {
	err = q.NewSelect().Model((*groupRow)(nil)).Column("id").Where("g.account_id = ? and g.name = ?", account, name).Scan(ctx, &id)
	if db.IsNone(err) {
		return "", nil
	}
	return id, err
}

func insert(ctx context.Context, tx db.Tx, g Group) error {
	return tx.Insert(ctx, &groupRow{Group: g})
}

// Names gives the names of groups, in one query.
func Names(ctx context.Context, q db.Tx, ids []uid.InstanceGroup) (map[uid.InstanceGroup]string, error) {
	return db.Names(ctx, q, "vm_groups", "name", ids)
}

// RemoveAllOf removes the groups of an account, in which no machines are any more.
func RemoveAllOf(ctx context.Context, tx db.Tx, account uid.Account) error {
	_, err := tx.NewRaw("delete from vm_groups where account_id = ?", account).Exec(ctx)
	return err
}
