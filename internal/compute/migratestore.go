package compute

import (
	"context"

	"github.com/virga-cloud/virga/internal/db"
	"github.com/virga-cloud/virga/uid"
)

// setDestination records where a machine is moving to, and has room; "" for nowhere.
func setDestination(ctx context.Context, tx db.Tx, id uid.VM, to uid.Host) error {
	var value any = to
	if to == "" {
		value = nil
	}
	_, err := tx.NewRaw("update vms set to_host_id = ?, version = version + 1 where id = ?", value, id).Exec(ctx)
	return err
}

// setArrived records that a machine runs where it was moving to.
func setArrived(ctx context.Context, tx db.Tx, id uid.VM) error {
	_, err := tx.NewRaw("update vms set last_host_id = host_id, host_id = to_host_id, to_host_id = null, state = ?, version = version+1 where id = ?",
		Running, id).Exec(ctx)
	return err
}
