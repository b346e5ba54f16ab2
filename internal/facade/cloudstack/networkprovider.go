package cloudstack

import (
	"context"
	"strings"

	"github.com/virga-cloud/virga/api"
	cs "github.com/virga-cloud/virga/api/cloudstack"
	"github.com/virga-cloud/virga/internal/facade/cloudstack/look"
	"github.com/virga-cloud/virga/internal/facade/cloudstack/wire"
	"github.com/virga-cloud/virga/internal/network"
	"github.com/virga-cloud/virga/internal/provider"
	"github.com/virga-cloud/virga/uid"
)

func (f *Facade) registerNetworkProviders(m *api.Mux) {
	shown := subject[uid.NetworkProvider](look.Show(f.DB.Read, network.ProvidersByID, f.providersOut))
	api.HandleList(m, cs.ListSupportedNetworkServices, f.listNetworkServices)
	api.HandleList(m, cs.ListNetworkServiceProviders, f.listProviders)
	api.HandleJob(m, cs.AddNetworkServiceProvider, f.addProvider, shown)
	api.HandleJob(m, cs.UpdateNetworkServiceProvider, f.updateProvider, shown)
	api.HandleList(m, cs.ListVirtualRouterElements, f.listElements)
	api.HandleJob(m, cs.ConfigureVirtualRouterElement, f.configureElement,
		subject[uid.RouterElement](look.Show(f.DB.Read, network.ElementsByID, f.elementsOut)))
}

func (f *Facade) listNetworkServices(_ context.Context, in cs.ListSupportedNetworkServicesIn) (none api.Page[cs.NetworkService], err error) {
	supported, err := provider.Supported(in.Service, in.Provider)
	if err != nil {
		return none, err
	}
	var all []cs.NetworkService
	for _, s := range supported {
		if !strings.Contains(strings.ToLower(s.Name), strings.ToLower(in.Keyword)) {
			continue
		}
		one := cs.NetworkService{Name: s.Name, Capabilities: wire.Capabilities(s.Capabilities, in.Provider != "")}
		for _, p := range s.Providers {
			one.Providers = append(one.Providers, cs.ServiceProvider{Name: p.Name, Individual: new(p.Single)})
		}
		all = append(all, one)
	}
	return cut(all, in.Paging), nil
}

// cut gives a page of a list that is all there.
func cut[T any](all []T, p api.Paging) api.Page[T] {
	page := api.Page[T]{Count: len(all)}
	offset, limit := look.Window(p)
	if offset = min(offset, len(all)); limit == 0 {
		limit = len(all)
	}
	page.Items = all[offset:min(offset+limit, len(all))]
	return page
}

func (f *Facade) listProviders(ctx context.Context, in cs.ListNetworkServiceProvidersIn) (none api.Page[cs.NetworkServiceProvider], err error) {
	filter := network.ProviderFilter{Physical: in.PhysicalNetworkID, Name: in.Name, State: network.Switch(in.State), Keyword: in.Keyword}
	filter.Offset, filter.Limit = look.Window(in.Paging)
	found, total, err := f.Networks.Providers(ctx, filter)
	if err != nil {
		return none, err
	}
	items, err := f.providersOut(ctx, found)
	return api.Page[cs.NetworkServiceProvider]{Count: total, Items: items}, err
}

func (f *Facade) providersOut(ctx context.Context, all []network.ServiceProvider) ([]cs.NetworkServiceProvider, error) {
	out := make([]cs.NetworkServiceProvider, len(all))
	for i, p := range all {
		kind, err := provider.Named(p.Name)
		if err != nil {
			return nil, err
		}
		out[i] = cs.NetworkServiceProvider{
			ID: p.ID, Name: p.Name, Physical: p.Physical, Destination: p.Destination, State: string(p.State), Services: p.Services,
			Individual: kind.Single,
		}
	}
	return out, f.pending(ctx, len(all), func(i int) (string, *cs.Pending) { return string(all[i].ID), &out[i].Pending })
}

func (f *Facade) addProvider(ctx context.Context, in cs.AddNetworkServiceProviderIn) (api.Started, error) {
	id, job, err := f.Networks.AddProvider(ctx, network.AddProviderIn{
		Physical: in.PhysicalNetworkID, Destination: in.Destination, Name: in.Name, Services: in.Services,
	})
	return api.Started{ID: string(id), JobID: job}, err
}

func (f *Facade) updateProvider(ctx context.Context, in cs.UpdateNetworkServiceProviderIn) (api.Started, error) {
	job, err := f.Networks.ChangeProvider(ctx, in.ID, in.State, in.Services)
	return api.Started{JobID: job}, err
}

func (f *Facade) listElements(ctx context.Context, in cs.ListVirtualRouterElementsIn) (none api.Page[cs.VirtualRouterElement], err error) {
	filter := network.ElementFilter{ID: in.ID, Provider: in.ProviderID, Enabled: in.Enabled, Keyword: in.Keyword}
	filter.Offset, filter.Limit = look.Window(in.Paging)
	found, total, err := f.Networks.Elements(ctx, filter)
	if err != nil {
		return none, err
	}
	items, err := f.elementsOut(ctx, found)
	return api.Page[cs.VirtualRouterElement]{Count: total, Items: items}, err
}

func (f *Facade) elementsOut(ctx context.Context, all []network.Element) ([]cs.VirtualRouterElement, error) {
	out := make([]cs.VirtualRouterElement, len(all))
	for i, e := range all {
		out[i] = cs.VirtualRouterElement{ID: e.ID, ProviderID: e.Provider, Enabled: e.Enabled}
	}
	if err := f.owners(ctx, len(all), func(i int) (uid.Account, *cs.Owner) { return all[i].Account, &out[i].Owner }); err != nil {
		return nil, err
	}
	return out, f.pending(ctx, len(all), func(i int) (string, *cs.Pending) { return string(all[i].ID), &out[i].Pending })
}

func (f *Facade) configureElement(ctx context.Context, in cs.ConfigureVirtualRouterElementIn) (api.Started, error) {
	job, err := f.Networks.ConfigureElement(ctx, in.ID, *in.Enabled)
	return api.Started{JobID: job}, err
}
