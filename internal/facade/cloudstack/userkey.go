package cloudstack

import (
	"cmp"
	"context"
	"time"

	"github.com/virga-cloud/virga/api"
	cs "github.com/virga-cloud/virga/api/cloudstack"
	"github.com/virga-cloud/virga/internal/account"
	"github.com/virga-cloud/virga/internal/auth"
	"github.com/virga-cloud/virga/internal/facade/cloudstack/look"
	"github.com/virga-cloud/virga/internal/role"
	"github.com/virga-cloud/virga/uid"
)

func (f *Facade) registerKeys(m *api.Mux) {
	api.HandleCall(m, cs.RegisterUserKeys, f.registerUserKeys)
	api.HandleCall(m, cs.GetUserKeys, f.getUserKeys)
	api.HandleList(m, cs.ListUserKeys, f.listUserKeys)
	api.HandleList(m, cs.ListUserKeyRules, f.listUserKeyRules)
	api.HandleJob(m, cs.DeleteUserKeys, f.deleteUserKeys, func(context.Context, string) (api.Success, error) {
		return api.Success{Success: true}, nil
	})
}

const inherit = "INHERIT"

// keyAccess reads what is said about keys, nil for nothing.
func keyAccess(text string) *account.KeyAccess {
	switch text {
	case "":
		return nil
	case inherit:
		return new(account.KeysInherit)
	}
	return new(account.KeyAccess(text))
}

func keyAccessOut(a account.KeyAccess) string { return cmp.Or(string(a), inherit) }

// accountTypes are the types of accounts as pairs of keys show them.
var accountTypes = map[auth.AccountType]string{
	auth.User: "NORMAL", auth.RootAdmin: "ADMIN", auth.DomainAdmin: "DOMAIN_ADMIN", auth.ResourceAdmin: "RESOURCE_DOMAIN_ADMIN",
}

func (f *Facade) registerUserKeys(ctx context.Context, in cs.RegisterUserKeysIn) (none cs.UserKeys, _ error) {
	p, err := f.Accounts.AddKeys(ctx, account.KeysIn{
		User: in.ID, Name: in.Name, Description: in.Description, Starts: in.StartDate, Ends: in.EndDate, Rules: rulesIn(in.Rules),
	})
	if err != nil {
		return none, err
	}
	return f.keysShown(ctx, p)
}

func (f *Facade) getUserKeys(ctx context.Context, in cs.UserID) (none cs.UserKeys, _ error) {
	p, err := f.Accounts.LatestKeys(ctx, in.ID)
	if err != nil {
		return none, err
	}
	return f.keysShown(ctx, p)
}

func (f *Facade) keysShown(ctx context.Context, p account.KeyPair) (cs.UserKeys, error) {
	out, err := f.keysOut(ctx, []account.KeyPair{p}, true)
	if err != nil {
		return cs.UserKeys{}, err
	}
	users, err := account.UsersByID(ctx, f.DB.Read(), []uid.User{p.User})
	if err != nil {
		return cs.UserKeys{}, err
	}
	out[0].Access = new(f.Accounts.MaySign(users[p.User]))
	return out[0], nil
}

func (f *Facade) listUserKeys(ctx context.Context, in cs.ListUserKeysIn) (none api.Page[cs.UserKeys], _ error) {
	caller := auth.From(ctx)
	filter := account.PairFilter{
		Scope: caller.Reach(), ID: in.KeyPairID, User: in.UserID, APIKey: in.APIKey, Keyword: in.Keyword,
	}
	if in.UserID == "" && in.KeyPairID == "" && !in.ListAll {
		filter.User = caller.User
	}
	filter.Offset, filter.Limit = look.Window(in.Paging)
	pairs, total, err := f.Accounts.KeyPairs(ctx, filter)
	if err != nil {
		return none, err
	}
	items, err := f.keysOut(ctx, pairs, in.ShowPermissions)
	return api.Page[cs.UserKeys]{Count: total, Items: items}, err
}

func (f *Facade) listUserKeyRules(ctx context.Context, in cs.UserKeyPairID) (none api.Page[cs.UserKeyRule], _ error) {
	p, err := f.Accounts.KeyPair(ctx, in.ID)
	if err != nil {
		return none, err
	}
	items, err := keyRulesOut(p.Rules)
	return api.Page[cs.UserKeyRule]{Count: len(items), Items: items}, err
}

func (f *Facade) deleteUserKeys(ctx context.Context, in cs.UserKeyPairID) (api.Started, error) {
	job, err := f.Closing.DeleteKeys(ctx, in.ID)
	return api.Started{JobID: job}, err
}

func (f *Facade) keysOut(ctx context.Context, pairs []account.KeyPair, rules bool) ([]cs.UserKeys, error) {
	l := look.In(f.DB.Read())
	roles := look.Related(ctx, l, len(pairs), func(i int) uid.Role { return pairs[i].AccountRole }, role.ByID)
	if l.Err != nil {
		return nil, l.Err
	}
	out := make([]cs.UserKeys, len(pairs))
	for i, p := range pairs {
		r := roles[p.AccountRole]
		out[i] = cs.UserKeys{
			APIKey: p.Keys.APIKey, SecretKey: p.Keys.Secret.Reveal(), ID: p.ID, Name: p.Name, Description: p.Description,
			StartDate: api.At(p.Starts), EndDate: api.At(p.Ends), Created: api.At(p.Created), State: keyState(p, f.DB.Now()),
			UserID: p.User, Username: p.Username, AccountID: p.Account, AccountName: p.AccountName, AccountType: accountTypes[p.AccountType],
			DomainID: p.Domain, Domain: p.DomainName, DomainPath: p.DomainPath,
			RoleID: p.AccountRole, RoleName: r.Name, RoleType: roleTypes[r.Type],
		}
		if !rules {
			continue
		}
		var err error
		if out[i].Permissions, err = keyRulesOut(p.Rules); err != nil {
			return nil, err
		}
	}
	return out, nil
}

func keyState(p account.KeyPair, now time.Time) string {
	switch {
	case !p.Ends.IsZero() && !p.Ends.After(now):
		return "EXPIRED"
	case p.Starts.After(now):
		return "PENDING"
	}
	return string(account.KeysEnabled)
}

func keyRulesOut(packed string) ([]cs.UserKeyRule, error) {
	rules, err := role.Unpack(packed)
	if err != nil {
		return nil, err
	}
	out := make([]cs.UserKeyRule, len(rules))
	for i, r := range rules {
		out[i] = cs.UserKeyRule{Rule: r.Pattern, Permission: permission(r.Allow), Description: r.Description}
	}
	return out, nil
}

func permission(allowed bool) string {
	if allowed {
		return allow
	}
	return deny
}

// rulesIn reads rules as importRole and registerUserKeys take them.
func rulesIn(in []cs.RoleRule) []role.Rule {
	out := make([]role.Rule, len(in))
	for i, r := range in {
		out[i] = role.Rule{Pattern: r.Rule, Allow: r.Permission == allow, Description: r.Description}
	}
	return out
}
