package cloudstack

import (
	"context"

	"github.com/virga-cloud/virga/api"
	cs "github.com/virga-cloud/virga/api/cloudstack"
	"github.com/virga-cloud/virga/internal/account"
	"github.com/virga-cloud/virga/internal/auth"
	"github.com/virga-cloud/virga/internal/facade/cloudstack/look"
	"github.com/virga-cloud/virga/internal/facade/cloudstack/wire"
	"github.com/virga-cloud/virga/internal/limit"
	"github.com/virga-cloud/virga/internal/quota"
	"github.com/virga-cloud/virga/uid"
)

func (f *Facade) registerDomains(m *api.Mux) {
	api.HandleCreate(m, cs.CreateDomain, f.createDomain, look.Show(f.DB.Read, account.DomainsWithFamily, f.domainsOut))
	api.HandleCall(m, cs.UpdateDomain, f.updateDomain)
	api.HandleJob(m, cs.DeleteDomain, f.deleteDomain, look.Succeeded)
	api.HandleList(m, cs.ListDomains, f.listDomains)
	api.HandleList(m, cs.ListDomainChildren, f.listDomainChildren)
}

func (f *Facade) createDomain(ctx context.Context, in cs.CreateDomainIn) (uid.Domain, error) {
	d, err := f.Accounts.CreateDomain(ctx, account.CreateDomainIn{
		ID: in.DomainID, Name: in.Name, Parent: in.ParentID, NetworkDomain: in.NetworkDomain,
	})
	return d.ID, err
}

func (f *Facade) updateDomain(ctx context.Context, in cs.UpdateDomainIn) (none cs.Domain, err error) {
	if err := f.Accounts.UpdateDomain(ctx, in.ID, account.DomainChange{Name: in.Name, NetworkDomain: in.NetworkDomain}); err != nil {
		return none, err
	}
	return look.Show(f.DB.Read, account.DomainsWithFamily, f.domainsOut)(ctx, in.ID)
}

func (f *Facade) deleteDomain(ctx context.Context, in cs.DeleteDomainIn) (api.Started, error) {
	job, err := f.Closing.DeleteDomain(ctx, in.ID, in.Cleanup)
	return api.Started{JobID: job}, err
}

// listDomains looks through everything in the caller's reach once it is told what to look for.
func (f *Facade) listDomains(ctx context.Context, in cs.ListDomainsIn) (api.Page[cs.Domain], error) {
	caller := auth.From(ctx)
	scope := caller.Reach()
	if !in.ListAll && in.ID == "" && in.Name == "" && in.Level == nil {
		scope = auth.Scope{Domain: caller.Domain}
	}
	filter := account.DomainFilter{Scope: scope, ID: in.ID, Name: in.Name, Level: in.Level, Keyword: in.Keyword}
	return f.domains(ctx, in.Paging, filter, in.Details)
}

// listDomainChildren shows what is below a domain in the caller's reach.
func (f *Facade) listDomainChildren(ctx context.Context, in cs.ListDomainChildrenIn) (api.Page[cs.Domain], error) {
	caller := auth.From(ctx)
	filter := account.DomainFilter{Scope: caller.Reach(), Parent: in.ID, Below: in.Recursive, Name: in.Name, Keyword: in.Keyword}
	if in.ID == "" {
		filter.Parent, filter.Below = caller.Domain, in.Recursive || in.ListAll
	}
	return f.domains(ctx, in.Paging, filter, nil)
}

func (f *Facade) domains(ctx context.Context, p api.Paging, filter account.DomainFilter, details []string) (none api.Page[cs.Domain], err error) {
	figures, err := look.Figures(details)
	if err != nil {
		return none, err
	}
	filter.Offset, filter.Limit = look.Window(p)
	domains, total, err := f.Accounts.Domains(ctx, filter)
	if err != nil {
		return none, err
	}
	items, err := f.domainsFor(ctx, domains, figures)
	return api.Page[cs.Domain]{Count: total, Items: items}, err
}

func (f *Facade) domainsOut(ctx context.Context, domains []account.Domain) ([]cs.Domain, error) {
	return f.domainsFor(ctx, domains, true)
}

// domainsFor shows domains, with figures also what their accounts use.
func (f *Facade) domainsFor(ctx context.Context, domains []account.Domain, figures bool) ([]cs.Domain, error) {
	holders := make([]quota.Holder, len(domains))
	var counts []limit.Counts
	if figures {
		if err := quota.Totals(ctx, f.DB.Read(), domains); err != nil {
			return nil, err
		}
		for i, d := range domains {
			holders[i].Domain = d.ID
		}
		var err error
		if counts, err = quota.CountsOf(ctx, f.DB.Read(), holders); err != nil {
			return nil, err
		}
	}
	caller := auth.From(ctx)
	out := make([]cs.Domain, len(domains))
	for i, d := range domains {
		out[i] = domainOut(d, caller)
		if figures {
			for kind, used := range d.Totals {
				counts[i][kind] = limit.Count{Used: used, Maximum: counts[i][kind].Maximum}
			}
			out[i].Resources = wire.Resources(counts[i])
		}
	}
	return out, f.Owned.Pending(ctx, len(out), func(i int) (string, *cs.Pending) { return string(out[i].ID), &out[i].Pending })
}

// domainOut shows a domain. The names above the caller's own domain are another tenant's.
func domainOut(d account.Domain, caller auth.Caller) cs.Domain {
	out := cs.Domain{
		ID: d.ID, Name: d.Name, Level: d.Level, HasChild: d.HasChildren, NetworkDomain: d.NetworkDomain, Path: d.Path,
		State: string(d.State), Created: api.At(d.Created), ParentID: d.Parent, ParentName: d.ParentName,
	}
	if d.ID == caller.Domain && !caller.IsRoot() {
		out.ParentID, out.ParentName = "", ""
	}
	return out
}
