package cloudstack

import (
	"context"
	"strings"

	"github.com/virga-cloud/virga/api"
	cs "github.com/virga-cloud/virga/api/cloudstack"
	"github.com/virga-cloud/virga/internal/account"
	"github.com/virga-cloud/virga/internal/auth"
)

func (f *Facade) registerUsers(m *api.Mux) {
	api.HandleList(m, cs.ListUsers, f.listUsers)
	api.HandleCall(m, cs.GetUser, f.getUser)
	api.HandleCall(m, cs.RegisterUserKeys, f.registerUserKeys)
	api.HandleCall(m, cs.GetUserKeys, f.getUserKeys)
}

func (f *Facade) listUsers(ctx context.Context, in cs.ListUsersIn) (api.Page[cs.User], error) {
	scope, err := f.scope(ctx, in.Scope, in.ID != "")
	if err != nil {
		return api.Page[cs.User]{}, err
	}
	filter := account.UserFilter{
		Scope: scope, ID: in.ID, Username: in.Username, State: account.State(in.State), Keyword: in.Keyword,
	}
	if in.AccountType != nil {
		filter.Type = new(auth.AccountType(*in.AccountType))
	}
	filter.Offset, filter.Limit = window(in.Paging)
	users, total, err := f.Accounts.Users(ctx, filter)
	caller := auth.From(ctx)
	return pageOf(users, total, func(u account.User) cs.User { return userOut(u, caller) }), err
}

func (f *Facade) getUser(ctx context.Context, in cs.GetUserIn) (cs.User, error) {
	u, key, err := f.Accounts.UserOfKey(ctx, in.UserAPIKey)
	if err != nil {
		return cs.User{}, err
	}
	out := userOut(u, auth.From(ctx))
	out.SecretKey = key.Reveal()
	return out, nil
}

// userOut shows a user. API keys are shown to their users and to root admins; others who may have them ask for them by name.
func userOut(u account.User, caller auth.Caller) cs.User {
	out := cs.User{
		ID: u.ID, Username: u.Username, FirstName: u.Firstname, LastName: u.Lastname, Email: u.Email, Created: api.At(u.Created),
		State: string(u.State), Account: u.AccountName, AccountID: u.Account, AccountType: int(u.AccountType),
		DomainID: u.Domain, Domain: u.DomainName, Timezone: u.Timezone,
		IsBelow: strings.HasPrefix(u.DomainPath, caller.DomainPath+"/"),
	}
	if caller.IsRoot() || caller.User == u.ID {
		out.APIKey = u.APIKey
	}
	return out
}

func (f *Facade) registerUserKeys(ctx context.Context, in cs.RegisterUserKeysIn) (cs.UserKeys, error) {
	keys, err := f.Accounts.RegisterKeys(ctx, in.ID)
	return cs.UserKeys{APIKey: keys.APIKey, SecretKey: keys.Secret.Reveal()}, err
}

func (f *Facade) getUserKeys(ctx context.Context, in cs.GetUserKeysIn) (cs.UserKeys, error) {
	keys, err := f.Accounts.Keys(ctx, in.ID)
	return cs.UserKeys{APIKey: keys.APIKey, SecretKey: keys.Secret.Reveal()}, err
}
