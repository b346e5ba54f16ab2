package cloudstack

import (
	"context"

	"github.com/virga-cloud/virga/api"
	cs "github.com/virga-cloud/virga/api/cloudstack"
	"github.com/virga-cloud/virga/internal/account"
	"github.com/virga-cloud/virga/internal/auth"
	"github.com/virga-cloud/virga/internal/compute"
	"github.com/virga-cloud/virga/internal/facade/cloudstack/look"
	"github.com/virga-cloud/virga/internal/facade/cloudstack/wire"
	"github.com/virga-cloud/virga/internal/fault"
	"github.com/virga-cloud/virga/internal/router"
	"github.com/virga-cloud/virga/internal/secret"
	"github.com/virga-cloud/virga/internal/zone"
	"github.com/virga-cloud/virga/uid"
)

func (f *Facade) registerAccounts(m *api.Mux) {
	shown := look.Show(f.DB.Read, account.ByID, f.accountsOut)
	api.HandleCreate(m, cs.CreateAccount, f.createAccount, shown)
	api.HandleCall(m, cs.UpdateAccount, f.updateAccount)
	api.HandleCall(m, cs.EnableAccount, f.enableAccount)
	api.HandleCall(m, cs.LockAccount, f.lockAccount)
	of := func(ctx context.Context, subject string) (cs.Account, error) { return shown(ctx, uid.Account(subject)) }
	api.HandleJob(m, cs.DisableAccount, f.disableAccount, of)
	api.HandleJob(m, cs.MarkDefaultZoneForAccount, f.markDefaultZone, of)
	api.HandleJob(m, cs.DeleteAccount, f.deleteAccount, look.Succeeded)
	api.HandleList(m, cs.ListAccounts, f.listAccounts)
}

func (f *Facade) createAccount(ctx context.Context, in cs.CreateAccountIn) (uid.Account, error) {
	var t auth.AccountType
	switch {
	case in.AccountType != nil:
		t = auth.AccountType(*in.AccountType)
	case in.RoleID == "":
		return "", fault.Invalidf("neither roleid nor accounttype is given: " +
			"want 0 for a user's account, 1 root admin, 2 domain admin or 3 resource domain admin")
	}
	a, _, err := f.Accounts.CreateAccount(ctx, account.CreateAccountIn{
		ID: in.AccountID, Name: in.Account, Domain: in.DomainID, Type: t, Typed: in.AccountType != nil, Role: in.RoleID,
		NetworkDomain: in.NetworkDomain, Details: in.Details, User: in.UserID, Username: in.Username, Password: secret.New(in.Password),
		Firstname: in.FirstName, Lastname: in.LastName, Email: in.Email, Timezone: in.Timezone,
	})
	return a.ID, err
}

func (f *Facade) updateAccount(ctx context.Context, in cs.UpdateAccountIn) (cs.Account, error) {
	id, err := f.Accounts.Update(ctx, named(in.Named), account.Change{
		Name: in.NewName, NetworkDomain: in.NetworkDomain, Details: in.Details, Role: in.RoleID, KeyAccess: keyAccess(in.KeyAccess),
	})
	return f.accountShown(ctx, id, err)
}

func (f *Facade) enableAccount(ctx context.Context, in cs.EnableAccountIn) (cs.Account, error) {
	id, err := f.Accounts.Enable(ctx, named(in.Named))
	return f.accountShown(ctx, id, err)
}

func (f *Facade) lockAccount(ctx context.Context, in cs.LockAccountIn) (cs.Account, error) {
	id, err := f.Accounts.Lock(ctx, account.Named{Name: in.Account, Domain: in.DomainID})
	return f.accountShown(ctx, id, err)
}

func (f *Facade) disableAccount(ctx context.Context, in cs.DisableAccountIn) (api.Started, error) {
	job, err := f.Closing.Disable(ctx, named(in.Named), in.Lock)
	return api.Started{JobID: job}, err
}

func (f *Facade) markDefaultZone(ctx context.Context, in cs.MarkDefaultZoneForAccountIn) (api.Started, error) {
	job, err := f.Closing.MarkZone(ctx, account.Named{Name: in.Account, Domain: in.DomainID}, in.ZoneID)
	return api.Started{JobID: job}, err
}

func (f *Facade) deleteAccount(ctx context.Context, in cs.DeleteAccountIn) (api.Started, error) {
	job, err := f.Closing.DeleteAccount(ctx, in.ID)
	return api.Started{JobID: job}, err
}

func named(n cs.Named) account.Named {
	return account.Named{ID: n.ID, Name: n.Account, Domain: n.DomainID}
}

// accountShown shows an account that was changed, unless that failed.
func (f *Facade) accountShown(ctx context.Context, id uid.Account, err error) (none cs.Account, _ error) {
	if err != nil {
		return none, err
	}
	return look.Show(f.DB.Read, account.ByID, f.accountsOut)(ctx, id)
}

func (f *Facade) listAccounts(ctx context.Context, in cs.ListAccountsIn) (api.Page[cs.Account], error) {
	caller := auth.From(ctx)
	whose := api.Scope{DomainID: in.DomainID, Recursive: in.Recursive, ListAll: in.ListAll}
	if in.Name != "" && in.DomainID == "" {
		whose.DomainID = caller.Domain // a name means one in the own domain, not only the own account's
		whose.Recursive = in.Recursive || in.ListAll
	}
	scope, err := f.Owned.Scope(ctx, whose, in.ID != "")
	if err != nil {
		return api.Page[cs.Account]{}, err
	}
	figures, err := look.Figures(in.Details)
	if err != nil {
		return api.Page[cs.Account]{}, err
	}
	filter := account.AccountFilter{
		Scope: scope, ID: in.ID, Name: in.Name, State: account.State(in.State), Closing: in.CleanUp, Keyword: in.Keyword,
		Keys: keyAccess(in.KeyAccess),
	}
	if in.AccountType != nil {
		filter.Type = new(auth.AccountType(*in.AccountType))
	}
	filter.Offset, filter.Limit = look.Window(in.Paging)
	accounts, total, err := f.Accounts.Accounts(ctx, filter)
	if err != nil {
		return api.Page[cs.Account]{}, err
	}
	items, err := f.accountsFor(ctx, accounts, figures)
	return api.Page[cs.Account]{Count: total, Items: items}, err
}

func (f *Facade) accountsOut(ctx context.Context, accounts []account.Account) ([]cs.Account, error) {
	return f.accountsFor(ctx, accounts, true)
}

// accountsFor shows accounts, with figures also what they use and may use.
func (f *Facade) accountsFor(ctx context.Context, accounts []account.Account, figures bool) ([]cs.Account, error) {
	return look.InParts(accounts, func(some []account.Account) ([]cs.Account, error) { return f.someAccountsOut(ctx, some, figures) })
}

func (f *Facade) someAccountsOut(ctx context.Context, accounts []account.Account, figures bool) ([]cs.Account, error) {
	if err := account.Dress(ctx, f.DB.Read(), accounts); err != nil {
		return nil, err
	}
	l := look.In(f.DB.Read())
	zones := look.Related(ctx, l, len(accounts), func(i int) uid.Zone { return accounts[i].DefaultZone }, zone.ByID)
	var machines map[uid.Account]compute.States
	var traffic map[uid.Account]router.Traffic
	if figures {
		traffic = look.Related(ctx, l, len(accounts), func(i int) uid.Account { return accounts[i].ID }, router.TrafficOf)
		machines = look.Related(ctx, l, len(accounts), func(i int) uid.Account { return accounts[i].ID }, compute.StatesOf)
	}
	if l.Err != nil {
		return nil, l.Err
	}
	caller := auth.From(ctx)
	out := make([]cs.Account, len(accounts))
	for i, a := range accounts {
		out[i] = accountOut(a, caller)
		if z, known := zones[a.DefaultZone]; known && z.Removed.IsZero() {
			out[i].DefaultZoneID = a.DefaultZone
		}
		if figures {
			out[i].Resources = wire.Resources(a.Counts)
			out[i].VMRunning, out[i].VMStopped = new(machines[a.ID].Running), new(machines[a.ID].Stopped)
			out[i].SentBytes, out[i].ReceivedBytes = new(traffic[a.ID].Sent), new(traffic[a.ID].Received)
		}
	}
	if err := f.rolesOfAccounts(ctx, accounts, out); err != nil {
		return nil, err
	}
	return out, f.Owned.Pending(ctx, len(out), func(i int) (string, *cs.Pending) { return string(out[i].ID), &out[i].Pending })
}

// rolesOfAccounts fills in the roles of accounts, and of their users.
func (f *Facade) rolesOfAccounts(ctx context.Context, accounts []account.Account, out []cs.Account) error {
	err := f.inRoles(ctx, len(out), func(i int) (uid.Role, *cs.InRole) { return accounts[i].Role, &out[i].InRole })
	for i := range out {
		for j := range out[i].Users {
			out[i].Users[j].InRole = out[i].InRole
		}
	}
	return err
}

func accountOut(a account.Account, caller auth.Caller) cs.Account {
	out := cs.Account{
		ID: a.ID, Name: a.Name, Type: int(a.Type), DomainID: a.Domain, Domain: a.DomainName, DomainPath: a.DomainPath,
		State: string(a.State), NetworkDomain: a.NetworkDomain, Details: a.Details, CleanUp: a.Closing, Created: api.At(a.Created),
		KeyAccess: keyAccessOut(a.KeyAccess),
	}
	for _, u := range a.Users {
		out.Users = append(out.Users, userOut(u, caller))
	}
	return out
}
