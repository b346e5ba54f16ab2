package account

import (
	"context"
	"fmt"

	"github.com/virga-cloud/virga/internal/auth"
	"github.com/virga-cloud/virga/internal/db"
	"github.com/virga-cloud/virga/internal/secret"
	"github.com/virga-cloud/virga/uid"
)

// ByKey gives who an API key belongs to and the secret that its requests are signed with. A key that is not there, or whose
// user, account or domain may not act, that has not begun or has ended, or whose user may use no keys, is fault.Unauthenticated.
func (s *Service) ByKey(ctx context.Context, apiKey string) (auth.Caller, secret.String, error) {
	u, pair, err := userByKey(ctx, s.db.Read(), apiKey)
	switch {
	case db.IsNone(err):
		return auth.Caller{}, secret.String{}, errNobody()
	case err != nil:
		return auth.Caller{}, secret.String{}, fmt.Errorf("find an API key: %w", err)
	case !s.MaySign(u):
		return auth.Caller{}, secret.String{}, errNobody()
	}
	key, err := s.box.Open(pair.Sealed, keyContext(u.ID))
	if err != nil {
		return auth.Caller{}, secret.String{}, err
	}
	c := u.caller()
	c.Key, c.Only = pair.ID, pair.Rules
	return c, key, nil
}

// ByUser gives a signed-in user as a caller. One who may not act any more is fault.Unauthenticated.
func (s *Service) ByUser(ctx context.Context, id uid.User) (auth.Caller, User, error) {
	u, err := actingUser(ctx, s.db.Read(), id)
	if db.IsNone(err) {
		return auth.Caller{}, User{}, errNobody()
	} else if err != nil {
		return auth.Caller{}, User{}, fmt.Errorf("find user %s: %w", id, err)
	}
	return u.caller(), u, nil
}

func (u User) caller() auth.Caller {
	return auth.Caller{
		User: u.ID, Username: u.Username, Account: u.Account, Domain: u.Domain, DomainPath: u.DomainPath, Type: u.AccountType,
		Role: u.AccountRole, Joined: u.Joined, NoProjects: u.NoProjects,
	}
}
