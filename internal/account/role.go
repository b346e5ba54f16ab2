package account

import (
	"context"
	"fmt"

	"github.com/virga-cloud/virga/internal/auth"
	"github.com/virga-cloud/virga/internal/db"
	"github.com/virga-cloud/virga/internal/fault"
	"github.com/virga-cloud/virga/uid"
)

// roleFor gives the type and the role of an account that the caller wants to have in a domain: the role's type, or the default role
// of the type where no role is named. Nobody gives an account more than the own one has, and root admins are in ROOT only.
func (s *Service) roleFor(
	ctx context.Context, tx db.Tx, in Domain, t auth.AccountType, id uid.Role,
) (auth.AccountType, uid.Role, error) {
	switch {
	case id == "" && t.Rank() < 0:
		return t, id, fault.Invalidf("there is no account type %d", t)
	case id == "" && t.Rank() > auth.From(ctx).Type.Rank():
		return t, id, errMore()
	}
	named := id != ""
	if !named {
		id = auth.DefaultRole(t)
	}
	r, err := s.roles.Grant(ctx, tx, id)
	switch {
	case err != nil && !named && fault.Is(err, fault.NotFound):
		return t, id, errMore()
	case err != nil:
		return t, id, err
	case r.Type == auth.RootAdmin && in.Path != Root:
		return t, id, fault.Invalidf("root admin accounts are in the domain ROOT only, not in %s", in.Path)
	}
	return r.Type, r.ID, nil
}

func errMore() error { return fault.Deniedf("you may not make an account that may do more than yours") }

// covers tells whether the caller may do all that an account with this type and role may: only then the caller may act for it, or
// have what it signs in with.
func (s *Service) covers(ctx context.Context, q db.Tx, t auth.AccountType, id uid.Role) (bool, error) {
	ok, err := s.roles.Covers(ctx, q, t, id)
	if err != nil {
		return false, fmt.Errorf("compare roles: %w", err)
	}
	return ok, nil
}

// wholly gives the caller all that its role allows, whatever keys signed the request: for questions about what the caller is, not about
// what could be gained.
func wholly(ctx context.Context) context.Context {
	c := auth.From(ctx)
	c.Only = ""
	return auth.With(ctx, c)
}

// CountOfRole counts the accounts that have a role.
func CountOfRole(ctx context.Context, q db.Tx, id uid.Role) (int, error) {
	return countOfRole(ctx, q, id)
}
