package project

import (
	"context"
	"fmt"

	"github.com/virga-cloud/virga/internal/account"
	"github.com/virga-cloud/virga/internal/auth"
	"github.com/virga-cloud/virga/internal/db"
	"github.com/virga-cloud/virga/internal/fault"
	"github.com/virga-cloud/virga/uid"
)

// MayRun refuses to start what belongs to an account, or a project, that is shut. A project is not suspended before the transaction's end.
func MayRun(ctx context.Context, tx db.Tx, id uid.Account) error {
	if err := tx.Rely(ctx, uid.Project(id)); err != nil {
		return err
	}
	a, there, err := account.Of(ctx, tx, id)
	switch {
	case err != nil:
		return fmt.Errorf("find account %s: %w", id, err)
	case !there:
		return fault.Missing(id)
	case a.Closing:
		return fault.Conflictf("the account is being deleted")
	case a.State == account.Enabled:
		return nil
	case a.Type == auth.Project:
		return fault.Conflictf("project %q is suspended", a.Name)
	}
	return fault.Conflictf("account %q is %s", a.Name, a.State)
}
