package cloudstack

import (
	"context"
	"strconv"

	"github.com/virga-cloud/virga/api"
	cs "github.com/virga-cloud/virga/api/cloudstack"
	"github.com/virga-cloud/virga/internal/account"
	"github.com/virga-cloud/virga/internal/auth"
	"github.com/virga-cloud/virga/internal/compute"
	"github.com/virga-cloud/virga/uid"
)

func (f *Facade) registerAccounts(m *api.Mux) {
	api.HandleList(m, cs.ListAccounts, f.listAccounts)
}

func (f *Facade) listAccounts(ctx context.Context, in cs.ListAccountsIn) (api.Page[cs.Account], error) {
	caller := auth.From(ctx)
	whose := api.Scope{DomainID: in.DomainID, Recursive: in.Recursive, ListAll: in.ListAll}
	if in.Name != "" && in.DomainID == "" {
		whose.DomainID = caller.Domain // a name means one in the own domain, not only the own account's
		whose.Recursive = in.Recursive || in.ListAll
	}
	scope, err := f.scope(ctx, whose, in.ID != "")
	if err != nil {
		return api.Page[cs.Account]{}, err
	}
	if in.CleanUp {
		return api.Page[cs.Account]{}, nil // an account is removed with all it owns, so none waits for that
	}
	filter := account.AccountFilter{Scope: scope, ID: in.ID, Name: in.Name, State: account.State(in.State), Keyword: in.Keyword}
	if in.AccountType != nil {
		filter.Type = new(auth.AccountType(*in.AccountType))
	}
	filter.Offset, filter.Limit = window(in.Paging)
	var machines map[uid.Account]compute.States
	accounts, total, err := f.Accounts.Accounts(ctx, filter, func(accounts []uid.Account) (err error) {
		machines, err = compute.StatesOf(ctx, f.DB.Read(), accounts)
		return err
	})
	return pageOf(accounts, total, func(a account.Account) cs.Account {
		out := accountOut(a, caller)
		out.VMRunning, out.VMStopped = machines[a.ID].Running, machines[a.ID].Stopped
		return out
	}), err
}

func accountOut(a account.Account, caller auth.Caller) cs.Account {
	out := cs.Account{
		ID: a.ID, Name: a.Name, Type: int(a.Type), DomainID: a.Domain, Domain: a.DomainName, DomainPath: a.DomainPath,
		State: string(a.State), NetworkDomain: a.NetworkDomain, Created: api.At(a.Created),
	}
	var secondary int64
	for kind, to := range map[account.Kind]struct {
		limit, available *string
		total            *int64
	}{
		account.VMs:         {&out.VMLimit, &out.VMAvailable, &out.VMTotal},
		account.CPUs:        {&out.CPULimit, &out.CPUAvailable, &out.CPUTotal},
		account.MemoryMB:    {&out.MemoryLimit, &out.MemoryAvailable, &out.MemoryTotal},
		account.Volumes:     {&out.VolumeLimit, &out.VolumeAvailable, &out.VolumeTotal},
		account.PrimaryGB:   {&out.PrimaryStorageLimit, &out.PrimaryStorageAvailable, &out.PrimaryStorageTotal},
		account.Networks:    {&out.NetworkLimit, &out.NetworkAvailable, &out.NetworkTotal},
		account.PublicIPs:   {&out.IPLimit, &out.IPAvailable, &out.IPTotal},
		account.Templates:   {&out.TemplateLimit, &out.TemplateAvailable, &out.TemplateTotal},
		account.SecondaryGB: {&out.SecondaryStorageLimit, &out.SecondaryStorageAvailable, &secondary},
		account.Snapshots:   {&out.SnapshotLimit, &out.SnapshotAvailable, &out.SnapshotTotal},
		account.Projects:    {&out.ProjectLimit, &out.ProjectAvailable, &out.ProjectTotal},
		account.VPCs:        {&out.VPCLimit, &out.VPCAvailable, &out.VPCTotal},
	} {
		count, counted := a.Counts[kind]
		if !counted {
			count.Maximum = account.Unlimited
		}
		*to.total, *to.limit, *to.available = count.Used, "Unlimited", "Unlimited"
		if count.Maximum != account.Unlimited {
			*to.limit = strconv.FormatInt(count.Maximum, 10)
			*to.available = strconv.FormatInt(max(count.Maximum-count.Used, 0), 10)
		}
	}
	out.SecondaryStorageTotal = float64(secondary)
	for _, u := range a.Users {
		out.Users = append(out.Users, userOut(u, caller))
	}
	return out
}
