package compute

import (
	"context"

	"github.com/virga-cloud/virga/internal/db"
	"github.com/virga-cloud/virga/internal/network"
	"github.com/virga-cloud/virga/uid"
)

// ForgetPassword forgets a machine's sealed password, and tells whether it was still there: of two that ask at the same moment one
// is told so.
func ForgetPassword(ctx context.Context, tx db.Tx, id uid.VM, sealed string) (bool, error) {
	res, err := tx.NewRaw("update vms set password = '' where id = ? and password = ?", id, sealed).Exec(ctx)
	if err != nil {
		return false, err
	}
	n, err := res.RowsAffected()
	return n == 1, err
}

// SetAccess records by what a machine lets its users in, which its networks' routers tell it.
func SetAccess(ctx context.Context, tx db.Tx, id uid.VM, a Access) error {
	_, err := tx.NewRaw(`update vms set password = ?, password_user = ?, encrypted_password = ?, key_pairs = ?, ssh_keys = ?,
		version = version + 1 where id = ?`, a.Password, a.User, a.Encrypted, a.KeyPairs, a.SSHKeys, id).Exec(ctx)
	if err != nil {
		return err
	}
	return network.TouchOf(ctx, tx, id)
}
