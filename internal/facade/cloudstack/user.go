package cloudstack

import (
	"context"
	"strings"

	"github.com/virga-cloud/virga/api"
	cs "github.com/virga-cloud/virga/api/cloudstack"
	"github.com/virga-cloud/virga/internal/account"
	"github.com/virga-cloud/virga/internal/auth"
	"github.com/virga-cloud/virga/internal/facade/cloudstack/look"
	"github.com/virga-cloud/virga/internal/secret"
	"github.com/virga-cloud/virga/uid"
)

func (f *Facade) registerUsers(m *api.Mux) {
	api.HandleCreate(m, cs.CreateUser, f.createUser, look.Show(f.DB.Read, account.UsersByID, f.usersOut))
	api.HandleCall(m, cs.UpdateUser, f.updateUser)
	api.HandleCall(m, cs.DeleteUser, f.deleteUser)
	api.HandleCall(m, cs.LockUser, f.lockUser)
	api.HandleCall(m, cs.EnableUser, f.enableUser)
	api.HandleJob(m, cs.DisableUser, f.disableUser, func(ctx context.Context, subject string) (cs.User, error) {
		return f.userShown(ctx, uid.User(subject), nil)
	})
	api.HandleCall(m, cs.MoveUser, f.moveUser)
	api.HandleList(m, cs.ListUsers, f.listUsers)
	api.HandleCall(m, cs.GetUser, f.getUser)
	f.registerKeys(m)
}

func (f *Facade) createUser(ctx context.Context, in cs.CreateUserIn) (uid.User, error) {
	return f.Accounts.CreateUser(ctx, account.CreateUserIn{
		ID: in.UserID, Account: in.Account, Domain: in.DomainID, Username: in.Username, Password: secret.New(in.Password),
		Firstname: in.FirstName, Lastname: in.LastName, Email: in.Email, Timezone: in.Timezone,
	})
}

func (f *Facade) updateUser(ctx context.Context, in cs.UpdateUserIn) (cs.User, error) {
	return f.userShown(ctx, in.ID, f.Accounts.UpdateUser(ctx, in.ID, account.UserChange{
		Username: in.Username, Firstname: in.FirstName, Lastname: in.LastName, Email: in.Email, Timezone: in.Timezone,
		Password: secret.New(in.Password), Current: secret.New(in.CurrentPassword),
		Keys: account.Keys{APIKey: in.UserAPIKey, Secret: secret.New(in.UserSecretKey)}, Factor: in.Mandate2FA, KeyAccess: keyAccess(in.KeyAccess),
	}))
}

func (f *Facade) deleteUser(ctx context.Context, in cs.UserID) (api.Success, error) {
	err := f.Accounts.DeleteUser(ctx, in.ID)
	return api.Success{Success: err == nil}, err
}

func (f *Facade) lockUser(ctx context.Context, in cs.UserID) (cs.User, error) {
	return f.userShown(ctx, in.ID, f.Accounts.LockUser(ctx, in.ID))
}

func (f *Facade) enableUser(ctx context.Context, in cs.UserID) (cs.User, error) {
	return f.userShown(ctx, in.ID, f.Accounts.EnableUser(ctx, in.ID))
}

func (f *Facade) disableUser(ctx context.Context, in cs.UserID) (api.Started, error) {
	job, err := f.Closing.DisableUser(ctx, in.ID)
	return api.Started{JobID: job}, err
}

func (f *Facade) moveUser(ctx context.Context, in cs.MoveUserIn) (api.Success, error) {
	err := f.Accounts.MoveUser(ctx, in.ID, account.Named{ID: in.AccountID, Name: in.Account})
	return api.Success{Success: err == nil}, err
}

// userShown shows a user that was changed, unless that failed.
func (f *Facade) userShown(ctx context.Context, id uid.User, err error) (none cs.User, _ error) {
	if err != nil {
		return none, err
	}
	return look.Show(f.DB.Read, account.UsersByID, f.usersOut)(ctx, id)
}

func (f *Facade) usersOut(ctx context.Context, users []account.User) ([]cs.User, error) {
	caller := auth.From(ctx)
	out := make([]cs.User, len(users))
	for i, u := range users {
		out[i] = userOut(u, caller)
	}
	if err := f.inRoles(ctx, len(out), func(i int) (uid.Role, *cs.InRole) { return users[i].AccountRole, &out[i].InRole }); err != nil {
		return nil, err
	}
	return out, f.Owned.Pending(ctx, len(out), func(i int) (string, *cs.Pending) { return string(out[i].ID), &out[i].Pending })
}

func (f *Facade) listUsers(ctx context.Context, in cs.ListUsersIn) (api.Page[cs.User], error) {
	scope, err := f.Owned.Scope(ctx, in.Scope, in.ID != "")
	if err != nil {
		return api.Page[cs.User]{}, err
	}
	filter := account.UserFilter{
		Scope: scope, ID: in.ID, Username: in.Username, State: account.State(in.State), Keyword: in.Keyword,
		Source: auth.Source(in.Source), Keys: keyAccess(in.KeyAccess),
	}
	if in.AccountType != nil {
		filter.Type = new(auth.AccountType(*in.AccountType))
	}
	filter.Offset, filter.Limit = look.Window(in.Paging)
	users, total, err := f.Accounts.Users(ctx, filter)
	if err != nil {
		return api.Page[cs.User]{}, err
	}
	items, err := f.usersOut(ctx, users)
	return api.Page[cs.User]{Count: total, Items: items}, err
}

func (f *Facade) getUser(ctx context.Context, in cs.GetUserIn) (cs.User, error) {
	u, key, err := f.Accounts.UserOfKey(ctx, in.UserAPIKey)
	if err != nil {
		return cs.User{}, err
	}
	out, err := f.usersOut(ctx, []account.User{u})
	if err != nil {
		return cs.User{}, err
	}
	out[0].SecretKey = key.Reveal()
	return out[0], nil
}

// userOut shows a user. API keys are shown to their users and to root admins; others who may have them ask for them by name.
func userOut(u account.User, caller auth.Caller) cs.User {
	out := cs.User{
		ID: u.ID, Username: u.Username, FirstName: u.Firstname, LastName: u.Lastname, Email: u.Email, Created: api.At(u.Created),
		State: string(u.State), Account: u.AccountName, AccountID: u.Account, AccountType: int(u.AccountType),
		DomainID: u.Domain, Domain: u.DomainName, Timezone: u.Timezone, KeyAccess: keyAccessOut(u.KeyAccess),
		Source: string(u.Source), TwoFactor: u.Factor == account.HasFactor, Mandated: u.FactorMandated,
		IsBelow: strings.HasPrefix(u.DomainPath, caller.DomainPath+"/"),
	}
	if caller.IsRoot() || caller.User == u.ID {
		out.APIKey = u.APIKey
	}
	return out
}
