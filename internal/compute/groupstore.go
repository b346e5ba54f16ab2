package compute

import (
	"context"

	"github.com/virga-cloud/virga/internal/db"
	"github.com/virga-cloud/virga/internal/vmgroup"
	"github.com/virga-cloud/virga/uid"
)

// RemoveGroupsOf removes the groups of an account that has no machines any more. Those that it had forget theirs.
func RemoveGroupsOf(ctx context.Context, tx db.Tx, account uid.Account) error {
	_, err := tx.NewRaw("update vms set group_id = null where group_id in (select id from vm_groups where account_id = ?)", account).Exec(ctx)
	if err != nil {
		return err
	}
	return vmgroup.RemoveAllOf(ctx, tx, account)
}
