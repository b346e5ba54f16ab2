package cloudstack

import (
	"context"

	"github.com/virga-cloud/virga/api"
	cs "github.com/virga-cloud/virga/api/cloudstack"
	"github.com/virga-cloud/virga/internal/account"
	"github.com/virga-cloud/virga/internal/auth"
)

func (f *Facade) registerDomains(m *api.Mux) {
	api.HandleList(m, cs.ListDomains, f.listDomains)
}

// listDomains looks through everything in the caller's reach once it is told what to look for.
func (f *Facade) listDomains(ctx context.Context, in cs.ListDomainsIn) (api.Page[cs.Domain], error) {
	caller := auth.From(ctx)
	scope := caller.Reach()
	if !in.ListAll && in.ID == "" && in.Name == "" && in.Level == nil {
		scope = auth.Scope{Domain: caller.Domain}
	}
	filter := account.DomainFilter{Scope: scope, ID: in.ID, Name: in.Name, Level: in.Level, Keyword: in.Keyword}
	filter.Offset, filter.Limit = window(in.Paging)
	domains, total, err := f.Accounts.Domains(ctx, filter)
	return pageOf(domains, total, func(d account.Domain) cs.Domain { return domainOut(d, caller) }), err
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
