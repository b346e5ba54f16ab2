// Package grant says what has become of whoever was given an address. An address of ours is good for as long as the user who asked for it
// may still ask for it.
package grant

import (
	"context"

	"github.com/virga-cloud/virga/internal/account"
	"github.com/virga-cloud/virga/internal/auth"
	"github.com/virga-cloud/virga/internal/project"
	"github.com/virga-cloud/virga/internal/role"
	"github.com/virga-cloud/virga/uid"
)

// Grants are those who know users, what they reach, and what they may.
type Grants struct {
	Accounts *account.Service
	Projects *project.Service
	Roles    *role.Service
}

// Caller gives a user as they are now, and tells whether they may use a command.
func (g Grants) Caller(ctx context.Context, user uid.User, command string) (auth.Caller, bool, error) {
	caller := auth.System()
	if user == caller.User {
		return caller, true, nil
	}
	caller, _, err := g.Accounts.ByUser(ctx, user)
	if err != nil {
		return auth.Caller{}, false, err
	}
	if caller, err = g.Projects.Reach(ctx, caller, command); err != nil {
		return auth.Caller{}, false, err
	}
	may, err := g.Roles.Allows(ctx, caller, command)
	return caller, may, err
}
